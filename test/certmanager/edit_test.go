// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"slices"
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// cert-manager deletes the request, and makes another one with the same key and under the same name.
func TestAnEditOfACertificateHandsItsOrderOver(t *testing.T) {
	t.Parallel()
	w := commonWorld(t)
	certificate := w.certificate(www)
	w.Create(certificate)
	before := w.untilOrdered(www)
	w.edit(certificate, func() {
		certificate.Spec.Usages = []cmapi.KeyUsage{cmapi.UsageDigitalSignature, cmapi.UsageServerAuth}
	})
	after := w.untilOrder(www, "the order of the new request has an id", func(o v1alpha1.AliyunOrder) bool {
		return o.UID != before.UID && hasID(o)
	})
	if was, is := before.Status, after.Status; is.OrderID != was.OrderID ||
		is.OrderIDBasis != v1alpha1.OrderIDByAnswer {
		t.Errorf("the new order has the id %q by %s, want %q by %s", is.OrderID, is.OrderIDBasis, was.OrderID,
			v1alpha1.OrderIDByAnswer)
	}
	w.untilIssued(www, 1)
	w.until("one Order is left", &v1alpha1.AliyunOrderList{}, func() bool { return len(w.Orders()) == 1 })
	if entry := w.bought(www, 1); entry.Released {
		t.Error("the order was given back")
	}
}

// Nobody waits for an Order: a request may go before its Order has taken over what its predecessor's ordered.
func TestEditsInQuickSuccessionCostOneOrder(t *testing.T) {
	t.Parallel()
	w := commonWorld(t, gen.Manual)
	certificate := w.certificate(www)
	w.Create(certificate)
	first := w.untilOrdered(www)
	request := &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: www + "-1", Namespace: w.Namespace}}
	usages := []cmapi.KeyUsage{cmapi.UsageServerAuth, cmapi.UsageDigitalSignature, cmapi.UsageKeyEncipherment,
		cmapi.UsageClientAuth}
	for i := range usages {
		if !w.get(request) {
			t.Fatal("there is no request")
		}
		before := request.UID
		w.edit(certificate, func() { certificate.Spec.Usages = usages[:i+1] })
		w.until("there is another request", &cmapi.CertificateRequestList{},
			func() bool { return w.get(request) && request.UID != before })
	}
	last := w.untilOrder(www, "the last request has an order", func(o v1alpha1.AliyunOrder) bool {
		return o.Spec.RequestRef.UID == request.UID && hasID(o)
	})
	if last.Status.OrderID != first.Status.OrderID {
		t.Errorf("the last request has order %s, want %s", last.Status.OrderID, first.Status.OrderID)
	}
	if entry := w.bought(www, 1); entry.Released {
		t.Error("the order was given back")
	}
}

func TestANamespaceWithAPendingOrderGoesAndGivesTheOrderBack(t *testing.T) {
	t.Parallel()
	w := commonWorld(t, gen.Manual)
	w.Create(w.certificate(www))
	w.untilOrdered(www)
	w.deleteNamespace()
	w.untilNamespaceGone()
	if entry := w.bought(www, 1); !entry.Released {
		t.Errorf("the order was not given back: %+v", entry)
	}
	for line := range strings.Lines(common.manager.linesWith(w.Namespace)) {
		if strings.Contains(line, `"level":"error"`) {
			t.Errorf("that is no error: %s", line)
		}
	}
}

// This takes the two minutes that a release may take in a namespace that waits for it.
func TestANamespaceGoesWithAnOrderThatCannotBeGivenBackAndTheLogNamesIt(t *testing.T) {
	t.Parallel()
	w := commonWorld(t, gen.Manual)
	w.Create(w.certificate(www))
	order := w.untilOrdered(www)
	w.Simulator.Freeze(order.Status.OrderID)
	w.deleteNamespace()
	w.untilNamespaceGone()
	if entry := w.bought(www, 1); entry.Released {
		t.Error("the order was given back, though CAS keeps it")
	}
	if !strings.Contains(common.manager.linesWith("an order could not be given back"), order.Status.OrderID) {
		t.Errorf("the log does not say that order %s could not be given back", order.Status.OrderID)
	}
	// kubectl describe namespace shows it.
	told := &eventsv1.EventList{}
	w.until("there is an event at the namespace", told, func() bool {
		if err := w.Client.List(t.Context(), told, client.InNamespace(metav1.NamespaceDefault)); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(told.Items, func(e eventsv1.Event) bool {
			return e.Regarding.Kind == "Namespace" && e.Regarding.Name == w.Namespace &&
				e.Reason == "ReleaseUnresolved" && strings.Contains(e.Note, order.Status.OrderID)
		})
	})
}

func (w *world) deleteNamespace() {
	w.T.Helper()
	w.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}})
}

func (w *world) untilNamespaceGone() {
	w.T.Helper()
	w.until("the namespace is gone", &corev1.NamespaceList{}, func() bool {
		namespace := &corev1.Namespace{}
		err := w.Client.Get(w.T.Context(), types.NamespacedName{Name: w.Namespace}, namespace)
		if client.IgnoreNotFound(err) != nil {
			w.T.Fatal(err)
		}
		return err != nil
	})
}
