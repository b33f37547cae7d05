// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"strconv"
	"strings"
)

// alidnsVerbs are those of Alibaba Cloud DNS (CAS contract §5).
var alidnsVerbs = map[string]verb{
	"DescribeDomains":          describeDomains,
	"DescribeSubDomainRecords": describeSubDomainRecords,
	"AddDomainRecord":          addDomainRecord,
	"DeleteDomainRecord":       deleteDomainRecord,
}

func describeDomains(s *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("KeyWord", "SearchMode", "PageNumber", "PageSize"); no != nil {
		return nil, no
	}
	found := []map[string]any{}
	s.zones.mutex.Lock()
	for _, z := range s.zones.zones {
		if z.owner == c.account && strings.Contains(z.name, strings.ToLower(c.params["KeyWord"])) {
			found = append(found, map[string]any{"DomainName": z.name, "DomainId": z.name, "AliDomain": true})
		}
	}
	s.zones.mutex.Unlock()
	items, body := c.page(found)
	body["Domains"] = map[string]any{"Domain": items}
	return body, nil
}

// page cuts a listing as all verbs of Alibaba Cloud DNS do.
func (c *call) page(all []map[string]any) ([]map[string]any, map[string]any) {
	number, size := 1, 20
	if n, err := strconv.Atoi(c.params["PageNumber"]); err == nil {
		number = n
	}
	if n, err := strconv.Atoi(c.params["PageSize"]); err == nil {
		size = min(n, 100)
	}
	from := min((number-1)*size, len(all))
	return all[from:min(from+size, len(all))], map[string]any{"TotalCount": len(all), "PageNumber": number, "PageSize": size}
}

// zoneOf returns the account's zone of exactly that name.
func (s *Server) zoneOf(c *call, name string) (*zone, *refusal) {
	holder := s.zones.holding(name)
	switch {
	case holder == nil || !strings.EqualFold(holder.name, name):
		return nil, refuse(400, "InvalidDomainName.NoExist", "The specified domain name does not exist.")
	case holder.owner != c.account:
		return nil, refuse(400, "IncorrectDomainUser", "The domain does not belong to this user.")
	}
	return holder, nil
}

func describeSubDomainRecords(s *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("SubDomain", "DomainName", "Type", "Line", "PageNumber", "PageSize"); no != nil {
		return nil, no
	}
	if no := c.need("SubDomain"); no != nil {
		return nil, no
	}
	zoneName := c.params["DomainName"]
	if holder := s.zones.holding(c.params["SubDomain"]); zoneName == "" && holder != nil {
		zoneName = holder.name
	}
	if _, no := s.zoneOf(c, zoneName); no != nil {
		return nil, no
	}
	records, in, _ := s.zones.at(c.params["SubDomain"])
	found := []map[string]any{}
	for _, record := range records {
		if kind := c.params["Type"]; kind == "" || kind == record.Type {
			found = append(found, map[string]any{
				"RecordId": record.ID, "RR": record.RR, "Type": record.Type, "Value": record.Value, "DomainName": in,
				"TTL": recordTTL, "Line": "default", "Status": "ENABLE", "Locked": false,
			})
		}
	}
	items, body := c.page(found)
	body["DomainRecords"] = map[string]any{"Record": items}
	return body, nil
}

func addDomainRecord(s *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("DomainName", "RR", "Type", "Value", "TTL", "Line", "Priority"); no != nil {
		return nil, no
	}
	if no := c.need("DomainName", "RR", "Type", "Value"); no != nil {
		return nil, no
	}
	into, no := s.zoneOf(c, c.params["DomainName"])
	if no != nil {
		return nil, no
	}
	if ttl, err := strconv.Atoi(c.params["TTL"]); c.params["TTL"] != "" && (err != nil || ttl < 600 || ttl > 86400) {
		return nil, refuse(400, "InvalidTTL", "The TTL is out of the range of this edition.")
	}
	record := Record{RR: c.params["RR"], Type: c.params["Type"], Value: c.params["Value"], CreatedAt: s.clock.Now()}
	standing, _, _ := s.zones.at(record.fqdn(into.name))
	for _, other := range standing {
		switch {
		case other.Type == record.Type && other.Value == record.Value:
			return nil, refuse(400, "DomainRecordDuplicate", "The DNS record already exists.")
		case other.Type == "CNAME" || record.Type == "CNAME":
			return nil, refuse(400, "DomainRecordConflict", "The DNS record conflicts with another one.")
		}
	}
	return map[string]any{"RecordId": s.zones.insert(into, record)}, nil
}

func deleteDomainRecord(s *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("RecordId"); no != nil {
		return nil, no
	}
	if no := c.need("RecordId"); no != nil {
		return nil, no
	}
	if !s.zones.remove(c.params["RecordId"], c.account) {
		return nil, refuse(400, "DomainRecordNotBelongToUser", "The DNS record does not exist.")
	}
	return map[string]any{"RecordId": c.params["RecordId"]}, nil
}
