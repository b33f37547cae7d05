// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
)

func TestTheExamplesOfThePageOnNamesCanBeApplied(t *testing.T) {
	kube, namespace := cluster(t)
	kinds := map[string]bool{}
	for _, block := range docs.Blocks(t, "../../docs/names.md") {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(block.Text), &object.Object); err != nil {
			t.Fatalf("%s: %v", block.Heading, err)
		}
		object.SetNamespace(namespace)
		if err := kube.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict")); err != nil {
			t.Errorf("%s: %v", block.Heading, err)
		}
		kinds[object.GetKind()] = true
	}
	if !kinds["Ingress"] || !kinds["Certificate"] {
		t.Errorf("the page has examples of %v, want an Ingress and a Certificate", kinds)
	}
}
