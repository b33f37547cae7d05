// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const (
	// refusalHolds is for how long a refusal is believed without being met with again. That is longer than an order
	// waits between two tries, so that what is still refused is never forgotten between them.
	refusalHolds = 2 * holdLongest
	// addRecord is the action that was refused to an order which has claimed its record.
	addRecord = "alidns:AddDomainRecord"
)

// zoneRefusals remembers which zones refuse records to which credentials. RAM permits by zone, so the next order for
// such a zone would be paid for, and would wait as the first one does. The order that was refused goes on trying, and
// ends the refusal when it gets through; if that order is gone, one other tries for all. Nothing here has to survive a
// restart (recallRefusal). It is safe for concurrent use.
type zoneRefusals struct {
	mutex sync.Mutex
	// known is what is refused, by zone and credentials.
	known map[string]*zoneRefusal
	// waiting is the key of the refusal that holds an order, so that the order can look again without a call.
	waiting map[types.UID]string
}

type zoneRefusal struct {
	zone, action string
	until        time.Time
	// by are the orders that were refused.
	by map[types.UID]struct{}
}

// Notes that an order was refused an action in a zone.
func (z *zoneRefusals) refused(key, zone, action string, order types.UID, now time.Time) {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	z.sweep(now)
	if z.known == nil {
		z.known, z.waiting = map[string]*zoneRefusal{}, map[types.UID]string{}
	}
	at := z.known[key]
	if at == nil {
		at = &zoneRefusal{by: map[types.UID]struct{}{}}
		z.known[key] = at
	}
	at.zone, at.action, at.until = zone, action, now.Add(refusalHolds)
	at.by[order] = struct{}{}
}

// Ends a refusal, because an order could add a record.
func (z *zoneRefusals) published(key string) {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	delete(z.known, key)
}

// Holds an order before it is paid for, if its zone refuses records. If nobody was refused for refusalHolds, lets this
// order pass, and holds the others until its fate is known.
func (z *zoneRefusals) holds(key string, order types.UID, now time.Time) outcome {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	at := z.known[key]
	switch {
	case at == nil:
		delete(z.waiting, order)
		return proceed()
	case !now.Before(at.until):
		at.until = now.Add(refusalHolds)
		delete(z.waiting, order)
		return proceed()
	}
	z.waiting[order] = key
	return at.hold()
}

// Holds an order that holds has held before, without a call. Proceeds once nothing holds the order any more: then it
// looks for itself.
func (z *zoneRefusals) stillHolds(run *orderRun) outcome {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	at := z.known[z.waiting[run.order.UID]]
	if at == nil || !run.now.Before(at.until) {
		return proceed()
	}
	return at.hold()
}

// hold names neither the order that was refused nor its record: they may be another tenant's.
func (at *zoneRefusal) hold() outcome {
	return hold(jitter(holdFirst), v1alpha1.ReasonZoneRefused, fmt.Sprintf(
		"nothing is ordered yet: Alibaba Cloud DNS refuses %s in the zone %q to the credentials of the solver, as "+
			"another order has met with, which is paid for and waits: allow %s for this zone to the RAM user or role "+
			"in a RAM policy. That order tries it every few minutes, and this one is ordered within a minute after it "+
			"has got through",
		at.action, at.zone, at.action))
}

// Forgets an order. If it was the last one that tried what was refused, the next order that asks tries it.
func (z *zoneRefusals) forget(order types.UID, now time.Time) {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	delete(z.waiting, order)
	for _, at := range z.known {
		if _, hasMet := at.by[order]; !hasMet {
			continue
		}
		if delete(at.by, order); len(at.by) == 0 {
			at.until = now
		}
	}
	z.sweep(now)
}

// Forgets a refusal that ran out, if nobody has asked about it for as long again.
func (z *zoneRefusals) sweep(now time.Time) {
	for key, at := range z.known {
		if now.Sub(at.until) > refusalHolds {
			delete(z.known, key)
		}
	}
}

// mayPublish holds an order for a zone that refuses records to the credentials of the solver.
func (r *prechecking) mayPublish(ctx context.Context, run *orderRun, use access.Use, zone string) outcome {
	key := zoneKey(r.Remote, use, zone)
	if key == "" {
		return proceed()
	}
	if err := r.recallRefusal(ctx, key, zone, run.now); err != nil {
		return apiError(err)
	}
	return r.zones.holds(key, run.order.UID, run.now)
}

// Looks in the status of Orders for a refusal that was met with before this process began, and whose Order has not got
// through since.
func (r *prechecking) recallRefusal(ctx context.Context, key, zone string, now time.Time) error {
	if r.zones.knows(key) {
		return nil
	}
	list := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, list, client.MatchingFields{book.IndexZone: zone}, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for i := range list.Items {
		order := &list.Items[i]
		isMet := func(v v1alpha1.OrderValidation) bool {
			use := access.Use{Solver: orders.SolverOf(order, &v), Reach: access.OfOrder(order)}
			return v.PresentedAt == nil && v.Zone == zone && zoneKey(r.Remote, use, zone) == key
		}
		if orders.IsRefused(order) && slices.ContainsFunc(order.Status.Validations, isMet) {
			r.zones.refused(key, zone, addRecord, order.UID, now)
			return nil
		}
	}
	return nil
}

// Returns the zones in which an order has something to publish, and has not done so yet.
func unpublished(order *v1alpha1.AliyunOrder) (zones []string) {
	for _, validation := range order.Status.Validations {
		if validation.PresentedAt == nil && validation.Zone != "" {
			zones = append(zones, validation.Zone)
		}
	}
	return zones
}

func (z *zoneRefusals) knows(key string) bool {
	z.mutex.Lock()
	defer z.mutex.Unlock()
	return z.known[key] != nil
}

// Notes whether a zone has let an order add its record. A record that was there already says nothing about that.
func (r *prechecking) learnOfZone(run *orderRun, use access.Use, record dcv.Record, idBefore string, err error) {
	if refusal, isZones := errors.AsType[*dcv.ZoneError](err); isZones && rpc.IsPermission(err) {
		call, _ := errors.AsType[*rpc.Error](err)
		if key := zoneKey(r.Remote, use, refusal.Zone); key != "" {
			r.zones.refused(key, refusal.Zone, call.DeniedAction, run.order.UID, run.now)
		}
	}
	if isNew := !record.Foreign && record.ProviderID != "" && record.ProviderID != idBefore; err == nil && isNew {
		r.zones.published(zoneKey(r.Remote, use, record.Zone))
	}
}

// Returns the same for all orders that sign in alike to have a record put into the zone, or empty if the solver is not
// alidns: RAM has no say in the others.
func zoneKey(r *access.Remote, use access.Use, zone string) string {
	if use.DNS == nil || use.DNS.Alidns == nil {
		return ""
	}
	endpoint := use.DNS.Alidns.Endpoint
	login, err := r.Login(use.As(use.DNS.Alidns.Credentials), endpoint)
	if err != nil {
		return ""
	}
	// none of these has a member that JSON cannot hold
	text, _ := json.Marshal([]any{login, access.Endpoint("", endpoint), dcv.CanonicalName(zone)})
	return string(text)
}
