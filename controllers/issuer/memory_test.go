// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func TestAnIssuerThatIsGoneLeavesNothingInMemory(t *testing.T) {
	kube := fake.NewClientBuilder().WithScheme(schemeOf(t)).Build()
	r := &Reconciler{Client: kube, Kind: v1alpha1.AliyunIssuerKind}
	key := types.NamespacedName{Namespace: "team", Name: "cas"}
	r.checks.Store(key, issuerCheck{issuer: "a"})
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
		t.Fatal(err)
	}
	if _, isLeft := r.checks.Load(key); isLeft {
		t.Error("its check is still remembered")
	}
}

// TestAnIssuerThatIsMadeAnewIsCheckedAtOnce gives an issuer the name of one that was checked a moment ago.
func TestAnIssuerThatIsMadeAnewIsCheckedAtOnce(t *testing.T) {
	r := &Reconciler{Remote: &access.Remote{Clock: clocktesting.NewFakePassiveClock(certs.Start)}}
	issuer := &v1alpha1.AliyunIssuer{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "cas", UID: "b"}}
	last := issuerCheck{issuer: "a", generation: 1, at: certs.Start, due: certs.Start.Add(time.Hour)}
	r.checks.Store(client.ObjectKeyFromObject(issuer), last)
	now := last
	now.issuer = "b"
	compare.Same(t, r.notDue(issuer, now), time.Duration(0))
	if r.notDue(issuer, last) == 0 {
		t.Error("one that was checked a moment ago is checked again")
	}
}

// schemeOf knows the kinds of this project.
func schemeOf(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return scheme
}

func TestAnIssuerIsCheckedAgainWithin10MinutesGiveOrTakeAFifth(t *testing.T) {
	ready := &v1alpha1.AliyunIssuer{}
	ready.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
	for range 1000 {
		if after := recheckAfter(ready, ""); after < 8*time.Minute || after > 12*time.Minute {
			t.Fatalf("it is checked again after %s", after)
		}
		if after := recheckAfter(&v1alpha1.AliyunIssuer{}, ""); after > time.Minute {
			t.Fatalf("what is mended is noticed after %s", after)
		}
	}
}
