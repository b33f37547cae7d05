// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// hearing acts on what operators say of an order.
type hearing struct {
	*kube
	*holding
}

// Returns what an operator has said by annotation. The annotation stays until the order has acted on it, so that a
// failure in between loses nothing.
func (run *orderRun) word() string { return run.order.Annotations[v1alpha1.OrderIDAnnotation] }

// Returns the id that the operator's word names, or empty.
func (run *orderRun) namedID() string {
	if word := run.word(); word != v1alpha1.NoOrder {
		return word
	}
	return ""
}

// Removes the operator's word once the status says that it was acted on, as the write that acts on it records. The word
// was about one doubt, and says nothing about the next.
func (r *hearing) obeyed(ctx context.Context, run *orderRun) outcome {
	status, word := &run.order.Status, run.word()
	isRecorded := status.Submission != nil && status.Submission.Word != ""
	switch {
	case word != "" && (isRecorded || status.OrderID != ""):
		if end := r.dropWord(ctx, run); end.endsRun() {
			return end
		}
		r.answer(run, word, isRecorded)
	case !isRecorded:
		return proceed()
	}
	if status.Submission != nil {
		status.Submission.Word = ""
	}
	if err := r.save(ctx, run); err != nil {
		return apiError(err)
	}
	return proceed()
}

// answer tells the operator what the word has led to.
func (r *hearing) answer(run *orderRun, word string, isSubmitted bool) {
	status := &run.order.Status
	switch {
	case isSubmitted:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeNormal, "WordTaken", "Decide", "as an operator said, no "+
			"order at CAS is this one's: it was submitted")
	case status.OrderID == word:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeNormal, "WordTaken", "Decide", "as an operator said, CAS "+
			"order %s is this one's", word)
	default:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "WordNotNeeded", "Decide",
			"%q was said of this order, whose id at CAS is known meanwhile: it is %s, and the word was removed",
			apiserver.Bounded(word, 64), status.OrderID)
	}
}

func (r *hearing) dropWord(ctx context.Context, run *orderRun) outcome {
	next := run.stored.DeepCopy()
	delete(next.Annotations, v1alpha1.OrderIDAnnotation)
	if err := r.Patch(
		ctx, next, client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return apiError(err)
	}
	run.written(next)
	return proceed()
}

// Takes over the id that an operator has found in the console. If the word cannot be right, says why and holds the
// order.
func (r *hearing) take(ctx context.Context, run *orderRun, session source.Session, word string) outcome {
	why, err := r.notTaken(ctx, run, session, word)
	switch {
	case apiserver.IsError(err):
		return apiError(err)
	case err != nil:
		return judge(err, run.stateAge())
	case why == "":
		return r.presume(ctx, run, word, v1alpha1.OrderIDByOperator)
	}
	message := fmt.Sprintf("the annotation %s %s. Set it to the id of the order at CAS that was bought for %q, or "+
		"to %q if there is none: %s",
		v1alpha1.OrderIDAnnotation, why, run.order.Spec.CommonName, v1alpha1.NoOrder, orders.HowToSay(run.order))
	if was := meta.FindStatusCondition(run.stored.Status.Conditions, v1alpha1.ConditionReady); was == nil ||
		was.Message != message {
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "WordRefused", "Decide", "%s",
			apiserver.Bounded(message, 1024))
	}
	return hold(holdLongest, v1alpha1.ReasonAmbiguousSubmission, message)
}

// notTaken says why an order at CAS cannot be the one that an operator names, or "".
func (r *hearing) notTaken(ctx context.Context, run *orderRun, session source.Session,
	word string) (why string, err error) {
	if !run.offer.IsOrderID(word) {
		return fmt.Sprintf("is %q, which is no id of an order at CAS", apiserver.Bounded(word, 64)), nil
	}
	if slices.Contains(run.order.Status.ExcludedOrderIDs, word) {
		return fmt.Sprintf("names CAS order %s, which was looked at already and is not this one's: its certificate "+
			"has another key, or it belongs to another AliyunOrder", word), nil
	}
	others, err := book.Holders(ctx, r.APIReader, run.order, word)
	if err != nil {
		return "", err
	}
	if len(others) > 0 {
		return fmt.Sprintf("names CAS order %s, which %s holds", word, book.Mention(&others[0], run.order)), nil
	}
	seen, err := session.Observe(ctx, word)
	switch {
	case err != nil:
		return "", err
	case seen.IsMissing:
		return fmt.Sprintf("names CAS order %s, which CAS does not know in this account", word), nil
	case seen.Phase != v1alpha1.PhaseIssued:
		return "", nil
	}
	bundle, err := session.Chain(ctx, seen)
	if err != nil {
		return "", err
	}
	if _, err := chain.For(run.order.Spec.Request, bundle); errors.Is(err, chain.ErrOtherKey) {
		return fmt.Sprintf("names CAS order %s, whose certificate has another key than this request", word), nil
	}
	return "", nil
}
