// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiwait "k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
)

// errOrderGone says that the AliyunOrder does not exist any more, or that another one has its name.
var errOrderGone = errors.New("the AliyunOrder is gone")

// kube reads Orders and what surrounds them, and writes Orders.
type kube struct {
	client.Client
	// APIReader reads past the cache, where a stale answer could cost an order.
	APIReader client.Reader
	Recorder  events.EventRecorder
}

// save writes the status, if it differs from what the API server has, under the resourceVersion of the run's last read
// or write. Pointers into run.order stay good.
func (r *kube) save(ctx context.Context, run *orderRun) error {
	next := run.order.DeepCopy()
	if !statusChanged(run.stored, next) {
		return nil
	}
	patch := client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})
	if err := r.Status().Patch(ctx, next, patch); err != nil {
		return err
	}
	run.written(next)
	return nil
}

// Takes over what the API server has answered to a write. Leaves the status of run.order as it is: that has what was
// written, and what is not saved yet.
func (run *orderRun) written(next *v1alpha1.AliyunOrder) {
	run.stored = next
	next.ObjectMeta.DeepCopyInto(&run.order.ObjectMeta)
}

// recordBound is how long a fact that must not be lost is offered to the API server.
const recordBound = 15 * time.Second

// Writes a fact that must not be lost, and with it all that the run has found out and not saved. Goes on after the end
// of ctx. After a conflict, makes the same changes to a fresh copy. If change returns an error, because the copy
// contradicts the fact, writes nothing.
func (r *kube) record(ctx context.Context, run *orderRun, change func(*v1alpha1.OrderStatus) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordBound)
	defer cancel()
	var last error
	err := apiwait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		found := run.order.Status.DeepCopy()
		if err := change(&run.order.Status); err != nil {
			return false, err
		}
		if last = r.save(ctx, run); last == nil {
			return true, nil
		}
		takeOver(&run.order.Status, found)
		if apierrors.IsInvalid(last) {
			return false, last
		}
		return false, r.rebase(ctx, run)
	})
	if apiwait.Interrupted(err) && last != nil {
		return last
	}
	return err
}

// Makes the run's unsaved changes to a fresh copy of the order. Changes nothing if the API server does not answer.
func (r *kube) rebase(ctx context.Context, run *orderRun) error {
	fresh := &v1alpha1.AliyunOrder{}
	switch err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(run.stored), fresh); {
	case apierrors.IsNotFound(err), err == nil && fresh.UID != run.stored.UID:
		return errOrderGone
	case err != nil:
		return nil //nolint:nilerr // it is asked again
	}
	merged, err := mergeStatus(&run.stored.Status, &run.order.Status, &fresh.Status)
	if err != nil {
		return err
	}
	takeOver(&run.order.Status, merged)
	run.isOvertaken = true
	run.written(fresh)
	return nil
}

// tellRefusal reduces a status that the API server refuses to what can be written: that it was refused, beside what was
// there before. What the run has found out is found out again by the next one.
func (r *Reconciler) tellRefusal(ctx context.Context, run *orderRun, cause error) (ctrl.Result, error) {
	log.FromContext(ctx).Error(cause, "the API server refuses what was to be written about an order")
	takeOver(&run.order.Status, run.stored.Status.DeepCopy())
	before := run.stored
	end := hold(holdDelay(run.stateAge()), v1alpha1.ReasonStatusRefused, fmt.Sprintf(
		"the API server refuses what was to be written about this order (%s). Bring the CustomResourceDefinitions "+
			"to the version of the controller: helm upgrade does. Nothing is lost meanwhile",
		apiserver.Bounded(cause.Error(), 800)))
	if status := &run.order.Status; status.State != v1alpha1.OrderStateHeld {
		status.State, status.StateSince = v1alpha1.OrderStateHeld, run.timestamp()
	}
	run.condition(v1alpha1.ConditionReady, metav1.ConditionFalse, end.reason, end.message)
	if err := r.save(ctx, run); err != nil {
		return apiserver.Retry(ctx, run.order, err)
	}
	r.tell(before, run.order)
	return ctrl.Result{RequeueAfter: end.after}, nil
}

// Returns theirs with what ours has changed since base. A list is one value, but not that of the validations: each of
// those is merged by itself, since somebody else may have written who removes its record.
func mergeStatus(base, ours, theirs *v1alpha1.OrderStatus) (*v1alpha1.OrderStatus, error) {
	merged, err := threeWay(base, ours, theirs)
	if err != nil {
		return nil, err
	}
	for i, own := range merged.Validations {
		isSame := func(v v1alpha1.OrderValidation) bool { return isSameProof(v, own) }
		was, is := slices.IndexFunc(base.Validations, isSame), slices.IndexFunc(theirs.Validations, isSame)
		mine := slices.IndexFunc(ours.Validations, isSame)
		if was < 0 || is < 0 || mine < 0 {
			continue
		}
		one, err := threeWay(&base.Validations[was], &ours.Validations[mine], &theirs.Validations[is])
		if err != nil {
			return nil, err
		}
		merged.Validations[i] = *one
	}
	return merged, nil
}

// Returns theirs with what ours has changed since base, member by member.
func threeWay[T any](base, ours, theirs *T) (*T, error) {
	texts := make([][]byte, 0, 3)
	for _, version := range []*T{base, ours, theirs} {
		text, err := json.Marshal(version)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	changes, err := jsonpatch.CreateMergePatch(texts[0], texts[1])
	if err != nil {
		return nil, err
	}
	text, err := jsonpatch.MergePatch(texts[2], changes)
	if err != nil {
		return nil, err
	}
	merged := new(T)
	return merged, json.Unmarshal(text, merged)
}

// Sets a status to another one. Its members keep their addresses, so that whoever holds a pointer to one of them sees
// the new values. The validations do not: whoever works on one of them stops after a conflict.
func takeOver(into, from *v1alpha1.OrderStatus) {
	submission, release := into.Submission, into.Release
	*into = *from
	inPlace(&into.Submission, submission)
	inPlace(&into.Release, release)
}

func inPlace[T any](member **T, was *T) {
	if *member != nil && was != nil {
		*was = **member
		*member = was
	}
}
