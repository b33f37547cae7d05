// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

func withDNSEndpoint(*v1alpha1.Endpoint) []v1alpha1.Solver {
	return []v1alpha1.Solver{
		{DNS: &v1alpha1.DNSSolver{
			DNSEndpoint: &v1alpha1.DNSEndpointSolver{Labels: map[string]string{"external-dns": "public"}}}}}
}

// publish does what ExternalDNS does.
func publish(e *env.Env, from unstructured.Unstructured) {
	list, _, _ := unstructured.NestedSlice(from.Object, "spec", "endpoints")
	for _, item := range list {
		endpoint := item.(map[string]any)
		relative := strings.TrimSuffix(endpoint["dnsName"].(string), "."+cassim.DefaultZone)
		e.Simulator.AddRecord(cassim.DefaultZone, relative, endpoint["recordType"].(string),
			endpoint["targets"].([]any)[0].(string))
	}
}

func TestExternalDNSIsAskedForTheRecordAndNoLongerAfterwards(t *testing.T) {
	e := withSolvers(t, cassim.Options{}, withDNSEndpoint)
	e.Pass(5 * time.Minute)
	asked := e.Objects(dnsendpoint.Kind)
	if len(asked) != 1 {
		t.Fatalf("there are %d DNSEndpoints", len(asked))
	}
	order := onlyOrder(t, e)
	spec := map[string]any{"endpoints": []any{map[string]any{
		"dnsName": "_dnsauth.www.example.com", "recordType": "TXT", "recordTTL": int64(60),
		"targets": []any{order.Status.Validations[0].RecordValue},
	}}}
	if diff := cmp.Diff(spec, asked[0].Object["spec"]); diff != "" {
		t.Errorf("what is asked for differs (-want +got):\n%s", diff)
	}
	if owners := asked[0].GetOwnerReferences(); len(owners) != 1 || owners[0].UID != order.UID ||
		asked[0].GetLabels()["external-dns"] != "public" {
		t.Errorf("owners are %+v, and labels %v", owners, asked[0].GetLabels())
	}
	publish(e, asked[0])
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	if left := e.Objects(dnsendpoint.Kind); len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
}

func TestADNSEndpointThatVanishesOrIsChangedIsPutRight(t *testing.T) {
	e := withSolvers(t, cassim.Options{}, withDNSEndpoint)
	e.Pass(5 * time.Minute)
	changed := e.Objects(dnsendpoint.Kind)[0]
	want := changed.Object["spec"]
	changed.Object["spec"] = map[string]any{"endpoints": []any{}}
	if err := e.Client.Update(t.Context(), &changed); err != nil {
		t.Fatal(err)
	}
	e.Pass(20 * time.Minute)
	if diff := cmp.Diff(want, e.Objects(dnsendpoint.Kind)[0].Object["spec"]); diff != "" {
		t.Errorf("what was changed stays (-want +got):\n%s", diff)
	}
	remove(e, &e.Objects(dnsendpoint.Kind)[0])
	e.Pass(20 * time.Minute)
	if len(e.Objects(dnsendpoint.Kind)) != 1 {
		t.Error("what was deleted stays so")
	}
}

func TestOfTwoDNSEndpointsForANameTheOtherIsLeftAndNamed(t *testing.T) {
	e := withSolvers(t, cassim.Options{}, withDNSEndpoint)
	other := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"endpoints": []any{
		map[string]any{"dnsName": "_dnsauth.www.example.com", "recordType": "TXT", "recordTTL": int64(300),
			"targets": []any{"somebody else's"}},
	}}}}
	other.SetGroupVersionKind(dnsendpoint.Kind)
	other.SetNamespace(e.Namespace)
	other.SetName("theirs")
	e.Create(other)
	e.Pass(time.Hour)
	if text := said(e); !strings.Contains(text, `the DNSEndpoint "theirs" asks for another TXT record`) ||
		!strings.Contains(text, "publishes only one of two") {
		t.Errorf("nobody is told: %s", text)
	}
	if asked := e.Objects(dnsendpoint.Kind); len(asked) != 1 {
		t.Fatalf("there are %d DNSEndpoints", len(asked))
	}
	if e.Request("www").Status.FailureTime != nil {
		t.Error("the request has failed")
	}
	remove(e, other)
	e.Pass(20 * time.Minute)
	publish(e, e.Objects(dnsendpoint.Kind)[0])
	e.Until(time.Hour, isReady(e))
}
