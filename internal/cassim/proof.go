// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

const (
	label    = "_dnsauth"
	fileName = "/.well-known/pki-validation/fileauth.txt"
)

// proof is what must be published to show the control of the domain.
type proof struct {
	fqdn       string // where the CA looks, without a dot at the end
	told       string // how DescribeCertificateState names it
	recordType string
	uri        string
	value      string // of the record, or the content of the file
	renewals   int    // how often it was replaced

	version uint64 // of the name in DNS when the CA last looked; see zoneBook.version
	looked  bool
	written bool // by CAS itself (knob automaticDNS)
}

func (s *Server) newProof(o *order) proof { return s.proofAfter(o, 0) }

// Gives an order another value, as often as the knob proofValue says. Voids what the CA saw of the last one.
func (s *Server) renewProof(o *order) {
	lifetime, ends := limit(s.knobs.ProofValue)
	if !ends || o.state != StateDomainVerify || s.now().Before(o.recordAt) {
		return
	}
	if n := int(s.now().Sub(o.recordAt) / lifetime); n > o.proof.renewals {
		o.proof, o.visibleSince = s.proofAfter(o, n), time.Time{}
	}
}

func (s *Server) proofAfter(o *order, renewals int) proof {
	seed := o.id
	if renewals > 0 {
		seed = fmt.Sprint(o.id, " ", renewals)
	}
	value := fingerprint([]byte(seed)) // the same in each run, so that tests can have it in their golden files
	if o.validateType == validateFile {
		return proof{uri: fileName, value: value, renewals: renewals}
	}
	name := strings.TrimPrefix(o.domain, "*.")
	zone := registrable(name)
	p := proof{fqdn: label + "." + name, recordType: s.knobs.RecordType, value: value, renewals: renewals}
	if s.knobs.RecordLabel == LabelAtZone {
		p.fqdn = label + "." + zone
	}
	if p.recordType == RecordCNAME {
		p.value = value[:32] + ".dcv.authority.test"
	}
	switch s.knobs.RecordDomain {
	case RecordRelative:
		p.told = strings.TrimSuffix(p.fqdn, "."+zone)
	case RecordPrefix:
		p.told = label
	case RecordFQDN:
		p.told = p.fqdn
	case RecordFQDNDot:
		p.told = p.fqdn + "."
	case RecordUpper:
		p.told = strings.ToUpper(p.fqdn)
	}
	return p
}

// registrable is the domain that a registry sold. CAS knows nothing of delegations below it.
func registrable(name string) string {
	zone, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return name
	}
	return zone
}
