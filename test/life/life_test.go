// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package life takes requests through their whole life on a real API server, against the simulator of CAS.
package life

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func TestMain(m *testing.M) { env.Main(m) }

// ordered makes an issuer and an approved request.
func ordered(t *testing.T, options cassim.Options) *env.Env {
	t.Helper()
	e := env.New(t, options)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e
}

func isReady(e *env.Env) func() bool {
	return func() bool {
		return cmutil.CertificateRequestReadyReason(e.Request("www")) == cmapi.CertificateRequestReasonIssued
	}
}

func TestAnOrderCostsNoMoreThanItMust(t *testing.T) {
	for name, options := range map[string]cassim.Options{
		"with a CA that answers at once":        {},
		"with a CA that takes fifteen minutes":  {CADelay: 10 * time.Minute, DCVDelay: 5 * time.Minute},
		"with a record that is told a bit late": {RecordDelay: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			e := ordered(t, options)
			e.Until(time.Hour, isReady(e))
			e.Pass(10 * time.Minute)
			before, after := e.WritesUntilTold(), e.Writes()-e.WritesUntilTold()
			if before > 10 || after > 2 {
				t.Errorf("%d writes until the request was Ready and %d after, want at most 10 and 2", before, after)
			}
			calls := callsForOrders(e)
			if n := calls["CreateCertificateWithCsrRequest"] + calls["DescribeCertificateState"]; options.CADelay == 0 && n > 4 {
				t.Errorf("%d calls for the order, want at most 4: %v", n, calls)
			}
			if calls["ListUserCertificateOrder"] > 1 {
				t.Errorf("%d listings, want at most one", calls["ListUserCertificateOrder"])
			}
			if ledger := e.Simulator.Ledger(); len(ledger) != 1 {
				t.Errorf("%d orders were billed, want one", len(ledger))
			}
			if records := e.Simulator.Records("example.com"); len(records) != 0 {
				t.Errorf("records were left behind: %v", records)
			}
			t.Logf("%d writes until Ready, %d after; calls %v", before, after, calls)
		})
	}
}

// callsForOrders leaves out what issuers are checked with.
func callsForOrders(e *env.Env) map[string]int {
	calls := map[string]int{}
	for _, request := range e.Simulator.Requests() {
		if request.OrderID != "1" && request.Params["Keyword"] != "permission-probe.invalid" {
			calls[request.Action]++
		}
	}
	return calls
}

func TestTheChainIsDeliveredLeafFirstAndWithoutItsRootHoweverCASGivesIt(t *testing.T) {
	for _, form := range []cassim.ChainForm{
		cassim.ChainFull, cassim.ChainLeafOnly, cassim.ChainWithRoot, cassim.ChainShuffled, cassim.ChainUnrelated,
	} {
		t.Run(form, func(t *testing.T) {
			e := ordered(t, cassim.Options{Knobs: cassim.Knobs{Chain: form, PrivateKey: cassim.Present}})
			e.Until(time.Hour, isReady(e))
			request := e.Request("www")
			var chain []*x509.Certificate
			for rest := request.Status.Certificate; len(rest) > 0; {
				part, after, _ := strings.Cut(string(rest), "-----END CERTIFICATE-----\n")
				c, err := pki.DecodeX509CertificateBytes([]byte(part + "-----END CERTIFICATE-----\n"))
				if err != nil {
					t.Fatal(err)
				}
				chain, rest = append(chain, c), []byte(after)
			}
			if len(chain) != 2 {
				t.Fatalf("the chain has %d certificates, want leaf and intermediate", len(chain))
			}
			roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
			roots.AppendCertsFromPEM(e.Simulator.RootPEM())
			intermediates.AddCert(chain[1])
			if _, err := chain[0].Verify(
				x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: gen.Domain,
					CurrentTime: e.Clock.Now()}); err != nil {
				t.Error(err)
			}
			if strings.Contains(string(request.Status.Certificate), "PRIVATE KEY") || len(request.Status.CA) != 0 {
				t.Error("the request got more than a chain")
			}
		})
	}
}

func TestADeletedOrderIsGivenBackToThePlan(t *testing.T) {
	e := ordered(t, cassim.Options{CADelay: time.Hour})
	e.Settle()
	order := e.Orders()[0]
	if order.Status.OrderID == "" {
		t.Fatalf("the order was not submitted: %+v", order.Status)
	}
	if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
		t.Fatal(err)
	}
	if err := e.Client.Delete(t.Context(), &order); err != nil { // as the garbage collector does
		t.Fatal(err)
	}
	e.Until(10*time.Minute, func() bool { return len(e.Orders()) == 0 })
	ledger := e.Simulator.Ledger()
	if len(ledger) != 1 || !ledger[0].Released {
		t.Errorf("the order was not given back: %+v", ledger)
	}
	if records := e.Simulator.Records("example.com"); len(records) != 0 {
		t.Errorf("records were left behind: %v", records)
	}
}

func TestAnOrderThatIsDeletedByHandFailsItsRequestAndIsNotMadeAgain(t *testing.T) {
	e := ordered(t, cassim.Options{CADelay: time.Hour})
	e.Settle()
	order := e.Orders()[0]
	if err := e.Client.Delete(t.Context(), &order); err != nil {
		t.Fatal(err)
	}
	e.Until(10*time.Minute, func() bool { return len(e.Orders()) == 0 })
	e.Pass(time.Hour)
	if reason := cmutil.CertificateRequestReadyReason(
		e.Request("www")); reason != cmapi.CertificateRequestReasonFailed {
		t.Errorf("the request is %s, want Failed", reason)
	}
	if ledger := e.Simulator.Ledger(); len(ledger) != 1 || !ledger[0].Released {
		t.Errorf("the ledger is %+v, want one order that was given back", ledger)
	}
}

func TestAnOrderIsTaggedWithWhereItCameFrom(t *testing.T) {
	e := ordered(t, cassim.Options{})
	e.Settle()
	want := map[string]string{
		"certmanager.aliyun.com/cluster":   env.Cluster,
		"certmanager.aliyun.com/namespace": e.Namespace,
		"certmanager.aliyun.com/name":      "www",
		"certmanager.aliyun.com/uid":       string(e.Request("www").UID),
	}
	if diff := cmp.Diff(want, e.Simulator.Ledger()[0].Tags); diff != "" {
		t.Errorf("the tags of the order (-want +got):\n%s", diff)
	}
}

func TestAnAccountThatRefusesTagsCanOrder(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Source.ResourcePlan.Tags = v1alpha1.TagsDisabled
	}))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, isReady(e))
	if tags := e.Simulator.Ledger()[0].Tags; len(tags) > 0 {
		t.Errorf("the order is tagged with %v", tags)
	}
}
