// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
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
	records []*record // in the order of their creation
}

// minTTL is that of the editions which most accounts have (docs/design/cas.md §6.4).
const (
	minTTL      = 600
	maxTTL      = 86400
	defaultLine = "default"
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

// isVisible tells whether DNS shows the record to everybody. Other lines are for visitors of one network.
func (r *record) isVisible() bool { return !r.disabled && r.line == defaultLine }

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

// zoneBook holds all zones and records, indexed by what they are asked for.
type zoneBook struct {
	byName   map[string]*zone
	byID     map[string]*record
	byFQDN   map[string][]*record // in the order of their creation
	below    map[string]int       // visible records at a name and below it, within their zone
	versions map[string]uint64    // of names
	epoch    uint64               // of all names: zones and wildcards answer for names that nobody has written down
	serial   uint32
	lastID   int64
}

const firstRecordID = 889000000000000000

func newZoneBook() zoneBook {
	return zoneBook{
		byName: map[string]*zone{}, byID: map[string]*record{}, byFQDN: map[string][]*record{},
		below: map[string]int{}, versions: map[string]uint64{}, lastID: firstRecordID,
	}
}

// canonical is a name in lower case without a dot at the end.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func isWithin(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

func parent(name string) string {
	_, above, _ := strings.Cut(name, ".")
	return above
}

func (b *zoneBook) add(name, account string, now time.Time) *zone {
	z := &zone{name: canonical(name), account: account, since: now, minTTL: minTTL}
	b.byName[z.name] = z
	b.epoch++
	return z
}

// Returns the zone that answers for a name, which is the one with the longest name, or nil if there is none.
func (b *zoneBook) holding(fqdn string) *zone {
	for name := canonical(fqdn); name != ""; name = parent(name) {
		if z := b.byName[name]; z != nil {
			return z
		}
	}
	return nil
}

// isAbove says that there is a zone below the name.
func (b *zoneBook) isAbove(name string) bool {
	for zone := range b.byName {
		if strings.HasSuffix(zone, "."+name) {
			return true
		}
	}
	return false
}

// at returns the records that DNS shows at a name, those of a wildcard included. It is a copy, so that they can be
// removed meanwhile.
func (b *zoneBook) at(fqdn string) []*record {
	name, z := canonical(fqdn), b.holding(fqdn)
	if z == nil {
		return nil
	}
	if !b.exists(z, name) {
		for name = parent(name); !b.exists(z, name); {
			name = parent(name)
		}
		name = "*." + name
	}
	// A zone of its own at the name hides the records of its parent.
	return slices.DeleteFunc(slices.Clone(b.byFQDN[name]),
		func(r *record) bool { return r.zone != z || !r.isVisible() })
}

// Says whether something is at the name or below it. That is always true of the zone itself.
func (b *zoneBook) exists(z *zone, name string) bool {
	return name == z.name || b.below[name] > 0
}

// Returns a number that changes whenever the answer for a name may have changed, except by what is behind an alias.
func (b *zoneBook) version(fqdn string) uint64 { return b.versions[canonical(fqdn)] + b.epoch }

// put adds a record, filling in what was left out.
func (b *zoneBook) put(z *zone, r record) *record {
	b.lastID += 1021
	r.id, r.zone, r.rr = strconv.FormatInt(b.lastID, 10), z, strings.ToLower(r.rr)
	if r.ttl == 0 {
		r.ttl = z.minTTL
	}
	if r.line == "" {
		r.line = defaultLine
	}
	added := &r
	b.byID[r.id] = added
	z.records = append(z.records, added)
	b.index(added)
	return added
}

func (b *zoneBook) remove(r *record) {
	b.unindex(r)
	delete(b.byID, r.id)
	r.zone.records = slices.DeleteFunc(r.zone.records, func(other *record) bool { return other == r })
}

// change keeps the record's id, whatever else becomes of it.
func (b *zoneBook) change(r *record, change func(*record)) {
	b.unindex(r)
	change(r)
	b.index(r)
}

func (b *zoneBook) index(r *record) {
	b.byFQDN[r.fqdn()] = append(b.byFQDN[r.fqdn()], r)
	b.touch(r, 1)
}

func (b *zoneBook) unindex(r *record) {
	b.byFQDN[r.fqdn()] = slices.DeleteFunc(b.byFQDN[r.fqdn()], func(other *record) bool { return other == r })
	b.touch(r, -1)
}

func (b *zoneBook) touch(r *record, count int) {
	b.serial++
	b.versions[r.fqdn()]++
	if strings.HasPrefix(r.rr, "*") {
		b.epoch++
	}
	if r.isVisible() {
		for name := r.fqdn(); name != r.zone.name; name = parent(name) {
			b.below[name] += count
		}
	}
}

// hasAlias tells whether a CNAME is at the name.
func (b *zoneBook) hasAlias(fqdn string) bool {
	return slices.ContainsFunc(b.at(fqdn), func(r *record) bool { return r.kind == RecordCNAME })
}

const maxAliases = 8

// Returns when DNS began to show the value at the name, directly or behind aliases, or zero if it does not show it.
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
