// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// answer does what held orders ask an operator for: it looks in the console, and says what is there.
func (w *world) answer() {
	for _, order := range w.Orders() {
		ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
		isAsked := ready != nil && ready.Reason == v1alpha1.ReasonAmbiguousSubmission && strings.Contains(ready.Message, v1alpha1.OrderIDAnnotation)
		if !isAsked || order.Annotations[v1alpha1.OrderIDAnnotation] != "" {
			continue
		}
		word := w.truthAbout(&order)
		w.note("an operator says of the Order of %s: %s", order.Spec.RequestRef.Name, word)
		order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word}
		w.must(w.Client.Update(w.T.Context(), &order))
	}
}

// truthAbout is the order at CAS that was bought for the request of an Order, or for one that it took over from, and
// that no other Order holds.
func (w *world) truthAbout(order *v1alpha1.AliyunOrder) string {
	held := map[string]bool{}
	for _, other := range w.Orders() {
		held[other.Status.OrderID] = held[other.Status.OrderID] || other.UID != order.UID
	}
	for _, entry := range w.Simulator.Orders() {
		if entry.Foreign || entry.Released || entry.Vanished || held[entry.OrderID] {
			continue
		}
		if owner := w.ownerOf(entry.LedgerEntry); owner != nil && owner.uid == order.Spec.RequestRef.UID {
			return entry.OrderID
		}
	}
	return v1alpha1.NoOrder
}

// publish creates the records that Orders ask people for.
func (w *world) publish() {
	for _, order := range w.Orders() {
		validation := order.Status.Validation
		isAsked := order.Spec.Solver.DNS.Manual != nil && order.DeletionTimestamp == nil && validation != nil && validation.FQDN != ""
		if !isAsked || w.published[validation.RecordValue] || w.hasRecord(validation.RecordValue) {
			continue
		}
		w.note("somebody publishes the record of request %s", order.Spec.RequestRef.Name)
		w.published[validation.RecordValue] = true
		w.Simulator.AddRecord(zone, strings.TrimSuffix(validation.FQDN, "."+zone), validation.RecordType, validation.RecordValue)
	}
}

func (w *world) hasRecord(value string) bool {
	for _, record := range w.Simulator.Records(zone) {
		if record.Value == value {
			return true
		}
	}
	return false
}

// ownerOf is the request that an order was bought for, or the one that took over from it.
func (w *world) ownerOf(entry cassim.LedgerEntry) *asked {
	owner := w.byCSR[entry.CSRFingerprint]
	for owner != nil {
		next := w.byUID[w.requestOf[w.heirs[owner.uid]]]
		if next == nil {
			break
		}
		owner = next
	}
	return owner
}
