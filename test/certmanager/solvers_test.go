// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func solvedBy(solver v1alpha1.Solver) func(*v1alpha1.AliyunIssuer) {
	return func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = []v1alpha1.Solver{solver} }
}

// shareIssuer lets the certificates be ordered from an AliyunClusterIssuer, whose routes its operator answers for.
func (w *world) shareIssuer(solver v1alpha1.Solver) {
	w.T.Helper()
	secret := gen.Secret(system, cassim.DefaultKeyID, cassim.DefaultKeySecret)
	secret.Name = w.Namespace
	w.Create(secret)
	w.orderFrom(true, func(s *v1alpha1.IssuerSpec) {
		s.Credentials.AccessKeySecretRef.Name, s.Solvers = secret.Name, []v1alpha1.Solver{solver}
	})
}

// made are the objects of a kind in a namespace.
func (w *world) made(kind schema.GroupVersionKind, namespace string) []unstructured.Unstructured {
	w.T.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind)
	if err := w.Client.List(w.T.Context(), list, client.InNamespace(namespace)); err != nil {
		w.T.Fatal(err)
	}
	return list.Items
}

// untilNone waits until nothing of a kind that the text names is left.
func (w *world) untilNone(kind schema.GroupVersionKind, namespace, text string) {
	w.T.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind)
	w.until("no "+kind.Kind+" is left", list, func() bool {
		for _, object := range w.made(kind, namespace) {
			if raw, err := object.MarshalJSON(); err != nil || strings.Contains(string(raw), text) {
				return false
			}
		}
		return true
	})
}

// TestTheControllerServesAFileWithWhatTheChartGrants lets the CA look before our own look has seen anything: no router
// leads from the domain to the controller here.
func TestTheControllerServesAFileWithWhatTheChartGrants(t *testing.T) {
	t.Parallel()
	w := commonWorld(t)
	w.shareIssuer(v1alpha1.Solver{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}})
	w.Create(w.certificate(www))
	w.untilOrder(www, "the file is served", func(o v1alpha1.AliyunOrder) bool {
		return len(o.Status.Validations) > 0 && o.Status.Validations[0].PresentedAt != nil
	})
	w.untilIssued(www, 1)
	w.untilNone(httpfile.IngressKind, system, w.domain(www))
}

func TestTheControllerAsksExternalDNSWithWhatTheChartGrants(t *testing.T) {
	t.Parallel()
	w := commonWorld(t, solvedBy(v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}}))
	w.Create(w.certificate(www))
	order := w.untilOrder(www, "ExternalDNS is asked", func(o v1alpha1.AliyunOrder) bool {
		return len(o.Status.Validations) > 0 && o.Status.Validations[0].PresentedAt != nil
	})
	if asked := w.made(dnsendpoint.Kind, w.Namespace); len(asked) != 1 ||
		asked[0].GetOwnerReferences()[0].UID != order.UID {
		t.Fatalf("ExternalDNS is asked for %+v", asked)
	}
	v := order.Status.Validations[0]
	id := w.Simulator.AddRecord(cassim.DefaultZone, strings.TrimSuffix(v.FQDN, "."+cassim.DefaultZone), v.RecordType,
		v.RecordValue)
	w.untilIssued(www, 1)
	w.untilNone(dnsendpoint.Kind, w.Namespace, "")
	w.Simulator.RemoveRecord(id)
}
