// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"crypto"
	"fmt"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const (
	approved = cmapi.CertificateRequestConditionApproved
	denied   = cmapi.CertificateRequestConditionDenied
)

func (w *world) must(err error) {
	w.T.Helper()
	if client.IgnoreNotFound(err) != nil {
		w.T.Fatal(err)
	}
}

// ask makes a request.
func (w *world) ask(name, domain string, key crypto.Signer) *asked {
	a := &asked{name: name, domain: domain, key: key, csr: csrFor(key, domain)}
	request := gen.Request(w.Namespace, name, a.csr)
	w.Create(request)
	a.uid = request.UID
	w.requests = append(w.requests, a)
	w.byCSR[fingerprintOf(a.csr)], w.byUID[a.uid] = a, a
	return a
}

func (w *world) decide(a *asked, decision cmapi.CertificateRequestConditionType) {
	w.Decide(a.name, decision)
	a.isDecided, a.isDenied = true, decision == denied
}

// createRequests makes one request or two at the same time, most of them approved.
func (w *world) createRequests() {
	for range pick(w.rng, 1, 1, 2) {
		a := w.ask(fmt.Sprintf("r%d", len(w.requests)+1), pick(w.rng, domains...), gen.Key())
		isApproved := w.chance(85)
		if isApproved {
			w.decide(a, approved)
		}
		w.note("request %s for %s is made, approved: %t", a.name, a.domain, isApproved)
	}
}

// someone is one of the requests that are there and meet the condition, or nil.
func (w *world) someone(meets func(*asked) bool) *asked {
	var all []*asked
	for _, a := range w.requests {
		if !a.isDeleted && meets(a) {
			all = append(all, a)
		}
	}
	n := w.rng.IntN(1 << 20) // drawn in any case, so that what follows does not hang on whether there is one
	if len(all) == 0 {
		return nil
	}
	return all[n%len(all)]
}

func anybody(*asked) bool { return true }

// decideOne approves or denies a request that waits for it.
func (w *world) decideOne() {
	a := w.someone(func(a *asked) bool { return !a.isDecided })
	decision := pick(w.rng, approved, denied)
	if a == nil {
		return
	}
	w.decide(a, decision)
	w.note("request %s is %s", a.name, decision)
}

// forget deletes a request, and its Orders as the garbage collector does, unless they are orphaned.
func (w *world) forget(a *asked, isCascading bool) {
	w.must(w.Client.Delete(w.T.Context(), w.Request(a.name)))
	a.isDeleted = true
	for _, order := range w.Orders() {
		if isCascading && order.Spec.RequestRef.UID == a.uid {
			w.must(w.Client.Delete(w.T.Context(), &order))
		}
	}
}

func (w *world) deleteRequest() {
	a, isCascading := w.someone(anybody), w.chance(85)
	if a == nil {
		return
	}
	w.note("request %s is deleted, cascading: %t", a.name, isCascading)
	w.forget(a, isCascading)
}

// editCertificate replaces a request by one of the same name, as cert-manager does.
func (w *world) editCertificate() {
	a, isSameKey := w.someone(anybody), w.chance(70)
	gap := pick(w.rng, 0, 0, time.Second, 10*time.Second, 40*time.Second)
	isApproved := w.chance(90)
	if a == nil {
		return
	}
	w.note("request %s for %s is replaced after %s, same key: %t, approved: %t", a.name, a.domain, gap, isSameKey, isApproved)
	w.forget(a, true)
	if gap > 0 {
		w.pass(gap)
	}
	key := a.key
	if !isSameKey {
		key = gen.Key()
	}
	heir := w.ask(a.name, a.domain, key)
	heir.isForced = a.isForced && isSameKey // the order that nobody knows any more is its, too
	if isApproved {
		w.decide(heir, approved)
	}
}

// someOrder is one whose request lives.
func (w *world) someOrder() (*v1alpha1.AliyunOrder, *asked) {
	orders := w.Orders()
	n := w.rng.IntN(1 << 20)
	if len(orders) == 0 {
		return nil, nil
	}
	order := &orders[n%len(orders)]
	return order, w.byUID[order.Spec.RequestRef.UID]
}

func (w *world) deleteOrder() {
	order, a := w.someOrder()
	if order == nil {
		return
	}
	w.note("the Order of request %s is deleted, its request is: %t", a.name, a.isDeleted)
	w.must(w.Client.Delete(w.T.Context(), order))
}

// takeOrder removes an Order with its finalizer: what it knew is lost.
func (w *world) takeOrder() {
	order, a := w.someOrder()
	if order == nil {
		return
	}
	w.note("the Order of request %s is removed by force, its request is deleted: %t", a.name, a.isDeleted)
	w.loseOrder(order)
	a.isForced = true
	if validation := order.Status.Validation; validation != nil {
		w.forced[validation.RecordValue] = true
	}
	for _, entry := range w.Simulator.Orders() {
		if !entry.Foreign && (w.ownerOf(entry.LedgerEntry) == a || entry.OrderID == order.Status.OrderID) {
			w.forced[entry.OrderID], w.forced[entry.RecordValue] = true, true
		}
	}
}

func (w *world) loseOrder(order *v1alpha1.AliyunOrder) {
	plain := order.DeepCopy()
	if controllerutil.RemoveFinalizer(order, v1alpha1.OrderFinalizer) {
		w.must(w.Client.Patch(w.T.Context(), order, client.MergeFrom(plain)))
	}
	w.must(w.Client.Delete(w.T.Context(), order))
}

// deleteNamespace does what the namespace controller does, in the order that it has for our purpose: everything at once.
func (w *world) deleteNamespace() {
	w.note("the namespace is deleted")
	w.isNamespaceGone = true
	ctx := w.T.Context()
	w.must(w.Client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}}))
	for _, a := range w.requests {
		if !a.isDeleted {
			w.forget(a, true)
		}
	}
	w.must(w.Client.DeleteAllOf(ctx, &v1alpha1.AliyunOrder{}, client.InNamespace(w.Namespace)))
	w.must(w.Client.DeleteAllOf(ctx, &v1alpha1.AliyunIssuer{}, client.InNamespace(w.Namespace)))
	w.must(w.Client.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(w.Namespace)))
}

// sweep removes what is left, so that it is in no other sequence's way.
func (w *world) sweep() {
	w.must(w.Client.DeleteAllOf(w.T.Context(), &cmapi.CertificateRequest{}, client.InNamespace(w.Namespace)))
	for _, order := range w.Orders() {
		w.loseOrder(&order)
	}
}
