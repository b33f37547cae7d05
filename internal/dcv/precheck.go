// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

// Precheck looks at what no order should be paid for without. All of it is free. Each check can be left out, for zones that we see
// otherwise than the CA does.
type Precheck struct {
	SelfCheck *SelfCheck
	// SkipPublicName allows names that no public CA issues for.
	SkipPublicName bool
	// SkipDelegation allows names that DNS knows no zone of.
	SkipDelegation bool
	// SkipCAA leaves the CAA records to the CA.
	SkipCAA bool
}

// Check judges a name, which may begin with "*.", for the CA with these CAA identities; none means that they are not known, and leaves
// CAA out. A *Problem is a refusal. Any other error means that something could not be checked and nothing else was refused.
func (p *Precheck) Check(ctx context.Context, name string, cas []string) error {
	if !p.SkipPublicName {
		if err := CheckPublicName(name); err != nil {
			return err
		}
	}
	var unchecked []error
	for _, check := range []struct {
		skip bool
		run  func() error
	}{
		{p.SkipDelegation, func() error { return p.SelfCheck.CheckDelegation(ctx, name) }},
		{p.SkipCAA, func() error { return p.SelfCheck.CheckCAA(ctx, name, cas) }},
	} {
		if check.skip {
			continue
		}
		err := check.run()
		if _, refused := errors.AsType[*Problem](err); refused {
			return err
		}
		unchecked = append(unchecked, err)
	}
	return errors.Join(unchecked...)
}

// internalSuffixes are what no public host is named: what RFC 6761, 6762, 7686, 8375 and ICANN's resolution of
// 2024-07-29 (.internal) keep for other uses, and what clusters and networks use without asking.
var internalSuffixes = []string{
	"localhost", "local", "internal", "test", "example", "invalid", "onion", "arpa", "localdomain", "lan", "home", "corp", "intranet",
}

// CheckPublicName refuses names that no public CA can validate by DNS. It asks nobody.
func CheckPublicName(name string) error {
	host := CanonicalName(strings.TrimPrefix(strings.TrimSpace(name), "*."))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return &Problem{fmt.Sprintf("%q is an IP address: only DNS names can be ordered", name)}
	}
	for _, suffix := range internalSuffixes {
		if Within(host, suffix) {
			return &Problem{fmt.Sprintf("%q cannot have a public certificate, because .%s is not for public hosts: use a private CA, or a name below a domain of yours", name, suffix)}
		}
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	switch {
	case !icann && !strings.Contains(suffix, "."):
		return &Problem{fmt.Sprintf("%q cannot have a public certificate, because %q is no top-level domain of public DNS: use a name below a domain of yours", name, suffix)}
	case RegistryOwned(host):
		return &Problem{fmt.Sprintf("%q cannot have a certificate, because %q belongs to a registry: use a name below a domain of yours", name, host)}
	default:
		return nil
	}
}

// CheckDelegation refuses names without a zone, and, if c asks zones' own servers, zones that none of the servers named for them
// knows: a lame delegation, which resolvers tell as SERVFAIL or hide behind what they remember.
func (c *SelfCheck) CheckDelegation(ctx context.Context, name string) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	zone, err := c.FindZone(ctx, name)
	if _, refused := errors.AsType[*Problem](err); refused {
		return err
	}
	if err != nil {
		return fmt.Errorf("the zone of %q cannot be looked up: %w", name, err)
	}
	if !c.Authoritative {
		return nil
	}
	servers, err := c.authorities(ctx, Record{FQDN: zone})
	if err != nil {
		return err
	}
	answers := ask(ctx, servers, zone, dns.TypeSOA)
	var silent []error
	for range servers {
		switch a := <-answers; {
		case a.reply == nil:
			silent = append(silent, a.err)
		case a.err == nil && a.reply.Authoritative && hasSOA(a.reply, zone):
			return nil
		}
	}
	if len(silent) > 0 { // one of these may be good
		return noAnswer(zone, dns.TypeSOA, silent)
	}
	return &Problem{fmt.Sprintf("the zone %q of %q is delegated to %s, and none of them knows it: add the zone there, or correct its name servers at the registrar",
		zone, name, hosts(servers))}
}

// hosts are the sorted names of servers without ports.
func hosts(servers []string) string {
	names := make([]string, 0, len(servers))
	for _, server := range servers {
		host, _, err := net.SplitHostPort(server)
		if err != nil {
			host = server
		}
		names = append(names, host)
	}
	return strings.Join(shorten(names), ", ")
}
