// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// decisive are the knobs that the search for a lost order depends on.
var decisive = []string{"orderID", "maxShowSize", "showSizeAbove", "listOrder", "listProduct", "buyDate", "firstState",
	"duplicate", "usedCount", "errorCodes", "dateHeader", "csrReuse", "certID"}

// TestALostAnswerIsSettledWhateverNobodyKnows loses the answer of a submission that CAS has executed, and of one that
// it has not, among sixty orders of others whose names the fuzzy search finds too.
func TestALostAnswerIsSettledWhateverNobodyKnows(t *testing.T) {
	// A product in other words, or the date of the plan, is no proof that the order is this one's, and none that it is
	// not: a person decides.
	ambiguous := map[string]bool{"listProduct=other": true, "buyDate=plan": true}
	for _, unknown := range cassim.AllKnobs() {
		for i, value := range unknown.Values {
			isDefault := i == 0 && unknown.Knob != decisive[0] // one life is enough for all defaults
			if isDefault || !strings.Contains(" "+strings.Join(decisive, " ")+" ", " "+unknown.Knob+" ") {
				continue
			}
			for _, isExecuted := range []bool{true, false} {
				title := unknown.Knob + "=" + value
				t.Run(fmt.Sprintf("%s, executed %t", title, isExecuted), func(t *testing.T) {
					var knobs cassim.Knobs
					if err := knobs.Set(unknown.Knob, value); err != nil {
						t.Fatal(err)
					}
					e := env.New(t, cassim.Options{Knobs: knobs})
					e.Simulator.SetPackage(gen.Product, 100, 0)
					for n := range 60 {
						e.Simulator.AddForeignOrder(fmt.Sprintf("shop%d.example.com", n))
					}
					e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: isExecuted})
					e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
					e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
					e.Decide("www", cmapi.CertificateRequestConditionApproved)
					if ambiguous[title] && isExecuted {
						e.Pass(time.Hour)
						if heldFor(e) != v1alpha1.ReasonAmbiguousSubmission {
							t.Fatalf("it is not left to a person: %s", said(e))
						}
						annotate(t, e, mine(e))
					}
					e.Until(2*time.Hour, isReady(e))
					billed(t, e, 61)
					unharmed(t, e)
				})
			}
		}
	}
}

// mine is the one order that no foreign one is.
func mine(e *env.Env) string {
	for _, entry := range e.Simulator.Ledger() {
		if !entry.Foreign {
			return entry.OrderID
		}
	}
	return ""
}

func unharmed(t *testing.T, e *env.Env) {
	t.Helper()
	if err := e.Simulator.ForeignHarm(); err != nil {
		t.Errorf("orders of others were touched: %v", err)
	}
	for _, order := range e.Orders() {
		for _, entry := range e.Simulator.Ledger() {
			if entry.Foreign && entry.OrderID == order.Status.OrderID {
				t.Errorf("the foreign order %s was taken", entry.OrderID)
			}
		}
	}
}

// TestAnAnswerThatCannotBeUnderstoodIsNoAnswer gives every answer that says nothing about whether an order was made, to
// a submission that was executed and to one that was not. In the end there is one order.
func TestAnAnswerThatCannotBeUnderstoodIsNoAnswer(t *testing.T) {
	codes := []string{"", "InternalError", "DeductQuotaFailed", "CreateOrderFailed", "CreateCertificateRequestFailed",
		"DomainRepeat", "ParamRepeat", "SignatureNonceUsed", "InsufficientBalance", "NeverHeardOf"}
	faults := map[string]cassim.Fault{}
	for _, kind := range []cassim.FaultKind{cassim.NumericCode, cassim.HTML200, cassim.EmptyBody, cassim.EmptyObject,
		cassim.NoOrderID, cassim.Truncated, cassim.Redirect307} {
		faults[string(kind)] = cassim.Fault{Kind: kind, Target: "http://127.0.0.1:1/"}
	}
	for _, code := range codes {
		faults["code "+code] = cassim.Fault{Kind: cassim.Refuse, Code: code, Status: 500}
	}
	for name, fault := range faults {
		for _, isExecuted := range []bool{true, false} {
			if !isExecuted && name != string(cassim.HTML200) && name != "code InsufficientBalance" {
				continue // nothing tells these from each other any more
			}
			t.Run(fmt.Sprintf("%s, executed %t", name, isExecuted), func(t *testing.T) {
				e := env.New(t, cassim.Options{})
				fault.Action, fault.Executed = create, isExecuted
				e.Simulator.Inject(fault)
				e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
				e.Settle()
				if order := onlyOrder(t, e); order.Status.Submission == nil || order.Status.OrderID != "" {
					t.Fatalf("something was concluded from it: %+v", order.Status)
				}
				e.Until(2*time.Hour, isReady(e))
				billed(t, e, 1)
			})
		}
	}
}

// TestSANsOfTheRequestNeverCostAnOrder asks for a name that the issuer opted in to, whatever CAS does with it.
func TestSANsOfTheRequestNeverCostAnOrder(t *testing.T) {
	for _, extra := range []string{cassim.On, cassim.Off} {
		for _, sans := range []string{cassim.SANsDropped, cassim.SANsRejected, cassim.SANsFailReview} {
			t.Run(sans+", names added "+extra, func(t *testing.T) {
				e := env.New(t, cassim.Options{Knobs: cassim.Knobs{CSRSANs: sans, ExtraNames: extra}})
				e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
					i.Spec.Source.ResourcePlan.AdditionalNames = []v1alpha1.AdditionalName{v1alpha1.AdditionalNameApex}
				}))
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
					c.DNSNames = []string{gen.Domain, "example.com"}
				})))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
				e.Pass(2 * time.Hour)
				want, wantLost := cmapi.CertificateRequestReasonFailed, 0
				switch {
				case sans == cassim.SANsDropped && extra == cassim.On:
					want, wantLost = issued, 1
				case sans == cassim.SANsDropped:
					want, wantLost = held, 1 // a certificate without the name: it is paid for, and a person decides
				}
				lost := 0
				for _, entry := range e.Simulator.Ledger() {
					if !entry.Released {
						lost++
					}
				}
				if got := reason(e); got != want || lost != wantLost {
					t.Errorf("the request is %s with %d orders kept, want %s with %d: %s", got, lost, want, wantLost,
						said(e))
				}
			})
		}
	}
}

// TestAnOrderThatNobodyValidatesIsGivenBackBeforeItsRequestFails waits a day in vain, whenever CAS would give up.
func TestAnOrderThatNobodyValidatesIsGivenBackBeforeItsRequestFails(t *testing.T) {
	for _, knobs := range []cassim.Knobs{
		{OrderExpiry: cassim.Never}, {OrderExpiry: "24h"}, {OrderExpiry: "168h"}, {TXTLifetime: cassim.Never},
		{VerifyFailReason: cassim.Present, OrderExpiry: "24h"},
		{UsedCount: cassim.UsedStays}, {ErrorCodes: cassim.CodesNewer},
	} {
		t.Run(fmt.Sprintf("%+v", knobs), func(t *testing.T) {
			e, _ := bought(t, cassim.Options{Knobs: knobs}, gen.Manual)
			e.Clock.SetTime(e.Clock.Now().Add(23 * time.Hour))
			if e.Pass(10 * time.Minute); reason(e) != held {
				t.Fatalf("the request is %s before its deadline", reason(e))
			}
			failedAfter := func() bool {
				isFailed := reason(e) == cmapi.CertificateRequestReasonFailed
				if isFailed && !e.Simulator.Ledger()[0].Released {
					t.Fatal("the request failed before its order was given back")
				}
				return isFailed
			}
			e.Until(2*time.Hour, failedAfter)
			billed(t, e, 1)
		})
	}
}

// TestAnIntentThatIsWrittenLateIsNoDoubt loses the API server's answer to each write of an order's status. One of them
// is the intent, which no call followed: nobody has to find out what CAS made of it.
func TestAnIntentThatIsWrittenLateIsNoDoubt(t *testing.T) {
	for n := 1; n <= 4; n++ {
		t.Run(fmt.Sprintf("write %d", n), func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
			e.Points.Trace(fmt.Sprintf("patch status of *v1alpha1.AliyunOrder #%d", n), env.ReplyLost)
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Until(10*time.Minute, isReady(e))
			if !e.Points.Hit() {
				t.Error("there was no such write")
			}
			billed(t, e, 1)
		})
	}
}
