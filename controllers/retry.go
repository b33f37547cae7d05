// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// retry ends a run with an error of the API server. It takes a conflict for what it is: the cache is behind, or another
// replica was faster. That, and that the object itself is gone, is no error.
func retry(object client.Object, err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: time.Second}, nil
	case isGone(object, err):
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, err
	}
}

// isGone says that the API server does not find the object itself. "Not found" is said of much else: of a kind that is not
// there yet, for one, of which an object was to be made.
func isGone(object client.Object, err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	return ok && apierrors.IsNotFound(err) && status.ErrStatus.Details != nil && status.ErrStatus.Details.Name == object.GetName()
}
