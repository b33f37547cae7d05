// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// advice is something that a message can ask a person for, and how it is done.
type advice struct {
	words *regexp.Regexp
	do    func(*world, *v1alpha1.AliyunOrder, string)
}

// allAdvice is what people obey. They know no more than what the message says, and what the console of CAS shows.
func allAdvice() []advice {
	return []advice{
		{regexp.MustCompile(`kubectl annotate aliyunorder \S+ -n \S+ --overwrite \S+/order-id=<id or ` +
			`none>|annotation \S+/order-id (is|names) `), (*world).answer},
		{regexp.MustCompile(`delete the CertificateRequest`), (*world).orderAnew},
		{regexp.MustCompile(`spec\.orders\.paused`),
			edit(func(policy *v1alpha1.OrderPolicy) { policy.Paused = false })},
		{regexp.MustCompile(`spec\.orders\.maxPerDay`),
			edit(func(policy *v1alpha1.OrderPolicy) { policy.MaxPerDay = new(int32(1000)) })},
		{regexp.MustCompile(`spec\.orders\.budget`), edit(func(policy *v1alpha1.OrderPolicy) { policy.Budget = nil })},
		{regexp.MustCompile(`spec\.orders\.reserve`),
			edit(func(policy *v1alpha1.OrderPolicy) { policy.Reserve = new(intstr.FromInt32(0)) })},
		{regexp.MustCompile(`[Bb]uy more`), (*world).buyMore},
		{regexp.MustCompile(`put a valid one there|put valid ones in their place`), (*world).mendSecrets},
		{regexp.MustCompile(`in a RAM policy`), (*world).mendKeys},
	}
}

// heldFor is what a held Order says, or "".
func heldFor(order *v1alpha1.AliyunOrder) string {
	ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	if order.Status.State != v1alpha1.OrderStateHeld || ready == nil {
		return ""
	}
	return ready.Message
}

// obey does what held Orders ask people for.
func (w *world) obey() {
	for _, order := range w.orders() {
		message := heldFor(&order)
		if message == "" || w.gone[order.Namespace] {
			continue
		}
		for _, a := range allAdvice() {
			if a.words.MatchString(message) {
				a.do(w, &order, message)
			}
		}
	}
}

// doubtOf tells the doubts of an Order from each other.
func doubtOf(order *v1alpha1.AliyunOrder, message string) string {
	ids := regexp.MustCompile(`\d{12,}`).FindAllString(message, -1)
	slices.Sort(ids)
	doubt := string(order.UID) + strings.Join(ids, " ")
	if submission := order.Status.Submission; submission != nil {
		doubt += submission.StartedAt.String()
	}
	return doubt
}

// answer says which order is that of the request: mostly the truth, and often late.
func (w *world) answer(order *v1alpha1.AliyunOrder, message string) {
	word, present := w.truthAbout(order), order.Annotations[v1alpha1.OrderIDAnnotation]
	doubt := doubtOf(order, message)
	switch lies := w.liesAbout(order); {
	case present == word, present != "" && !strings.Contains(message, "the annotation "):
		return // it is not read yet
	case w.seen.answers[doubt] == v1alpha1.NoOrder && present == "" && word == v1alpha1.NoOrder:
		w.fail("a word of an operator was used up without effect", "the Order of %s asks again what was answered "+
			"with %q: %s", order.Spec.RequestRef.Name, word, message)
		return
	case present == "" && w.chance(20):
		word = pick(w.rng, lies...)
	default:
		w.seen.answers[doubt] = word
	}
	w.note("an operator says of the Order of %s: %s", order.Spec.RequestRef.Name, word)
	before := order.DeepCopy()
	order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word}
	w.must(w.Client.Patch(w.T.Context(), order, client.MergeFrom(before))) // as kubectl annotate does
}

// liesAbout are answers that are wrong, and can be found out: what is no id, and orders whose certificate has another
// key. They show in the console beside the true one.
func (w *world) liesAbout(order *v1alpha1.AliyunOrder) []string {
	lies := append([]string{"not an id"}, order.Status.ExcludedOrderIDs...)
	for _, entry := range w.Simulator.Orders() {
		isNear := baseName(entry.Domain) == baseName(order.Spec.CommonName) &&
			entry.AccountID == accountIDs[w.partyOf(order).account()]
		if owner := w.ownerOf(entry.LedgerEntry); isNear && entry.State == cassim.StateCertificate &&
			(owner == nil || owner.uid != order.Spec.RequestRef.UID) {
			lies = append(lies, entry.OrderID)
		}
	}
	for _, other := range w.orders() {
		if other.UID != order.UID && other.Status.OrderID != "" && w.partyOf(&other).account() == w.partyOf(
			order).account() {
			lies = append(lies, other.Status.OrderID)
		}
	}
	return lies
}

// truthAbout is the order at CAS that was bought for the request of an Order, or for one that it took over from, and
// that no other Order holds.
func (w *world) truthAbout(order *v1alpha1.AliyunOrder) string {
	held := map[string]bool{}
	for _, other := range w.orders() {
		held[other.Status.OrderID] = held[other.Status.OrderID] || other.UID != order.UID
	}
	for _, entry := range w.Simulator.Orders() {
		if entry.Foreign || entry.Released || entry.Vanished || held[entry.OrderID] || w.isForOtherKey(&entry) {
			continue
		}
		if owner := w.ownerOf(entry.LedgerEntry); owner != nil && owner.uid == order.Spec.RequestRef.UID {
			return entry.OrderID
		}
	}
	return v1alpha1.NoOrder
}

// orderAnew deletes the request of an Order, which cert-manager makes again with the same key.
func (w *world) orderAnew(order *v1alpha1.AliyunOrder, _ string) {
	a := w.byUID[order.Spec.RequestRef.UID]
	if a.isDeleted {
		return
	}
	w.note("somebody deletes the request %s, as its Order says", a.name)
	w.seen.anew[order.Status.OrderID] = true
	w.replace(a, time.Second, true, true)
}

func edit(change func(*v1alpha1.OrderPolicy)) func(*world, *v1alpha1.AliyunOrder, string) {
	return func(w *world, order *v1alpha1.AliyunOrder, _ string) {
		w.note("somebody edits the issuer of %s, as its Order says", order.Spec.RequestRef.Name)
		p := w.partyOf(order)
		w.withIssuer(p, func(spec *v1alpha1.IssuerSpec) {
			change(spec.Orders)
			if spec.Orders.Budget == nil {
				p.perDay = 0
			}
		})
	}
}

func (w *world) buyMore(order *v1alpha1.AliyunOrder, _ string) {
	product := order.Spec.Source.ResourcePlan.ProductCode
	if w.partyOf(order).account() != 0 {
		return
	}
	w.note("somebody buys more of %s", product)
	used := w.Simulator.UsedCount(product)
	w.Simulator.SetPackage(product, used+20, used)
}

// mendSecrets puts the right keys into Secrets.
func (w *world) mendSecrets(*v1alpha1.AliyunOrder, string) {
	for _, s := range w.secrets {
		w.tellSecret(s, s.keyID)
	}
}

// mendKeys gives keys that have all permissions.
func (w *world) mendKeys(order *v1alpha1.AliyunOrder, message string) {
	for _, s := range w.secrets {
		if !w.gone[s.namespace] {
			w.replaceKey(s)
		}
	}
	w.mendSecrets(order, message)
}

// publish creates the records and files that Orders ask people for.
func (w *world) publish() {
	for _, order := range w.orders() {
		solver := order.Spec.Solvers[0].Solver
		if order.DeletionTimestamp != nil || len(order.Status.Validations) == 0 {
			continue
		}
		validation := order.Status.Validations[0]
		if w.published[validation.RecordValue] || w.hasRecord(validation.RecordValue) {
			continue
		}
		switch entry, _ := w.Simulator.Order(order.Status.OrderID); {
		case solver.File != nil && entry.URI != "":
			w.web.publish(entry.Domain, entry.URI, entry.Content)
		case solver.DNS != nil && solver.DNS.Manual != nil && validation.FQDN != "":
			w.Simulator.AddRecord(zone, strings.TrimSuffix(validation.FQDN, "."+zone), validation.RecordType,
				validation.RecordValue)
		default:
			continue
		}
		w.note("somebody publishes what validates request %s", order.Spec.RequestRef.Name)
		w.published[validation.RecordValue] = true
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
