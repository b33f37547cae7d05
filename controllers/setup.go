// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/order"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/requests"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// SetupIndexes makes the manager's cache find requests and orders by their issuer. It is called once, before any
// SetupWithManager.
func SetupIndexes(ctx context.Context, mgr ctrl.Manager, sources source.Registry) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &cmapi.CertificateRequest{}, issuers.Index,
		func(o client.Object) []string {
			request := o.(*cmapi.CertificateRequest)
			if request.Spec.IssuerRef.Group != v1alpha1.Group || requests.IsFinished(request) {
				return nil
			}
			return []string{issuers.IndexValue(request.Namespace, requests.IssuerReference(request))}
		})
	if err != nil {
		return err
	}
	for field, index := range order.AllIndexes(sources) {
		if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.AliyunOrder{}, field, index); err != nil {
			return err
		}
	}
	return nil
}
