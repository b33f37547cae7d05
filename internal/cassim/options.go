// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/x509"
	"slices"
	"strconv"
	"time"

	"k8s.io/utils/clock"
)

// What DefaultAccount has.
const (
	DefaultKeyID     = "test-access-key-id"
	DefaultKeySecret = "test-access-key-secret"
	DefaultProduct   = "digicert-free-1-free"
	DefaultZone      = "example.com"
)

// Options describes the simulated world. The zero value is one account, documented behaviour and no delays.
type Options struct {
	// Clock is the time of the simulated services, their Date header included. The default is the machine's.
	Clock clock.PassiveClock
	// GatewayClock is what the Timestamp of a request is compared with. The default is the machine's time, because SDKs
	// sign with it.
	GatewayClock clock.PassiveClock
	// Accounts are the customers. The default is DefaultAccount alone.
	Accounts []Account
	// Knobs answers what nobody knows.
	Knobs Knobs
	// RecordDelay is how long after the create an order does not tell its validation data yet.
	RecordDelay time.Duration
	// DCVDelay is how long it takes the CA to see a record that is visible.
	DCVDelay time.Duration
	// CADelay is the review between validation and issue.
	CADelay time.Duration
	// CancelDelay is how long after CancelOrderRequest an order stays in its old state.
	CancelDelay time.Duration
	// ListDelay is how long a new order is missing from listings.
	ListDelay time.Duration
	// Addr, DNSAddr, MetadataAddr and ProxyAddr are where to listen; the default is a free port of 127.0.0.1.
	Addr, DNSAddr, MetadataAddr, ProxyAddr string
	// Resolver is the DNS server, as host:port, that the CA asks. The default is the simulator's own.
	Resolver string
	// WebAddr is the host:port that the CA fetches validation files from by HTTP, whatever the domain, and WebTLSAddr
	// by HTTPS, with a certificate of WebRoots. Without them no file is ever seen.
	WebAddr, WebTLSAddr string
	WebRoots            *x509.CertPool
	// InstanceRole is the role of the ECS instance whose metadata server is at MetadataURL: the name of a role of the
	// first account that trusts the service ecs.aliyuncs.com. Without it the instance has no role.
	InstanceRole string
	// OnRequest is called when a request with a good signature, or one that needs none, has arrived, before a fault
	// befalls it and before it is executed.
	OnRequest Hook
	// OnExecuted is called when a verb has run, successfully or not, before the reply and before a fault keeps that
	// back.
	OnExecuted Hook
	// Logf receives one line for each call, without parameters. The default drops them.
	Logf func(format string, args ...any)
}

// Account is a customer of the services.
type Account struct {
	// ID is the number of the main account. The default counts up from 1000000000000001.
	ID   string
	Keys []Key
	// Packages are the resource plans: how many certificates were bought, by product code.
	Packages map[string]int
	// Zones are the domains that the account has in Alidns. A zone belongs to one account only.
	Zones []string
	// Roles are the RAM roles that can be assumed at STS, or by an ECS instance.
	Roles []Role
	// OIDCProviders are the issuers of tokens that the account knows.
	OIDCProviders []OIDCProvider
}

// Key is an AccessKey of an account.
type Key struct {
	ID, Secret string
	// SecurityToken makes it a temporary key, whose requests must carry this token. Empty means a permanent one.
	SecurityToken string
	// User is the name of the RAM user who has the key. The default is the ID.
	User string
	// Root makes it a key of the account itself, which has all permissions but may assume no role.
	Root bool
	// ExpiresAt is when a temporary key ends, by the clock of the gateway. Zero means never.
	ExpiresAt time.Time
	// Denied are the actions that RAM does not grant to the key's user.
	Denied []string
	// ResourceGroups are those that the grants of the verbs of instances are limited to. Empty means the whole account.
	// The knob groupGrants tells what such a grant is worth.
	ResourceGroups []string
	// Disabled keys are refused.
	Disabled bool
}

// DefaultAccount is a customer with the default key, twenty certificates of DefaultProduct and DefaultZone.
func DefaultAccount() Account {
	return Account{
		Keys:     []Key{{ID: DefaultKeyID, Secret: DefaultKeySecret}},
		Packages: map[string]int{DefaultProduct: 20},
		Zones:    []string{DefaultZone},
	}
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.GatewayClock == nil {
		o.GatewayClock = clock.RealClock{}
	}
	if o.Accounts == nil {
		o.Accounts = []Account{DefaultAccount()}
	}
	o.Accounts = slices.Clone(o.Accounts)
	for i := range o.Accounts {
		if o.Accounts[i].ID == "" {
			o.Accounts[i].ID = strconv.Itoa(1000000000000001 + i)
		}
	}
	for _, addr := range []*string{&o.Addr, &o.DNSAddr, &o.MetadataAddr, &o.ProxyAddr} {
		*addr = cmp.Or(*addr, "127.0.0.1:0")
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	return o
}
