// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// maxRecords is for each type, host and line; maxTXT is the length of a value (docs/design/cas.md §6.4).
const (
	maxRecords = 90
	maxTXT     = 512
)

// recordKinds are the types that the simulator has; Alidns has more.
var recordKinds = []string{"A", "AAAA", "CAA", "CNAME", "TXT"}

// ownZone returns a zone of the caller's account.
func (s *Server) ownZone(c *call, name string) (*zone, *refusal) {
	z := s.zones.byName[canonical(name)]
	if z == nil || z.account == "" {
		return nil, badRequest("InvalidDomainName.NoExist", "The specified domain name does not exist. Refresh the "+
			"page and try again.")
	}
	if z.account != c.account().id {
		return nil, badRequest("IncorrectDomainUser", "The domain name does not belong to this user.")
	}
	return z, nil
}

// ownRecord returns a record of the caller's account.
func (s *Server) ownRecord(c *call) (*record, *refusal) {
	r := s.zones.byID[c.arg("RecordId")]
	if r == nil || r.zone.account != c.account().id {
		return nil, badRequest("DomainRecordNotBelongToUser", "The domain record does not belong to this user.")
	}
	return r, nil
}

// readRecord takes the content of a record from the parameters.
func (s *Server) readRecord(c *call, z *zone) (*record, *refusal) {
	ttl, refused := number(c, "TTL", minTTL)
	if refused != nil {
		return nil, refused
	}
	priority, refused := number(c, "Priority", 0)
	if refused != nil {
		return nil, refused
	}
	return &record{
		zone: z, rr: strings.ToLower(c.arg("RR")), kind: c.arg("Type"), value: c.arg("Value"),
		ttl: ttl, line: cmp.Or(c.arg("Line"), defaultLine), priority: priority, since: s.now(),
	}, nil
}

func (s *Server) addDomainRecord(c *call) (reply, *refusal) {
	z, refused := s.ownZone(c, c.arg("DomainName"))
	if refused != nil {
		return nil, refused
	}
	r, refused := s.readRecord(c, z)
	if refused != nil {
		return nil, refused
	}
	if refused := s.checkRecord(r, nil); refused != nil {
		return nil, refused
	}
	added := s.zones.put(z, *r)
	s.forget()
	return reply{"RecordId": added.id}, nil
}

func (s *Server) updateDomainRecord(c *call) (reply, *refusal) {
	old, refused := s.ownRecord(c)
	if refused != nil {
		return nil, refused
	}
	if old.locked {
		return nil, badRequest("DomainRecordLocked", "The domain record has been locked.")
	}
	changed, refused := s.readRecord(c, old.zone)
	if refused != nil {
		return nil, refused
	}
	if changed.rr == old.rr && changed.kind == old.kind && changed.value == old.value && changed.line == old.line &&
		changed.ttl == old.ttl {
		return nil, badRequest("DomainRecordDuplicate", "The domain record is duplicated.")
	}
	if refused := s.checkRecord(changed, old); refused != nil {
		return nil, refused
	}
	changed.id, changed.disabled = old.id, old.disabled
	if changed.rr == old.rr && changed.kind == old.kind && changed.value == old.value {
		changed.since = old.since // another TTL does not hide it
	}
	s.zones.change(old, func(r *record) { *r = *changed })
	s.forget()
	return reply{"RecordId": old.id}, nil
}

func (s *Server) deleteDomainRecord(c *call) (reply, *refusal) {
	r, refused := s.ownRecord(c)
	if refused != nil {
		return nil, refused
	}
	if r.locked {
		return nil, badRequest("DomainRecordLocked", "The domain record has been locked.")
	}
	s.zones.remove(r)
	s.forget()
	return reply{"RecordId": r.id}, nil
}

// checkRecord refuses what cannot stand beside the records that are there. old is the record to be replaced, or nil.
func (s *Server) checkRecord(r, old *record) *refusal {
	if refused := r.checkContent(); refused != nil {
		return refused
	}
	same := 0
	for _, other := range s.zones.byFQDN[r.fqdn()] {
		if other == old || other.zone != r.zone || other.line != r.line {
			continue
		}
		isEqual := other.kind == r.kind && sameValue(r.kind, other.value, r.value)
		switch {
		case isEqual:
			return badRequest("DomainRecordDuplicate", "The domain record is duplicated.")
		case other.kind == RecordCNAME || r.kind == RecordCNAME:
			return badRequest("DomainRecordConflict", "The domain record is conflict with other records.")
		case other.kind == r.kind:
			same++
		}
	}
	if same >= maxRecords {
		return badRequest("QuotaExceeded.Record", "You can't add this domain record because the record has been out "+
			"of MAX count (%d).", maxRecords)
	}
	return nil
}

func (r *record) checkContent() *refusal {
	invalid := func(name string) *refusal {
		return badRequest("InvalidParameter."+name, "The specified parameter %s is not valid.", name)
	}
	switch {
	case !isHost(r.rr):
		return invalid("RR")
	case !slices.Contains(recordKinds, r.kind):
		return invalid("Type")
	case r.ttl < r.zone.minTTL || r.ttl > maxTTL:
		return badRequest("QuotaExceeded.TTL", "The TTL value is not allowed by the edition of the domain.")
	case r.value == "", strings.ContainsAny(r.value, "\n\r"):
		return invalid("Value")
	}
	switch r.kind {
	case "A", "AAAA":
		if ip, err := netip.ParseAddr(r.value); err != nil || ip.Is4() != (r.kind == "A") || ip.Zone() != "" {
			return invalid("Value")
		}
	case "TXT":
		if len(r.value) > maxTXT {
			return invalid("Value")
		}
	case "CNAME":
		r.value = canonical(r.value)
		if !isHost(r.value) || r.rr == "@" {
			return invalid("Value")
		}
	default:
		if _, err := r.parse(r.fqdn()); err != nil {
			return invalid("Value")
		}
	}
	return nil
}

// isHost holds for @ and for labels of letters, digits, hyphens and underscores. The first label may be a wildcard.
func isHost(rr string) bool {
	if rr == "@" || rr == "*" {
		return true
	}
	rr = strings.TrimPrefix(rr, "*.")
	for label := range strings.SplitSeq(rr, ".") {
		isOdd := func(c rune) bool {
			return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
		}
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, isOdd) {
			return false
		}
	}
	return len(rr) <= 253
}
