// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestAnOrderGoesOnOnlyForTheRequestThatItWasMadeFor changes one thing about an approved request. What can never become
// right again ends the order; what a person can still mend holds it.
func TestAnOrderGoesOnOnlyForTheRequestThatItWasMadeFor(t *testing.T) {
	set := func(kind, reason string) func(*cmapi.CertificateRequest) {
		return func(r *cmapi.CertificateRequest) {
			r.Status.Conditions = append(r.Status.Conditions, cmapi.CertificateRequestCondition{
				Type: cmapi.CertificateRequestConditionType(kind), Status: cmmeta.ConditionTrue, Reason: reason})
		}
	}
	for name, test := range map[string]struct {
		change func(*cmapi.CertificateRequest)
		want   outcomeKind
	}{
		"nothing":         {func(*cmapi.CertificateRequest) {}, outcomeProceed},
		"it is denied":    {set("Denied", "no"), outcomeGiveUp},
		"it is issued":    {set("Ready", "Issued"), outcomeGiveUp},
		"it has failed":   {set("Ready", "Failed"), outcomeGiveUp},
		"it is pending":   {set("Ready", "Pending"), outcomeProceed},
		"another request": {func(r *cmapi.CertificateRequest) { r.Spec.Request = []byte("other") }, outcomeGiveUp},
		"another issuer":  {func(r *cmapi.CertificateRequest) { r.Spec.IssuerRef.Name = "other" }, outcomeGiveUp},
		"another kind": {func(r *cmapi.CertificateRequest) { r.Spec.IssuerRef.Kind = "AliyunClusterIssuer" },
			outcomeGiveUp},
		"another group": {func(r *cmapi.CertificateRequest) { r.Spec.IssuerRef.Group = "example.com" },
			outcomeGiveUp},
		"it is not approved any more": {func(r *cmapi.CertificateRequest) { r.Status.Conditions = nil }, outcomeHold},
		"it is being deleted": {func(r *cmapi.CertificateRequest) {
			r.DeletionTimestamp = new(metav1.Now())
		}, outcomeHold},
	} {
		request := &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: "www"}}
		request.Spec.Request = []byte("a request")
		request.Spec.IssuerRef = cmmeta.IssuerReference{Group: v1alpha1.Group, Kind: "AliyunIssuer", Name: "cas"}
		set("Approved", "test")(request)
		order := &v1alpha1.AliyunOrder{}
		order.Spec.Request = []byte("a request")
		order.Spec.IssuerRef = v1alpha1.IssuerReference{Kind: "AliyunIssuer", Name: "cas"}
		test.change(request)
		if got := wanted(order, request); got.kind != test.want || got.endsRun() && got.message == "" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
