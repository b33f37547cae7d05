// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func isIssued(e *env.Env, name string) func() bool {
	return func() bool {
		return cmutil.CertificateRequestReadyReason(e.Request(name)) == cmapi.CertificateRequestReasonIssued
	}
}

// TestAnHeirGoesOnWithAnApplication replaces the request while its application is under way, and while the answer to it
// is lost. The key is kept, and the bytes of the new signing request are others.
func TestAnHeirGoesOnWithAnApplication(t *testing.T) {
	for name, isLost := range map[string]bool{"under way": false, "in doubt": true} {
		t.Run(name, func(t *testing.T) {
			e, _ := withInstances(t, cassim.Options{DCVDelay: 30 * time.Minute}, 2)
			e.Settle()
			if isLost {
				e.Simulator.Inject(cassim.Fault{Action: "ApplyCertificate", Kind: cassim.DropReply, Executed: true})
			}
			key := gen.Key()
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Settle()
			replaced(e, key)
			e.Until(3*time.Hour, isIssued(e, "next"))
			e.Pass(10 * time.Minute)
			wantApplications(e, "issued")
		})
	}
}

// TestARefusedApplicationIsTriedAgainAndTold refuses the application again and again. A throttle costs no quarter of an
// hour, and nothing is repeated for ever in silence.
func TestARefusedApplicationIsTriedAgainAndTold(t *testing.T) {
	t.Run("a throttle", func(t *testing.T) {
		e, _ := withInstances(t, cassim.Options{}, 1)
		e.Settle()
		e.Simulator.Inject(cassim.Fault{Action: "ApplyCertificate", Kind: cassim.Throttle, Times: 1})
		ask(e, "www", "www")
		e.Until(5*time.Minute, isReady(e))
		wantApplications(e, "issued")
	})
	t.Run("a permission", func(t *testing.T) {
		e, _ := withInstances(t, cassim.Options{}, 1)
		e.Settle()
		e.Simulator.Inject(cassim.Fault{Action: "ApplyCertificate", Kind: cassim.Refuse, Code: "Forbidden.RAM", Times: -1})
		ask(e, "www", "www")
		e.Pass(6 * time.Hour)
		order := onlyOrder(t, e)
		if ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady); order.Status.State !=
			v1alpha1.OrderStateHeld || ready.Reason != v1alpha1.ReasonPermissionDenied {
			t.Errorf("it is %s: %+v", order.Status.State, ready)
		}
		e.Simulator.LiftFaults()
		e.Until(time.Hour, isReady(e))
		wantApplications(e, "issued")
	})
	t.Run("what proves nothing", func(t *testing.T) {
		e, _ := withInstances(t, cassim.Options{}, 1)
		e.Settle()
		e.Simulator.Inject(cassim.Fault{Action: "ApplyCertificate", Kind: cassim.Refuse, Code: "ParamRepeat", Times: -1})
		ask(e, "www", "www")
		e.Pass(6 * time.Hour)
		if n := e.Simulator.Calls()["ApplyCertificate"]; n > 2 {
			t.Errorf("it was applied for %d times", n)
		}
		if reason := heldFor(e); reason != v1alpha1.ReasonAmbiguousSubmission {
			t.Errorf("it is held for %s", reason)
		}
		e.Simulator.LiftFaults()
		order := onlyOrder(t, e) // the message says to annotate it with none
		order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: v1alpha1.NoOrder}
		if err := e.Client.Update(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		e.Until(time.Hour, isReady(e))
		wantApplications(e, "issued")
	})
}

func TestAShortageForOneNameStopsNoOther(t *testing.T) {
	e, _ := withInstances(t, cassim.Options{}, 1)
	e.Settle()
	e.Create(gen.Request(e.Namespace, "wild", gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: "*.example.com"}, []string{"*.example.com"}
	})))
	e.Decide("wild", cmapi.CertificateRequestConditionApproved)
	e.Pass(10 * time.Second)
	ask(e, "www", "www")
	e.Until(5*time.Minute, isReady(e))
}

// TestNobodysSigningRequestIsWrittenOver has somebody write on an instance, in the console, before it is chosen, and
// between the write and the application.
func TestNobodysSigningRequestIsWrittenOver(t *testing.T) {
	t.Run("before it is chosen", func(t *testing.T) {
		e, ids := withInstances(t, cassim.Options{}, 2)
		e.Settle()
		e.Simulator.WriteInConsole(ids[0], "shop.example.com")
		ask(e, "www", "www")
		e.Until(time.Hour, isReady(e))
		if id := onlyOrder(t, e).Status.OrderID; id != ids[1] {
			t.Errorf("it is applied with %s", id)
		}
		wantApplications(e, "issued")
	})
	t.Run("in between", func(t *testing.T) {
		e, ids := withInstances(t, cassim.Options{}, 2)
		e.Settle()
		isUpdated, isDone := false, false
		e.BeforeCall = func(r cassim.Request) {
			if isUpdated && !isDone && r.Action == "GetInstanceDetail" {
				isDone = true
				e.Simulator.WriteInConsole(ids[0], "shop.example.com")
			}
			isUpdated = isUpdated || r.Action == "UpdateInstance"
		}
		ask(e, "www", "www")
		e.Until(2*time.Hour, isReady(e))
		wantApplications(e, "issued")
	})
}

// applyAndGiveBack lets a request be applied for, and deletes it with its Order.
func applyAndGiveBack(e *env.Env) {
	e.T.Helper()
	e.Settle()
	ask(e, "www", "www")
	e.Pass(2 * time.Minute)
	order := onlyOrder(e.T, e)
	remove(e, e.Request("www"))
	remove(e, order)
	e.Pass(time.Hour)
}

// TestAnInstanceThatWasGivenBackIsAppliedWithAgain deletes the request of an application, however CAS shows the
// instance afterwards, and however long the withdrawal takes.
func TestAnInstanceThatWasGivenBackIsAppliedWithAgain(t *testing.T) {
	for _, after := range []string{cassim.InstanceNormal, cassim.InstanceInactive} {
		for _, more := range []time.Duration{0, 8 * time.Minute} {
			t.Run(fmt.Sprintf("%s after 10 minutes and %s", after, more), func(t *testing.T) {
				options := cassim.Options{DCVDelay: time.Hour, CancelDelay: more}
				options.Knobs.AfterCancel, options.Knobs.CancelDelay = after, "10m"
				e, _ := withInstances(t, options, 1)
				applyAndGiveBack(e)
				for _, event := range e.Events() {
					if strings.Contains(event, "ReleaseUnresolved") {
						t.Error(event)
					}
				}
				ask(e, "again", "www")
				e.Until(3*time.Hour, isIssued(e, "again"))
				wantApplications(e, "withdrawn", "issued")
			})
		}
	}
}

// TestAnUnusableInstanceKeepsNobodyFromAnother loses a used instance from the account, and has another one refuse the
// name.
func TestAnUnusableInstanceKeepsNobodyFromAnother(t *testing.T) {
	t.Run("it is gone", func(t *testing.T) {
		e, ids := withInstances(t, cassim.Options{}, 2)
		e.Settle()
		ask(e, "www", "www")
		e.Until(time.Hour, isReady(e))
		e.Simulator.VanishInstance(ids[0])
		e.Pass(20 * time.Minute)
		ask(e, "shop", "shop")
		e.Until(time.Hour, isIssued(e, "shop"))
	})
	t.Run("it refuses", func(t *testing.T) {
		e, _ := withInstances(t, cassim.Options{}, 2)
		e.Settle()
		e.Simulator.Inject(cassim.Fault{Action: "UpdateInstance", Kind: cassim.Refuse, Code: "DomainAndProductNotMatch",
			Times: 1})
		ask(e, "www", "www")
		e.Until(time.Hour, isReady(e))
		if n := e.Simulator.Calls()["UpdateInstance"]; n != 2 {
			t.Errorf("%d writes, want one on each instance", n)
		}
	})
}

// TestAnInstanceThatRefusesAgainAndAgainGivesWayToAnother has nothing but an instance that was given back, which CAS
// protects by now. What that answers proves nothing, so that a person is asked after two attempts, and buys another one
// as the message says.
func TestAnInstanceThatRefusesAgainAndAgainGivesWayToAnother(t *testing.T) {
	for _, protection := range []string{cassim.UpdateProtected, cassim.UpdateWithoutApply} {
		t.Run(protection, func(t *testing.T) {
			options := cassim.Options{DCVDelay: time.Hour}
			options.Knobs.UpdateOnNormal = protection
			e, _ := withInstances(t, options, 1)
			applyAndGiveBack(e)
			ask(e, "again", "www")
			e.Until(3*time.Hour, func() bool { return heldFor(e) == v1alpha1.ReasonAmbiguousSubmission })
			held := meta.FindStatusCondition(onlyOrder(t, e).Status.Conditions, v1alpha1.ConditionReady)
			if !strings.Contains(held.Message, "buy another one and let the selector of the issuer select it") {
				t.Errorf("it says %q", held.Message)
			}
			another := e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
			selectAlso(e, another)
			annotate(t, e, v1alpha1.NoOrder)
			e.Until(3*time.Hour, isIssued(e, "again"))
			wantApplications(e, "withdrawn", "issued")
		})
	}
}

// TestAnInstanceThatAPersonGivesBackIsAppliedWithAgain has an application that CAS does not cancel before the request
// has failed. Its instance is left alone for as long as it is under way, and no longer.
func TestAnInstanceThatAPersonGivesBackIsAppliedWithAgain(t *testing.T) {
	options := cassim.Options{DCVDelay: 48 * time.Hour}
	e, ids := withInstances(t, options, 1)
	e.Settle()
	ask(e, "www", "www")
	e.Pass(2 * time.Minute)
	e.Simulator.FreezeInstance(ids[0])
	e.Until(48*time.Hour, func() bool { return strings.Contains(strings.Join(e.Events(), "\n"), "ReleaseUnresolved") })
	ask(e, "again", "www")
	e.Pass(time.Hour)
	if n := len(e.Simulator.Applications()); n != 1 {
		t.Fatalf("there are %d applications while the first one is under way", n)
	}
	e.Simulator.ThawInstance(ids[0])
	e.Until(time.Hour, func() bool { return len(e.Simulator.Applications()) == 2 })
	if first := e.Simulator.Applications()[0]; first.State != "withdrawn" {
		t.Errorf("the first application is %s", first.State)
	}
	if err := e.Simulator.InstanceHarm(); err != nil {
		t.Error(err)
	}
}

// TestARequestThatComesAgainGetsNoOldCertificate restarts the process before the renewal of a certificate whose RSA key
// is kept, so that the signing request has the same bytes.
func TestARequestThatComesAgainGetsNoOldCertificate(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, ids := withInstances(t, cassim.Options{}, 2)
	e.Settle()
	began := e.Clock.Now()
	e.Simulator.InstanceWrongDates(ids[0], began.Add(-170*24*time.Hour), began.Add(28*24*time.Hour))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, isReady(e))
	first := string(e.Request("www").Status.Certificate)
	remove(e, e.Request("www"))
	e.Pass(10 * time.Minute)
	e.Create(gen.Request(e.Namespace, "renewal", gen.CSR(key)))
	e.Decide("renewal", cmapi.CertificateRequestConditionApproved)
	e.Restart()
	e.Pass(3 * time.Hour)
	if got := string(e.Request("renewal").Status.Certificate); got == first {
		t.Error("the renewal got the certificate that is about to end")
	}
}

// TestAShortCertificateIsDeliveredAgain makes a request again whose certificate lives for two days, of which CAS says
// all the time that it will expire.
func TestAShortCertificateIsDeliveredAgain(t *testing.T) {
	e, ids := withInstances(t, cassim.Options{}, 2)
	for _, id := range ids {
		e.Simulator.InstanceLasts(id, 2*day)
	}
	key := gen.Key()
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, isReady(e))
	first := string(e.Request("www").Status.Certificate)
	remove(e, e.Request("www"))
	e.Pass(10 * time.Minute)
	e.Create(gen.Request(e.Namespace, "again", gen.CSR(key)))
	e.Decide("again", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, isIssued(e, "again"))
	if string(e.Request("again").Status.Certificate) != first {
		t.Error("it has another certificate")
	}
	wantApplications(e, "issued")
}
