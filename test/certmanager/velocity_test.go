// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const www = "www"

func TestASecretThatIsDeletedInALoopBuysThreeCertificatesADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newCluster(t))
	w.startManager()
	w.Create(w.certificate(www))
	for i := range 3 {
		w.untilIssued(www, i+1)
		w.untilPruned()
		w.delete(w.secret(www))
	}
	w.untilTold("3 orders for the same names were submitted in the last 24 hours",
		"The next one is ordered at "+w.Simulator.Ledger()[0].BoughtAt.Add(24*time.Hour).UTC().Format("2006-01-02T15:04:"),
		`set spec.orders.maxPerDay of the AliyunIssuer "cas"`)
	w.bought(www, 3)

	w.allow(4)
	w.untilIssued(www, 4)
	w.bought(www, 4)
}

// untilPruned waits until cert-manager and the garbage collector have removed all Orders but the last.
func (w *world) untilPruned() {
	w.T.Helper()
	w.until("one Order is left", &v1alpha1.AliyunOrderList{}, func() bool { return len(w.Orders()) == 1 })
}

// untilTold waits until the request of the fourth certificate says what it waits for.
func (w *world) untilTold(texts ...string) {
	w.T.Helper()
	request := &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: www + "-4", Namespace: w.Namespace}}
	w.until("the fourth request is held, and says why", &cmapi.CertificateRequestList{}, func() bool {
		if !w.get(request) {
			return false
		}
		for _, condition := range request.Status.Conditions {
			if condition.Type == cmapi.CertificateRequestConditionReady && strings.Contains(condition.Message, v1alpha1.ReasonOrderRateExceeded) {
				for _, text := range texts {
					if !strings.Contains(condition.Message, text) {
						w.T.Fatalf("the request says %q, and not %q", condition.Message, text)
					}
				}
				return true
			}
		}
		return false
	})
}

// allow lets so many orders a day be submitted.
func (w *world) allow(n int32) {
	w.T.Helper()
	w.editIssuer(func(i *v1alpha1.AliyunIssuer) { i.Spec.Orders = &v1alpha1.OrderPolicy{MaxPerDay: new(n)} })
}
