// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// word is what an operator has said by annotation, and what the order has not acted on yet. It stays there until then: a
// hiccup in between uses nothing up.
func (run *orderRun) word() string { return run.order.Annotations[v1alpha1.OrderIDAnnotation] }

// namedID is the order that the operator's word names, or empty.
func (run *orderRun) namedID() string {
	if word := run.word(); word != v1alpha1.NoOrder {
		return word
	}
	return ""
}

// obeyed removes the operator's word from the order once the status has recorded it, in the write that acted on it: it
// was said about one doubt, and is none about the next.
func (r *OrderReconciler) obeyed(ctx context.Context, run *orderRun) outcome {
	status, word := &run.order.Status, run.word()
	isRecorded := status.Submission != nil && status.Submission.Word != ""
	switch {
	case word != "" && (isRecorded || status.OrderID != ""):
		if end := r.dropWord(ctx, run); end.kind != outcomeProceed {
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
		return failed(err)
	}
	return proceed()
}

// answer tells the operator what the word has led to.
func (r *OrderReconciler) answer(run *orderRun, word string, isSubmitted bool) {
	status := &run.order.Status
	switch {
	case isSubmitted:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeNormal, "WordTaken", "Decide", "as an operator said, no order at CAS is this one's: it was submitted")
	case status.OrderID == word:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeNormal, "WordTaken", "Decide", "as an operator said, CAS order %s is this one's", word)
	default:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "WordNotNeeded", "Decide",
			"%q was said of this order, whose id at CAS is known meanwhile: it is %s, and the word was removed", bounded(word, 64), status.OrderID)
	}
}

func (r *OrderReconciler) dropWord(ctx context.Context, run *orderRun) outcome {
	next := run.stored.DeepCopy()
	delete(next.Annotations, v1alpha1.OrderIDAnnotation)
	if err := r.Patch(ctx, next, client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return failed(err)
	}
	run.written(next)
	return proceed()
}

// take obeys an operator who has looked in the console, and says so where the word cannot be right.
func (r *OrderReconciler) take(ctx context.Context, run *orderRun, calls *cas.Client, word string) outcome {
	why, err := r.notTaken(ctx, run, calls, word)
	switch {
	case isAPIError(err):
		return failed(err)
	case err != nil:
		return judge(err, run.stateAge())
	case why == "":
		return r.presume(ctx, run, word, v1alpha1.OrderIDByOperator)
	}
	message := fmt.Sprintf("the annotation %s %s. Set it to the id of the order at CAS that was bought for %q, or to %q if there is none: kubectl annotate aliyunorder %s -n %s --overwrite %s=<id or %s>",
		v1alpha1.OrderIDAnnotation, why, run.order.Spec.CommonName, v1alpha1.NoOrder, run.order.Name, run.order.Namespace, v1alpha1.OrderIDAnnotation, v1alpha1.NoOrder)
	if was := meta.FindStatusCondition(run.stored.Status.Conditions, v1alpha1.ConditionReady); was == nil || was.Message != message {
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "WordRefused", "Decide", "%s", bounded(message, 1024))
	}
	return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, message)
}

// notTaken says why an order at CAS cannot be the one that an operator names, or "".
func (r *OrderReconciler) notTaken(ctx context.Context, run *orderRun, calls *cas.Client, word string) (why string, err error) {
	id, isID := cas.ParseOrderID(word)
	if !isID {
		return fmt.Sprintf("is %q, which is no id of an order at CAS", bounded(word, 64)), nil
	}
	if slices.Contains(run.order.Status.ExcludedOrderIDs, word) {
		return fmt.Sprintf("names CAS order %s, which was looked at already and is not this one's: its certificate has another key, or it belongs to another AliyunOrder", id), nil
	}
	others, err := holders(ctx, r.APIReader, run.order, word)
	if err != nil {
		return "", err
	}
	if len(others) > 0 {
		return fmt.Sprintf("names CAS order %s, which %s holds", id, mention(&others[0], run.order)), nil
	}
	described, err := calls.Describe(ctx, id)
	switch {
	case cas.IsNotFound(err):
		return fmt.Sprintf("names CAS order %s, which CAS does not know in this account", id), nil
	case err != nil:
		return "", err
	case described.State == cas.StateCertificate && run.isOthers(described):
		return fmt.Sprintf("names CAS order %s, whose certificate has another key than this request", id), nil
	}
	return "", nil
}
