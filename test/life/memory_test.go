// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// TestWhatAnEnvRemembersIsWhatTheAPIServerHas compares both in the midst of a life, whenever a reconciler reads a list,
// and after each step. An Env answers reads with what writes were answered.
func TestWhatAnEnvRemembersIsWhatTheAPIServerHas(t *testing.T) {
	e, plain := ordered(t, cassim.Options{CADelay: time.Hour}), env.Client(t)
	items := func(kube client.Client, list client.ObjectList) []runtime.Object {
		err := kube.List(t.Context(), list, client.InNamespace(e.Namespace))
		all, extractErr := meta.ExtractList(list)
		if err != nil || extractErr != nil {
			t.Fatal(err, extractErr)
		}
		return all
	}
	compared := 0
	compare := func() {
		for _, kind := range []client.ObjectList{&v1alpha1.AliyunOrderList{}, &v1alpha1.AliyunIssuerList{},
			&cmapi.CertificateRequestList{}} {
			want := items(plain, kind.DeepCopyObject().(client.ObjectList))
			if diff := cmp.Diff(want, items(e.Client, kind)); diff != "" {
				t.Fatalf("remembered is something else (-want +got):\n%s", diff)
			}
			compared += len(want)
		}
	}
	e.BeforeList = func(client.ObjectList, client.ListOptions) { compare() }
	ask(e, "a", "a")
	e.Until(3*time.Hour, func() bool { compare(); return isReady(e)() })
	for _, object := range []client.Object{e.Request("www"), e.Request("a")} {
		if err := e.Client.Delete(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	e.Until(time.Hour, func() bool { compare(); return len(e.Orders()) == 0 })
	if compared < 30 {
		t.Errorf("%d objects were compared", compared)
	}
}
