// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestARequestSaysThatAnotherInstallationServesItsNamespace has the policy in the way that another installation brings,
// and takes it out again.
func TestARequestSaysThatAnotherInstallationServesItsNamespace(t *testing.T) {
	e := env.New(t, cassim.Options{})
	remove := refuseOrders(e)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Pass(time.Minute)
	if text := said(e); !strings.Contains(text, "another installation of aliyun-issuer may serve the namespace") || !strings.Contains(text, "is not for you") {
		t.Errorf("nobody is told: %s", text)
	}
	billed(t, e, 0)
	remove()
	e.Until(time.Hour, isReady(e))
	billed(t, e, 1)
}

// refuseOrders refuses to have Orders made in the namespace, until the function that it returns is called.
func refuseOrders(e *env.Env) (end func()) {
	e.T.Helper()
	kube, name := env.Client(e.T), metav1.ObjectMeta{Name: "another-installation-in-" + e.Namespace}
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: name, Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionregistrationv1.RuleWithOperations{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{v1alpha1.Group}, APIVersions: []string{"*"}, Resources: []string{"aliyunorders"}},
			},
		}}},
		Validations: []admissionregistrationv1.Validation{{Expression: "false", Message: "this namespace is not for you", Reason: new(metav1.StatusReasonForbidden)}},
	}}
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name, Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: name.Name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		MatchResources: &admissionregistrationv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: e.Namespace}}},
	}}
	isInForce := func(want bool) {
		err := wait.PollUntilContextTimeout(e.T.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			err := kube.Create(ctx, gen.Order(e.Namespace), client.DryRunAll)
			return (err != nil && strings.Contains(err.Error(), "is not for you")) == want, nil
		})
		if err != nil {
			e.T.Fatalf("the policy is in force: %v is not so: %v", want, err)
		}
	}
	for _, object := range []client.Object{policy, binding} {
		if err := kube.Create(e.T.Context(), object); err != nil {
			e.T.Fatal(err)
		}
	}
	isInForce(true)
	return func() {
		for _, object := range []client.Object{binding, policy} {
			if err := kube.Delete(e.T.Context(), object); err != nil {
				e.T.Fatal(err)
			}
		}
		isInForce(false)
	}
}
