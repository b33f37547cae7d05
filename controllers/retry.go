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

// isGone says that the API server does not find the object itself. "Not found" is said of much else: of a namespace that
// is gone, and of a kind that is not there yet, which an object was to be made of and soon can be.
func isGone(object client.Object, err error) bool {
	status, ok := errors.AsType[apierrors.APIStatus](err)
	if !ok || !apierrors.IsNotFound(err) {
		return false
	}
	of, about := object.GetObjectKind().GroupVersionKind(), status.Status().Details
	return about != nil && about.Name == object.GetName() && about.Group == of.Group
}
