// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Retry ends a run with an error of the API server. After a conflict it repeats the run in a second: the cache is
// behind, or another replica was faster. It returns no error after a conflict, if the object itself is gone, or if the
// process is to end: the next process begins anew.
func Retry(ctx context.Context, object client.Object, err error) (ctrl.Result, error) {
	switch {
	case ctx.Err() != nil:
		return ctrl.Result{}, nil //nolint:nilerr // the process ends
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: time.Second}, nil
	case isGone(object, err):
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, err
	}
}

// Says whether the API server does not find the object itself. It says "not found" of other things, too: for example of
// a kind that is not installed yet, when an object of that kind was to be made.
func isGone(object client.Object, err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	return ok && apierrors.IsNotFound(err) && status.ErrStatus.Details != nil &&
		status.ErrStatus.Details.Name == object.GetName()
}

// IsError says whether err is an answer of the API server.
func IsError(err error) bool { return apierrors.ReasonForError(err) != metav1.StatusReasonUnknown }
