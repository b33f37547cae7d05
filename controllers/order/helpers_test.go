// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source/plan"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// plans is the one source that the tests of this package buy from.
func plans(remote *access.Remote, kube client.Client) source.Registry {
	return source.Registry{&plan.Source{Kube: kube, APIReader: kube, Remote: remote}}
}

// runOf is a run of an Order that is bought from a plan.
func runOf(order *v1alpha1.AliyunOrder, now time.Time) *orderRun {
	if order.Spec.Source.ResourcePlan == nil {
		order.Spec.Source.ResourcePlan = &v1alpha1.ResourcePlan{ProductCode: "p"}
	}
	return &orderRun{order: order, now: now, offer: plans(nil, nil).Offer(order.Spec.Source)}
}

// by is a solver for all names.
func by(solver v1alpha1.Solver) []v1alpha1.OrderSolver {
	return []v1alpha1.OrderSolver{{Solver: solver}}
}
