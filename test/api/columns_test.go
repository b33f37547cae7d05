// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

func TestTheTableOfIssuersShowsWhatIsFree(t *testing.T) {
	kube, namespace := cluster(t)
	for kind, path := range map[string]string{
		v1alpha1.AliyunIssuerKind:        "namespaces/" + namespace + "/aliyunissuers/shown",
		v1alpha1.AliyunClusterIssuerKind: "aliyunclusterissuers/shown",
	} {
		object := good(t, kind, namespace)
		object.SetName("shown")
		if err := kube.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		var issuer v1alpha1.GenericIssuer = &v1alpha1.AliyunIssuer{}
		if kind == v1alpha1.AliyunClusterIssuerKind {
			issuer = &v1alpha1.AliyunClusterIssuer{}
		}
		read := func(when string, want ...string) {
			compare.Same(t, append([]string{kind + " " + when}, firstRow(t, path)...),
				append([]string{kind + " " + when, "Name=shown"}, want...))
		}
		read("before its check", "Ready=<nil>", "Reason=<nil>", "Product=<nil>", "Free=<nil>")
		if err := kube.Get(t.Context(), client.ObjectKeyFromObject(object), issuer); err != nil {
			t.Fatal(err)
		}
		now := metav1.NewTime(certs.Start)
		*issuer.GetStatus() = v1alpha1.IssuerStatus{
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue,
				Reason: v1alpha1.ReasonReady, LastTransitionTime: now}},
			Supply: &v1alpha1.Supply{Product: "digicert-free-1-free", Total: 20, InUse: 3, Issued: 2, Free: 17,
				ObservedAt: now},
		}
		if err := kube.Status().Update(t.Context(), issuer); err != nil {
			t.Fatal(err)
		}
		read("after its check", "Ready=True", "Reason=Ready", "Product=digicert-free-1-free", "Free=17")
	}
}

// firstRow is the first row of what `kubectl get` prints for a path, without the age.
func firstRow(t *testing.T, path string) (cells []string) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", env.Kubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	caller, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(
		t.Context(), http.MethodGet, config.Host+"/apis/"+v1alpha1.GroupVersion.String()+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	response, err := caller.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // all of it is read
	table := metav1.Table{}
	if err := json.NewDecoder(response.Body).Decode(&table); err != nil || len(table.Rows) != 1 {
		t.Fatalf("%s: %d rows and %v", path, len(table.Rows), err)
	}
	for i, column := range table.ColumnDefinitions {
		if isWide := column.Priority > 0; !isWide && !strings.EqualFold(column.Name, "age") {
			cells = append(cells, fmt.Sprintf("%s=%v", column.Name, table.Rows[0].Cells[i]))
		}
	}
	return cells
}
