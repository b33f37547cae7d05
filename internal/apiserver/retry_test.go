// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestOnlyWhatIsAboutTheObjectItselfMeansThatItIsGone(t *testing.T) {
	request := &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "www"}}
	requests := schema.GroupResource{Group: "cert-manager.io", Resource: "certificaterequests"}
	orders := schema.GroupResource{Group: "certmanager.aliyun.com", Resource: "aliyunorders"}
	for name, test := range map[string]struct {
		err            error
		isError, again bool
	}{
		"the object":          {apierrors.NewNotFound(requests, "www"), false, false},
		"the object, wrapped": {fmt.Errorf("save: %w", apierrors.NewNotFound(requests, "www")), false, false},
		"another object":      {apierrors.NewNotFound(requests, "other"), true, false},
		"the namespace": {apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "team"), true,
			false},
		"a kind": {apierrors.NewGenericServerResponse(http.StatusNotFound, "POST", orders, "",
			"404 page not found", 0, true), true, false},
		"a conflict":    {apierrors.NewConflict(requests, "www", errors.New("changed")), false, true},
		"anything else": {errors.New("connection refused"), true, false},
	} {
		result, err := Retry(t.Context(), request, test.err)
		if (err != nil) != test.isError || (result.RequeueAfter > 0) != test.again {
			t.Errorf("%s: got %+v, %v", name, result, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if result, err := Retry(ended, request, context.Canceled); err != nil || result.RequeueAfter > 0 {
		t.Errorf("where the process ends: got %+v, %v", result, err)
	}
}
