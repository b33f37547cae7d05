// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestARecordThatVanishesIsPresentedAgain lets somebody delete it before the CA has looked.
func TestARecordThatVanishesIsPresentedAgain(t *testing.T) {
	e := ordered(t, cassim.Options{DCVDelay: 100 * time.Hour})
	visible := func() bool { return onlyOrder(t, e).Status.Validations[0].VisibleAt != nil }
	e.Pass(5 * time.Minute)
	record := e.Simulator.Records(cassim.DefaultZone)[0]
	if !visible() {
		t.Fatal("the record never was visible")
	}
	e.Simulator.RemoveRecord(record.ID)
	e.Pass(20 * time.Minute)
	records := e.Simulator.Records(cassim.DefaultZone)
	if len(records) != 1 || records[0].Value != record.Value || !visible() {
		t.Fatalf("records are %+v, and visible is %t", records, visible())
	}
	before := e.Simulator.Calls()["AddDomainRecord"]
	e.Pass(2 * time.Hour)
	if after := e.Simulator.Calls()["AddDomainRecord"]; after != before {
		t.Errorf("a record that stands was added %d times", after-before)
	}
}

// TestWhatStandsInDNSInsteadIsTold lets somebody publish another value, so that the order is not visible.
func TestWhatStandsInDNSInsteadIsTold(t *testing.T) {
	e := withSolvers(t, cassim.Options{}, func(*v1alpha1.Endpoint) []v1alpha1.Solver {
		return []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}}}
	})
	e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "TXT", "a typo")
	e.Pass(5 * time.Minute)
	if seen := onlyOrder(t, e).Status.Validations[0].Seen; len(seen) != 1 || seen[0] != "TXT a typo" {
		t.Errorf("seen is %q", seen)
	}
	if text := said(e); !strings.Contains(text, "seen there instead: TXT a typo") {
		t.Errorf("nobody is told: %s", text)
	}
}

// TestTheRecordGoesWhereItsNameIsDelegatedTo keeps the zone of the domain as it is.
func TestTheRecordGoesWhereItsNameIsDelegatedTo(t *testing.T) {
	account := cassim.DefaultAccount()
	account.Zones = []string{"validation.example.net"}
	e := env.New(t, cassim.Options{Accounts: []cassim.Account{account}})
	e.Simulator.AddZone(cassim.DefaultZone, "")
	e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "CNAME", "www-example-com.validation.example.net")
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(),
		func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers[0].DNS.CNAMEStrategy = v1alpha1.CNAMEFollow }))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Pass(5 * time.Second)
	e.Until(time.Hour, isReady(e))
	if fqdn := onlyOrder(t, e).Status.Validations[0].FQDN; fqdn != "www-example-com.validation.example.net" {
		t.Errorf("the record stood at %q", fqdn)
	}
	e.Pass(time.Hour)
	if left := e.Simulator.Records("validation.example.net"); len(left) > 0 {
		t.Errorf("records were left behind: %+v", left)
	}
	if left := e.Simulator.Records(cassim.DefaultZone); len(left) != 1 {
		t.Errorf("the delegation is now %+v", left)
	}
}

// TestNothingIsOrderedForADomainThatNoCAWouldIssueFor finds out for free.
func TestNothingIsOrderedForADomainThatNoCAWouldIssueFor(t *testing.T) {
	tests := map[string]struct {
		name   string
		said   string
		before func(e *env.Env)
		mended func(e *env.Env)
	}{
		"no zone": {name: "www.example.org", said: `DNS knows no zone that holds "www.example.org"`,
			mended: func(e *env.Env) { e.Simulator.AddZone("example.org", "1000000000000001") }},
		"CAA": {name: "caa.example.com", said: `CAA at "example.com" allows only "letsencrypt.org": add 0 issue ` +
			`"digicert.com"`, before: func(e *env.Env) {
			e.Simulator.AddRecord(cassim.DefaultZone, "@", "CAA", `0 issue "letsencrypt.org"`)
		}, mended: func(e *env.Env) {
			e.Simulator.AddRecord(cassim.DefaultZone, "@", "CAA", `0 issue "digicert.com"`)
		}},
		"CAA of a wildcard": {name: "img.example.com", said: `CAA at "*.example.com", which answers for ` +
			`"img.example.com", allows only "letsencrypt.org": add 0 issue "digicert.com" there`,
			before: func(e *env.Env) {
				e.Simulator.AddRecord(cassim.DefaultZone, "*", "CAA", `0 issue "letsencrypt.org"`)
			}, mended: func(e *env.Env) {
				e.Simulator.AddRecord(cassim.DefaultZone, "*", "CAA", `0 issue "digicert.com"`)
			}},
		"no public name": {name: "db.corp.internal", said: `.internal is not for public hosts`},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			if test.before != nil {
				test.before(e)
			}
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), named(test.name))))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Pass(30 * time.Minute)
			billed(t, e, 0)
			if text := said(e); !strings.Contains(text, test.said) ||
				!strings.Contains(text, "nothing is ordered yet") || !strings.Contains(text, "spec.orders.skipChecks") {
				t.Errorf("nobody is told: %s", text)
			}
			if test.mended == nil {
				return
			}
			test.mended(e)
			e.Pass(30 * time.Minute)
			billed(t, e, 1)
		})
	}
}

// named lets a signing request be for another name.
func named(name string) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) { r.Subject.CommonName, r.DNSNames = name, []string{name} }
}
