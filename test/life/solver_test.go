// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// withSolvers makes an approved request to an issuer with these solvers.
func withSolvers(t *testing.T, options cassim.Options,
	solvers func(endpoint *v1alpha1.Endpoint) []v1alpha1.Solver) *env.Env {
	t.Helper()
	e := env.New(t, options)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(),
		func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = solvers(i.Spec.Endpoint) }))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e
}

func TestARequestThatNoSolverIsForWaitsForOne(t *testing.T) {
	manual := &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}
	e := withSolvers(t, cassim.Options{}, func(*v1alpha1.Endpoint) []v1alpha1.Solver {
		return []v1alpha1.Solver{{Selector: &v1alpha1.SolverSelector{DNSZones: []string{"example.org"}}, DNS: manual}}
	})
	e.Pass(10 * time.Minute)
	if text := said(e); !strings.Contains(
		text, `no solver of the AliyunIssuer "cas" matches "www.example.com": add one`) {
		t.Errorf("nobody is told: %s", text)
	}
	billed(t, e, 0)
	issuer := gen.Issuer(e.Namespace, e.Simulator.URL())
	alidns := issuer.Spec.Solvers[0]
	if err := e.Client.Get(t.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
		t.Fatal(err)
	}
	issuer.Spec.Solvers = append(issuer.Spec.Solvers, alidns)
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Until(time.Hour, isReady(e))
	if chosen := onlyOrder(t, e).Spec.Solvers[0].Solver; chosen.DNS.Alidns == nil {
		t.Errorf("chosen was %+v", chosen)
	}
}

// TestTheZoneMayBeInAnotherAccount lets the account that orders have no zone, and that of the zone no plan.
func TestTheZoneMayBeInAnotherAccount(t *testing.T) {
	orders, zones := cassim.DefaultAccount(), cassim.DefaultAccount()
	orders.ID, orders.Zones = "1111", nil
	zones.ID, zones.Packages, zones.Keys = "2222", nil, []cassim.Key{{ID: "dnskey", Secret: "dns-secret"}}
	e := withSolvers(t, cassim.Options{Accounts: []cassim.Account{orders, zones}},
		func(endpoint *v1alpha1.Endpoint) []v1alpha1.Solver {
			return []v1alpha1.Solver{
				{DNS: &v1alpha1.DNSSolver{
					Alidns: &v1alpha1.AlidnsSolver{Endpoint: endpoint, Credentials: &v1alpha1.Credentials{
						AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
							SecretReference: v1alpha1.SecretReference{Name: "dns"}},
					}}}}}
		})
	e.Pass(5 * time.Minute)
	billed(t, e, 0) // the Secret is not there yet
	secret := gen.Secret(e.Namespace, "dnskey", "dns-secret")
	secret.Name = "dns"
	e.Create(secret)
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	for _, request := range e.Simulator.Requests() {
		if request.Action == "GetCallerIdentity" {
			continue // both are asked who they are
		}
		isDNS := strings.HasSuffix(request.Action, "DomainRecord") ||
			strings.HasPrefix(request.Action, "DescribeDomain") ||
			strings.HasPrefix(request.Action, "DescribeSubDomain")
		if want := map[bool]string{true: zones.ID, false: orders.ID}[isDNS]; request.AccountID != want {
			t.Errorf("%s was called by the account %s, want %s", request.Action, request.AccountID, want)
		}
	}
	if left := e.Simulator.Records(cassim.DefaultZone); len(left) > 0 {
		t.Errorf("records were left behind: %+v", left)
	}
}

// TestWhereADomainIsPreauthorisedNothingIsPublished leaves the validation to CAS.
func TestWhereADomainIsPreauthorisedNothingIsPublished(t *testing.T) {
	e := withSolvers(t, cassim.Options{}, func(*v1alpha1.Endpoint) []v1alpha1.Solver {
		return []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{None: &v1alpha1.NoSolver{}}}}
	})
	e.Pass(10 * time.Minute)
	if text := said(e); !strings.Contains(text, `waits for CAS to see that "www.example.com" is pre-authorised`) {
		t.Errorf("nobody is told: %s", text)
	}
	e.Simulator.ForceState(onlyOrder(t, e).Status.OrderID, cassim.StateProcess)
	e.Until(time.Hour, isReady(e))
	for action := range e.Simulator.Calls() {
		if strings.Contains(action, "Domain") {
			t.Errorf("%s was called", action)
		}
	}
}
