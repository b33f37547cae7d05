// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"bytes"
	"fmt"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
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
	if call.Action == create {
		w.checkDoubts(w.orders())
	}
}

// observe looks at what was bought and told since the last look, and whether what must always hold does.
func (w *world) observe() {
	w.T.Helper()
	if w.isListingWrong() {
		w.wrongAt = w.Clock.Now()
	}
	entries := w.Simulator.Orders()
	for _, entry := range entries {
		if _, isKnown := w.known[entry.OrderID]; !isKnown && !entry.Foreign {
			w.checkPurchase(&entry)
		}
		w.known[entry.OrderID] = entry.LedgerEntry
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
	}
	w.checkStep(entries)
}

// isForOtherKey says that the CA has issued an order for a key that nobody asked for.
func (w *world) isForOtherKey(entry *cassim.OrderView) bool {
	return w.forced["other key "+entry.OrderID] && entry.State == cassim.StateCertificate
}

// checkPurchase holds a purchase to the rules as soon as it is seen: it is for a request that is there and approved,
// and nothing else is bought for the same request, or for the one that it took over from.
func (w *world) checkPurchase(bought *cassim.OrderView) {
	w.T.Helper()
	a := w.byCSR[bought.CSRFingerprint]
	w.note("   bought: %s for request %s, %s", bought.OrderID, a.name, a.domain)
	if a.isDeleted && !a.isDeletedAmid || !a.isDecided || a.isDenied {
		w.T.Errorf("order %s was bought for request %s, which is deleted, denied or not approved", bought.OrderID,
			a.name)
	}
	w.checkBudget(a)
	if paid := w.paidBefore(a, bought.ProductCode); paid != "" {
		w.fail("what was paid for was bought again", "order %s was bought for request %s, which the certificate of "+
			"order %s serves", bought.OrderID, a.name, paid)
	}
	owner := w.ownerOf(bought.LedgerEntry)
	for _, other := range w.Simulator.Orders() {
		isAlive := !other.Foreign && other.OrderID != bought.OrderID && !other.Released && !other.Vanished
		if !isAlive || w.ownerOf(other.LedgerEntry) != owner {
			continue
		}
		if excuse := w.excuse(owner, &other); excuse != "" {
			w.excused = append(w.excused, fmt.Sprintf("%s beside %s: %s", bought.OrderID, other.OrderID, excuse))
			w.note("   excused: %s", w.excused[len(w.excused)-1])
			continue
		}
		w.T.Errorf("order %s was bought for request %s, which has the order %s (%s)", bought.OrderID, owner.name,
			other.OrderID, other.State)
	}
}

// paidBefore is an order for the product whose certificate was delivered before the request was made, that has its key
// and its name, and that every listing since has shown; or "". Whoever changes the product wants another certificate.
func (w *world) paidBefore(a *asked, product string) string {
	for _, entry := range w.Simulator.Orders() {
		before := w.byCSR[entry.CSRFingerprint]
		if before == nil || before == a || before.key != a.key || before.domain != a.domain ||
			before.account() != a.account() || entry.ProductCode != product || entry.Vanished {
			continue
		}
		isListed := w.wrongAt.Before(a.madeAt) && entry.BoughtAt.Add(w.listDelay).Before(a.madeAt)
		if isListed && len(before.certificate) > 0 && !entry.IssuedAt.IsZero() && entry.IssuedAt.Before(a.madeAt) {
			return entry.OrderID
		}
	}
	return ""
}

// checkBudget counts what was bought for a party within a day.
func (w *world) checkBudget(bought *asked) {
	w.T.Helper()
	p, used := bought.party, 0
	for _, entry := range w.Simulator.Ledger() {
		if a := w.byCSR[entry.CSRFingerprint]; a != nil && a.party == p &&
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
// certificate has another key serves nobody. Where an Order was removed by force, nothing is known but one listing, and
// an order that another Order for the same name took for its own meanwhile cannot be told from one of that.
func (w *world) excuse(owner *asked, other *cassim.OrderView) string {
	if w.isForOtherKey(other) {
		return "its certificate has another key"
	}
	if owner.isForced && (w.isListingWrong() || w.Clock.Since(other.BoughtAt) < w.listDelay) {
		return "its Order was removed by force, and the listing lacks it"
	}
	for _, order := range w.orders() {
		if owner.isForced && order.Status.OrderID == other.OrderID {
			return "its Order was removed by force, and another Order holds it"
		}
	}
	return ""
}
