// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// refuse has the API server refuse what does not fulfil the expression, in the namespace, until the function that it
// returns is called. It takes a moment until either is in force.
func (w *world) refuse(operation admissionregistrationv1.OperationType, resource, expression,
	message string) (end func()) {
	w.T.Helper()
	name := metav1.ObjectMeta{Name: "refuse-in-" + w.Namespace}
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: name, Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{
				ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
					RuleWithOperations: admissionregistrationv1.RuleWithOperations{
						Operations: []admissionregistrationv1.OperationType{operation},
						Rule: admissionregistrationv1.Rule{APIGroups: []string{"certmanager.aliyun.com"},
							APIVersions: []string{"*"}, Resources: []string{resource}},
					},
				}}},
			Validations: []admissionregistrationv1.Validation{
				{Expression: expression, Message: message, Reason: new(metav1.StatusReasonForbidden)}},
		}}
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: name, Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name.Name, ValidationActions: []admissionregistrationv1.ValidationAction{
				admissionregistrationv1.Deny},
			MatchResources: &admissionregistrationv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{
					MatchLabels: map[string]string{corev1.LabelMetadataName: w.Namespace}},
			},
		}}
	for _, object := range []client.Object{policy, binding} {
		w.Create(object)
	}
	return func() { w.delete(binding, policy) }
}
