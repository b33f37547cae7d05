// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// The snapshot was taken while no controller ran: nothing of ours is on the request.
func TestARequestThatASnapshotHasPutBackToItsApprovalIsNotBoughtAgain(t *testing.T) {
	e := env.New(t, cassim.Options{CADelay: time.Hour})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Pass(3 * time.Minute)
	billed(t, e, 1)

	order := onlyOrder(t, e)
	order.Finalizers = nil
	if err := e.Client.Update(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if err := e.Client.Delete(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	request := e.Request("www")
	request.Status = cmapi.CertificateRequestStatus{}
	if err := e.Client.Status().Update(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Restart()

	e.Until(3*time.Hour, isReady(e))
	billed(t, e, 1)
	if basis := onlyOrder(t, e).Status.OrderIDBasis; basis != v1alpha1.OrderIDByCertificate {
		t.Errorf("the order is known by %q, want Certificate", basis)
	}
}
