// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/budget"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// reuseAgain is how long an order that is held does not look again: its waiting makes no certificate at CAS.
const reuseAgain = budget.Day

// Delivers a certificate again that was paid for and that fits the request, instead of ordering one: people, and what
// keeps clusters tidy, delete requests that are finished, and cert-manager makes them again with the same key. Comes
// before everything that bounds spending, since it spends nothing.
func (r *buying) reuse(ctx context.Context, run *orderRun) outcome {
	policy, uid := run.issuer.GetSpec().Orders, run.order.UID
	isOff := policy != nil && policy.Reuse == v1alpha1.ReuseDisabled
	if isOff || run.word() != "" || r.pace.remaining(uid, activityReuse, run.now) > 0 {
		return proceed()
	}
	own, err := r.ownCertificates(ctx, run)
	if err != nil {
		return apiError(err)
	}
	if len(own) == 0 && !mayHaveYoung(run) {
		return proceed()
	}
	session, err := r.open(run)
	if err != nil {
		return judge(err, run.stateAge())
	}
	found, err := session.Earlier(ctx, own)
	if err != nil {
		return judge(err, run.stateAge())
	}
	if found == nil {
		r.pace.next(uid, activityReuse, run.now.Add(reuseAgain))
		return proceed()
	}
	switch isLoop, err := r.countReuse(ctx, run); {
	case err != nil:
		return apiError(err)
	case isLoop:
		return proceed() // checkBudget holds it
	}
	run.order.Status.ReusedOrderID = found.ID
	run.keep(found.Stored)
	run.take(found.Certificates)
	return wait(soon)
}

// Says whether a search may find a certificate for the names that can be delivered again: the issuer's record knows a
// young one, or knows nothing of the names, since the record goes with the issuer. So the first order for some names
// costs a search, and a renewal in time costs none.
func mayHaveYoung(run *orderRun) bool {
	set := budget.NameSetOf(run.issuer.GetStatus().Spending, budget.NamesHash(run.order.Spec.DNSNames))
	return set.NotAfter == nil || chain.IsYoung(set.NotBefore.Time, set.NotAfter.Time, run.now)
}

// Returns the CAS orders with a certificate for the same name and key: those of other Orders, and the last one in the
// issuer's record, whose Order may be gone. Each comes with its product: whoever has changed the product wants another
// certificate.
func (r *buying) ownCertificates(ctx context.Context, run *orderRun) ([]source.Known, error) {
	others, err := r.withSameKey(ctx, run.order)
	if err != nil {
		return nil, err
	}
	var own []source.Known
	if last := lastSeen(run, run.issuer); hasKeyOf(run, last) && mayHaveYoung(run) {
		own = append(own, source.Known{ID: last.OrderID, Product: last.Product})
	}
	for i := range others {
		if other := &others[i]; len(other.Status.Certificate) > 0 && other.Status.OrderID != "" {
			own = append(own, source.Known{ID: other.Status.OrderID,
				Product: r.Sources.Offer(other.Spec.Source).Product()})
		}
	}
	return own, nil
}

// countReuse counts a certificate that is delivered again in the record of the issuer.
func (r *ledger) countReuse(ctx context.Context, run *orderRun) (isLoop bool, err error) {
	err = r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) {
		isLoop = budget.CountReuse(issuer, demandOf(run), run.now)
	})
	return isLoop, err
}
