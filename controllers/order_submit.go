// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// intentBound is how long the write of an intent may take. With the deadlines of the call and of the id's write it
// stays within what the process waits for at its end.
const intentBound = 5 * time.Second

// errOtherID says that the order has got an id meanwhile, and that it is another one.
var errOtherID = errors.New("the AliyunOrder has another order id already")

// submit buys, at most once. An id proves that it has; an intent without an id that it may have.
func (r *OrderReconciler) submit(ctx context.Context, run *orderRun) outcome {
	if run.order.Status.OrderID != "" {
		return proceed()
	}
	if id, ok := r.accepted.Load(run.order.UID); ok {
		return r.recordOrderID(ctx, run, id.(cas.OrderID))
	}
	if run.order.Status.Submission != nil {
		return r.unanswered(run)
	}
	if due := r.pace.remaining(run.order.UID, activitySubmit, run.now); due > 0 {
		return rest(due)
	}
	end := r.order(ctx, run)
	if end.after > 0 {
		r.pace.next(run.order.UID, activitySubmit, run.now.Add(end.after))
	}
	return end
}

// unanswered holds an order that may have been bought: a second one would cost money. The call may still be running,
// in this process' predecessor or in a replica that has lost its lease.
func (r *OrderReconciler) unanswered(run *orderRun) outcome {
	started := run.order.Status.Submission.StartedAt
	if left := started.Add(inDoubt).Sub(run.now); left > 0 {
		return rest(left)
	}
	return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order, "its answer is not known"))
}

func ambiguous(order *v1alpha1.AliyunOrder, cause string) string {
	return fmt.Sprintf("CAS was asked at %s for an order for %q, and %s: an order may have been bought. Nothing is bought a second time. "+
		"Look in the console of CAS for an order for this name of that time, cancel and delete it there if there is one, and delete this AliyunOrder: "+
		"the request fails then, and cert-manager makes a new one",
		order.Status.Submission.StartedAt.UTC().Format(time.RFC3339), order.Spec.CommonName, cause)
}

// order prepares everything that can fail for free, and buys then.
func (r *OrderReconciler) order(ctx context.Context, run *orderRun) outcome {
	spec := run.order.Spec
	calls, err := r.Remote.cas(spec.Region, spec.Endpoint, r.Remote.Secrets.Keys(run.secrets(), spec.Credentials))
	if err != nil {
		return stall(0, v1alpha1.ReasonEndpointInvalid, fmt.Sprintf("the endpoint cannot be used: %v", err))
	}
	contact, err := r.Remote.Secrets.Contact(ctx, run.secrets(), run.issuer.GetSpec())
	if err != nil {
		return judge(err, run.stateAge())
	}
	if !r.Fresh.take(run.order.UID, run.now) {
		if end := r.lookForOrders(ctx, run, calls); end.kind != outcomeProceed {
			return end
		}
	}
	return r.buy(ctx, run, calls, contact)
}

// buy writes the intent, calls, and writes what came of it. From the intent on it does not end with ctx: whoever
// stops the process waits for it.
func (r *OrderReconciler) buy(ctx context.Context, run *orderRun, calls *cas.Client, contact cas.Contact) outcome {
	if ctx.Err() != nil || !r.Submissions.begin() {
		return rest(time.Second)
	}
	defer r.Submissions.end()
	ctx = context.WithoutCancel(ctx)
	if err := r.writeIntent(ctx, run); err != nil {
		return failed(err)
	}
	submission := calls.Submit(ctx, r.application(run, contact))
	log.FromContext(ctx).Info("submitted", "commonName", run.order.Spec.CommonName, "productCode", run.order.Spec.Source.ResourcePlan.ProductCode,
		"outcome", submission.Outcome, "orderID", submission.OrderID)
	switch submission.Outcome {
	case cas.Accepted:
		return r.recordOrderID(ctx, run, submission.OrderID)
	case cas.NotBought:
		return r.notBought(ctx, run, submission.Err)
	default:
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission,
			ambiguous(run.order, fmt.Sprintf("the answer does not say what became of it (%v)", submission.Err)))
	}
}

func (r *OrderReconciler) writeIntent(ctx context.Context, run *orderRun) error {
	ctx, cancel := context.WithTimeout(ctx, intentBound)
	defer cancel()
	run.order.Status.Submission = &v1alpha1.OrderSubmission{StartedAt: *run.timestamp(), Attempt: 1}
	if plan := run.issuer.GetStatus().Package; plan != nil {
		run.order.Status.Submission.UsedCount = &plan.Used
	}
	return r.save(ctx, run)
}

func (r *OrderReconciler) application(run *orderRun, contact cas.Contact) cas.Application {
	order, plan := run.order, run.order.Spec.Source.ResourcePlan
	app := cas.Application{
		CSR:          string(order.Spec.Request),
		ProductCode:  plan.ProductCode,
		ValidateType: cas.ValidateDNS,
		Contact:      contact,
		StartedAt:    order.Status.Submission.StartedAt.Time,
	}
	if plan.Tags != v1alpha1.TagsDisabled {
		app.Tags = map[string]string{
			v1alpha1.Group + "/cluster":   r.Cluster,
			v1alpha1.Group + "/namespace": order.Namespace,
			v1alpha1.Group + "/name":      order.Spec.RequestRef.Name,
			v1alpha1.Group + "/uid":       string(order.Spec.RequestRef.UID),
		}
	}
	return app
}

// recordOrderID is what everything else waits for. An id that cannot be written is kept in memory, told, and written
// by the next run.
func (r *OrderReconciler) recordOrderID(ctx context.Context, run *orderRun, id cas.OrderID) outcome {
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		if status.OrderID != "" && status.OrderID != string(id) {
			return errOtherID
		}
		status.OrderID, status.SubmittedAt = string(id), run.timestamp()
		return nil
	})
	if err == nil {
		r.accepted.Delete(run.order.UID)
		return proceed()
	}
	r.accepted.Store(run.order.UID, id)
	log.FromContext(ctx).Error(err, "CAS has accepted an order whose id could not be written", "orderID", id)
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "OrderIDNotWritten", "Submit",
		"CAS has accepted the order %s, and its id could not be written: %v", id, err)
	if errors.Is(err, errOtherID) {
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
			"CAS has accepted two orders for %q: %s and %s. Cancel and delete one of them in the console of CAS", run.order.Spec.CommonName, run.stored.Status.OrderID, id))
	}
	return failed(err)
}

// notBought takes the intent back, which only proof permits.
func (r *OrderReconciler) notBought(ctx context.Context, run *orderRun, cause error) outcome {
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		status.Submission = nil
		return nil
	})
	if err != nil {
		return failed(err)
	}
	if cas.KindOf(cause) == cas.KindInvalid {
		_, message := explain(cause)
		return fail(v1alpha1.ReasonRejected, message)
	}
	return judge(cause, run.stateAge())
}

// maxPages ends a listing that does not end by itself.
const maxPages = 100

// boughtSkew is how much earlier than the request an order may seem to have been bought, by another clock.
const boughtSkew = 5 * time.Minute

// lookForOrders makes sure that nobody has submitted this request before: the record of it may be lost with a
// restored store, or with an AliyunOrder that was removed by force.
func (r *OrderReconciler) lookForOrders(ctx context.Context, run *orderRun, calls *cas.Client) outcome {
	held, err := r.heldOrderIDs(ctx, run.order)
	if err != nil {
		return failed(err)
	}
	name := baseName(run.order.Spec.CommonName)
	since := run.request.CreationTimestamp.Add(-boughtSkew)
	var found []string
	seen := 0
	for page := 1; page <= maxPages; page++ {
		listing, err := calls.List(ctx, cas.ListQuery{Keyword: name, Page: page})
		if err != nil {
			return judge(err, run.stateAge())
		}
		for _, item := range listing.Items {
			isOld := !item.BoughtAt.IsZero() && item.BoughtAt.Before(since)
			if !isOld && !held[string(item.OrderID)] && namesBase(item.Domain, name) {
				found = append(found, string(item.OrderID))
			}
		}
		if seen += len(listing.Items); len(listing.Items) == 0 || seen >= listing.Total {
			break
		}
	}
	if len(found) > 0 {
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
			"CAS has orders for %q that are not older than this request, and that no AliyunOrder holds: %s. One of them may have been bought for it. "+
				"Nothing is bought until they are cancelled and deleted in the console of CAS", run.order.Spec.CommonName, strings.Join(found, ", ")))
	}
	return proceed()
}

// heldOrderIDs are the ids of all other Orders, read past the cache.
func (r *OrderReconciler) heldOrderIDs(ctx context.Context, except *v1alpha1.AliyunOrder) (map[string]bool, error) {
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.APIReader.List(ctx, orders); err != nil {
		return nil, err
	}
	held := map[string]bool{}
	for _, order := range orders.Items {
		if order.Status.OrderID != "" && order.UID != except.UID {
			held[order.Status.OrderID] = true
		}
	}
	return held, nil
}

// baseName is a name without what brands add to it, or take for the same.
func baseName(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(name), "*."), "www.")
}

func namesBase(domains, base string) bool {
	for domain := range strings.SplitSeq(domains, ",") {
		if baseName(strings.TrimSpace(domain)) == base {
			return true
		}
	}
	return false
}
