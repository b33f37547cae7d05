// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

// Precheck checks what must hold before an order is paid for. All of its checks are free.
type Precheck struct {
	SelfCheck *SelfCheck
	// Skip names the checks to leave out, for zones that the CA sees otherwise than we do.
	Skip []Check
}

// Check is what a Precheck looks at, as users name it.
type Check string

// The checks, in the order in which they are made. PublicNameCheck refuses names that no public CA issues for,
// ZoneCheck refuses names without a zone in DNS, and CAACheck refuses names whose CAA records forbid the CA.
const (
	PublicNameCheck Check = "PublicName"
	ZoneCheck       Check = "Zone"
	CAACheck        Check = "CAA"
)

// Unpassed is the error of one check.
type Unpassed struct {
	Check Check
	Err   error
}

func (e *Unpassed) Error() string { return e.Err.Error() }

func (e *Unpassed) Unwrap() error { return e.Err }

// Check makes the checks of a name, which may begin with "*.", for the CA with these CAA identities. If cas is empty,
// the identities are not known, and CAA is not checked. For a refusal, Check returns one *Unpassed with a *Problem.
// Otherwise it returns, joined, an *Unpassed for each check that could not be made.
func (p *Precheck) Check(ctx context.Context, name string, cas []string) error {
	var unchecked []error
	for _, check := range []struct {
		is  Check
		run func() error
	}{
		{PublicNameCheck, func() error { return CheckPublicName(name) }},
		{ZoneCheck, func() error { return p.SelfCheck.CheckDelegation(ctx, name) }},
		{CAACheck, func() error { return p.SelfCheck.CheckCAA(ctx, name, cas) }},
	} {
		if slices.Contains(p.Skip, check.is) {
			continue
		}
		err := check.run()
		if err == nil {
			continue
		}
		unpassed := &Unpassed{check.is, err}
		if _, isRefused := errors.AsType[*Problem](err); isRefused {
			return unpassed
		}
		unchecked = append(unchecked, unpassed)
	}
	return errors.Join(unchecked...)
}

// internalSuffixes are the suffixes that no public host has: those that RFC 6761, 6762, 7686, 8375 and ICANN's
// resolution of 2024-07-29 (.internal) keep for other uses, and those that clusters and networks use without asking.
var internalSuffixes = []string{
	"localhost", "local", "internal", "test", "example", "invalid", "onion", "arpa", "localdomain", "lan", "home",
	"corp", "intranet",
}

// CheckPublicName refuses names that no public CA can validate by DNS. It asks nobody.
func CheckPublicName(name string) error {
	host := CanonicalName(strings.TrimPrefix(strings.TrimSpace(name), "*."))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return &Problem{fmt.Sprintf("%q is an IP address: only DNS names can be ordered", name)}
	}
	for _, suffix := range internalSuffixes {
		if Within(host, suffix) {
			return &Problem{fmt.Sprintf("%q cannot have a public certificate, because .%s is not for public hosts: "+
				"use a private CA, or a name below a domain of yours", name, suffix)}
		}
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	switch {
	case !icann && !strings.Contains(suffix, "."):
		return &Problem{fmt.Sprintf("%q cannot have a public certificate, because %q is no top-level domain of "+
			"public DNS: use a name below a domain of yours", name, suffix)}
	case RegistryOwned(host):
		return &Problem{fmt.Sprintf("%q cannot have a certificate, because %q belongs to a registry: use a name "+
			"below a domain of yours", name, host)}
	default:
		return nil
	}
}

// CheckDelegation refuses names without a zone. If c.Authoritative is set, it also refuses zones that none of the
// servers named for them knows: a resolver answers SERVFAIL for such a lame delegation, or hides it behind its cache.
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
	return &Problem{fmt.Sprintf("the zone %q of %q is delegated to %s, and none of them knows it: add the zone "+
		"there, or correct its name servers at the registrar",
		zone, name, hosts(servers))}
}

// Lists the names of servers, sorted, shortened and without ports.
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
