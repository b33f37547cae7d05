// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// zone is a domain that the simulator's DNS server answers for.
type zone struct {
	name    string
	account string // empty for a zone at another DNS provider: Alidns does not know it
	since   time.Time
	minTTL  int
}

// minTTL is that of the editions which most accounts have (CAS contract §5).
const (
	minTTL = 600
	maxTTL = 86400
)

// record is a record of a zone.
type record struct {
	id       string
	zone     *zone
	rr       string // relative to the zone; @ is the zone itself
	kind     string
	value    string
	ttl      int
	line     string
	priority int
	locked   bool
	disabled bool
	since    time.Time // when it came to be visible as it is
}

func (r *record) fqdn() string { return r.zone.absolute(r.rr) }

func (z *zone) absolute(rr string) string {
	if rr == "@" {
		return z.name
	}
	return rr + "." + z.name
}

func (z *zone) relative(fqdn string) string {
	if fqdn == z.name {
		return "@"
	}
	return strings.TrimSuffix(fqdn, "."+z.name)
}

// zoneBook holds all zones and records, by what they are asked for.
type zoneBook struct {
	byName   map[string]*zone
	byID     map[string]*record
	byFQDN   map[string][]*record // in the order of their creation
	versions map[string]uint64
	serial   uint64 // counts changes
	lastID   int64
}

func newZoneBook() zoneBook {
	return zoneBook{
		byName: map[string]*zone{}, byID: map[string]*record{}, byFQDN: map[string][]*record{}, versions: map[string]uint64{},
		lastID: 889000000000000000,
	}
}

// canonical is a name in lower case without a dot at the end.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func isWithin(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

func (b *zoneBook) add(name, account string, now time.Time) *zone {
	z := &zone{name: canonical(name), account: account, since: now, minTTL: minTTL}
	b.byName[z.name] = z
	b.serial++
	for fqdn := range b.versions { // names within it are answered from it now
		b.versions[fqdn] = b.serial
	}
	return z
}

// holding is the zone that answers for a name: the longest. It is nil if there is none.
func (b *zoneBook) holding(fqdn string) *zone {
	for name, more := canonical(fqdn), true; more; _, name, more = strings.Cut(name, ".") {
		if z := b.byName[name]; z != nil {
			return z
		}
	}
	return nil
}

// at returns the records that DNS shows at a name. A copy, so that they can be removed meanwhile.
func (b *zoneBook) at(fqdn string) []*record {
	z := b.holding(fqdn)
	var visible []*record
	for _, r := range b.byFQDN[canonical(fqdn)] {
		if r.zone == z && !r.disabled { // the parent's records are shadowed by a zone of its own
			visible = append(visible, r)
		}
	}
	return visible
}

// of returns the records of a zone, the oldest first.
func (b *zoneBook) of(z *zone) []*record {
	var records []*record
	for _, r := range b.byID {
		if r.zone == z {
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(x, y *record) int { return strings.Compare(x.id, y.id) })
	return records
}

// version changes whenever the answer for a name may have changed, but for what is behind an alias.
func (b *zoneBook) version(fqdn string) uint64 { return b.versions[canonical(fqdn)] }

func (b *zoneBook) touch(r *record) {
	b.serial++
	b.versions[r.fqdn()] = b.serial
}

// put adds a record, filling in what was left out.
func (b *zoneBook) put(z *zone, r record) *record {
	b.lastID += 1021
	r.id, r.zone, r.rr = strconv.FormatInt(b.lastID, 10), z, strings.ToLower(r.rr)
	if r.ttl == 0 {
		r.ttl = z.minTTL
	}
	if r.line == "" {
		r.line = "default"
	}
	added := &r
	b.byID[r.id] = added
	b.byFQDN[r.fqdn()] = append(b.byFQDN[r.fqdn()], added)
	b.touch(added)
	return added
}

func (b *zoneBook) remove(r *record) {
	delete(b.byID, r.id)
	b.byFQDN[r.fqdn()] = slices.DeleteFunc(b.byFQDN[r.fqdn()], func(other *record) bool { return other == r })
	b.touch(r)
}

// hasAlias tells whether a CNAME is at the name.
func (b *zoneBook) hasAlias(fqdn string) bool {
	return slices.ContainsFunc(b.at(fqdn), func(r *record) bool { return r.kind == RecordCNAME })
}

const maxAliases = 8

// visibleSince is when DNS began to show the value at the name, directly or behind aliases. It is zero if it does not show it.
func (b *zoneBook) visibleSince(fqdn, kind, value string) time.Time {
	var since time.Time
	for range maxAliases {
		alias := ""
		for _, r := range b.at(fqdn) {
			switch {
			case r.kind == kind && sameValue(kind, r.value, value):
				return later(since, r.since)
			case r.kind == RecordCNAME:
				alias, since = r.value, later(since, r.since)
			}
		}
		if alias == "" {
			break
		}
		fqdn = alias
	}
	return time.Time{}
}

func sameValue(kind, a, b string) bool {
	if kind == RecordCNAME {
		return canonical(a) == canonical(b)
	}
	return a == b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

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
		for _, r := range s.zones.of(z) {
			records = append(records, Record{r.id, z.name, r.rr, r.fqdn(), r.kind, r.value, r.ttl, r.line, r.locked, r.disabled, r.since})
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.ID, b.ID) })
	return records
}

// AddZone adds a zone to an account, or with an empty account one at another DNS provider. It panics if the zone exists.
func (s *Server) AddZone(name, accountID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zones.byName[canonical(name)] != nil {
		panic("cassim: there is a zone " + name + " already")
	}
	s.zones.add(name, accountID, s.now())
}

// AddRecord adds a record as a person does, and returns its id. A zone that nobody has becomes one at another DNS provider, which Alidns
// does not know. rr is relative to the zone, @ for the zone itself. It panics if the record cannot be.
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
	z := s.zones.byName[canonical(zoneName)]
	if z == nil {
		if !isDomain(canonical(zoneName)) {
			return "", fmt.Errorf("%q is no zone", zoneName)
		}
		z = s.zones.add(zoneName, "", s.now())
	}
	r := record{zone: z, rr: strings.ToLower(rr), kind: kind, value: value, ttl: z.minTTL, line: "default", since: s.now()}
	if refused := s.checkRecord(&r, nil); refused != nil {
		return "", fmt.Errorf("%s: %s", refused.code, refused.message)
	}
	return s.zones.put(z, r).id, nil
}

// RemoveRecord removes a record as a person does, and tells whether there was one.
func (s *Server) RemoveRecord(id string) bool {
	return s.changeRecord(id, s.zones.remove)
}

// LockRecord makes a record unchangeable through the API, or changeable again.
func (s *Server) LockRecord(id string, locked bool) bool {
	return s.changeRecord(id, func(r *record) { r.locked = locked })
}

// DisableRecord hides a record from DNS, or shows it again.
func (s *Server) DisableRecord(id string, disabled bool) bool {
	return s.changeRecord(id, func(r *record) {
		r.disabled, r.since = disabled, s.now()
		s.zones.touch(r)
	})
}

func (s *Server) changeRecord(id string, change func(*record)) bool {
	s.look() // what the record was worth so far
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	r := s.zones.byID[id]
	if r != nil {
		change(r)
	}
	return r != nil
}

// rename gives a record the id of the one that it replaces.
func (b *zoneBook) rename(r *record, id string) {
	delete(b.byID, r.id)
	r.id = id
	b.byID[id] = r
}
