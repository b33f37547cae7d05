// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// lengths is how much a reconciler remembers of orders, by the name of what holds it.
func (r *OrderReconciler) lengths() map[string]int {
	size := func(m *sync.Map) int {
		n := 0
		m.Range(func(any, any) bool { n++; return true })
		return n
	}
	return map[string]int{
		"known": size(&r.known), "firstSeen": size(&r.firstSeen), "accepted": size(&r.accepted),
		"pace": len(r.pace.due), "efforts": len(r.efforts.made),
	}
}

// remembered is a reconciler that remembers all that it can of an Order.
func remembered(t *testing.T, order *v1alpha1.AliyunOrder) *OrderReconciler {
	t.Helper()
	kube := fakeCluster(t, keySecret())
	r := &OrderReconciler{
		Client: kube, APIReader: kube,
		Remote: &Remote{Secrets: &credentials.Store{Reader: kube}, Clock: clocktesting.NewFakePassiveClock(noon)},
	}
	r.met(t.Context(), order)
	r.accepted.Store(order.UID, cas.OrderID("7"))
	r.pace.next(order.UID, activityObserve, noon)
	r.efforts.tried(order.UID, activityRelease, time.Minute, noon, nil)
	submitted := order.DeepCopy()
	submitted.Status.Submission = &v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon)}
	r.unsettled(&orderRun{order: submitted, now: noon}, time.Time{})
	for what, n := range r.lengths() {
		if n != 1 {
			t.Fatalf("%d of %s before it is gone, want one", n, what)
		}
	}
	return r
}

func anOrder(uid types.UID) *v1alpha1.AliyunOrder {
	order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "www-1", UID: uid, Finalizers: []string{v1alpha1.OrderFinalizer}}}
	order.Spec.SecretNamespace, order.Spec.Credentials = "team", keyCredentials()
	return order
}

// TestAnOrderThatIsGoneLeavesNothingInMemory but a line in the log, if its id at CAS is nowhere else.
func TestAnOrderThatIsGoneLeavesNothingInMemory(t *testing.T) {
	order := anOrder("a")
	r := remembered(t, order)
	var logged strings.Builder
	ctx := log.IntoContext(t.Context(), funcr.New(func(_, args string) { fmt.Fprintln(&logged, args) }, funcr.Options{}))
	if _, err := r.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(order)}); err != nil {
		t.Fatal(err)
	}
	for what, n := range r.lengths() {
		wantSame(t, map[string]int{what: n}, map[string]int{what: 0})
	}
	if text := logged.String(); !strings.Contains(text, `"orderID"="7"`) || !strings.Contains(text, `"error"=`) {
		t.Errorf("the log has no error with the id that nobody knows: %s", text)
	}
}

func TestAnOrderThatIsMadeAnewUnderItsNameLeavesNothingOfTheOld(t *testing.T) {
	r := remembered(t, anOrder("a"))
	r.met(t.Context(), anOrder("b"))
	want := map[string]int{"known": 1, "firstSeen": 0, "accepted": 0, "pace": 0, "efforts": 0}
	wantSame(t, r.lengths(), want)
}

// TestTheKeysOfAnOrderAreForgottenWithIt deletes the Secret, as the end of a namespace does.
func TestTheKeysOfAnOrderAreForgottenWithIt(t *testing.T) {
	for name, end := range map[string]func(context.Context, *OrderReconciler, *v1alpha1.AliyunOrder){
		"it is gone": func(ctx context.Context, r *OrderReconciler, order *v1alpha1.AliyunOrder) {
			r.gone(ctx, client.ObjectKeyFromObject(order))
		},
		"it has ended": func(ctx context.Context, r *OrderReconciler, order *v1alpha1.AliyunOrder) {
			order.Finalizers = nil
			r.met(ctx, order)
		},
	} {
		t.Run(name, func(t *testing.T) {
			order := anOrder("a")
			r := remembered(t, order)
			run := &orderRun{order: order, now: noon}
			last := credentials.Last{Store: r.Remote.Secrets}
			read := func() error {
				login, err := r.Remote.login(reachOfOrder(run.order), nil)
				if err != nil {
					t.Fatal(err)
				}
				_, err = last.Provider(login).Credentials(t.Context())
				return err
			}
			wantText(t, read(), "")
			if err := r.Delete(t.Context(), keySecret()); err != nil {
				t.Fatal(err)
			}
			wantText(t, read(), "")
			end(t.Context(), r, order)
			wantText(t, read(), `the Secret "key" does not exist in the namespace "team": create it`)
		})
	}
}

func TestOrdersAreRememberedAsFreshForAsLongAsTheyAre(t *testing.T) {
	f := &FreshOrders{}
	for n := range 100 {
		f.add(types.UID(fmt.Sprint(n)), noon.Add(time.Duration(n)*time.Second))
	}
	f.add("last", noon.Add(99*time.Second+freshness))
	left := 0
	f.made.Range(func(any, any) bool { left++; return true })
	wantSame(t, left, 1)
	wantSame(t, f.take("last", noon.Add(99*time.Second+freshness)), true)
	wantSame(t, f.take("last", noon.Add(99*time.Second+freshness)), false)
}

func TestAnIssuerThatIsGoneLeavesNothingInMemory(t *testing.T) {
	kube := fakeCluster(t)
	r := &IssuerReconciler{Client: kube, Kind: v1alpha1.AliyunIssuerKind}
	key := types.NamespacedName{Namespace: "team", Name: "cas"}
	r.checks.Store(key, issuerCheck{issuer: "a"})
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
		t.Fatal(err)
	}
	if _, isLeft := r.checks.Load(key); isLeft {
		t.Error("its check is still remembered")
	}
}

// TestAnIssuerThatIsMadeAnewIsCheckedAtOnce has the name of another one that was checked a moment ago.
func TestAnIssuerThatIsMadeAnewIsCheckedAtOnce(t *testing.T) {
	r := &IssuerReconciler{Remote: &Remote{Clock: clocktesting.NewFakePassiveClock(noon)}}
	issuer := &v1alpha1.AliyunIssuer{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "cas", UID: "b"}}
	last := issuerCheck{issuer: "a", generation: 1, at: noon, due: noon.Add(time.Hour)}
	r.checks.Store(client.ObjectKeyFromObject(issuer), last)
	now := last
	now.issuer = "b"
	wantSame(t, r.notDue(issuer, now), time.Duration(0))
	if r.notDue(issuer, last) == 0 {
		t.Error("one that was checked a moment ago is checked again")
	}
}
