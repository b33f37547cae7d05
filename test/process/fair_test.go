// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"fmt"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// hanging is how many issuers, or orders, a tenant has whose calls are not answered: more than the manager works on at
// once in a namespace.
const hanging = 2 * inFlight

// patient lets calls of the issuer wait as long as it can say.
func (s *scene) patient() *v1alpha1.AliyunIssuer {
	s.T.Helper()
	issuer := gen.Issuer(s.Namespace, "")
	if err := s.Client.Get(s.T.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
		s.T.Fatal(err)
	}
	issuer.Spec.CallTimeout = &metav1.Duration{Duration: time.Minute}
	if err := s.Client.Update(s.T.Context(), issuer); err != nil {
		s.T.Fatal(err)
	}
	return issuer
}

// neighbour is another tenant, with an account and a simulator of its own.
func (s *scene) neighbour() *scene {
	s.T.Helper()
	other := &scene{World: env.NewWorld(s.T, cassim.Options{Clock: s.clock}), clock: s.clock}
	s.T.Cleanup(other.letGo)
	return other
}

// TestIssuersWhoseEndpointNeverAnswersDoNotHoldUpAnotherTenants has the other issuer made while the manager waits for
// answers, and ready before any of these waits is over.
func TestIssuersWhoseEndpointNeverAnswersDoNotHoldUpAnotherTenants(t *testing.T) {
	s := newScene(t, plan{}, 0)
	s.gateway.calls.hold(0)
	like := s.patient()
	for i := range hanging - 1 {
		s.Create(&v1alpha1.AliyunIssuer{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("like-%d", i), Namespace: s.Namespace}, Spec: like.Spec})
	}
	s.start()
	s.gateway.calls.holdsAll()
	other := s.neighbour()
	other.Create(gen.Issuer(other.Namespace, other.Simulator.URL()))
	other.sees(&v1alpha1.AliyunIssuerList{}, issuerIsReady)
	issuers := &v1alpha1.AliyunIssuerList{}
	if err := s.Client.List(t.Context(), issuers, client.InNamespace(s.Namespace)); err != nil {
		t.Fatal(err)
	}
	for _, issuer := range issuers.Items {
		if len(issuer.Status.Conditions) > 0 {
			t.Errorf("the issuer of another tenant was ready only after the check of %s was given up: %+v", issuer.Name,
				issuer.Status.Conditions)
		}
	}
}

// TestOrdersWhoseEndpointNeverAnswersDoNotHoldUpAnotherTenants is the same for orders: another tenant's is bought
// before any of the first calls that are not answered is given up.
func TestOrdersWhoseEndpointNeverAnswersDoNotHoldUpAnotherTenants(t *testing.T) {
	s := newScene(t, plan{}, hanging)
	s.patient()
	other := s.neighbour()
	other.Create(gen.Issuer(other.Namespace, other.Simulator.URL()))
	other.Create(gen.Request(other.Namespace, "www", gen.CSR(gen.Key())))
	// a request that is not new is looked for before it is ordered, with a call that waits longer
	s.leap(5 * time.Minute)
	s.start()
	for _, w := range []*scene{s, other} {
		w.sees(&v1alpha1.AliyunIssuerList{}, issuerIsReady)
	}
	s.gateway.calls.hold(0)
	s.approve()
	s.gateway.calls.holdsAll()
	other.Decide("www", cmapi.CertificateRequestConditionApproved)
	other.sees(&v1alpha1.AliyunOrderList{}, func(o runtime.Object) bool {
		order, ok := o.(*v1alpha1.AliyunOrder)
		return ok && order.Status.OrderID != ""
	})
	for _, order := range s.Orders() {
		if len(order.Status.Conditions) > 0 {
			t.Errorf("the order of another tenant was bought only after a call for %s was given up: %+v",
				order.Spec.CommonName, order.Status.Conditions)
		}
	}
}
