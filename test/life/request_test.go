// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"bytes"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestARequestThatIsMadeAgainIsNotWrittenByMistake makes the request again under its name after a reconciler has read
// it and before it writes: the new one asks for another key, and the old certificate would be of no use to it.
func TestARequestThatIsMadeAgainIsNotWrittenByMistake(t *testing.T) {
	for name, isTheWrite := range map[string]func(*cmapi.CertificateRequest) bool{
		"before it is told that it waits": func(*cmapi.CertificateRequest) bool { return true },
		"before it is given a certificate": func(r *cmapi.CertificateRequest) bool {
			return len(r.Status.Conditions) > 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := ordered(t, cassim.Options{CADelay: time.Minute})
			var again *cmapi.CertificateRequest
			e.BeforeWrite = func(object any) {
				if _, ok := object.(*cmapi.CertificateRequest); !ok || again != nil || !isTheWrite(e.Request("www")) {
					return
				}
				if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
					t.Error(err)
				}
				again = gen.Request(e.Namespace, "www", gen.CSR(gen.Key()))
				e.Create(again)
			}
			e.Pass(3 * time.Minute)
			if again == nil {
				t.Fatal("nothing was written to the request")
			}
			got := e.Request("www")
			if got.UID != again.UID {
				t.Fatalf("the request is %s, want the new one %s", got.UID, again.UID)
			}
			if diff := cmp.Diff(cmapi.CertificateRequestStatus{}, got.Status); diff != "" {
				t.Errorf("the new request, which nobody has approved, was written (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnApplyNeverRemovesACertificate takes away all that the certificate could be made from again, and then whatever
// would make a reconciler write once more.
func TestAnApplyNeverRemovesACertificate(t *testing.T) {
	for name, disturb := range map[string]func(*env.Env){
		"nothing": func(*env.Env) {},
		"the Ready condition is removed": func(e *env.Env) {
			withRequest(e, func(r *cmapi.CertificateRequest) { r.Status.Conditions = nil })
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
		},
		"Ready says Pending": func(e *env.Env) {
			withRequest(e, func(r *cmapi.CertificateRequest) {
				for i := range r.Status.Conditions {
					if r.Status.Conditions[i].Type == cmapi.CertificateRequestConditionReady {
						r.Status.Conditions[i].Status, r.Status.Conditions[i].Reason = "False",
							cmapi.CertificateRequestReasonPending
					}
				}
			})
		},
		"it is denied too late": func(e *env.Env) {
			withRequest(e, func(r *cmapi.CertificateRequest) {
				r.Status.Conditions = []cmapi.CertificateRequestCondition{{
					Type: cmapi.CertificateRequestConditionDenied, Status: "True", Reason: "test",
					Message: "denied by the test",
				}}
			})
		},
	} {
		for _, isKept := range []bool{true, false} {
			title := name + ", and the Order is kept"
			if !isKept {
				title = name + ", and the Order is gone"
			}
			t.Run(title, func(t *testing.T) {
				e := ordered(t, cassim.Options{})
				e.Until(time.Hour, isReady(e))
				want := e.Request("www").Status.Certificate
				if !isKept {
					strip(e)
				}
				disturb(e)
				e.Restart()
				e.Pass(20 * time.Minute)
				if got := e.Request("www").Status.Certificate; !bytes.Equal(got, want) {
					t.Errorf("the certificate has become %q", got)
				}
				if n := len(e.Simulator.Ledger()); n != 1 {
					t.Errorf("%d orders were billed, want one", n)
				}
			})
		}
	}
}

// withRequest changes the request's status, as cert-manager or a user with kubectl may.
func withRequest(e *env.Env, change func(*cmapi.CertificateRequest)) {
	e.T.Helper()
	request := e.Request("www")
	change(request)
	if err := e.Client.Status().Update(e.T.Context(), request); err != nil {
		e.T.Fatal(err)
	}
}

// strip removes the Orders by force, with all that is known of what was bought.
func strip(e *env.Env) {
	e.T.Helper()
	for _, order := range e.Orders() {
		order.Finalizers = nil
		if err := e.Client.Update(e.T.Context(), &order); err != nil {
			e.T.Fatal(err)
		}
		if err := e.Client.Delete(e.T.Context(), &order); err != nil {
			e.T.Fatal(err)
		}
	}
}

func TestAnIssuerIsCheckedAtMostOnceInThirtySeconds(t *testing.T) {
	e := env.New(t, cassim.Options{})
	issuer := gen.Issuer(e.Namespace, e.Simulator.URL())
	e.Create(issuer)
	const minutes = 2
	for i := range minutes * 30 {
		switch i % 3 {
		case 0:
			replaceKey(e, cassim.DefaultKeyID, cassim.DefaultKeySecret)
		case 1:
			replaceKey(e, cassim.DefaultKeyID, "wrong")
		case 2:
			touch(e, issuer)
		}
		e.Pass(2 * time.Second)
	}
	const checks, keys = 2*minutes + 1, 2 // whom a key belongs to is asked once more, for the rate of its calls
	for action, most := range map[string]int{"GetCallerIdentity": checks + keys, "DescribePackageState": checks} {
		if n := e.Simulator.Calls()[action]; n < 1 || n > most {
			t.Errorf("%d calls of %s in %d minutes of changes, want at most %d: a check in 30 seconds", n, action,
				minutes, most)
		}
	}
}

func touch(e *env.Env, issuer *v1alpha1.AliyunIssuer) {
	e.T.Helper()
	if err := e.Client.Get(e.T.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
		e.T.Fatal(err)
	}
	issuer.Spec.Contact.Name += "x"
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
}

// TestAnOrderThatIsDeletedBeforeItsFirstWriteEndsItsRequest has a run held that would have written for the first time.
func TestAnOrderThatIsDeletedBeforeItsFirstWriteEndsItsRequest(t *testing.T) {
	e, _ := withKey(t, cassim.Options{})
	e.Hold("patch status of *v1alpha1.AliyunOrder")
	e.Settle()
	remove(e, orderOf(e, "www"))
	e.LetGo()
	e.Until(time.Hour, hasFailed(e, "www"))
	e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
	if told := e.Request("www").Status.Conditions; !strings.Contains(told[len(told)-1].Message,
		"the AliyunOrder was deleted; nothing was bought") {
		t.Errorf("the request says %+v", told)
	}
	billed(t, e, 0)
}
