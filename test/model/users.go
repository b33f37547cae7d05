// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"crypto"
	"fmt"
	"slices"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
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
func (w *world) ask(p *party, name string, names []string, key crypto.Signer) *asked {
	a := &asked{party: p, name: name, domain: names[0], names: names, key: key, madeAt: w.Clock.Now(),
		csr: csrFor(key, names...)}
	request := gen.Request(p.namespace, name, a.csr, func(r *cmapi.CertificateRequest) {
		r.Spec.IssuerRef.Name = p.issuer
	})
	w.Create(request)
	a.uid = request.UID
	w.requests = append(w.requests, a)
	w.byCSR[fingerprintOf(a.csr)], w.byUID[a.uid] = a, a
	return a
}

func (w *world) decide(a *asked, decision cmapi.CertificateRequestConditionType) {
	request := w.find(a)
	now := metav1.NewTime(w.Clock.Now())
	request.Status.Conditions = append(request.Status.Conditions, cmapi.CertificateRequestCondition{
		Type: decision, Status: cmmeta.ConditionTrue, Reason: "test", Message: "decided by the test",
		LastTransitionTime: &now,
	})
	w.must(w.Client.Status().Update(w.T.Context(), request))
	a.isDecided, a.isDenied = true, decision == denied
}

// createRequests makes one request or two at the same time, most of them approved.
func (w *world) createRequests() {
	for range pick(w.rng, 1, 1, 2) {
		all := w.living()
		p := all[max(w.rng.IntN(len(all)+3)-3, 0)] // the first one has most
		names := []string{pick(w.rng, p.domains...)}
		if hasTwo := w.chance(20); hasTwo && w.hasNames() && !p.isWild() {
			names = append(names, "shop."+zone)
		}
		a := w.ask(p, fmt.Sprintf("r%d", len(w.requests)+1), names, gen.Key())
		isApproved := w.chance(85)
		if isApproved {
			w.decide(a, approved)
		}
		w.note("request %s for %s is made to %s of %s, approved: %t", a.name, a.names, p.issuer, w.tenantOf(p),
			isApproved)
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
	if request := w.find(a); request != nil {
		w.must(w.Client.Delete(w.T.Context(), request))
	}
	a.isDeleted, a.isDeletedAmid = true, w.isAmid
	for _, order := range w.orders() {
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
	w.note("request %s for %s is replaced after %s, same key: %t, approved: %t", a.name, a.domain, gap, isSameKey,
		isApproved)
	w.replace(a, gap, isSameKey, isApproved)
}

// prune deletes a request that has its certificate, as people do who look for a fault, and cert-manager makes it again.
func (w *world) prune() {
	a, gap := w.someone(func(a *asked) bool { return len(a.certificate) > 0 }), pick(w.rng, 0, time.Minute, 5*time.Hour)
	if a == nil {
		return
	}
	w.note("the finished request %s for %s is made again after %s", a.name, a.domain, gap)
	w.replace(a, gap, true, true)
}

// renew replaces a request whose certificate has lived for a third of its life, with a new key, as cert-manager does
// while the certificate goes on to be used.
func (w *world) renew() {
	a, life := w.someone(func(a *asked) bool { return len(a.certificate) > 0 }), pick(w.rng, 13, 13, 25, 33, 130*24)
	if a == nil {
		return
	}
	gap := time.Duration(life) * time.Hour
	w.note("the certificate of request %s for %s is renewed after %s", a.name, a.names, gap)
	w.pass(gap)
	if !a.isDeleted {
		w.replace(a, 0, false, true)
	}
}

// replace deletes a request, and makes another one of its name.
func (w *world) replace(a *asked, gap time.Duration, isSameKey, isApproved bool) {
	w.forget(a, true)
	if gap > 0 {
		w.pass(gap)
	}
	key := a.key
	if !isSameKey {
		key = gen.Key()
	}
	heir := w.ask(a.party, a.name, a.names, key)
	heir.isForced = a.isForced && isSameKey // the order that nobody knows any more is its, too
	if isApproved {
		w.decide(heir, approved)
	}
}

// someOrder is one whose request lives.
func (w *world) someOrder() (*v1alpha1.AliyunOrder, *asked) {
	orders := w.orders()
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
	for _, validation := range order.Status.Validations {
		w.forced[validation.RecordValue] = true
	}
	for _, p := range w.purchases() {
		if w.ownerOf(&p) == a || p.Number == 0 && p.ID == order.Status.OrderID {
			w.forced[p.Key()] = true
			for _, challenge := range p.Challenges {
				w.forced[challenge.Value] = true
			}
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

// deleteNamespace does what the namespace controller does, in the order that it has for our purpose: everything at
// once.
func (w *world) deleteNamespace() {
	p := pick(w.rng, w.living()...)
	w.note("the namespace of %s is deleted", w.tenantOf(p))
	w.gone[p.namespace] = true
	ctx, in := w.T.Context(), client.InNamespace(p.namespace)
	w.must(w.Client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}}))
	for _, a := range w.requests {
		if !a.isDeleted && a.namespace == p.namespace {
			w.forget(a, true)
		}
	}
	w.must(w.Client.DeleteAllOf(ctx, &v1alpha1.AliyunOrder{}, in))
	w.must(w.Client.DeleteAllOf(ctx, &v1alpha1.AliyunIssuer{}, in))
	w.must(w.Client.DeleteAllOf(ctx, &corev1.Secret{}, in))
}

// tenantOf is a name for the namespace that is the same in every run.
func (w *world) tenantOf(p *party) string {
	return fmt.Sprintf("tenant %d", 1+slices.Index(w.tenants, p.namespace))
}

// orders are the Orders of all tenants.
func (w *world) orders() []v1alpha1.AliyunOrder {
	list := &v1alpha1.AliyunOrderList{}
	w.must(w.Client.List(w.T.Context(), list))
	return list.Items
}

// sweep removes what is left, so that it is in no other sequence's way.
func (w *world) sweep() {
	for _, namespace := range w.tenants {
		w.must(w.Client.DeleteAllOf(w.T.Context(), &cmapi.CertificateRequest{}, client.InNamespace(namespace)))
	}
	for _, order := range w.orders() {
		w.loseOrder(&order)
	}
}
