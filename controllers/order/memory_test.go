// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// Returns how many Orders a reconciler remembers, by what remembers them.
func (r *Reconciler) lengths() map[string]int {
	size := func(m *sync.Map) int {
		n := 0
		m.Range(func(any, any) bool { n++; return true })
		return n
	}
	return map[string]int{
		"known": size(&r.known), "accepted": size(&r.memory.accepted),
		"pace": len(r.memory.pace.due), "efforts": len(r.memory.efforts.made),
	}
}

// Returns a reconciler that remembers an Order in everything that lengths counts.
func remembered(t *testing.T, order *v1alpha1.AliyunOrder) *Reconciler {
	t.Helper()
	kube := fakeCluster(t, keySecret())
	r := New(Config{
		Client: kube, APIReader: kube,
		Remote: &access.Remote{Secrets: &credentials.Store{Reader: kube}, Clock: clocktesting.NewFakePassiveClock(
			noon)},
	})
	r.met(t.Context(), order)
	r.memory.accepted.Store(order.UID, "7")
	r.memory.pace.next(order.UID, activityObserve, noon)
	r.memory.efforts.tried(order.UID, activityRelease, time.Minute, noon, nil)
	for what, n := range r.lengths() {
		if n != 1 {
			t.Fatalf("%d of %s before it is gone, want one", n, what)
		}
	}
	return r
}

func anOrder(uid types.UID) *v1alpha1.AliyunOrder {
	order := &v1alpha1.AliyunOrder{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "www-1", UID: uid,
			Finalizers: []string{v1alpha1.OrderFinalizer}}}
	order.Spec.SecretNamespace, order.Spec.Credentials = "team", keyCredentials()
	return order
}

// TestAnOrderThatIsGoneLeavesNothingInMemory, but a line in the log if its id at CAS is nowhere else.
func TestAnOrderThatIsGoneLeavesNothingInMemory(t *testing.T) {
	order := anOrder("a")
	r := remembered(t, order)
	var logged strings.Builder
	ctx := log.IntoContext(t.Context(), zap.New(zap.WriteTo(&logged)))
	if _, err := r.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(order)}); err != nil {
		t.Fatal(err)
	}
	for what, n := range r.lengths() {
		compare.Same(t, map[string]int{what: n}, map[string]int{what: 0})
	}
	if text := logged.String(); !strings.Contains(text, `"orderID":"7"`) || !strings.Contains(text, `"level":"error"`) {
		t.Errorf("the log has no error with the id that nobody knows: %s", text)
	}
}

func TestAnOrderThatIsMadeAnewUnderItsNameLeavesNothingOfTheOld(t *testing.T) {
	r := remembered(t, anOrder("a"))
	r.met(t.Context(), anOrder("b"))
	want := map[string]int{"known": 1, "accepted": 0, "pace": 0, "efforts": 0}
	compare.Same(t, r.lengths(), want)
}

// TestTheKeysOfAnOrderAreForgottenWithIt deletes the Secret, as the end of a namespace does: until the Order has ended,
// its last keys are kept.
func TestTheKeysOfAnOrderAreForgottenWithIt(t *testing.T) {
	for name, end := range map[string]func(context.Context, *Reconciler, *v1alpha1.AliyunOrder){
		"it is gone": func(ctx context.Context, r *Reconciler, order *v1alpha1.AliyunOrder) {
			r.gone(ctx, client.ObjectKeyFromObject(order))
		},
		"it has ended": func(ctx context.Context, r *Reconciler, order *v1alpha1.AliyunOrder) {
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
				login, err := r.Remote.Login(access.OfOrder(run.order), nil)
				if err != nil {
					t.Fatal(err)
				}
				_, err = last.Provider(login).Credentials(t.Context())
				return err
			}
			compare.Text(t, read(), "")
			if err := r.Delete(t.Context(), keySecret()); err != nil {
				t.Fatal(err)
			}
			compare.Text(t, read(), "")
			end(t.Context(), r, order)
			compare.Text(t, read(), `the Secret "key" does not exist in the namespace "team": create it`)
		})
	}
}
