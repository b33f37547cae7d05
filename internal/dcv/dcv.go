// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package dcv publishes what a CA asks to see before it issues (domain control validation), and looks whether the world can see it.
//
// The two are kept apart: a Solver makes a record exist and takes it away again, and never waits; SelfCheck asks DNS, and never writes.
// CAS cannot be told "look now" (CAS contract §2): after the record stands, the CA looks in its own time, so the self-check
// decides nothing. It is there to tell a waiting person what is still wrong.
//
// A Solver owns a record only if it said so before it created it (claim), and then by the provider's id of that record, or by its
// exact name, type and value. It never touches anything else at the same name: CAS publishes some records by itself (CAS contract §4),
// people have their own, and other orders have theirs.
package dcv

import "context"

// TypeFile is the type of a challenge that asks for a file on the web server of the domain, and of the record that stands for it.
const TypeFile = "FILE"

// Challenge is what the CA asks to see published, as CAS described it.
type Challenge struct {
	// Domain is the name that is validated, without "*.".
	Domain string
	// RecordName may be relative or absolute (CAS contract §2); RecordFQDN tells which. Of a file it is the path.
	RecordName string
	// RecordType is TXT, CNAME or TypeFile.
	RecordType string
	// RecordValue is opaque. Of a file it is the content.
	RecordValue string
	// delegated says that the name is where a CNAME leads that stands at the name that CAS asked for, so that it need not look like that
	// of a validation record: whoever has the domain has chosen it.
	delegated bool
}

// Record says where the challenge's record stands and whose it is. The Order's status keeps it.
type Record struct {
	// FQDN is the record's full name, without trailing dot, or the host of a file.
	FQDN string
	// Type is TXT, CNAME or TypeFile.
	Type string
	// Value is the challenge's value.
	Value string
	// Zone is the zone that holds the record, without trailing dot, or the path of a file, with a slash before it.
	Zone string
	// ProviderID is the DNS provider's id of the record; empty when it was only claimed, or when there is no provider.
	ProviderID string
	// Foreign says that the record stood there before we presented, or that a person publishes it: it is never removed.
	Foreign bool
}

// Solver publishes and removes one challenge's record.
type Solver interface {
	// Present makes the record exist. It is idempotent.
	//
	// prior is what an earlier Present claimed or returned for the same challenge, nil at first. Before anything is created, claim is
	// called with the Record about to be created (its ProviderID still empty) and must have returned nil: the caller persists it, so
	// that a crash between leaves a record that is known to be ours.
	Present(ctx context.Context, ch Challenge, prior *Record, claim func(context.Context, Record) error) (Record, error)

	// CleanUp removes exactly what Present created: by the provider's record id, else by exact name, type and value. A Foreign record
	// and one that is already gone are success.
	CleanUp(ctx context.Context, rec Record) error
}

// Problem is an error that waiting alone does not solve: a person or another system must act. Its text names the cause, the object and
// the next step, and is stable: it holds no request ids or times, so that it can stand in a condition without rewriting it at each try.
type Problem struct{ Message string }

func (p *Problem) Error() string { return p.Message }
