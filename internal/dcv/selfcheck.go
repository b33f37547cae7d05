// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	dnsutil "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	"github.com/miekg/dns"
)

const (
	// DefaultTimeout bounds one look at DNS. A reconciler's worker waits for it, so it is short.
	DefaultTimeout = 10 * time.Second
	// queryTimeout bounds one question to one server, so that a dead one does not use up the time of a look.
	queryTimeout = 4 * time.Second
)

// SelfCheck asks DNS what the world can see. The zero value asks the system's resolvers. It keeps no answers, unlike
// cert-manager's own search for a zone: that remembers the first answer, whichever server gave it, for as long as the
// SOA says, and would miss a new delegation for hours.
type SelfCheck struct {
	// Nameservers are asked, as host:port or as https:// URLs of DNS over HTTPS. Empty means the system's resolvers.
	Nameservers []string
	// Authoritative makes Check, CheckDelegation and CheckPlace ask the zone's own servers, which are found through
	// Nameservers: a resolver that was asked too early may say for an hour that there is nothing. It needs a way out of
	// the cluster on port 53.
	Authoritative bool
	// Timeout bounds one call of a method; the default is DefaultTimeout.
	Timeout time.Duration
	// AuthoritativePort is where zones' own servers are asked; the default is 53, and tests have another.
	AuthoritativePort string
}

// answer is what one server said: a reply that settles the question (NOERROR or NXDOMAIN), or why there is none.
type answer struct {
	reply *dns.Msg
	err   error
}

// ask puts the question to all servers at once. The channel gets one answer for each server, each within queryTimeout.
func ask(ctx context.Context, servers []string, name string, rrType uint16) <-chan answer {
	answers := make(chan answer, len(servers)) // so that nobody hangs when the reader has heard enough
	for _, server := range servers {
		go func() {
			ctx, cancel := context.WithTimeout(ctx, queryTimeout)
			defer cancel()
			reply, err := dnsutil.DNSQuery(ctx, dns.Fqdn(name), rrType, []string{server}, true)
			switch {
			case err != nil:
				err = fmt.Errorf("%s: %w", server, withoutPorts(err))
			case reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError:
				err = fmt.Errorf("%s: %s", server, dns.RcodeToString[reply.Rcode])
			}
			answers <- answer{reply, err}
		}()
	}
	return answers
}

// withoutPorts keeps what a network error says and drops its addresses: our port differs from call to call, and the
// text may end up in a condition.
func withoutPorts(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// askAny returns the first settling answer of any resolver.
func (c *SelfCheck) askAny(ctx context.Context, name string, rrType uint16) (*dns.Msg, error) {
	resolvers := c.resolvers()
	answers := ask(ctx, resolvers, name, rrType)
	var failures []error
	for range resolvers {
		a := <-answers
		if a.err == nil {
			return a.reply, nil
		}
		failures = append(failures, a.err)
	}
	return nil, noAnswer(name, rrType, failures)
}

// noAnswer has the same text for the same failures, in whatever order they arrived.
func noAnswer(name string, rrType uint16, failures []error) error {
	texts := make([]string, 0, len(failures))
	for _, err := range failures {
		texts = append(texts, err.Error())
	}
	slices.Sort(texts)
	return fmt.Errorf("no name server answered for %s %s: %s", dns.TypeToString[rrType], name,
		strings.Join(texts, "; "))
}

func (c *SelfCheck) resolvers() []string {
	if len(c.Nameservers) > 0 {
		return c.Nameservers
	}
	return dnsutil.RecursiveNameservers
}

func (c *SelfCheck) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout > 0 {
		return context.WithTimeout(ctx, c.Timeout)
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}
