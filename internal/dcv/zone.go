// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// FindZone returns the zone that holds name, as DNS delegates it today. A *Problem means that DNS answered and there is
// none; any other error, that DNS could not be asked.
func (c *SelfCheck) FindZone(ctx context.Context, name string) (string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	// The zone is the nearest name upwards with an SOA of its own. NXDOMAIN says nothing about the names above.
	for zone := CanonicalName(name); zone != "" && !RegistryOwned(zone); _, zone, _ = strings.Cut(zone, ".") {
		reply, err := c.askAny(ctx, zone, dns.TypeSOA)
		if err != nil {
			return "", err
		}
		if hasSOA(reply, zone) {
			return zone, nil
		}
	}
	return "", &Problem{fmt.Sprintf("DNS knows no zone that holds %q: register the domain and delegate it to name "+
		"servers, or correct the name", name)}
}

// hasSOA compares the owner, since a resolver that followed a CNAME answers with the SOA of the alias's target.
func hasSOA(reply *dns.Msg, zone string) bool {
	for _, rr := range reply.Answer {
		if soa, ok := rr.(*dns.SOA); ok && CanonicalName(soa.Hdr.Name) == zone {
			return true
		}
	}
	return false
}
