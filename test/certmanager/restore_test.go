// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"maps"
	"strings"
	"testing"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// backup is what a backup of a namespace holds of a certificate. Orders ask to be left out of it.
type backup struct {
	secret      *corev1.Secret
	certificate *cmapi.Certificate
	request     *cmapi.CertificateRequest
}

// issueAndLose issues a certificate, takes a backup of it, and deletes all that there is of it.
func (w *world) issueAndLose() backup {
	w.T.Helper()
	b := backup{w.secret(www), w.certificate(www),
		&cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: www + "-1", Namespace: w.Namespace}}}
	w.Create(w.certificate(www))
	w.untilIssued(www, 1)
	for _, object := range []client.Object{b.secret, b.certificate, b.request} {
		if !w.get(object) {
			w.T.Fatalf("there is no %T %s", object, object.GetName())
		}
	}
	w.delete(b.certificate)
	w.untilGone("the requests", &cmapi.CertificateRequestList{})
	w.untilGone("the Orders", &v1alpha1.AliyunOrderList{})
	w.delete(b.secret) // last: cert-manager may have been about to write it
	return b
}

// restored is an object as somebody brings it back who has kept its manifest.
func restored[T client.Object](object T) T {
	object = object.DeepCopyObject().(T)
	object.SetUID("")
	object.SetResourceVersion("")
	object.SetOwnerReferences(nil)
	object.SetManagedFields(nil)
	return object
}

// restoredByVelero is an object as Velero brings it back. The documented command deletes what bears these labels in all
// namespaces, those of other tests included.
func restoredByVelero[T client.Object](object T) T {
	object = restored(object)
	labels := map[string]string{"velero.io/backup-name": "daily", "velero.io/restore-name": "daily-20261124"}
	maps.Copy(labels, object.GetLabels())
	object.SetLabels(labels)
	return object
}

// untilHeld waits until the request says that it is restored, and what to do about it.
func (w *world) untilHeld() {
	w.T.Helper()
	request := &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: www + "-1", Namespace: w.Namespace}}
	w.until("the restored request is held", &cmapi.CertificateRequestList{}, func() bool {
		if !w.get(request) {
			return false
		}
		ready := cmutil.GetCertificateRequestCondition(request, cmapi.CertificateRequestConditionReady)
		return ready != nil && ready.Reason == cmapi.CertificateRequestReasonPending &&
			strings.Contains(ready.Message, v1alpha1.ReasonRestoredRequest) &&
			strings.Contains(ready.Message, "delete it")
	})
}

func TestACertificateThatIsRestoredWithItsSecretAndItsRequestCostsNothing(t *testing.T) {
	t.Parallel()
	w := commonWorld(t)
	b := w.issueAndLose()
	w.Create(restored(b.secret))
	w.Create(restored(b.request)) // as the alphabet has it, before the Certificate
	w.Create(restored(b.certificate))
	w.untilHeld()
	w.until("the Certificate is ready", &cmapi.CertificateList{}, func() bool {
		c := w.certificate(www)
		return w.get(c) && cmutil.CertificateHasCondition(
			c, cmapi.CertificateCondition{Type: cmapi.CertificateConditionReady, Status: cmmeta.ConditionTrue})
	})
	w.bought(www, 1)
	if orders := w.Orders(); len(orders) > 0 {
		t.Errorf("there are orders: %+v", orders)
	}
}

// The restored request has the name that cert-manager gives the first request of a Certificate.
func TestACertificateThatIsRestoredWithoutItsSecretIsOrderedOnceTheRestoredRequestIsDeleted(t *testing.T) {
	t.Parallel()
	w := commonWorld(t)
	b := w.issueAndLose()
	request := restoredByVelero(b.request)
	w.Create(request)
	before := request.DeepCopy()
	request.Status.Conditions = b.request.Status.Conditions // some restore the status, too
	cmutil.SetCertificateRequestCondition(request, cmapi.CertificateRequestConditionReady, cmmeta.ConditionFalse,
		cmapi.CertificateRequestReasonPending, "as it was")
	if err := w.Client.Status().Patch(t.Context(), request, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	w.Create(restoredByVelero(b.certificate))
	w.untilHeld()
	w.bought(www, 1)

	w.cluster.follow(t, w.cluster.commands(t, "docs/restore.md", "After a restore", 1)[0])
	w.untilIssued(www, 1)
	w.bought(www, 2)
}

func TestAnOrderThatIsDeletedByForceIsFoundAgain(t *testing.T) {
	t.Parallel()
	w := commonWorld(t)
	w.Create(w.certificate(www))
	lost := w.untilOrdered(www)
	w.delete(&lost)
	w.edit(&lost, func() { lost.Finalizers = nil })
	found := w.untilOrder(www, "another Order has an id", func(o v1alpha1.AliyunOrder) bool {
		return o.UID != lost.UID && hasID(o)
	})
	if is := found.Status; is.OrderID != lost.Status.OrderID || is.OrderIDBasis != v1alpha1.OrderIDByListing {
		t.Errorf("the order has the id %q by %s, want %q by %s", is.OrderID, is.OrderIDBasis, lost.Status.OrderID,
			v1alpha1.OrderIDByListing)
	}
	w.untilIssued(www, 1)
	w.bought(www, 1)
}
