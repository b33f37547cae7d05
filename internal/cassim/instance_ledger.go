// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ApplicationView is an application that CAS accepted, whoever got to know of it.
type ApplicationView struct {
	InstanceID, AccountID string
	// Number counts the applications of the instance from 1.
	Number int
	// By is who submitted it, and CSRBy who wrote the CSR that it was submitted with: the ARN of a user or role, or
	// console, hosting or cas.
	By, CSRBy string
	// Foreign tells that no call submitted it, and ForeignCSR that no call wrote its CSR.
	Foreign, ForeignCSR bool
	Names               []string
	// CSRFingerprint is the SHA-256 of the CSR's DER in hexadecimal.
	CSRFingerprint string
	// State is submitted, pending, issued, withdrawn, failed, refused (its submission failed) or replaced (by another
	// one).
	State string
	// SubmittedAt, PendingAt, ValidatedAt, CancelledAt (when somebody asked for it) and EndedAt are zero if it has not
	// happened.
	SubmittedAt, PendingAt, ValidatedAt, CancelledAt, EndedAt time.Time
	FailReason                                                string
	Records                                                   []InstanceRecord
	// CertificateID and Certificate, which is PEM, are empty before the issue.
	CertificateID, Certificate string
	Revoked                    bool
}

// InstanceRecord is what has to be published for a name.
type InstanceRecord struct {
	// Domain is the name without a wildcard.
	Domain string
	// FQDN and Type are where the CA looks, and empty with a file. URI is empty with a record.
	FQDN, Type, URI string
	Value           string
	// ToldAt is when CAS began to tell it, or will.
	ToldAt time.Time
	// VisibleSince is zero while the CA does not see it.
	VisibleSince time.Time
}

// InstanceView is all that is known of an instance, by the simulator and not only by its customer.
type InstanceView struct {
	NewInstance
	InstanceID, Status string
	// Names and CSRFingerprint are what is written on it now, and CSRBy who wrote it.
	Names                 []string
	CSRFingerprint, CSRBy string
	AutoReissue           string
	Tags                  map[string]string
	BoughtAt, StartsAt    time.Time
	Applications          []ApplicationView
	Vanished              bool
	// Overwritten is how often a caller wrote over a CSR of somebody else that nobody had applied for yet.
	Overwritten int
}

// Applications returns every application ever submitted, in their order.
func (s *Server) Applications() []ApplicationView {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	views := []ApplicationView{}
	for _, a := range s.instances.applications {
		views = append(views, s.viewApplication(a))
	}
	return views
}

// Instances returns every instance ever bought, in the order of their purchase.
func (s *Server) Instances() []InstanceView {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	views := []InstanceView{}
	for _, i := range s.instances.all {
		views = append(views, s.viewInstance(i))
	}
	return views
}

// Instance returns one instance, also one that vanished.
func (s *Server) Instance(id string) (InstanceView, bool) {
	for _, view := range s.Instances() {
		if view.InstanceID == id {
			return view, true
		}
	}
	return InstanceView{}, false
}

func (s *Server) viewInstance(i *subscription) InstanceView {
	v := InstanceView{
		NewInstance: i.NewInstance, InstanceID: i.id, Status: s.status(i), Names: slices.Clone(i.form.names),
		CSRBy:       i.form.csrBy,
		AutoReissue: i.form.autoReissue, Tags: maps.Clone(i.form.tags), BoughtAt: i.boughtAt, StartsAt: i.startsAt,
		Vanished: i.vanished,
	}
	v.Overwritten = i.overwritten
	if i.form.csr != nil {
		v.CSRFingerprint = fingerprint(i.form.csr.Raw)
	}
	for _, a := range i.applications {
		v.Applications = append(v.Applications, s.viewApplication(a))
	}
	return v
}

func (s *Server) viewApplication(a *application) ApplicationView {
	v := ApplicationView{
		InstanceID: a.instance.id, AccountID: a.instance.account.id, Number: a.number, By: a.by, CSRBy: a.csrBy,
		Foreign:    a.isForeign,
		ForeignCSR: a.foreignCSR, Names: slices.Clone(a.names), CSRFingerprint: a.fingerprint, State: a.state,
		SubmittedAt: a.submittedAt,
		PendingAt:   a.pendingAt, ValidatedAt: a.validatedAt, CancelledAt: a.cancelledAt, EndedAt: a.endedAt,
		FailReason:    a.failReason,
		CertificateID: a.cert.id, Revoked: !a.revokedAt.IsZero() && !s.now().Before(a.revokedAt),
	}
	for _, c := range a.controls {
		v.Records = append(v.Records, InstanceRecord{
			Domain: c.domain, FQDN: c.proof.fqdn, Type: c.proof.recordType, URI: c.proof.uri, Value: c.proof.value,
			ToldAt: c.recordAt, VisibleSince: c.visibleSince,
		})
	}
	if a.cert.leaf != nil {
		v.Certificate = s.authority.chain(a.cert.leaf, ChainFull)
	}
	return v
}

// InstanceHarm tells what callers did to instances that no issuer may do, or nil: applied twice for one CSR of which
// the first application was neither withdrawn nor refused, applied with a CSR of somebody else, cancelled an
// application of somebody else, or replaced an application.
func (s *Server) InstanceHarm() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var harm []error
	live := map[string]*application{}
	for _, a := range s.instances.applications {
		if !a.isForeign && a.csrBy != a.by && a.by != byCAS {
			harm = append(harm, fmt.Errorf("%s applied with the CSR that %s wrote on %s", a.by, a.csrBy, a.instance.id))
		}
		if a.state == applicationReplaced {
			harm = append(harm, fmt.Errorf("application %d on %s was replaced", a.number, a.instance.id))
		}
		if a.state != applicationIssued && (!a.isOpen() || a.instance.isFrozenByStatus()) {
			continue
		}
		if first := live[a.fingerprint]; first != nil {
			harm = append(harm, fmt.Errorf("one CSR was applied for on %s and on %s", first.instance.id, a.instance.id))
		}
		live[a.fingerprint] = a
	}
	for _, r := range s.requests {
		if r.Executed && r.Code == "" && r.foreignApplication {
			harm = append(harm, fmt.Errorf("an application of somebody else on %s was cancelled", r.InstanceID))
		}
	}
	return errors.Join(harm...)
}

// CallsForInstance counts the requests that name an instance.
func (s *Server) CallsForInstance(id string) map[string]int {
	return s.count(func(r Request) bool { return r.InstanceID == id })
}
