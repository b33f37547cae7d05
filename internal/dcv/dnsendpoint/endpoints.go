// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dnsendpoint

import (
	"context"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// wanted is the DNSEndpoint that asks for the record.
func (s *Solver) wanted(rec dcv.Record) *unstructured.Unstructured {
	object := s.kept.New(s.config.Namespace, s.config.Name)
	object.SetLabels(maps.Clone(s.config.Labels))
	object.SetAnnotations(maps.Clone(s.config.Annotations))
	object.SetOwnerReferences([]metav1.OwnerReference{s.config.Owner})
	object.Object["spec"] = map[string]any{"endpoints": []any{map[string]any{
		"dnsName": rec.FQDN, "recordType": rec.Type, "recordTTL": ttl, "targets": []any{rec.Value},
	}}}
	return object
}

// othersAsk says whether another DNSEndpoint asks for the very record already. One that asks for another value of the same name and type
// is a Problem: ExternalDNS would publish only one of the two, and perhaps not ours.
func (s *Solver) othersAsk(ctx context.Context, rec dcv.Record) (bool, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(Kind)
	if err := s.config.Kube.List(ctx, list); err != nil {
		return false, s.kept.Explain(nil, err)
	}
	isThere := false
	for _, other := range list.Items {
		endpoints, _, _ := unstructured.NestedSlice(other.Object, "spec", "endpoints") // what is malformed asks for nothing
		for _, endpoint := range endpoints {
			fields, ok := endpoint.(map[string]any)
			if !ok || !isSameName(fields, rec) {
				continue
			}
			if !hasOnly(fields, rec.Value) {
				return false, &dcv.Problem{Message: fmt.Sprintf(
					"the DNSEndpoint %q in the namespace %q asks for another %s record at %q, and ExternalDNS publishes only one of two: delete it, or wait until it is gone",
					other.GetName(), other.GetNamespace(), rec.Type, rec.FQDN)}
			}
			isThere = true
		}
	}
	return isThere, nil
}

func isSameName(endpoint map[string]any, rec dcv.Record) bool {
	name, _, _ := unstructured.NestedString(endpoint, "dnsName")
	kind, _, _ := unstructured.NestedString(endpoint, "recordType")
	return dcv.CanonicalName(name) == rec.FQDN && kind == rec.Type
}

func hasOnly(endpoint map[string]any, value string) bool {
	targets, _, err := unstructured.NestedStringSlice(endpoint, "targets")
	return err == nil && len(targets) == 1 && targets[0] == value
}
