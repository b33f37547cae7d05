// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// pretender starts CAS and STS of somebody who says that every key is of the account of the test, and makes their
// issuer.
func pretender(e *env.Env) *cassim.Server {
	e.T.Helper()
	fake := cassim.New(cassim.Options{Clock: e.Clock})
	if err := fake.Start(); err != nil {
		e.T.Fatal(err)
	}
	e.T.Cleanup(fake.Close)
	e.Create(gen.Issuer(e.Namespace, fake.URL(), gen.Manual, func(i *v1alpha1.AliyunIssuer) { i.Name = "pretender" }))
	return fake
}

// requestOf asks an issuer for the common name "<name>.example.com".
func requestOf(e *env.Env, issuer, name string) {
	e.T.Helper()
	made := gen.Request(e.Namespace, name, gen.CSR(gen.Key(), func(csr *x509.CertificateRequest) {
		csr.Subject.CommonName, csr.DNSNames = name+".example.com", []string{name + ".example.com"}
	}))
	made.Spec.IssuerRef.Name = issuer
	e.Create(made)
	e.Decide(name, cmapi.CertificateRequestConditionApproved)
}

// pretends fails the test unless the fake is believed, by whoever chose it, to be of the account of the honest one.
func pretends(e *env.Env) {
	e.T.Helper()
	accounts := map[string]bool{}
	for _, name := range []string{gen.IssuerName, "pretender"} {
		issuer := &v1alpha1.AliyunIssuer{}
		if err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: name},
			issuer); err != nil {
			e.T.Fatal(err)
		}
		if issuer.Status.Identity != nil {
			accounts[issuer.Status.Identity.AccountID] = true
		}
	}
	if len(accounts) != 1 {
		e.T.Fatalf("the accounts are %v, want one", accounts)
	}
}

func TestAPlanIsExhaustedByWordOfItsOwnServersOnly(t *testing.T) {
	e := env.New(t, cassim.Options{})
	fake := pretender(e)
	fake.SetPackage(gen.Product, 3, 3)
	requestOf(e, "pretender", "other")
	e.Until(12*time.Minute, func() bool { return len(e.Orders()) == 1 && heldFor(e) == v1alpha1.ReasonQuotaExhausted })
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	requestOf(e, gen.IssuerName, "www")
	e.Settle()
	pretends(e)
	billed(t, e, 1)
	e.Until(time.Hour, isReady(e))
}

// TestNobodySlowsTheCallsOfAnAccountByPretendingToBeOfIt has one call in a hundred seconds for each API and account.
func TestNobodySlowsTheCallsOfAnAccountByPretendingToBeOfIt(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Configure = func(remote *access.Remote) { remote.Rate = 0.01 }
	e.Restart()
	fake := pretender(e)
	e.Settle()
	if fake.Calls()["DescribePackageState"] != 1 {
		t.Fatalf("the fake was called %v", fake.Calls())
	}
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), gen.Manual))
	e.Settle()
	pretends(e)
	if ready := readyOf(e); ready.Reason != v1alpha1.ReasonReady || e.Simulator.Calls()["DescribePackageState"] != 1 {
		t.Errorf("the issuer says %+v, after %v", ready, e.Simulator.Calls())
	}
}

// TestTheAccountOfARoleIsWhatSTSTellsAndNotItsARN takes down what is known where STS gives keys and does not say whose.
func TestTheAccountOfARoleIsWhatSTSTellsAndNotItsARN(t *testing.T) {
	for name, want := range map[string]string{"told": account, "not told": ""} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, withRoles(t))
			if want == "" {
				e.Simulator.Inject(cassim.Fault{Action: "GetCallerIdentity", Kind: cassim.DropReply, Times: -1})
			}
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), gen.Manual,
				func(i *v1alpha1.AliyunIssuer) { i.Spec.Credentials = assumed("team", "") }))
			requestOf(e, gen.IssuerName, "www")
			e.Pass(10 * time.Minute)
			billed(t, e, 1)
			if order := onlyOrder(t, e); order.Status.AccountID != want ||
				!strings.Contains(order.Spec.Credentials.AssumeRole.RoleARN, account) {
				t.Errorf("the order is of the account %q, want %q", order.Status.AccountID, want)
			}
			if n := e.Simulator.Calls()["GetCallerIdentity"]; want != "" &&
				n > 3 { // two checks in ten minutes, and the session
				t.Errorf("STS was asked %d times", n)
			}
		})
	}
}

func TestANameServerThatTheOperatorListsIsUpdated(t *testing.T) {
	e, _ := updating(t)
	listed := e.Configure
	e.Configure = func(remote *access.Remote) {
		listed(remote)
		remote.Policy.Nameservers = []string{"ns.example.com"}
	}
	e.Restart()
	e.Pass(time.Hour)
	billed(t, e, 0)
	if told := meta.FindStatusCondition(theIssuer(e).Status.Conditions, v1alpha1.ConditionSolversValid); told == nil ||
		told.Reason != v1alpha1.ReasonNameserverNotAllowed {
		t.Errorf("the issuer says %+v", told)
	}
	e.Configure = listed // as the message says
	e.Restart()
	e.Until(time.Hour, isReady(e))
}
