// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"slices"
	"strings"
)

const (
	defaultPageSize   = 20
	maxRecordPageSize = 500
	maxDomainPageSize = 100
)

func (r *record) json() map[string]any {
	status := "ENABLE"
	if r.disabled {
		status = "DISABLE"
	}
	told := map[string]any{
		"RecordId": r.id, "DomainName": r.zone.name, "RR": r.rr, "Type": r.kind, "Value": r.value, "TTL": r.ttl,
		"Line": r.line, "Status": status, "Locked": r.locked,
	}
	if r.priority > 0 {
		told["Priority"] = r.priority
	}
	return told
}

func (s *Server) describeDomainRecordInfo(c *call) (reply, *refusal) {
	r, refused := s.ownRecord(c)
	if refused != nil {
		return nil, refused
	}
	info := r.json()
	info["PunyCode"] = r.zone.name
	return info, nil
}

func (s *Server) describeDomainRecords(c *call) (reply, *refusal) {
	z, refused := s.ownZone(c, c.arg("DomainName"))
	if refused != nil {
		return nil, refused
	}
	compare, refused := keywordRule(c)
	if refused != nil {
		return nil, refused
	}
	found := slices.DeleteFunc(slices.Clone(z.records), func(r *record) bool {
		return !compare(r.rr, c.arg("RRKeyWord")) || !compare(r.kind, c.arg("TypeKeyWord")) ||
			!compare(r.value, c.arg("ValueKeyWord"))
	})
	return recordPage(c, found)
}

func (s *Server) describeSubDomainRecords(c *call) (reply, *refusal) {
	host := canonical(strings.TrimPrefix(c.arg("SubDomain"), "@."))
	name := c.arg("DomainName")
	if name == "" { // the domain is then guessed from the host, delegations unseen
		name = registrable(host)
	}
	z, refused := s.ownZone(c, name)
	if refused != nil {
		return nil, refused
	}
	if !isWithin(host, z.name) {
		return nil, badRequest("InvalidParameter.SubDomain", "The specified parameter SubDomain is not valid.")
	}
	found := slices.DeleteFunc(slices.Clone(s.zones.byFQDN[host]), func(r *record) bool {
		return r.zone != z || (c.arg("Type") != "" && r.kind != c.arg("Type"))
	})
	return recordPage(c, found)
}

// keywordRule is how keywords are compared; an empty one matches everything.
func keywordRule(c *call) (func(text, keyword string) bool, *refusal) {
	switch c.arg("SearchMode") {
	case "", "LIKE", "ADVANCED":
		return func(text, keyword string) bool {
			return strings.Contains(strings.ToLower(text), strings.ToLower(keyword))
		}, nil
	case "EXACT":
		return func(text, keyword string) bool { return keyword == "" || strings.EqualFold(text, keyword) }, nil
	default:
		return nil, badRequest("InvalidParameter.SearchMode", "The specified parameter SearchMode is not valid.")
	}
}

func recordPage(c *call, found []*record) (reply, *refusal) {
	slices.Reverse(found) // the newest first
	page, size, refused := pageParams(c, maxRecordPageSize)
	if refused != nil {
		return nil, refused
	}
	records := []map[string]any{}
	for _, r := range pageOf(found, page, size) {
		records = append(records, r.json())
	}
	return reply{"TotalCount": len(found), "PageNumber": page, "PageSize": size,
		"DomainRecords": map[string]any{"Record": records}}, nil
}

func pageParams(c *call, largest int) (page, size int, refused *refusal) {
	if page, refused = number(c, "PageNumber", 1); refused != nil {
		return 0, 0, refused
	}
	if size, refused = number(c, "PageSize", defaultPageSize); refused != nil {
		return 0, 0, refused
	}
	if size > largest {
		return 0, 0, badRequest("InvalidParameter.PageSize", "The specified parameter PageSize is larger than %d.",
			largest)
	}
	return page, size, nil
}
