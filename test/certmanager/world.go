// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"cmp"
	"crypto/x509"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// world is a namespace with an issuer, and a simulator of CAS.
type world struct {
	*env.World
	cluster *cluster
	// zone has the domains of the certificates; empty is that of the simulator. kind and issuer are what they are
	// ordered from; empty is the AliyunIssuer of the namespace.
	zone, kind, issuer string
}

// newWorld makes a world of its own in a cluster that has no other one.
func newWorld(t *testing.T, c *cluster, modifiers ...func(*v1alpha1.AliyunIssuer)) *world {
	t.Helper()
	simulator := cassim.New(cassim.Options{})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	return worldOf(t, c, simulator, modifiers...)
}

func worldOf(t *testing.T, c *cluster, simulator *cassim.Server, modifiers ...func(*v1alpha1.AliyunIssuer)) *world {
	t.Helper()
	w := emptyWorld(t, c, simulator)
	w.addIssuer(modifiers...)
	return w
}

func (w *world) addIssuer(modifiers ...func(*v1alpha1.AliyunIssuer)) {
	w.T.Helper()
	w.Create(gen.Secret(w.Namespace, cassim.DefaultKeyID, cassim.DefaultKeySecret))
	w.Create(gen.Issuer(w.Namespace, w.Simulator.URL(), modifiers...))
}

// emptyWorld has no issuer yet.
func emptyWorld(t *testing.T, c *cluster, simulator *cassim.Server) *world {
	t.Helper()
	return &world{World: &env.World{T: t, Client: c.kube, Simulator: simulator, Namespace: env.Namespace(t, c.kube)},
		cluster: c}
}

// certificate is what a user writes. It is for a name in the zone that has the namespace in it, so that worlds can
// share a simulator.
func (w *world) certificate(name string) *cmapi.Certificate {
	return &cmapi.Certificate{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.Namespace},
		Spec: cmapi.CertificateSpec{
			CommonName: w.domain(name),
			DNSNames:   []string{w.domain(name)},
			SecretName: name,
			IssuerRef: cmmeta.IssuerReference{
				Group: v1alpha1.Group, Kind: cmp.Or(w.kind, v1alpha1.AliyunIssuerKind),
				Name: cmp.Or(w.issuer, gen.IssuerName),
			},
			// This is cert-manager's default: the requests of earlier certificates go, and their Orders with them.
			RevisionHistoryLimit: new(int32(1)),
		},
	}
}

// newRequest is what somebody writes who has no Certificate.
func (w *world) newRequest(name string) *cmapi.CertificateRequest {
	return gen.Request(w.Namespace, name, gen.CSR(gen.Key(), func(csr *x509.CertificateRequest) {
		csr.Subject.CommonName, csr.DNSNames = w.domain(name), []string{w.domain(name)}
	}))
}

func (w *world) domain(name string) string {
	return name + "." + w.Namespace + "." + cmp.Or(w.zone, cassim.DefaultZone)
}

// until waits for what others do: it looks whenever an object of the kind has changed. It gives up when none changes
// for long, or when a manager has ended that nobody has stopped.
func (w *world) until(what string, kind client.ObjectList, isDone func() bool) {
	w.T.Helper()
	began := time.Now()
	if !env.Await(w.T, w.Client, kind, w.cluster.died, func(runtime.Object) bool { return isDone() }) {
		requests := &cmapi.CertificateRequestList{}
		w.list(requests)
		w.T.Fatalf("after %s it is not so that %s; requests: %+v; orders: %+v", time.Since(began), what, requests.Items,
			w.Orders())
	}
	w.T.Logf("%5.1f s until %s", time.Since(began).Seconds(), what)
}

// get reads an object by the name, and in the namespace, that it has, and says whether there is one.
func (w *world) get(into client.Object) bool {
	w.T.Helper()
	err := w.Client.Get(w.T.Context(), client.ObjectKeyFromObject(into), into)
	if client.IgnoreNotFound(err) != nil {
		w.T.Fatal(err)
	}
	return err == nil
}

// list reads the objects of the namespace.
func (w *world) list(into client.ObjectList) {
	w.T.Helper()
	if err := w.Client.List(w.T.Context(), into, client.InNamespace(w.Namespace)); err != nil {
		w.T.Fatal(err)
	}
}

// untilIssued waits for the certificate of a revision.
func (w *world) untilIssued(name string, revision int) {
	w.T.Helper()
	ready := cmapi.CertificateCondition{Type: cmapi.CertificateConditionReady, Status: cmmeta.ConditionTrue}
	w.until("the Certificate "+name+" is ready", &cmapi.CertificateList{}, func() bool {
		c := w.certificate(name)
		return w.get(c) && cmutil.CertificateHasCondition(c, ready) && c.Status.Revision != nil &&
			*c.Status.Revision == revision
	})
}

// untilOrder waits until an Order of the certificate is as wanted.
func (w *world) untilOrder(name, what string, isWanted func(v1alpha1.AliyunOrder) bool) (order v1alpha1.AliyunOrder) {
	w.T.Helper()
	w.until(what, &v1alpha1.AliyunOrderList{}, func() bool {
		for _, order = range w.Orders() {
			if order.Spec.CommonName == w.domain(name) && isWanted(order) {
				return true
			}
		}
		return false
	})
	return order
}

func (w *world) untilOrdered(name string) v1alpha1.AliyunOrder {
	w.T.Helper()
	return w.untilOrder(name, name+" is ordered", hasID)
}

func hasID(o v1alpha1.AliyunOrder) bool { return o.Status.OrderID != "" }

func isHeld(reason string) func(v1alpha1.AliyunOrder) bool {
	return func(o v1alpha1.AliyunOrder) bool {
		ready := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reason
	}
}

func (w *world) delete(objects ...client.Object) {
	w.T.Helper()
	for _, o := range objects {
		if err := w.Client.Delete(w.T.Context(), o); err != nil {
			w.T.Fatal(err)
		}
	}
}

// untilGone waits until the namespace has no object of the kind.
func (w *world) untilGone(what string, kind client.ObjectList) {
	w.T.Helper()
	w.until(what+" are gone", kind, func() bool {
		w.list(kind)
		return meta.LenList(kind) == 0
	})
}

func (w *world) editIssuer(change func(*v1alpha1.AliyunIssuer)) {
	w.T.Helper()
	issuer := gen.Issuer(w.Namespace, w.Simulator.URL())
	w.edit(issuer, func() { change(issuer) })
}

// edit changes an object of which others change other parts.
func (w *world) edit(object client.Object, change func()) {
	w.T.Helper()
	if !w.get(object) {
		w.T.Fatalf("there is no %T %s", object, object.GetName())
	}
	before := object.DeepCopyObject().(client.Object)
	change()
	if err := w.Client.Patch(w.T.Context(), object, client.MergeFrom(before)); err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) secret(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.Namespace}}
}

// bought fails the test unless so many orders were billed for the certificate. It returns the last.
func (w *world) bought(name string, want int) (last cassim.LedgerEntry) {
	w.T.Helper()
	n := 0
	for _, entry := range w.Simulator.Ledger() {
		if entry.Domain == w.domain(name) {
			last = entry
			n++
		}
	}
	if n != want {
		w.T.Fatalf("%d orders were billed for %s, want %d: %+v", n, w.domain(name), want, w.Simulator.Ledger())
	}
	return last
}
