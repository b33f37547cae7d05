// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// seen is what earlier looks have seen.
type seen struct {
	answers map[string]string // what operators said, by the doubt
	anew    map[string]bool   // orders that people let go, as they were told to order anew
	mutex   sync.Mutex
	told    map[string]bool // what was found wrong, so that it is told once
}

func newSeen() *seen {
	return &seen{answers: map[string]string{}, anew: map[string]bool{}, told: map[string]bool{}}
}

// fail tells once what is wrong.
func (w *world) fail(what, format string, args ...any) {
	w.T.Helper()
	w.seen.mutex.Lock()
	defer w.seen.mutex.Unlock()
	if !w.seen.told[what] {
		w.seen.told[what] = true
		w.T.Errorf(what+": "+format, args...)
	}
}

// checkStep looks for what must hold after each step:
//
//   - No two Orders hold one order of CAS, unless the one has handed it over.
//   - No two Orders of an account whose names a listing could confuse are in doubt.
//   - Each order that is charged is known: an Order holds it or is in doubt about it, a request has its certificate, or
//     somebody was told.
//   - Nothing of others is touched, and no tenant reads the other one's names.
//   - What is held names the command, the edit or the time that ends it, and what was advised before did not lead back.
func (w *world) checkStep(all []env.Purchase) {
	w.T.Helper()
	orders := w.orders()
	w.checkHolders(orders)
	w.checkDoubts(orders)
	for _, p := range all {
		if !p.IsReleased && !w.isKnown(&p, orders) && !w.isDelivered(&p) && !w.isAccountedFor(&p) {
			w.fail("an order is charged and nobody knows it", "%s for %s, bought at %s by %s", p.Key(), p.Domain,
				p.BoughtAt, p.By)
		}
	}
	w.checkHarm()
	for _, order := range orders {
		w.checkHold(&order)
		w.checkValidation(&order)
	}
}

// checkHarm looks for what was done to what others have.
func (w *world) checkHarm() {
	w.T.Helper()
	for _, from := range w.sources {
		if err := from.Harm(w.Simulator); err != nil {
			w.fail("something of others was touched", "%v", err)
		}
	}
}

// holds says whether an Order has something at CAS, or may have.
func (w *world) holds(order *v1alpha1.AliyunOrder) bool {
	return order.Status.HandedOverTo == "" && w.sourceOf(order.Spec.Source).holds(order)
}

// idOf is what an Order holds, or has chosen to apply with, or "".
func idOf(order *v1alpha1.AliyunOrder) string {
	if submission := order.Status.Submission; submission != nil && submission.Instance != nil {
		return submission.Instance.ID
	}
	return order.Status.OrderID
}

func (w *world) checkHolders(orders []v1alpha1.AliyunOrder) {
	w.T.Helper()
	holders := map[string]*v1alpha1.AliyunOrder{}
	for i := range orders {
		order := &orders[i]
		id := idOf(order)
		if id == "" || !w.holds(order) {
			continue
		}
		if other := holders[id]; other != nil {
			w.fail("two Orders hold one order", "%s is of the request %s by %s and of %s by %s", id,
				order.Spec.RequestRef.Name, order.Status.OrderIDBasis, other.Spec.RequestRef.Name,
				other.Status.OrderIDBasis)
		}
		holders[id] = order
	}
}

func isInDoubt(order *v1alpha1.AliyunOrder) bool {
	status := order.Status
	return status.Submission != nil && status.OrderID == "" && status.HandedOverTo == "" &&
		(status.Release == nil || status.Release.Outcome == "")
}

// confusable is what orders share that a listing could confuse.
type confusable struct {
	account int
	name    string
}

func (w *world) confusable(order *v1alpha1.AliyunOrder) confusable {
	return confusable{w.partyOf(order).account(), baseName(order.Spec.CommonName)}
}

// checkDoubts lets one Order be in doubt about a name. One that falls back into its doubt, since its id was somebody
// else's, may meet another one there.
func (w *world) checkDoubts(orders []v1alpha1.AliyunOrder) {
	w.T.Helper()
	doubts := map[confusable]*v1alpha1.AliyunOrder{}
	for i := range orders {
		order := &orders[i]
		if !isInDoubt(order) || w.hasHadID(order.UID) {
			continue
		}
		key := w.confusable(order)
		if other := doubts[key]; other != nil {
			w.fail("two doubts about one name", "of %s and of %s, about %s", order.Spec.RequestRef.Name,
				other.Spec.RequestRef.Name, key.name)
		}
		doubts[key] = order
	}
}

// isKnown says that an Order holds an order, or may find it.
func (w *world) isKnown(p *env.Purchase, orders []v1alpha1.AliyunOrder) bool {
	for i := range orders {
		if w.sellerOf(p).knows(w, &orders[i], p) {
			return true
		}
	}
	owner := w.ownerOf(p)
	return owner.isForced || owner.isDeletedAmid && w.isAmid
}

func (w *world) accountOf(p *env.Purchase) int {
	if p.Account == accountIDs[1] {
		return 1
	}
	return 0
}

var (
	// nextStep finds a command, an edit of something that is named, or a wait that ends by itself, in a message.
	nextStep = regexp.MustCompile(`kubectl \w+ |the annotation \S+ (is|names) |spec\.\w+\.\w+|put a valid one ` +
		`there|by hand|` +
		`\b(set|remove|add|put|allow|approve|delete|publish|create|use|choose|correct|buy|check|change|edit|wait|settle) [^.;]*\b(issuer|spec\.\w+|Secret|Certificate\w*|AliyunOrder|zone|RAM|record|solver|certificates?|credentials|plan|instance|selector|endpoint|file|clock|account)\b|` +
		`without further action|(every|within|after|for) (\d+|an?) (seconds|minutes?|hours?)|` + `what CAS names`)
	times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
)

func (w *world) checkHold(order *v1alpha1.AliyunOrder) {
	w.T.Helper()
	message := heldFor(order)
	if message == "" {
		return
	}
	for _, tenant := range w.tenants {
		if tenant != order.Namespace && strings.Contains(message, tenant) {
			w.fail("a tenant reads the other one's names", "%s", message)
		}
	}
	hasTime := false
	for _, text := range times.FindAllString(message, -1) {
		at, err := time.Parse(time.RFC3339, text)
		hasTime = hasTime || err == nil && at.After(w.Clock.Now().Add(-15*time.Minute)) &&
			!strings.Contains(message, "asked at "+text)
	}
	if !hasTime && !nextStep.MatchString(message) {
		w.fail("nobody is told what ends a hold", "%s", message)
	}
	reason := order.Status.Conditions
	for _, condition := range reason {
		if condition.Type == v1alpha1.ConditionReady && condition.Reason == v1alpha1.ReasonInvalidCertificate &&
			w.seen.anew[order.Status.OrderID] && order.DeletionTimestamp == nil {
			if a := w.byUID[order.Spec.RequestRef.UID]; !a.isDeleted {
				w.fail("an advice led back", "the request was deleted as advised, and its heir %s is held again: %s",
					a.name, message)
			}
		}
	}
}

// checkValidation compares what was bought with the solver that has to serve it.
func (w *world) checkValidation(order *v1alpha1.AliyunOrder) {
	w.T.Helper()
	if order.Status.HandedOverTo != "" || order.Status.Release != nil {
		return
	}
	for _, validation := range order.Status.Validations {
		if isFile := validation.RecordType == "FILE"; isFile != (order.Spec.IsFile()) {
			w.fail("an Order has a solver that cannot validate it", "%s: %s", order.Spec.RequestRef.Name,
				validation.RecordType)
		}
	}
}
