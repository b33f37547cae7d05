// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package crash takes lives of orders apart: whatever is lost, wherever, nothing is bought twice, nothing is left
// behind, and every request comes to its end.
package crash

import (
	"fmt"
	"maps"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/provider"
)

// life is a way of an order that is walked again and again, with one interruption each time.
type life struct {
	// at is where the domain is validated; the default is Alibaba Cloud DNS.
	at func(*testing.T, *cassim.Options) place
	// from is who sells; the default is a plan.
	from    func() source
	options cassim.Options
	issuer  func(*v1alpha1.AliyunIssuer)
	// prepare comes before what can be interrupted.
	prepare func(*env.Env)
	// user does what a person or Kubernetes does on the way, as soon as it can. It is called after each step.
	user func(*env.Env, source)
	// isOver says that the life has come to its right end.
	isOver func(*env.Env) bool
	// billed is how many orders are paid for and kept at the end.
	billed int
	// isReported says that the order could not be given back, and that a person is told so.
	isReported bool
	// isStale lets the cache of the reconcilers lag behind. isFreshOnly leaves that to those who ask for all: a cache
	// lags alike whoever sells.
	isStale, isFreshOnly bool
}

// lives are those that differ in what they write and call.
func lives(webhook *provider.Provider) map[string]life {
	all := withSolvers(webhook)
	maps.Copy(all, with(ofPlan))
	for name, l := range with(ofInstances) {
		l.isFreshOnly = name != "an answer that was lost"
		all[name+", with instances"] = l
	}
	for _, isExecuted := range []bool{true, false} {
		all[fmt.Sprintf("a write on an instance with a lost answer, executed %t", isExecuted)] = life{
			from: ofInstances, prepare: lost("UpdateInstance", isExecuted), user: operate, isOver: isIssued, billed: 1}
	}
	return all
}

// with are the lives that are the same whoever sells. Those that tell what a solver does are in withSolvers.
func with(from func() source) map[string]life {
	buys, never := from().Buys(), cassim.Options{CADelay: 1000 * time.Hour}
	presumed := life{prepare: lost(buys, true), options: never, user: remove, isOver: isGone}
	if !from().isSure() {
		presumed.billed, presumed.isReported = 1, true
	}
	doubtful := life{prepare: lost(buys, true), issuer: exclusive, options: never, user: removeInDoubt, isOver: isGone}
	doubtful.options.ListDelay = 3 * time.Minute
	// An application that shows at once is asked for when an order of a plan is: no look is due at the end of the hour.
	unseen := life{prepare: order, issuer: late, isOver: isFailed}
	unseen.options.Knobs.PendingDelay = "0s"
	all := map[string]life{
		"an order with dns.alidns":   {prepare: order, isOver: isIssued, billed: 1},
		"an answer that was lost":    {prepare: lost(buys, true), user: operate, isOver: isIssued, billed: 1},
		"an order that was not made": {prepare: lost(buys, false), user: operate, isOver: isIssued, billed: 1},
		"a request that is deleted": {prepare: order, issuer: exclusive, options: never, user: remove,
			isOver: isGone},
		"an order that the CA refuses": {prepare: order, issuer: exclusive, options: never, user: refuse,
			isOver: isFailed},
		"a domain that nobody validates": unseen,
		"an Order that is deleted": {prepare: order, issuer: exclusive, options: never, user: removeOrder,
			isOver: isFailed},
		"a presumed order that is deleted":      presumed,
		"a submission in doubt that is deleted": doubtful,
		"a finished request that is made again": {prepare: prune, isOver: isIssued, billed: 1},
		"a Certificate that is edited": {prepare: edit, options: cassim.Options{CADelay: betweenPolls},
			isOver: isIssued, billed: 1},
	}
	for name, l := range all {
		l.from = from
		all[name] = l
	}
	return all
}

// withSolvers are those in which a domain is validated in another place, and in which an order that is withdrawn has
// something there.
func withSolvers(webhook *provider.Provider) map[string]life {
	all := map[string]life{"an order with dns.manual": {at: byHand, prepare: order, isOver: isIssued, billed: 1}}
	for name, at := range map[string]func(*testing.T, *cassim.Options) place{
		"dns.rfc2136": byUpdates, "dns.dnsEndpoint": byExternalDNS, "dns.webhook": by(webhook), "file.ingress": byFiles,
	} {
		all["an order with "+name] = life{at: at, prepare: order, isOver: isIssued, billed: 1}
		all["a request with "+name+" that is deleted"] = life{
			at: at, prepare: order, issuer: exclusive, options: cassim.Options{CADelay: 1000 * time.Hour}, user: remove,
			isOver: isGone,
		}
	}
	// Only instances prove several names, each by a file of its own.
	all["an order with file.ingress, with two names of an instance"] = life{
		at: byFiles, from: ofInstances, prepare: orderTwo, isOver: isIssued, billed: 1, isFreshOnly: true}
	all["a request with file.ingress that is deleted, with two names of an instance"] = life{
		at: byFiles, from: ofInstances, prepare: orderTwo, options: cassim.Options{CADelay: 1000 * time.Hour},
		user: removePublished, isOver: isGone, isFreshOnly: true}
	return all
}

// betweenPolls is a time at which no poll can be due, whatever its jitter: CAS is asked 20 to 26 seconds after the
// state began, and 40 to 58 seconds after. At the time of a poll, one walk of a life would pass a point more than the
// next.
const betweenPolls = 33 * time.Second

func exclusive(i *v1alpha1.AliyunIssuer) { i.Spec.Account = v1alpha1.AccountExclusive }

// late lets a person publish the record, and gives up on that after an hour.
func late(i *v1alpha1.AliyunIssuer) {
	gen.Manual(i)
	exclusive(i)
	if i.Spec.Orders == nil {
		i.Spec.Orders = &v1alpha1.OrderPolicy{}
	}
	i.Spec.Orders.Timeout = &metav1.Duration{Duration: time.Hour}
}

// lost is an order in which the answer to the next call of an action is lost.
func lost(action string, isExecuted bool) func(*env.Env) {
	return func(e *env.Env) {
		order(e)
		e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.DropReply, Executed: isExecuted})
	}
}
