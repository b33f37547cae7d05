// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

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
	// A success of other calls than that which makes an order has no id: it would be a lie.
	f.Executed = f.Executed || f.Kind == cassim.NoOrderID && action != create
	f.Action = action
	return f
}

// breakPurchase spoils the answers to what buys.
func (w *world) breakPurchase() {
	f := w.wrongAnswer(pick(w.rng, w.seller().points().buys...), w.chance(65))
	f.Times = pick(w.rng, 1, 1, 1, 2, 3)
	w.note("the next %d calls of %s: %s %s, executed: %t", f.Times, f.Action, f.Kind, f.Code, f.Executed)
	w.Simulator.Inject(f)
}

// breakCall makes a call fail some times, or until it is mended.
func (w *world) breakCall() {
	name := pick(w.rng, append(w.seller().points().breakable,
		"AddDomainRecord", "DeleteDomainRecord", "DescribeSubDomainRecords", "DescribeDomains")...)
	f := w.wrongAnswer(name, w.chance(50))
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

// oddChains are the forms of chains that are seldom.
var oddChains = []cassim.ChainForm{cassim.ChainEmpty, cassim.ChainPartial, cassim.ChainPartialLeaf,
	cassim.ChainCrossSigned, cassim.ChainOtherBlocks, cassim.ChainDuplicates, cassim.ChainWithoutLeaf,
	cassim.ChainGarbage}

// isListingWrong says that a listing may lack an order now.
func (w *world) isListingWrong() bool {
	now := w.Simulator.Listing()
	return now.Stale || len(now.Missing) > 0
}
