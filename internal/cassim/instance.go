// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The words of Status of an instance.
const (
	InstanceInactive   = "inactive"
	InstancePending    = "pending"
	InstanceNormal     = "normal"
	InstanceWillExpire = "willExpire"
	InstanceExpired    = "expired"
	InstanceRefund     = "refund"
	InstanceClosed     = "closed"
)

// subscription is an instance of CAS V2.0: it is bought, can be applied with for its term, and gets one certificate
// after the other. (Elsewhere in this package, instance may also mean a machine of ECS.)
type subscription struct {
	NewInstance
	id       string
	account  *account
	boughtAt time.Time
	startsAt time.Time // of the term, which begins with the first issue; zero before

	form         form
	applications []*application // as they were submitted
	submitAt     time.Time      // when CAS will submit by itself; zero if it will not

	settled       string // the status while no application is under way
	forced        string // the status that a test wants; empty for the true one
	history       []statusChange
	upgradeStatus string
	hidesCert     bool // a cancelled application took the first certificate's fields with it
	refusal       string
	steering      steering
	vanished      bool
	overwritten   int // see InstanceView.Overwritten
}

// statusChange is a status and when it began.
type statusChange struct {
	at     time.Time
	status string
}

// form is what UpdateInstance, or a person in the console, has written on an instance.
type form struct {
	names        []string
	csr          *x509.CertificateRequest
	csrText      string
	isOnline     bool // CAS makes the key
	keyAlgorithm string
	validation   string
	contacts     []int64
	company      int64
	place        map[string]string // Province, City and CountryCode
	autoReissue  string
	tags         map[string]string
	// csrBy is who wrote the CSR. isForeign tells that this was no caller of the simulator.
	csrBy     string
	isForeign bool
}

// instanceBook holds every instance that was ever bought.
type instanceBook struct {
	byID         map[string]*subscription
	all          []*subscription // as they were bought
	applications []*application  // as they were submitted
}

// addInstance makes the instance exist.
func (b *instanceBook) addInstance(i *subscription) {
	i.id = "cas_dv-cn-" + fingerprint(fmt.Append(nil, "instance ", len(b.all)))[:11]
	b.byID[i.id] = i
	b.all = append(b.all, i)
}

// findInstance returns an instance of the caller's account, by the parameter that names it.
func (s *Server) findInstance(c *call, param string) (*subscription, *refusal) {
	i := s.instances.byID[c.arg(param)]
	if i == nil || i.vanished || i.account != c.account() {
		return nil, badRequest(s.knobs.InstanceNotFound, "The instance is not found.")
	}
	return i, nil
}

// status is the true one, or the one that a test wants.
func (s *Server) status(i *subscription) string {
	if i.forced != "" {
		return i.forced
	}
	if a := i.open(); a != nil && a.state == applicationPending {
		return InstancePending
	}
	end, hasBegun := i.endsAt()
	switch left := end.Sub(s.now()); {
	case hasBegun && left <= 0:
		return InstanceExpired
	case hasBegun && left < willExpire:
		return InstanceWillExpire
	}
	return i.settled
}

// Returns the end of the term. The bool tells that the term has begun.
func (i *subscription) endsAt() (time.Time, bool) {
	return i.startsAt.AddDate(0, i.Months, 0), !i.startsAt.IsZero()
}

// Says whether nothing can be done with the instance any more.
func isDead(status string) bool {
	return status == InstanceExpired || status == InstanceRefund || status == InstanceClosed
}

// remember notes the status for listings, which may lag.
func (s *Server) remember(i *subscription) {
	status := s.status(i)
	if n := len(i.history); n == 0 || i.history[n-1].status != status {
		i.history = append(i.history, statusChange{s.now(), status})
	}
}

// Returns the status that the instance had at a time, as far as anybody has asked for it.
func (i *subscription) statusAt(at time.Time) string {
	status := InstanceInactive
	for _, change := range i.history {
		if !change.at.After(at) {
			status = change.status
		}
	}
	return status
}

// open is the application that is under way, or nil.
func (i *subscription) open() *application {
	if n := len(i.applications); n > 0 && i.applications[n-1].isOpen() {
		return i.applications[n-1]
	}
	return nil
}

// last is the latest application, or nil.
func (i *subscription) last() *application {
	if n := len(i.applications); n > 0 {
		return i.applications[n-1]
	}
	return nil
}

// issued are the applications that came to a certificate.
func (i *subscription) issued() []*application {
	return slices.DeleteFunc(slices.Clone(i.applications), func(a *application) bool {
		return a.state != applicationIssued
	})
}

// fits tells whether the instance may serve the names: a wildcard edition takes the wildcard alone.
func (i *subscription) fits(names []string) bool {
	wildcards := 0
	for _, name := range names {
		if strings.HasPrefix(name, "*.") {
			wildcards++
		}
	}
	return len(names) > 0 && len(names)-wildcards <= i.SingleNames && wildcards <= i.WildcardNames
}
