// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"slices"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// source is who sells to the issuers of a world, and what can happen there. A world has both: issuers begin with the
// one that the world is of, and are moved to the other and back.
type source interface {
	env.Source
	// knobs draws what nobody knows of it.
	knobs(w *world, k *cassim.Knobs)
	// open puts there what the accounts have.
	open(w *world)
	// sell lets an issuer of the party order from it.
	sell(w *world, p *party, spec *v1alpha1.IssuerSpec)
	// points are where a run can be interrupted, or held: calls, in the words of env.Points and env.Hold.
	points() points
	// breakList makes listings wrong.
	breakList(w *world)
	// others do what they do there for themselves.
	others(w *world)
	// changeSupply takes away what can be bought, or adds to it.
	changeSupply(w *world)
	// changePurchase lets the CA, CAS or somebody in the console do something to one of our purchases.
	changePurchase(w *world)
	// buyMore buys what an Order needs.
	buyMore(w *world, order *v1alpha1.AliyunOrder)
	// heal mends what is broken there.
	heal(w *world)
	// holds says whether an Order has a purchase there, or may have one: nobody else may have the same.
	holds(order *v1alpha1.AliyunOrder) bool
	// knows says that an Order has the purchase, or will find it.
	knows(w *world, order *v1alpha1.AliyunOrder, p *env.Purchase) bool
	// check holds a new purchase to what is promised of this source alone.
	check(w *world, p *env.Purchase)
	// paidBefore says that the certificate of an earlier purchase is there to be delivered again.
	paidBefore(w *world, a *asked, earlier *env.Purchase) bool
	// again buys with what was given back.
	again(w *world)
}

// points are calls by name. Those that are named more often come more often.
type points struct{ buys, interruptible, holdable, breakable []string }

// sources are the ones that a world can be of, by name.
var sources = map[string]func() [2]source{
	"plan":     func() [2]source { return [2]source{&plan{}, &instances{}} },
	"instance": func() [2]source { return [2]source{&instances{}, &plan{}} },
}

// seller is the source at which something happens now: the one that the world is of, and now and then the other one,
// once an issuer was moved there.
func (w *world) seller() source {
	if isOther := w.chance(25); isOther && w.hasMoved {
		return w.sources[1]
	}
	return w.sources[0]
}

// sourceOf is the one that a spec names.
func (w *world) sourceOf(spec v1alpha1.Source) source {
	isInstance := spec.Instance != nil
	at := slices.IndexFunc(w.sources[:], func(s source) bool {
		_, sellsInstances := s.(*instances)
		return sellsInstances == isInstance
	})
	return w.sources[at]
}

// moveIssuer lets an issuer order from the other source, while its orders are under way.
func (w *world) moveIssuer() {
	p := pick(w.rng, w.living()...)
	w.note("the issuer %s of %s is moved to the other source", p.issuer, w.tenantOf(p))
	w.withIssuer(p, func(spec *v1alpha1.IssuerSpec) {
		to := w.sources[0]
		if w.sourceOf(spec.Source) == to {
			to, w.hasMoved = w.sources[1], true
		}
		to.sell(w, p, spec)
	})
}

// purchases are all that were made for us, from either source.
func (w *world) purchases() (all []env.Purchase) {
	for _, from := range w.sources {
		all = append(all, from.Purchases(w.Simulator)...)
	}
	return all
}

// sellerOf is the source of a purchase.
func (w *world) sellerOf(p *env.Purchase) source {
	return w.sourceOf(v1alpha1.Source{Instance: map[bool]*v1alpha1.Instance{true: {}}[p.Number > 0]})
}

// hasNames says that the world is of a source that sells certificates for several names.
func (w *world) hasNames() bool {
	_, hasNames := w.sources[0].(*instances)
	return hasNames
}

// again tries whether what was given back can be bought with.
func (w *world) again() {
	for _, from := range w.sources {
		from.again(w)
	}
}
