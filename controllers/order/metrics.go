// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
)

// unresolvedReleases counts money that is lost unless somebody acts. It outlives the Orders, which go with their
// namespaces.
var unresolvedReleases = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "aliyun_issuer_releases_unresolved_total",
	Help: "Orders that the controller could not give back to CAS, or could not find, since it was started: cancel " +
		"and delete them in the console of CAS.",
}, []string{"kind", "namespace", "issuer"})

func init() { metrics.Registry.MustRegister(unresolvedReleases) }

// countUnresolved counts for the issuer of an order. That of a cluster issuer has no namespace.
func countUnresolved(order *v1alpha1.AliyunOrder) {
	ref := order.Spec.IssuerRef
	key := issuers.Key(order.Namespace, ref)
	unresolvedReleases.WithLabelValues(ref.Kind, key.Namespace, key.Name).Inc()
}
