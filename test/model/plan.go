// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// plan sells orders of resource plans. Somebody else orders from these, too.
type plan struct{ env.Plan }

const create = "CreateCertificateWithCsrRequest"

func (*plan) knobs(w *world, k *cassim.Knobs) {
	k.UsedCount = pick(w.rng, cassim.UsedFalls, cassim.UsedStays)
	k.OrderID = pick(w.rng, cassim.OrderIDString, cassim.OrderIDNumber)
	k.QuotaCode = pick(w.rng, "NotRemainCount", "InsufficientQuota")
	k.ErrorCodes = pick(w.rng, cassim.CodesDocumented, cassim.CodesNewer)
	k.ListProduct = pick(w.rng, cassim.ProductAsOrdered, cassim.ProductAsOrdered, cassim.ProductAsOrdered,
		cassim.ProductOther)
	k.Duplicate = pick(w.rng, cassim.DuplicateAccepted, cassim.DuplicateAccepted, cassim.DuplicateAccepted,
		cassim.DuplicateRefused)
}

func (*plan) open(*world) {} // the accounts have their plans

func (*plan) sell(_ *world, p *party, spec *v1alpha1.IssuerSpec) {
	of := gen.IssuerSpec("")
	spec.Source, spec.Contact = of.Source, of.Contact
	spec.Source.ResourcePlan.ProductCode = p.products[0]
}

func (*plan) points() points {
	return points{
		buys: []string{create},
		interruptible: []string{create, "DescribeCertificateState", "ListUserCertificateOrder", "CancelOrderRequest",
			"DeleteCertificateRequest"},
		holdable: []string{
			create, "answer to " + create, "answer to " + create, "answer to " + create, "answer to " + create,
			"ListUserCertificateOrder", "answer to ListUserCertificateOrder", "answer to ListUserCertificateOrder",
			"answer to ListUserCertificateOrder",
			"answer to DescribePackageState", "answer to DescribeCertificateState", "CancelOrderRequest",
			"answer to CancelOrderRequest", "DeleteCertificateRequest", "answer to DeleteCertificateRequest",
		},
		breakable: []string{"DescribeCertificateState", "DescribePackageState", "ListUserCertificateOrder",
			"ListUserCertificateOrder", "CancelOrderRequest", "DeleteCertificateRequest", "GetUserCertificateDetail"},
	}
}

func (*plan) breakList(w *world) {
	domain := pick(w.rng, "www.example.com", "example.com", "api.example.com", "*.example.com")
	wrong := pick(w.rng,
		cassim.Listing{Stale: true},
		cassim.Listing{Stale: true},
		cassim.Listing{Missing: []string{domain}},
		cassim.Listing{Missing: []string{domain}, TotalOff: -100},
		cassim.Listing{Repeat: 3, TotalOff: -2},
		cassim.Listing{},
	)
	w.note("listings are now %+v", wrong)
	w.Simulator.SteerListing(wrong)
}

// others buy for one of our names, as long as there is quota.
func (*plan) others(w *world) {
	domain, age := pick(w.rng, domains...), pick(w.rng, 0, 0, time.Minute, 10*time.Minute, 5*time.Hour, 100*time.Hour)
	state := pick(w.rng, cassim.StateDomainVerify, cassim.StateDomainVerify, cassim.StateProcess,
		cassim.StateCertificate)
	product := pick(w.rng, gen.Product, gen.Product, otherProduct)
	if w.isExclusive {
		return
	}
	w.note("somebody else buys for %s, %s ago, product %s, state %s", domain, age, product, state)
	w.try(func() {
		w.Simulator.AddForeignOrder(domain, func(f *cassim.ForeignOrder) {
			f.BoughtAt, f.State, f.Product = w.Clock.Now().Add(-age), state, product
		})
		w.hasOthers = true
	})
}

// changeSupply exhausts a plan, or buys more for it.
func (*plan) changeSupply(w *world) {
	product, more := pick(w.rng, gen.Product, gen.Product, otherProduct), pick(w.rng, 0, 0, 1, 20)
	w.note("the plan of %s has %d certificates left now", product, more)
	w.addToPlan(product, more)
}

func (w *world) addToPlan(product string, more int) {
	used := w.Simulator.UsedCount(product)
	w.Simulator.SetPackage(product, used+more, used)
}

func (s *plan) changePurchase(w *world) {
	var ours []env.Purchase
	for _, p := range s.Purchases(w.Simulator) {
		isUnfinished := p.State == cassim.StateDomainVerify || p.State == cassim.StateProcess
		if _, isVanished := w.forced["vanished "+p.ID]; !p.IsReleased && isUnfinished && !isVanished {
			ours = append(ours, p)
		}
	}
	n := w.rng.IntN(1 << 20)
	what := pick(w.rng, "is refused by the CA", "is refused by the CA", "vanishes", "is cancelled in the console",
		"is issued though it is cancelled",
		"has an odd chain", "has an odd chain", "is in a state that nobody knows", "freezes",
		"is issued for other names", "is issued for another key", "is issued")
	odd := pick(w.rng, oddChains...)
	if len(ours) == 0 {
		return
	}
	id := ours[n%len(ours)].ID
	w.note("order %s for %s %s", id, ours[n%len(ours)].Domain, what)
	switch what {
	case "is refused by the CA":
		w.Simulator.FailReview(id, "the authority says no")
	case "vanishes":
		w.forced["vanished "+id] = true
		w.Simulator.Vanish(id)
	case "is cancelled in the console":
		w.Simulator.ForceState(id, cassim.StatePayed)
	case "is issued though it is cancelled":
		w.Simulator.IgnoreCancel(id)
	case "has an odd chain":
		w.Simulator.OrderChain(id, odd)
	case "is in a state that nobody knows":
		w.Simulator.ForceState(id, cassim.StateUnknow)
	case "freezes":
		w.Simulator.Freeze(id)
	case "is issued for other names":
		w.Simulator.WrongNames(id, "other.example.com")
		w.Simulator.ForceState(id, cassim.StateCertificate)
	case "is issued for another key":
		w.forced["other key "+id] = true
		w.Simulator.WrongKey(id)
		w.Simulator.ForceState(id, cassim.StateCertificate)
	case "is issued":
		w.Simulator.ForceState(id, cassim.StateCertificate)
	}
}

func (*plan) buyMore(w *world, order *v1alpha1.AliyunOrder) {
	if w.partyOf(order).account() == 0 && order.Spec.Source.ResourcePlan != nil {
		w.addToPlan(order.Spec.Source.ResourcePlan.ProductCode, 20)
	}
}

func (s *plan) heal(w *world) {
	w.Simulator.SteerListing(cassim.Listing{})
	// or somebody else's would be in the way for ever
	w.Simulator.SetKnobs(func(k *cassim.Knobs) { k.Duplicate = cassim.DuplicateAccepted })
	for _, product := range []string{gen.Product, otherProduct, wildProduct} {
		w.addToPlan(product, 20)
	}
	for _, p := range s.Purchases(w.Simulator) {
		w.Simulator.Thaw(p.ID)
		w.Simulator.OrderChain(p.ID, cassim.ChainFull)
	}
}

func (*plan) holds(*v1alpha1.AliyunOrder) bool { return true }

// knows says yes also for an Order that has to find the order by its name.
func (*plan) knows(w *world, order *v1alpha1.AliyunOrder, p *env.Purchase) bool {
	isSameName := w.confusable(order) == confusable{w.accountOf(p), baseName(p.Domain)}
	submission := order.Status.Submission
	return order.Status.OrderID == p.ID || isSameName && submission != nil && order.Status.OrderID == "" &&
		!p.BoughtAt.Before(submission.StartedAt.Time)
}

func (*plan) check(*world, *env.Purchase) {}

// paidBefore says yes if every listing since has shown the order.
func (*plan) paidBefore(w *world, a *asked, earlier *env.Purchase) bool {
	return w.wrongAt.Before(a.madeAt) && earlier.BoughtAt.Add(w.listDelay).Before(a.madeAt)
}

func (*plan) again(*world) {} // the count of the plan tells that it has its certificate back
