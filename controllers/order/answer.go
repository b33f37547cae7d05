// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// errOtherID says that the order has got an id meanwhile, and that it is another one.
var errOtherID = errors.New("the AliyunOrder has another order id already")

// errOtherIntent says that somebody has gone on with the order meanwhile.
var errOtherIntent = errors.New("the AliyunOrder has another intent, or an order id, already")

// intending writes intents, and what came of them.
type intending struct {
	*kube
	*ledger
	*holding

	// unsent holds, by the UID of an Order, an intent that may be written although no call followed; accepted holds an
	// id that CAS gave, and that the API server has not taken yet.
	unsent, accepted *sync.Map
}

// Writes the id of an accepted order, before anything else is done. An id that cannot be written is kept in memory and
// told, and the next run writes it (wrapUp).
func (r *intending) recordOrderID(ctx context.Context, run *orderRun, id string) outcome {
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		if status.OrderID != "" && status.OrderID != id {
			return errOtherID
		}
		status.OrderID, status.OrderIDBasis, status.SubmittedAt = id, v1alpha1.OrderIDByAnswer, run.timestamp()
		return nil
	})
	if errors.Is(err, errOrderGone) {
		err = r.recordForHeir(ctx, run, id)
	}
	if err == nil {
		r.accepted.Delete(run.order.UID)
		return proceed()
	}
	if !errors.Is(err, errOrderGone) {
		r.accepted.Store(run.order.UID, id)
	}
	log.FromContext(ctx).Error(err, "CAS has accepted an order whose id could not be written", "orderID", id)
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "OrderIDNotWritten", "Submit",
		"CAS has accepted the order %s, and its id could not be written: %v", id, err)
	if errors.Is(err, errOtherID) {
		return r.otherID(ctx, run, id)
	}
	return apiError(err)
}

// Goes on after CAS has answered with one id, and another one stands on the Order by now. An id that was only presumed
// gives way. If both are answers of CAS, two orders were bought: an event asks a person to give the second one back.
func (r *intending) otherID(ctx context.Context, run *orderRun, id string) outcome {
	status := run.order.Status
	if status.IsPresumed() {
		return r.disprove(ctx, run, overruled(status.OrderID, id))
	}
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "OrderedTwice", "Submit",
		"CAS has accepted two orders for %q: this AliyunOrder goes on with %s. Cancel and delete %s in the "+
			"console of CAS", run.order.Spec.CommonName, status.OrderID, id)
	r.accepted.Delete(run.order.UID)
	return proceed()
}

func overruled(presumed, answered string) string {
	return fmt.Sprintf("CAS order %s was presumed to be this one's, and CAS has answered that it is %s: the former "+
		"is left alone", presumed, answered)
}

// Takes the intent back, which only a proof that nothing was bought permits, and says how the order goes on.
func (r *buying) notBought(ctx context.Context, run *orderRun, bought source.Purchase) outcome {
	// A copy: the Order's own intent may become another one while this one is taken back.
	if err := r.withdrawIntent(ctx, run, *run.order.Status.Submission); err != nil {
		return apiError(err)
	}
	reason, message := verdict.Explain(bought.Err)
	switch bought.Refusal {
	case source.Exhausted:
		return hold(r.spent.noteTry(run.supply(), true, run.now), reason, message)
	case source.Malformed:
		return giveUp(v1alpha1.ReasonRejected, message)
	default:
		return judge(bought.Err, run.stateAge())
	}
}
