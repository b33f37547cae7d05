// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Record is a record as people see it.
type Record struct {
	ID, Zone, RR, FQDN, Type, Value string
	TTL                             int
	Line                            string
	Locked, Disabled                bool
	// Since is when it came to be visible as it is.
	Since time.Time
}

// Records returns the records of a zone, the oldest first, or of all zones if its name is empty.
func (s *Server) Records(zoneName string) []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	records := []Record{}
	for _, z := range s.zones.byName {
		if zoneName != "" && z.name != canonical(zoneName) {
			continue
		}
		for _, r := range z.records {
			records = append(records, Record{r.id, z.name, r.rr, r.fqdn(), r.kind, r.value, r.ttl, r.line, r.locked,
				r.disabled, r.since})
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.ID, b.ID) })
	return records
}

// AddZone adds a zone to an account, or with an empty account one at another DNS provider. It panics if it cannot be.
func (s *Server) AddZone(name, accountID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zones.byName[canonical(name)] != nil || (accountID != "" && s.accounts[accountID] == nil) {
		panic(fmt.Sprintf("cassim: the zone %q is there already, or there is no account %q", name, accountID))
	}
	s.zones.add(name, accountID, s.now())
	s.forget()
}

// AddRecord adds a record as a person does, and returns its id. A zone that nobody has becomes one at another DNS
// provider, which Alidns does not know. rr is relative to the zone, @ for the zone itself. It panics if the record
// cannot be.
func (s *Server) AddRecord(zoneName, rr, kind, value string) (id string) {
	id, err := s.addRecord(zoneName, rr, kind, value)
	if err != nil {
		panic("cassim: " + err.Error())
	}
	return id
}

func (s *Server) addRecord(zoneName, rr, kind, value string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	if !isDomain(canonical(zoneName)) {
		return "", fmt.Errorf("%q is no zone", zoneName)
	}
	z := s.zones.byName[canonical(zoneName)]
	if z == nil {
		z = s.zones.add(zoneName, "", s.now())
	}
	r := record{zone: z, rr: strings.ToLower(rr), kind: kind, value: value, ttl: z.minTTL, line: defaultLine,
		since: s.now()}
	if refused := s.checkRecord(&r, nil); refused != nil {
		return "", fmt.Errorf("%s: %s", refused.code, refused.message)
	}
	added := s.zones.put(z, r)
	s.forget()
	return added.id, nil
}

// RemoveRecord removes a record as a person does, and tells whether there was one.
func (s *Server) RemoveRecord(id string) bool {
	return s.withRecord(id, s.zones.remove)
}

// LockRecord makes a record unchangeable through the API, or changeable again.
func (s *Server) LockRecord(id string, locked bool) bool {
	return s.withRecord(id, func(r *record) { r.locked = locked })
}

// DisableRecord hides a record from DNS, or shows it again.
func (s *Server) DisableRecord(id string, disabled bool) bool {
	return s.withRecord(id, func(r *record) {
		s.zones.change(r, func(r *record) { r.disabled, r.since = disabled, s.now() })
	})
}

func (s *Server) withRecord(id string, do func(*record)) bool {
	s.look() // what the record was worth so far
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	r := s.zones.byID[id]
	if r != nil {
		do(r)
		s.forget()
	}
	return r != nil
}
