// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// following lets the issuer publish where CNAMEs lead.
func following(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers[0].DNS.CNAMEStrategy = v1alpha1.CNAMEFollow }

// TestACNAMEThatAWildcardMakesUpDelegatesNothing has the record where the name is, and not where all hosts lead.
func TestACNAMEThatAWildcardMakesUpDelegatesNothing(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Simulator.AddRecord(cassim.DefaultZone, "*.wc", "CNAME", "lb.cloud-lb.org")
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), following))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), named("mon.wc.example.com"))))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, isReady(e))
	billed(t, e, 1)
	if fqdn := onlyOrder(t, e).Status.Validations[0].FQDN; fqdn != "_dnsauth.mon.wc.example.com" {
		t.Errorf("the record stood at %q", fqdn)
	}
}

// TestNothingIsOrderedWhoseRecordNobodyWouldSee finds out before it is paid for, and does then what the message says.
func TestNothingIsOrderedWhoseRecordNobodyWouldSee(t *testing.T) {
	const noZone = `the Alibaba Cloud DNS account of the solver's credentials has no zone that holds `
	tests := map[string]struct {
		options cassim.Options
		name    string
		said    string
		before  func(*env.Env)
		mend    func(*env.Env)
	}{
		"the zone is in no account of the solver's": {
			options: cassim.Options{Accounts: []cassim.Account{withZone("validation.net")}}, name: "www.example.org",
			said:   noZone + `"www.example.org": add the zone there`,
			before: func(e *env.Env) { e.Simulator.AddZone("example.org", "") },
			mend: func(e *env.Env) {
				e.Simulator.AddRecord("example.org", "_dnsauth.www", "CNAME", "www-example-org.validation.net")
			},
		},
		"a CNAME leads out of all zones": {
			name: "www.example.com",
			said: `the record "_dnsauth.www.example.com" for "www.example.com" is delegated by CNAME to ` +
				`"lb.cloud-lb.org": ` + noZone + `"lb.cloud-lb.org"`,
			before: func(e *env.Env) {
				e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "CNAME", "lb.cloud-lb.org")
			},
			mend: func(e *env.Env) {
				for _, record := range e.Simulator.Records(cassim.DefaultZone) {
					e.Simulator.RemoveRecord(record.ID)
				}
			},
		},
		"a zone below is at another provider": {
			name: "x.deleg.example.com",
			said: `DNS serves "_dnsauth.x.deleg.example.com" from the zone "deleg.example.com", and the record ` +
				`would be put into the zone "example.com", where nobody looks for it: ` +
				`let the solver have the zone "deleg.example.com", choose another solver for this name, or delegate ` +
				`"_dnsauth.x.deleg.example.com" by a CNAME to a zone of the solver, with cnameStrategy: Follow`,
			before: func(e *env.Env) { e.Simulator.AddRecord("deleg.example.com", "@", "A", "192.0.2.3") },
			mend: func(e *env.Env) {
				e.Simulator.AddRecord("deleg.example.com", "_dnsauth.x", "CNAME", "x-deleg.example.com")
			},
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			e := env.New(t, test.options)
			test.before(e)
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), following))
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), named(test.name))))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Pass(30 * time.Minute)
			billed(t, e, 0)
			if text := said(e); !strings.Contains(text, "nothing is ordered yet: "+test.said) ||
				!strings.Contains(text, "spec.orders.skipChecks") {
				t.Errorf("nobody is told: %s", text)
			}
			test.mend(e)
			e.Until(30*time.Minute, isReady(e))
			billed(t, e, 1)
		})
	}
}

// TestAnUpdateOfAZoneThatDoesNotServeTheNameIsNotPaidFor has the zone above on a name server that takes updates.
func TestAnUpdateOfAZoneThatDoesNotServeTheNameIsNotPaidFor(t *testing.T) {
	server := primary.Start(t, "example.com")
	e := env.New(t, cassim.Options{})
	e.Configure = func(remote *access.Remote) { remote.Policy.Nameservers = []string{server.Addr} }
	e.Restart()
	e.Create(opaque(e.Namespace, "tsig", "secret", server.Secret))
	e.Simulator.AddZone("deleg.example.com", "")
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
			Nameserver: server.Addr, TSIGKeyName: "update-key", TSIGAlgorithm: "HMACSHA512",
			TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "tsig"},
				Key: "secret"},
		}}}}
	}))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), named("x.deleg.example.com"))))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Pass(30 * time.Minute)
	billed(t, e, 0)
	if text := said(e); !strings.Contains(text, `from the zone "deleg.example.com", and the record would be put `+
		`into the zone "example.com"`) {
		t.Errorf("nobody is told: %s", text)
	}
}

// TestAZoneThatRefusesOneOrderIsNotPaidForAgain lets RAM permit everything but to add records.
func TestAZoneThatRefusesOneOrderIsNotPaidForAgain(t *testing.T) {
	held := func(e *env.Env, want int) {
		t.Helper()
		n := 0
		for _, order := range e.Orders() {
			ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
			if ready == nil || ready.Reason != v1alpha1.ReasonZoneRefused {
				continue
			}
			n++
			if !strings.Contains(ready.Message, `nothing is ordered yet: Alibaba Cloud DNS refuses `+
				`alidns:AddDomainRecord in the zone "example.com" to the credentials of the solver`) ||
				!strings.Contains(ready.Message, "allow alidns:AddDomainRecord for this zone") ||
				strings.Contains(ready.Message, "_dnsauth") {
				t.Errorf("it is told as %s", ready.Message)
			}
		}
		if n != want {
			t.Errorf("%d orders are held for their zone, want %d", n, want)
		}
	}
	issued := func(e *env.Env, want int) func() bool {
		return func() bool {
			n := 0
			for _, order := range e.Orders() {
				if len(order.Status.Certificate) > 0 {
					n++
				}
			}
			return n == want
		}
	}
	refused := func(t *testing.T) *env.Env {
		account := cassim.DefaultAccount()
		account.Zones = []string{cassim.DefaultZone, "example.net"}
		e := env.New(t, cassim.Options{Accounts: []cassim.Account{account}})
		e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
		e.Simulator.DenyAction(cassim.DefaultKeyID, "AddDomainRecord")
		ask(e, "www", "www")
		e.Pass(time.Minute)
		for _, name := range []string{"a", "b", "c"} {
			ask(e, name, name)
		}
		e.Pass(30 * time.Minute)
		billed(t, e, 1)
		held(e, 3)
		return e
	}
	t.Run("it heals with the order that was paid for", func(t *testing.T) {
		e := refused(t)
		if is := readyOf(e); is.Status != metav1.ConditionTrue {
			t.Errorf("the issuer is %+v", is)
		}
		before := callsForOrders(e)["ListUserCertificateOrder"]
		e.Restart()
		e.Pass(time.Hour)
		billed(t, e, 1)
		held(e, 3)
		if after := callsForOrders(e)["ListUserCertificateOrder"]; after > before+3 {
			t.Errorf("to be held cost %d listings", after-before)
		}
		askFor(e, e.Namespace, "other", "www.example.net")
		e.Pass(time.Minute)
		billed(t, e, 2) // nothing was known of that zone
		e.Simulator.AllowAction(cassim.DefaultKeyID, "AddDomainRecord")
		e.Until(20*time.Minute, issued(e, 5))
		billed(t, e, 5)
	})
	t.Run("it is found out by one order once nobody else tries", func(t *testing.T) {
		e := refused(t)
		remove(e, e.Request("www"))
		e.Pass(time.Hour)
		kept := 0
		for _, entry := range e.Simulator.Ledger() {
			if !entry.Released {
				kept++
			}
		}
		if kept != 1 || len(e.Simulator.Ledger()) != 2 {
			t.Errorf("the ledger is %+v", e.Simulator.Ledger())
		}
		held(e, 2)
		e.Simulator.AllowAction(cassim.DefaultKeyID, "AddDomainRecord")
		e.Until(20*time.Minute, issued(e, 3))
	})
}

// TestAListOfZonesThatIsNullIsAskedForAgain has the issuer and the order meet with it.
func TestAListOfZonesThatIsNullIsAskedForAgain(t *testing.T) {
	e := ordered(t, cassim.Options{})
	e.Simulator.Inject(cassim.Fault{Action: "DescribeDomains", Kind: cassim.NullLists, Executed: true, Times: -1})
	e.Pass(9 * time.Minute)
	billed(t, e, 0)
	if text := said(e); strings.Contains(text, "has no zone") ||
		!strings.Contains(text, "success without the list of zones") {
		t.Errorf("it is told as %s", text)
	}
	e.Simulator.LiftFaults()
	e.Until(10*time.Minute, isReady(e))
	billed(t, e, 1)
}
