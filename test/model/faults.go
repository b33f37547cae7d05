// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const create = "CreateCertificateWithCsrRequest"

// answers are what can come instead of the true one. None of them lies: a code that proves that nothing was bought
// comes only where nothing was.
func (w *world) wrongAnswer(action string, isExecuted bool) cassim.Fault {
	f := pick(w.rng,
		cassim.Fault{Kind: cassim.DropReply, Executed: isExecuted},
		cassim.Fault{Kind: cassim.DropReply, Executed: isExecuted},
		cassim.Fault{Kind: cassim.Refuse, Status: 500, Code: "InternalError", Executed: isExecuted},
		cassim.Fault{Kind: cassim.Refuse, Code: "CreateOrderFailed", Executed: isExecuted},
		cassim.Fault{Kind: cassim.NumericCode, Executed: isExecuted},
		cassim.Fault{Kind: cassim.HTML200, Executed: isExecuted},
		cassim.Fault{Kind: cassim.NoOrderID, Executed: isExecuted},
		cassim.Fault{Kind: cassim.EmptyObject, Executed: isExecuted},
		cassim.Fault{Kind: cassim.EmptyBody, Executed: isExecuted},
		cassim.Fault{Kind: cassim.Truncated, Executed: isExecuted},
		cassim.Fault{Kind: cassim.Redirect307, Executed: isExecuted},
		cassim.Fault{Kind: cassim.Throttle},
	)
	f.Action = action
	return f
}

func (w *world) breakCreate() {
	f := w.wrongAnswer(create, w.chance(65))
	f.Times = pick(w.rng, 1, 1, 1, 2, 3)
	w.note("the next %d submissions: %s %s, executed: %t", f.Times, f.Kind, f.Code, f.Executed)
	w.Simulator.Inject(f)
}

// breakCall makes a call fail some times, or until it is mended.
func (w *world) breakCall() {
	name := pick(w.rng, "DescribeCertificateState", "DescribePackageState", "ListUserCertificateOrder",
		"ListUserCertificateOrder", "CancelOrderRequest",
		"DeleteCertificateRequest", "GetUserCertificateDetail", "AddDomainRecord", "DeleteDomainRecord",
		"DescribeSubDomainRecords", "DescribeDomains")
	f := w.wrongAnswer(name, w.chance(50))
	f.Executed = f.Executed || f.Kind == cassim.NoOrderID // these answers have no order id, so that it would be a lie
	f.Times = pick(w.rng, 1, 1, 2, 4, -1)
	if w.chance(10) {
		key := pick(w.rng, w.secrets...).keyID
		w.note("the permission for %s is taken away from %s", name, key)
		w.Simulator.DenyAction(key, name)
		return
	}
	w.note("the next %d calls of %s: %s %s, executed: %t", f.Times, name, f.Kind, f.Code, f.Executed)
	w.Simulator.Inject(f)
}

func (w *world) lift() {
	w.note("all faults are mended, and listings are right")
	w.Simulator.LiftFaults()
	w.Simulator.SteerListing(cassim.Listing{})
}

func (w *world) breakListing() {
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

// isListingWrong says that a listing may lack an order now.
func (w *world) isListingWrong() bool {
	now := w.Simulator.Listing()
	return now.Stale || len(now.Missing) > 0
}

// addForeignOrder lets somebody else buy for one of our names, as long as there is quota.
func (w *world) addForeignOrder() {
	domain, age := pick(w.rng, domains...), pick(w.rng, 0, 0, time.Minute, 10*time.Minute, 5*time.Hour, 100*time.Hour)
	state := pick(w.rng, cassim.StateDomainVerify, cassim.StateDomainVerify, cassim.StateProcess,
		cassim.StateCertificate)
	product := pick(w.rng, gen.Product, gen.Product, otherProduct)
	if w.isExclusive {
		return
	}
	defer func() {
		if refused := recover(); refused != nil {
			w.note("somebody else cannot buy for %s: %v", domain, refused)
		}
	}()
	id := w.Simulator.AddForeignOrder(domain, func(f *cassim.ForeignOrder) {
		f.BoughtAt, f.State, f.Product = w.Clock.Now().Add(-age), state, product
	})
	w.hasOthers = true
	w.note("somebody else has bought %s for %s, %s ago, product %s, state %s", id, domain, age, product, state)
}

// changeQuota exhausts a plan, or buys more for it.
func (w *world) changeQuota() {
	product, more := pick(w.rng, gen.Product, gen.Product, otherProduct), pick(w.rng, 0, 0, 1, 20)
	used := w.Simulator.UsedCount(product)
	w.note("the plan of %s has %d certificates left now", product, more)
	w.Simulator.SetPackage(product, used+more, used)
}

// changeOrder lets the CA, CAS or somebody in the console do something to one of our orders.
func (w *world) changeOrder() {
	var ours []cassim.LedgerEntry
	for _, entry := range w.Simulator.Ledger() {
		isUnfinished := entry.State == cassim.StateDomainVerify || entry.State == cassim.StateProcess
		if _, isVanished := w.forced["vanished "+entry.OrderID]; !entry.Foreign && !entry.Released && isUnfinished &&
			!isVanished {
			ours = append(ours, entry)
		}
	}
	n := w.rng.IntN(1 << 20)
	what := pick(w.rng, "is refused by the CA", "is refused by the CA", "vanishes", "is cancelled in the console",
		"is issued though it is cancelled",
		"has an odd chain", "has an odd chain", "is in a state that nobody knows", "freezes",
		"is issued for other names", "is issued for another key", "is issued")
	odd := pick(w.rng, cassim.ChainEmpty, cassim.ChainPartial, cassim.ChainPartialLeaf, cassim.ChainCrossSigned,
		cassim.ChainOtherBlocks,
		cassim.ChainDuplicates, cassim.ChainWithoutLeaf, cassim.ChainGarbage)
	if len(ours) == 0 {
		return
	}
	id := ours[n%len(ours)].OrderID
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
