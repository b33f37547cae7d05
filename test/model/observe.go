// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// beforeWrite learns which Order takes over from which. Workers may write at the same time.
func (w *world) beforeWrite(object any) {
	order, isOrder := object.(*v1alpha1.AliyunOrder)
	if !isOrder || order.UID == "" {
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	request := order.Spec.RequestRef.UID
	w.requestOf[order.UID] = request
	w.hadID[order.UID] = w.hadID[order.UID] || order.Status.OrderID != ""
	if heir := order.Status.HandedOverTo; heir != "" {
		w.heirs[request] = heir
	} else {
		delete(w.heirs, request)
	}
}

// hasHadID says that an Order had an id at some time.
func (w *world) hasHadID(order types.UID) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.hadID[order]
}

// beforeCall looks at the Orders when something is about to be bought.
func (w *world) beforeCall(call cassim.Request) {
	for _, from := range w.sources {
		if call.Action == from.Buys() {
			w.checkDoubts(w.orders())
		}
	}
}

// observe looks at what was bought and told since the last look, and whether what must always hold does.
func (w *world) observe() {
	w.T.Helper()
	if w.isListingWrong() {
		w.wrongAt = w.Clock.Now()
	}
	all := w.purchases()
	for _, p := range all {
		if !w.known[p.Key()] {
			w.checkPurchase(&p)
			w.sellerOf(&p).check(w, &p)
		}
		w.known[p.Key()] = true
	}
	requests := &cmapi.CertificateRequestList{}
	if err := w.Client.List(w.T.Context(), requests); err != nil {
		w.T.Fatal(err)
	}
	for _, request := range requests.Items {
		a := w.byUID[request.UID]
		if a.certificate != nil && !bytes.Equal(a.certificate, request.Status.Certificate) {
			w.T.Errorf("the certificate of request %s has become %q", a.name, request.Status.Certificate)
		}
		if len(request.Status.Certificate) > 0 {
			a.certificate = request.Status.Certificate
		}
		ready := cmutil.GetCertificateRequestCondition(&request, cmapi.CertificateRequestConditionReady)
		if isTold := ready != nil && ready.Message != ""; !isTold && a.isDecided && !w.Held() {
			w.fail("a request is silent", "%s says %+v", a.name, ready)
		}
	}
	w.checkStep(all)
}

// isForOtherKey says that the CA has issued an order for a key that nobody asked for.
func (w *world) isForOtherKey(p *env.Purchase) bool {
	return w.forced["other key "+p.ID] && p.Certificate != ""
}

// checkPurchase holds a purchase to the rules as soon as it is seen: it is for a request that is there and approved,
// and nothing else is bought for the same request, or for the one that it took over from. What a person applies for in
// the console, with what we have written, is that person's.
func (w *world) checkPurchase(bought *env.Purchase) {
	w.T.Helper()
	a := w.byCSR[bought.CSR]
	w.note("   bought: %s for request %s, %s", bought.Key(), a.name, a.names)
	if bought.By == byConsole {
		return
	}
	if isUnwanted := a.isDeleted && !a.isDeletedAmid || !a.isDecided || a.isDenied; isUnwanted && bought.By != byCAS {
		w.T.Errorf("%s was bought for request %s, which is deleted, denied or not approved", bought.Key(), a.name)
	}
	w.checkBudget(a)
	if paid := w.paidBefore(a, bought); paid != "" {
		w.fail("what was paid for was bought again", "%s was bought for request %s, which the certificate of %s serves",
			bought.Key(), a.name, paid)
	}
	owner := w.ownerOf(bought)
	for _, other := range w.purchases() {
		isAlive := other.Key() != bought.Key() && !other.IsReleased && !other.IsVanished
		if !isAlive || w.ownerOf(&other) != owner {
			continue
		}
		if excuse := w.excuse(owner, &other); excuse != "" {
			w.excused = append(w.excused, fmt.Sprintf("%s beside %s: %s", bought.Key(), other.Key(), excuse))
			w.note("   excused: %s", w.excused[len(w.excused)-1])
			continue
		}
		w.T.Errorf("%s was bought for request %s, which has %s (%s)", bought.Key(), owner.name, other.Key(), other.State)
	}
}

// paidBefore is a purchase from the same source, and of the same product, whose certificate was delivered before the
// request was made, has its key and its names, and is there to be delivered again; or "". Whoever changes the product
// wants another certificate.
func (w *world) paidBefore(a *asked, bought *env.Purchase) string {
	for _, earlier := range w.purchases() {
		before := w.byCSR[earlier.CSR]
		if before == nil || before == a || before.key != a.key || !slices.Equal(before.names, a.names) ||
			before.account() != a.account() || earlier.Product != bought.Product || earlier.IsVanished ||
			w.sellerOf(&earlier) != w.sellerOf(bought) {
			continue
		}
		isIssued := !earlier.IssuedAt.IsZero() && earlier.IssuedAt.Before(a.madeAt)
		if isIssued && len(before.certificate) > 0 && w.sellerOf(&earlier).paidBefore(w, a, &earlier) {
			return earlier.Key()
		}
	}
	return ""
}

// checkBudget counts what was bought for a party within a day.
func (w *world) checkBudget(bought *asked) {
	w.T.Helper()
	p, used := bought.party, 0
	for _, entry := range w.purchases() {
		if a := w.byCSR[entry.CSR]; a != nil && a.party == p && entry.By != byCAS && entry.By != byConsole &&
			w.Clock.Since(entry.BoughtAt) < 23*time.Hour {
			used++
		}
	}
	if p.perDay > 0 && used > p.perDay && !p.isEditedAmid && !p.counted[bought.uid] {
		w.fail("a budget was exceeded", "%d orders within a day from %s of %s, and %d are allowed", used, p.issuer,
			w.tenantOf(p), p.perDay)
	}
}

// excuse says why CAS cannot have told the controller that there was an order already, or "". An order whose
// certificate has another key serves nobody, and nor does what a person has applied for. Where an Order was removed by
// force, nothing is known but one listing, and an order that another Order for the same name took for its own meanwhile
// cannot be told from one of that.
func (w *world) excuse(owner *asked, other *env.Purchase) string {
	switch {
	case w.isForOtherKey(other):
		return "its certificate has another key"
	case owner.isForced && (w.isListingWrong() || w.Clock.Since(other.BoughtAt) < w.listDelay):
		return "its Order was removed by force, and the listing lacks it"
	}
	for _, order := range w.orders() {
		if owner.isForced && order.Status.OrderID == other.ID {
			return "its Order was removed by force, and another Order holds it"
		}
	}
	return ""
}
