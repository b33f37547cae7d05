// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// The states of an application. They are the simulator's own: CAS has no name for an application.
const (
	applicationSubmitted = "submitted" // accepted, while the instance still tells its old status
	applicationPending   = "pending"
	applicationIssued    = "issued"
	applicationWithdrawn = "withdrawn"
	applicationFailed    = "failed"
	// applicationReplaced: another application has taken its place (knob applyReplay). applicationRefused: its
	// submission failed.
	applicationReplaced = "replaced"
	applicationRefused  = "refused"
)

// application is an accepted ApplyCertificate, or what CAS or a person in the console has begun: names, a CSR, and what
// the CA makes of it.
type application struct {
	instance    *subscription
	number      int // on the instance, from 1
	by, csrBy   string
	isForeign   bool // begun by nobody who calls
	foreignCSR  bool // of a CSR that nobody who calls has written
	names       []string
	csr         *x509.CertificateRequest
	csrText     string
	isOnline    bool
	fingerprint string
	byFile      bool

	state                  string
	submittedAt, pendingAt time.Time
	controls               []*control
	validatedAt            time.Time
	cancelledAt            time.Time // when somebody asked for it
	cancelAt               time.Time // when it takes effect; zero without one
	endedAt                time.Time
	failReason             string
	cert                   certificate
	revokedAt              time.Time // zero if it is not, else when, which may be in the future
	toldRevoked            bool      // CAS says so, though the CA did nothing
}

func (a *application) isOpen() bool {
	return a.state == applicationSubmitted || a.state == applicationPending
}

// Returns what is missing for an application, or "".
func (f *form) missing(certificateType string) string {
	switch {
	case len(f.names) == 0:
		return "Domain"
	case !f.isOnline && f.csr == nil:
		return "Csr"
	case len(f.contacts) == 0:
		return "ContactIdList"
	case certificateType != "DV" && f.company == 0:
		return "CompanyId"
	}
	return ""
}

// submit makes an application of what is written on the instance, whoever wrote it.
func (s *Server) submit(i *subscription, by string, isForeign bool, at time.Time) *application {
	f := &i.form
	a := &application{
		instance: i, number: len(i.applications) + 1, by: by, csrBy: f.csrBy, isForeign: isForeign,
		foreignCSR: f.isForeign,
		names:      slices.Clone(f.names), csr: f.csr, csrText: f.csrText, isOnline: f.isOnline,
		byFile: f.validation == validateHTTP,
		state:  applicationSubmitted, submittedAt: at, pendingAt: at.Add(duration(s.knobs.PendingDelay)),
	}
	if f.isOnline {
		a.csr, a.csrText = onlineCSR(a.names[0])
		a.csrBy, a.foreignCSR = by, isForeign
	}
	a.fingerprint = fingerprint(a.csr.Raw)
	if i.refusal != "" {
		a.state, a.failReason, a.endedAt = applicationRefused, i.refusal, at
		i.refusal = ""
	}
	f.company = cmp.Or(f.company, 7001) // CAS attaches one of its own
	for _, name := range a.names {
		a.controls = append(a.controls, s.newControl(a, name))
	}
	i.submitAt = time.Time{}
	i.applications = append(i.applications, a)
	s.instances.applications = append(s.instances.applications, a)
	s.progress(a)
	return a
}

// Returns a CSR whose key CAS has made.
func onlineCSR(domain string) (*x509.CertificateRequest, string) {
	csr, err := foreignCSR(domain)
	if err != nil {
		panic("cassim: " + err.Error()) // names were checked when they were written
	}
	return csr, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr.Raw}))
}

// askForFile is what must be published where an application is validated by files.
func (s *Server) askForFile(c *control, a *application, value string) {
	uri := fileName
	switch {
	case s.knobs.FilePaths == FilesOwn:
		uri = path.Join(path.Dir(fileName), value[:16]+".txt")
	case len(a.names) > 1: // the same path on each host: what a host of another name has there is that name's
		c.apart = a.names
	}
	if s.knobs.FileContents == FilesShared {
		value = fingerprint(fmt.Append(nil, a.instance.id, " ", a.number))
	}
	c.proof = proof{uri: uri, value: value}
}

// newControl is what must be published for one of the names.
func (s *Server) newControl(a *application, name string) *control {
	bare := strings.TrimPrefix(name, "*.")
	seed := name
	if s.knobs.RecordsForWildcard != WildcardOwn || s.knobs.RecordType == RecordCNAME {
		seed = bare // a host has one CNAME at most
	}
	value := fingerprint(fmt.Append(nil, a.instance.id, " ", a.number, " ", seed))
	c := &control{domain: bare, recordAt: a.pendingAt.Add(duration(s.knobs.RecordsDelay)).Add(s.opts.RecordDelay)}
	if a.byFile {
		s.askForFile(c, a, value)
		return c
	}
	root := registrable(bare)
	c.proof = proof{fqdn: label + "." + bare, recordType: s.knobs.RecordType, value: value}
	switch s.knobs.ValidationKey {
	case KeyAtZone:
		c.proof.fqdn = label + "." + root
	case KeyAtApex:
		c.proof.fqdn = root
	}
	c.proof.told = "@"
	switch {
	case s.knobs.ValidationKey == KeyFQDN:
		c.proof.told = c.proof.fqdn
	case c.proof.fqdn != root:
		c.proof.told = strings.TrimSuffix(c.proof.fqdn, "."+root)
	}
	if c.proof.recordType == RecordCNAME {
		c.proof.value = value[:32] + ".dcv.authority.test"
	}
	return c
}
