// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"slices"
	"strconv"
	"strings"
)

const maxInputString = 128

func (s *Server) describeDomains(c *call) (reply, *refusal) {
	compare, refused := keywordRule(c)
	if refused != nil {
		return nil, refused
	}
	page, size, refused := pageParams(c, maxDomainPageSize)
	if refused != nil {
		return nil, refused
	}
	var names []string
	for name, z := range s.zones.byName {
		if z.account == c.account().id && compare(name, c.arg("KeyWord")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	domains := []map[string]any{}
	for _, name := range pageOf(names, page, size) {
		domains = append(domains, s.zones.byName[name].json())
	}
	return reply{"TotalCount": len(names), "PageNumber": page, "PageSize": size,
		"Domains": map[string]any{"Domain": domains}}, nil
}

func (s *Server) describeDomainInfo(c *call) (reply, *refusal) {
	z, refused := s.ownZone(c, c.arg("DomainName"))
	if refused != nil {
		return nil, refused
	}
	info := reply(z.json())
	if c.arg("NeedDetailAttributes") == "true" {
		info["MinTtl"] = z.minTTL
		ttls := []string{}
		for _, ttl := range []int{1, 60, 120, 300, 600, 1800, 3600, 43200, maxTTL} {
			if ttl >= z.minTTL {
				ttls = append(ttls, strconv.Itoa(ttl))
			}
		}
		info["AvailableTtls"] = map[string]any{"AvailableTtl": ttls}
	}
	return info, nil
}

func (z *zone) json() map[string]any {
	return map[string]any{
		"DomainId": "d-" + fingerprint([]byte(z.name))[:16], "DomainName": z.name, "PunyCode": z.name,
		"AliDomain":   true,
		"VersionCode": "mianfei", "VersionName": "Alibaba Cloud DNS",
		"CreateTime":  z.since.UTC().Format("2006-01-02T15:04Z"),
		"RecordCount": len(z.records), "DnsServers": map[string]any{"DnsServer": []string{"ns1." + z.name}},
	}
}

// getMainDomainName is GetMainDomainName. It goes by registries alone, whatever zones the account has below the
// registrable domain.
func (s *Server) getMainDomainName(c *call) (reply, *refusal) {
	input := canonical(c.arg("InputString"))
	if len(input) > maxInputString || !isHost(input) || registrable(input) == input && strings.Count(input, ".") == 0 {
		return nil, badRequest("InvalidDomainName.Format", "The specified domain name is not valid.")
	}
	main := &zone{name: registrable(input)}
	return reply{"DomainName": main.name, "RR": main.relative(input), "DomainLevel": strings.Count(input, ".") + 1}, nil
}
