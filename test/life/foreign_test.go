// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// stranger is an order that somebody else makes for the same name.
type stranger struct {
	domain string
	age    time.Duration
	state  string
	// Whether a person has to say which order is which: if the one whose answer was lost was executed, and if it was
	// not.
	ifExecuted, ifNot bool
}

var strangers = map[string]stranger{
	"bought in the console two hours ago": {age: 2 * time.Hour, ifExecuted: true, ifNot: true},
	"bought in the console 90 days ago":   {age: 90 * 24 * time.Hour, state: cassim.StateCertificate},
	"bought at that moment by a cluster":  {ifExecuted: true},
	"for the wildcard, at that moment":    {domain: "*.example.com", ifExecuted: true, ifNot: true},
	// its certificate has another key
	"for the apex, two hours ago, and issued": {domain: "example.com", age: 2 * time.Hour,
		state: cassim.StateCertificate},
}

// beside loses an answer while there is the order of a stranger.
func beside(t *testing.T, s stranger, use v1alpha1.AccountUse, isExecuted bool) (e *env.Env, foreign string) {
	t.Helper()
	e = env.New(t, cassim.Options{})
	e.Simulator.SetPackage("geotrust-dv-w-starter", 5, 0)
	foreign = e.Simulator.AddForeignOrder(gen.Domain, func(o *cassim.ForeignOrder) {
		if s.domain != "" {
			o.Domain = s.domain
		}
		if strings.HasPrefix(o.Domain, "*.") {
			o.Product = "geotrust-dv-w-starter"
		}
		o.BoughtAt, o.State = e.Clock.Now().Add(-s.age), s.state
		o.Tags = map[string]string{"certmanager.aliyun.com/cluster": "another-cluster"}
	})
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: isExecuted})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) { i.Spec.Account = use }))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e, foreign
}

// TestOrdersOfOthersAreLeftAlone loses an answer beside the order of somebody else. Where one could be taken for the
// other, nothing is done until a person has looked; and nothing is ever done to the other.
func TestOrdersOfOthersAreLeftAlone(t *testing.T) {
	for name, s := range strangers {
		for _, use := range []v1alpha1.AccountUse{v1alpha1.AccountShared, v1alpha1.AccountExclusive} {
			for _, isExecuted := range []bool{true, false} {
				title := name + ", in a " + string(use) + " account, not executed"
				if isExecuted {
					title = strings.Replace(title, ", not executed", ", executed", 1)
				}
				t.Run(title, func(t *testing.T) {
					e, _ := beside(t, s, use, isExecuted)
					isAmbiguous := isExecuted && s.ifExecuted || !isExecuted && s.ifNot
					if isAmbiguous {
						e.Pass(time.Hour)
						if heldFor(e) != v1alpha1.ReasonAmbiguousSubmission || reason(e) != held {
							t.Fatalf("nobody is asked: %s", said(e))
						}
						if n := e.Simulator.Calls()[create]; n != 1 {
							t.Fatalf("%d orders were asked for", n)
						}
						word := v1alpha1.NoOrder
						if isExecuted {
							word = mine(e)
						}
						annotate(t, e, word)
					}
					e.Until(3*time.Hour, isReady(e))
					unharmed(t, e)
					billed(t, e, 2)
				})
			}
		}
	}
}

// TestAnAmbiguousOrderThatIsDeletedTakesNoneOfTheCandidatesWithIt deletes the request while nobody has decided.
func TestAnAmbiguousOrderThatIsDeletedTakesNoneOfTheCandidatesWithIt(t *testing.T) {
	for _, use := range []v1alpha1.AccountUse{v1alpha1.AccountShared, v1alpha1.AccountExclusive} {
		for _, isExecuted := range []bool{true, false} {
			t.Run(string(use), func(t *testing.T) {
				e, foreign := beside(t, strangers["bought in the console two hours ago"], use, isExecuted)
				e.Pass(30 * time.Minute)
				if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
					t.Fatal(err)
				}
				e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
				unharmed(t, e)
				if calls := e.Simulator.Calls(); calls["CancelOrderRequest"]+calls["DeleteCertificateRequest"] != 0 {
					t.Errorf("something was withdrawn: %v", calls)
				}
				told := strings.Join(e.Events(), "\n")
				if !strings.Contains(told, "ReleaseUnresolved") || !strings.Contains(told, foreign) {
					t.Errorf("nobody is told of the candidates: %s", told)
				}
			})
		}
	}
}

// ambiguities are the strangers that a person has to tell apart from the order whose answer was lost.
var ambiguities = map[string]stranger{
	"ambiguous console order":  strangers["bought in the console two hours ago"],
	"ambiguous cluster order":  strangers["bought at that moment by a cluster"],
	"ambiguous wildcard order": strangers["for the wildcard, at that moment"],
}

func ambiguous(t *testing.T, s stranger) *env.Env {
	t.Helper()
	e, _ := beside(t, s, v1alpha1.AccountShared, true)
	e.Pass(30 * time.Minute)
	return e
}

// TestACandidateIsNamedWithWhatAPersonNeedsToKnow compares the words of each ambiguity.
func TestACandidateIsNamedWithWhatAPersonNeedsToKnow(t *testing.T) {
	for name, s := range ambiguities {
		t.Run(name, func(t *testing.T) {
			e := ambiguous(t, s)
			golden(t, name, said(e))
			hasNoSecret(t, "what users read", said(e))
		})
	}
}

// golden compares with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	env.Golden(t, filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden"), "the messages have", got,
		*update)
}
