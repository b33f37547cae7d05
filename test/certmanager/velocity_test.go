// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
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
		"The next one is ordered at "+w.Simulator.Ledger()[0].BoughtAt.Add(24*time.Hour).UTC().Format(
			"2006-01-02T15:04:"),
		`set spec.orders.maxPerDay of the AliyunIssuer "cas"`)
	w.bought(www, 3)

	w.allow(4)
	w.untilIssued(www, 4)
	w.bought(www, 4)
}

// TestALoopIsHeldInOtherNamespacesAndByOtherProcesses lets cert-manager renew a certificate as soon as it is issued,
// until only the Order is left that is held. Whoever asks for the names then waits with it.
func TestALoopIsHeldInOtherNamespacesAndByOtherProcesses(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	simulator := cassim.New(cassim.Options{})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	w, other := emptyWorld(t, c, simulator), emptyWorld(t, c, simulator)
	w.Create(gen.Secret(system, cassim.DefaultKeyID, cassim.DefaultKeySecret))
	w.Create(&v1alpha1.AliyunClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: gen.IssuerName},
		Spec: v1alpha1.ClusterIssuerSpec{IssuerSpec: gen.IssuerSpec(simulator.URL())}})
	w.kind, other.kind = v1alpha1.AliyunClusterIssuerKind, v1alpha1.AliyunClusterIssuerKind
	m := w.startManager()
	certificate := w.certificate(www)
	certificate.Spec.Duration = &metav1.Duration{Duration: 8760 * time.Hour}
	certificate.Spec.RenewBefore = &metav1.Duration{Duration: 4799*time.Hour + 59*time.Minute + 45*time.Second}
	w.Create(certificate)
	w.untilTold("3 orders for the same names were submitted in the last 24 hours",
		`spec.renewBefore of the Certificate "www" makes its renewal due within a day of being issued`)
	w.untilPruned()

	for range 2 {
		m.stop()
		m = w.startManager()
		// What is asked for again is judged by the new process.
		w.delete(&cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: www + "-4", Namespace: w.Namespace}})
		before := w.Orders()[0].UID
		w.untilOrder(www, "the fourth order is held or bought", func(o v1alpha1.AliyunOrder) bool {
			return o.UID != before && (hasID(o) || isHeld(v1alpha1.ReasonOrderRateExceeded)(o))
		})
	}
	second := other.certificate("copy")
	second.Spec.CommonName, second.Spec.DNSNames = w.domain(www), []string{w.domain(www)}
	other.Create(second)
	other.until("the same names are held or bought in another namespace", &v1alpha1.AliyunOrderList{}, func() bool {
		return slices.ContainsFunc(
			other.Orders(), func(o v1alpha1.AliyunOrder) bool {
				return hasID(o) || isHeld(v1alpha1.ReasonOrderRateExceeded)(o)
			})
	})
	for _, order := range other.Orders() {
		if strings.Contains(fmt.Sprint(order.Status.Conditions), w.Namespace+"\"") {
			t.Errorf("one namespace is told of the other: %+v", order.Status.Conditions)
		}
	}
	w.bought(www, 3)
}

// keepNothing lets new names have all of the plan.
func keepNothing(i *v1alpha1.AliyunIssuer) {
	i.Spec.Orders = &v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(0))}
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
			if condition.Type == cmapi.CertificateRequestConditionReady &&
				strings.Contains(condition.Message, v1alpha1.ReasonOrderRateExceeded) {
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
