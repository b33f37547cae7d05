// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// otherZone is in an account of its own.
const otherZone = "example.org"

// inTwoZones is an issuer with an instance for two names, whose second zone is in another account. Only the solver for
// that zone has the other account's credentials.
func inTwoZones(t *testing.T) (e *env.Env, other cassim.Account) {
	t.Helper()
	buyer, other := cassim.DefaultAccount(), cassim.DefaultAccount()
	buyer.ID = "1111"
	other.ID, other.Zones, other.Packages = "2222", []string{otherZone}, nil
	other.Keys = []cassim.Key{{ID: "dnskey", Secret: "dns-secret"}}
	e = forNames(t, cassim.Options{DCVDelay: 10 * time.Minute,
		Accounts: []cassim.Account{buyer, other}}, 2, 0)
	secret := gen.Secret(e.Namespace, "dnskey", "dns-secret")
	secret.Name = "dns"
	e.Create(secret)
	setSolvers(e, alidnsOf(e, nil), otherAlidns(e))
	return e, other
}

// alidnsOf is a solver with the issuer's own credentials.
func alidnsOf(e *env.Env, selector *v1alpha1.SolverSelector) v1alpha1.Solver {
	return v1alpha1.Solver{Selector: selector, DNS: &v1alpha1.DNSSolver{
		Alidns: &v1alpha1.AlidnsSolver{Endpoint: &v1alpha1.Endpoint{URL: e.Simulator.URL()}}}}
}

// otherAlidns is for the other zone, with the credentials of its account.
func otherAlidns(e *env.Env) v1alpha1.Solver {
	solver := alidnsOf(e, &v1alpha1.SolverSelector{DNSZones: []string{otherZone}})
	solver.DNS.Alidns.Credentials = &v1alpha1.Credentials{AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
		SecretReference: v1alpha1.SecretReference{Name: "dns"}}}
	return solver
}

// TestEachNameIsProvedByTheSolverForIt has each account asked for its own zone only, before and after the purchase.
func TestEachNameIsProvedByTheSolverForIt(t *testing.T) {
	e, other := inTwoZones(t)
	askForAll(e, "www", "www.example.com", "www.example.org")
	e.Pass(2 * time.Minute)
	for _, zone := range []string{"example.com", otherZone} {
		if records := e.Simulator.Records(zone); len(records) != 1 {
			t.Errorf("the records in %s are %+v", zone, records)
		}
	}
	e.Until(time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	wantApplications(e, "issued")
	if left := e.Simulator.Records(otherZone); len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
	isAsked := false
	for _, request := range e.Simulator.Requests() {
		isDNS := strings.HasSuffix(request.Action, "DomainRecord") ||
			strings.HasPrefix(request.Action, "DescribeDomain") ||
			strings.HasPrefix(request.Action, "DescribeSubDomain")
		isOthers := request.AccountID == other.ID
		isAsked = isAsked || isDNS && isOthers
		if isOthers && !isDNS && request.Action != "GetCallerIdentity" {
			t.Errorf("%s was called by the account of the zone", request.Action)
		}
	}
	if !isAsked {
		t.Error("the account of the other zone was never asked")
	}
}

// TestAPersonAndASolverProveNamesOfOneOrder tells the person of that name only which is left to people.
func TestAPersonAndASolverProveNamesOfOneOrder(t *testing.T) {
	e, _ := inTwoZones(t)
	setSolvers(e, alidnsOf(e, nil), v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}},
		Selector: &v1alpha1.SolverSelector{DNSZones: []string{otherZone}}})
	askForAll(e, "www", "www.example.com", "www.example.org")
	e.Pass(5 * time.Minute)
	text := said(e)
	if !strings.Contains(text, "create the DNS record _dnsauth.www.example.org TXT") ||
		strings.Contains(text, "_dnsauth.www.example.com TXT") {
		t.Fatalf("it is told: %s", text)
	}
	order := onlyOrder(t, e)
	if order.Status.Visible != "1/2" {
		t.Errorf("%s are visible", order.Status.Visible)
	}
	at := slices.IndexFunc(order.Status.Validations,
		func(v v1alpha1.OrderValidation) bool { return v.Domain == "www.example.org" })
	byHand := e.Simulator.AddRecord(otherZone, "_dnsauth.www", "TXT", order.Status.Validations[at].RecordValue)
	e.Until(2*time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	wantApplications(e, "issued")
	if left := e.Simulator.Records(otherZone); len(left) != 1 {
		t.Errorf("what a person published is %+v", left)
	}
	e.Simulator.RemoveRecord(byHand)
}

// TestANameMayBePreauthorisedBesideOneThatIsNot leaves one name to CAS: nothing is published for that one, and the
// order tells what it waits for once the other one is visible.
func TestANameMayBePreauthorisedBesideOneThatIsNot(t *testing.T) {
	e, _ := inTwoZones(t)
	setSolvers(e, alidnsOf(e, nil), v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{None: &v1alpha1.NoSolver{}},
		Selector: &v1alpha1.SolverSelector{DNSZones: []string{otherZone}}})
	askForAll(e, "www", "www.example.com", "www.example.org")
	e.Pass(5 * time.Minute)
	if text := said(e); !strings.Contains(text,
		`waits for CAS to see that "www.example.org" is pre-authorised: if it is not, use a solver`) {
		t.Errorf("it is told: %s", text)
	}
	if records := e.Simulator.Records(otherZone); len(records) != 0 {
		t.Errorf("published was %+v", records)
	}
	value := ""
	for _, v := range onlyOrder(t, e).Status.Validations {
		if v.Domain == "www.example.org" {
			value = v.RecordValue
		}
	}
	byHand := e.Simulator.AddRecord(otherZone, "_dnsauth.www", "TXT", value)
	e.Until(2*time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	e.Simulator.RemoveRecord(byHand)
	wantApplications(e, "issued")
}

// TestAReplacedRequestMovesOnlyTheRecordOfTheSolverThatChanged goes on with the same application.
func TestAReplacedRequestMovesOnlyTheRecordOfTheSolverThatChanged(t *testing.T) {
	e, _ := inTwoZones(t)
	askForAll(e, "first", "www.example.com", "www.example.org")
	e.Pass(2 * time.Minute)
	kept, moved := e.Simulator.Records("example.com"), e.Simulator.Records(otherZone)
	if len(kept) != 1 || len(moved) != 1 {
		t.Fatalf("the records are %+v and %+v", kept, moved)
	}
	setSolvers(e, alidnsOf(e, nil), v1alpha1.Solver{
		DNS:      &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}},
		Selector: &v1alpha1.SolverSelector{DNSZones: []string{otherZone}}})
	first, order := e.Request("first"), onlyOrder(t, e)
	remove(e, first)
	remove(e, order)
	e.Create(gen.Request(e.Namespace, "second", first.Spec.Request))
	e.Decide("second", cmapi.CertificateRequestConditionApproved)
	e.Pass(time.Minute)
	if now := e.Simulator.Records("example.com"); len(now) != 1 || now[0] != kept[0] {
		t.Errorf("the record of the solver that is the same was %+v and is %+v", kept, now)
	}
	if now := e.Simulator.Records(otherZone); len(now) != 0 || len(e.Objects(dnsendpoint.Kind)) != 1 {
		t.Errorf("of the other one there are %+v, and %d DNSEndpoints", now, len(e.Objects(dnsendpoint.Kind)))
	}
	byHand := e.Simulator.AddRecord(otherZone, "_dnsauth.www", "TXT", moved[0].Value)
	e.Until(2*time.Hour, isIssued(e, "second"))
	e.Pass(10 * time.Minute)
	e.Simulator.RemoveRecord(byHand)
	wantApplications(e, "issued")
}

// TestEachNameHasAFileByTheSolverForIt has an Ingress for one name, and a person for the other.
func TestEachNameHasAFileByTheSolverForIt(t *testing.T) {
	e, site := withInstanceFiles(t, cassim.Options{}, 2)
	setSolvers(e, v1alpha1.Solver{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}}, v1alpha1.Solver{
		Selector: &v1alpha1.SolverSelector{DNSNames: []string{"pay.example.com"}},
		File:     &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}})
	askForAll(e, "www", "shop.example.com", "pay.example.com")
	e.Pass(2 * time.Minute)
	if routes := e.Objects(httpfile.IngressKind); len(routes) != 1 {
		t.Fatalf("there are %d Ingresses", len(routes))
	}
	byRoute := site.answer
	for _, v := range onlyOrder(t, e).Status.Validations {
		if v.Domain != "pay.example.com" {
			continue
		}
		if text := said(e); !strings.Contains(text, "at http://pay.example.com"+v.Zone) ||
			strings.Contains(text, "at http://shop.example.com") {
			t.Errorf("it is told: %s", text)
		}
		site.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.Host != v.Domain || r.URL.Path != v.Zone {
				byRoute(w, r)
				return
			}
			_, _ = io.WriteString(w, v.RecordValue)
		}
	}
	endsWell(e)
}

// TestNamesThatNoKindOfSolverServesWaitForOne does what the message says.
func TestNamesThatNoKindOfSolverServesWaitForOne(t *testing.T) {
	e, _ := inTwoZones(t)
	setSolvers(e, alidnsOf(e, &v1alpha1.SolverSelector{DNSZones: []string{"example.com"}}), v1alpha1.Solver{
		Selector: &v1alpha1.SolverSelector{DNSZones: []string{otherZone}},
		File:     &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}})
	askForAll(e, "www", "www.example.com", "www.example.org")
	e.Pass(10 * time.Minute)
	if text := said(e); !strings.Contains(text, `no DNS solver of the AliyunIssuer "cas" matches "www.example.org", `+
		"only one of another kind, and all names of a request are validated alike: add a DNS solver for it") {
		t.Errorf("nobody is told: %s", text)
	}
	wantApplications(e)
	setSolvers(e, append(theIssuer(e).Spec.Solvers, otherAlidns(e))...)
	e.Until(time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	wantApplications(e, "issued")
}
