// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Record is a DNS record in a zone.
type Record struct {
	ID, Zone, RR, Type, Value string
	CreatedAt                 time.Time `json:"-"`
}

func (r Record) fqdn(zone string) string {
	if r.RR == "@" {
		return zone
	}
	return strings.ToLower(r.RR) + "." + zone
}

// zones are what the DNS servers answer from. They have a lock of their own, since the authority asks those servers
// while it holds the simulator's.
type zones struct {
	mutex  sync.Mutex
	zones  []*zone
	nextID int64
}

type zone struct {
	name    string
	owner   *account
	records []Record
}

func newZones() *zones { return &zones{nextID: 2000000000000000} }

func (z *zones) add(name string, owner *account) {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	z.zones = append(z.zones, &zone{name: strings.ToLower(name), owner: owner})
}

// holding is the zone with the longest name that the name lies in, or nil.
func (z *zones) holding(name string) *zone {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	return z.find(name)
}

func (z *zones) find(name string) *zone {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	var best *zone
	for _, candidate := range z.zones {
		isIn := name == candidate.name || strings.HasSuffix(name, "."+candidate.name)
		if isIn && (best == nil || len(candidate.name) > len(best.name)) {
			best = candidate
		}
	}
	return best
}

// at lists the records of a name. ok is false if no zone holds it.
func (z *zones) at(name string) (found []Record, in string, ok bool) {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	holder := z.find(name)
	if holder == nil {
		return nil, "", false
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, record := range holder.records {
		if record.fqdn(holder.name) == name {
			found = append(found, record)
		}
	}
	return found, holder.name, true
}

// since is when a record with the value was added at the name.
func (z *zones) since(name, value string) time.Time {
	found, _, _ := z.at(name)
	for _, record := range found {
		if strings.EqualFold(record.Value, value) {
			return record.CreatedAt
		}
	}
	return time.Time{}
}

// publish adds a record that is not there yet.
func (z *zones) publish(name, kind, value string, now time.Time) {
	holder := z.holding(name)
	if holder == nil || !z.since(name, value).IsZero() {
		return
	}
	z.insert(holder, Record{RR: strings.TrimSuffix(name, "."+holder.name), Type: kind, Value: value, CreatedAt: now})
}

func (z *zones) insert(into *zone, record Record) string {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	z.nextID++
	record.ID, record.Zone = strconv.FormatInt(z.nextID, 10), into.name
	into.records = append(into.records, record)
	return record.ID
}

// remove returns false if the owner has no such record. A nil owner has all.
func (z *zones) remove(id string, owner *account) bool {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	for _, in := range z.zones {
		at := slices.IndexFunc(in.records, func(r Record) bool { return r.ID == id })
		if at >= 0 && (owner == nil || in.owner == owner) {
			in.records = slices.Delete(in.records, at, at+1)
			return true
		}
	}
	return false
}

// Records lists what is in a zone.
func (s *Server) Records(zone string) []Record {
	holder := s.zones.holding(zone)
	if holder == nil {
		return nil
	}
	s.zones.mutex.Lock()
	defer s.zones.mutex.Unlock()
	return slices.Clone(holder.records)
}

// AddRecord adds a record as a person does.
func (s *Server) AddRecord(zone, rr, kind, value string) string {
	return s.zones.insert(s.zones.holding(zone), Record{RR: rr, Type: kind, Value: value, CreatedAt: s.clock.Now()})
}

// RemoveRecord removes a record as a person does.
func (s *Server) RemoveRecord(id string) { s.zones.remove(id, nil) }
