// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"strings"

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

	version uint64 // of the name in DNS when the CA last looked; see zoneBook.version
	looked  bool
	written bool // by CAS itself (knob automaticDNS)
}

func (s *Server) newProof(o *order) proof {
	value := fingerprint([]byte(o.id)) // the same in each run, so that tests can have it in their golden files
	if o.validateType == validateFile {
		return proof{uri: fileName, value: value}
	}
	name := strings.TrimPrefix(o.domain, "*.")
	zone := registrable(name)
	p := proof{fqdn: label + "." + name, recordType: s.knobs.RecordType, value: value}
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
