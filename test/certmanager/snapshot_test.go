// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"os"
	"path/filepath"
	"testing"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// The store is put back to a time before the order: the request is there, and nothing says that it was bought.
func TestAnOrderThatTheStoreHasForgottenIsFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newCluster(t))
	w.pause(true)
	m := w.startManager()
	w.Create(w.certificate(www))
	w.until("the request waits", &cmapi.CertificateRequestList{}, func() bool {
		request := &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: www + "-1", Namespace: w.Namespace}}
		return w.get(request) && cmutil.CertificateRequestReadyReason(request) == cmapi.CertificateRequestReasonPending
	})
	w.untilOrder(www, "the order is held", isHeld(v1alpha1.ReasonPaused))
	m.stop()

	w.cluster.whileDown(t, func(store, copied string) error { return os.CopyFS(copied, os.DirFS(store)) })
	w.pause(false)
	m = w.startManager()
	lost := w.untilOrdered(www)
	m.stop()

	w.cluster.whileDown(t, func(store, copied string) error {
		if err := os.RemoveAll(store); err != nil {
			return err
		}
		return os.Rename(copied, store)
	})
	if orders := w.Orders(); len(orders) != 1 || orders[0].Status.Submission != nil {
		t.Fatalf("the store was not put back: %+v", orders)
	}
	w.pause(false)
	w.startManager()
	found := w.untilOrdered(www)
	if is := found.Status; is.OrderID != lost.Status.OrderID || is.OrderIDBasis != v1alpha1.OrderIDByListing {
		t.Errorf("the order has the id %q by %s, want %q by %s", is.OrderID, is.OrderIDBasis, lost.Status.OrderID,
			v1alpha1.OrderIDByListing)
	}
	w.untilIssued(www, 1)
	w.bought(www, 1)
}

func (w *world) pause(isPaused bool) {
	w.T.Helper()
	w.editIssuer(func(i *v1alpha1.AliyunIssuer) { i.Spec.Orders = &v1alpha1.OrderPolicy{Paused: isPaused} })
}

// whileDown stops the cluster, does something with the folder of its store, and starts it again.
func (c *cluster) whileDown(t *testing.T, do func(store, copied string) error) {
	t.Helper()
	for _, step := range []func() error{
		func() error { return c.localkube("down") },
		func() error { return do(filepath.Join(c.dir, "etcd"), filepath.Join(c.dir, "etcd-copy")) },
		func() error { return c.localkube("up") },
		c.startCertManager,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}
