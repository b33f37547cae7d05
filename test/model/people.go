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
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// advice is something that a message can ask a person for, and how it is done.
type advice struct {
	words *regexp.Regexp
	do    func(*world, *v1alpha1.AliyunOrder, string)
}

// allAdvice is what people obey. They know no more than what the message says, and what the console of CAS shows.
func allAdvice() []advice {
	return []advice{
		{regexp.MustCompile(`The CSR or its key was used in another application`), (*world).orderWithAnotherKey},
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
		{regexp.MustCompile(`[Bb]uy (more|one|another one)`), (*world).buyMore},
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
	ids := regexp.MustCompile(`\d{12,}|cas_dv-\S+`).FindAllString(message, -1)
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
		if owner := w.ownerWith(entry.CSRFingerprint); isNear && entry.State == cassim.StateCertificate &&
			(owner == nil || owner.uid != order.Spec.RequestRef.UID) {
			lies = append(lies, entry.OrderID)
		}
	}
	for _, other := range w.orders() {
		isSeller := w.sourceOf(other.Spec.Source) == w.sourceOf(order.Spec.Source)
		if other.UID != order.UID && other.Status.OrderID != "" && isSeller && w.holds(&other) &&
			w.partyOf(&other).account() == w.partyOf(order).account() {
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
		held[other.Status.OrderID] = held[other.Status.OrderID] || other.UID != order.UID && w.holds(&other)
	}
	for _, p := range w.purchases() {
		if p.IsReleased || p.IsVanished || held[p.ID] || w.isForOtherKey(&p) {
			continue
		}
		if owner := w.ownerOf(&p); owner != nil && owner.uid == order.Spec.RequestRef.UID {
			return p.ID
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

// orderWithAnotherKey makes the request of an Order anew, as what CAS says of it asks for.
func (w *world) orderWithAnotherKey(order *v1alpha1.AliyunOrder, _ string) {
	if a := w.byUID[order.Spec.RequestRef.UID]; !a.isDeleted {
		w.note("somebody makes the request %s anew with another key, as CAS says", a.name)
		w.replace(a, time.Second, false, true)
	}
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
	w.note("somebody buys what request %s waits for", order.Spec.RequestRef.Name)
	w.sourceOf(order.Spec.Source).buyMore(w, order)
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
		isAsked := solver.File != nil || solver.DNS != nil && solver.DNS.Manual != nil
		if order.DeletionTimestamp != nil || !isAsked {
			continue
		}
		for _, validation := range order.Status.Validations {
			if solver.File != nil {
				w.publishFile(&order, validation.RecordValue)
			} else if validation.FQDN != "" {
				w.publishRecord(validation.FQDN, validation.RecordType, validation.RecordValue)
			}
		}
	}
}

// publishFile creates the file of an Order that has the content.
func (w *world) publishFile(order *v1alpha1.AliyunOrder, content string) {
	for _, p := range w.purchases() {
		for _, challenge := range p.Challenges {
			if p.ID == idOf(order) && challenge.Path != "" && challenge.Value == content {
				w.publishChallenge(challenge)
			}
		}
	}
}

// publishChallenge creates a file, or a record where CAs look for it by default.
func (w *world) publishChallenge(challenge env.Challenge) {
	if challenge.Path == "" {
		w.publishRecord("_dnsauth."+strings.TrimPrefix(challenge.Domain, "*."), "TXT", challenge.Value)
		return
	}
	w.note("somebody publishes a file for %s", challenge.Domain)
	w.web.publish(challenge.Domain, challenge.Path, challenge.Value)
	w.published[challenge.Value] = true
}

func (w *world) publishRecord(fqdn, kind, value string) {
	if w.published[value] || w.hasRecord(value) {
		return
	}
	w.note("somebody publishes a record at %s", fqdn)
	w.Simulator.AddRecord(zone, strings.TrimSuffix(fqdn, "."+zone), kind, value)
	w.published[value] = true
}

func (w *world) hasRecord(value string) bool {
	for _, record := range w.Simulator.Records(zone) {
		if record.Value == value {
			return true
		}
	}
	return false
}

// ownerOf is the request that something was bought for, or the one that took over from it.
func (w *world) ownerOf(p *env.Purchase) *asked { return w.ownerWith(p.CSR) }

// ownerWith is the request with a signing request, or the one that took over from it.
func (w *world) ownerWith(csr string) *asked {
	owner := w.byCSR[csr]
	for owner != nil {
		next := w.byUID[w.requestOf[w.heirs[owner.uid]]]
		if next == nil {
			break
		}
		owner = next
	}
	return owner
}
