// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package dcv publishes what a CA asks to see before it issues (domain control validation), and looks whether the world
// can see it.
//
// The two are kept apart: a Solver makes a record exist and takes it away again, and never waits; SelfCheck asks DNS,
// and never writes. CAS cannot be told "look now" (docs/design/cas.md §3.4): after the record stands, the CA looks in
// its own time, so the self-check decides nothing. It is there to tell a waiting person what is still wrong.
//
// A Solver owns a record only if it claimed it before it created it. It recognizes its record by the provider's id, or
// else by the exact name, type and value. It never touches anything else at the same name: CAS publishes some records
// by itself (docs/design/cas.md §5.3), people have their own, and other orders have theirs.
package dcv

import "context"

// TypeFile is the type of a challenge that asks for a file on the web server of the domain, and of the record that
// stands for it.
const TypeFile = "FILE"

// Challenge is what the CA asks to see published, as CAS described it.
type Challenge struct {
	// Domain is the name that is validated, without "*.".
	Domain string
	// RecordName may be relative or absolute (docs/design/cas.md §3.4); RecordFQDN tells which. For a file it is the
	// path.
	RecordName string
	// RecordType is TXT, CNAME or TypeFile.
	RecordType string
	// RecordValue is opaque. For a file it is the content.
	RecordValue string
	// delegated says that RecordName is the target of a CNAME at the name that CAS asked for. Such a name need not look
	// like that of a validation record: the owner of the domain chose it.
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
	// prior is what an earlier Present claimed or returned for the same challenge, nil at first. Before it creates
	// anything, Present calls claim with the Record about to be created (its ProviderID still empty), and goes on only
	// if claim returns nil. The caller persists the claim: after a crash, the record is known to be ours.
	Present(ctx context.Context, ch Challenge, prior *Record, claim func(context.Context, Record) error) (Record, error)

	// CleanUp removes exactly what Present created: by the provider's record id, else by exact name, type and value. It
	// returns nil for a Foreign record, and for one that is already gone.
	CleanUp(ctx context.Context, rec Record) error
}

// Problem is an error that waiting alone does not solve: a person or another system must act. Its text names the cause,
// the object and the next step, and is stable: it holds no request ids or times, so that a condition with it is not
// rewritten at each try.
type Problem struct{ Message string }

func (p *Problem) Error() string { return p.Message }

// ZoneError is a provider's error for a record in one of its zones. The same call may succeed in another zone.
type ZoneError struct {
	// Zone is the zone as the provider spells it.
	Zone string
	// What names the record.
	What string
	Err  error
}

func (e *ZoneError) Error() string { return e.What + ": " + e.Err.Error() }

func (e *ZoneError) Unwrap() error { return e.Err }
