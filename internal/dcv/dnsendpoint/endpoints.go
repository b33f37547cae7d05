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

// Says whether another DNSEndpoint asks for the very record already. Returns a Problem if one asks for another value of
// the same name and type: ExternalDNS would publish only one of the two, and perhaps not ours.
func (s *Solver) othersAsk(ctx context.Context, rec dcv.Record) (bool, error) {
	all, err := s.kept.List(ctx)
	if err != nil {
		return false, err
	}
	isThere := false
	for _, other := range all {
		// what is malformed asks for nothing
		endpoints, _, _ := unstructured.NestedSlice(other.Object, "spec", "endpoints")
		for _, endpoint := range endpoints {
			fields, ok := endpoint.(map[string]any)
			if !ok || !isSameName(fields, rec) {
				continue
			}
			if !hasOnly(fields, rec.Value) {
				return false, &dcv.Problem{Message: fmt.Sprintf(
					"%s asks for another %s record at %q, and ExternalDNS publishes only one of two: delete it, or "+
						"wait until it is gone", s.nameOf(other), rec.Type, rec.FQDN)}
			}
			isThere = true
		}
	}
	return isThere, nil
}

// Describes a DNSEndpoint to a tenant: names it only if it is in the tenant's own namespace.
func (s *Solver) nameOf(other unstructured.Unstructured) string {
	if other.GetNamespace() == s.config.Namespace {
		return fmt.Sprintf("the DNSEndpoint %q", other.GetName())
	}
	return "a DNSEndpoint of another namespace"
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
