// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// TestNothingIsOrderedFromAnIssuerThatIsNotReady expects the reason, and the one case in which another order may try
// all the same.
func TestNothingIsOrderedFromAnIssuerThatIsNotReady(t *testing.T) {
	ready := func(status metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: "why"}}
	}
	for name, test := range map[string]struct {
		conditions []metav1.Condition
		observed   int64
		isDeleted  bool
		want       string
		mayTry     bool
	}{
		"it is ready": {conditions: ready(metav1.ConditionTrue, "Ready"), observed: 2},
		"never checked": {want: `the AliyunIssuer "cas" has not been checked yet: that is done within 30 seconds of ` +
			`a change to it`},
		"edited since": {conditions: ready(metav1.ConditionTrue, "Ready"), observed: 1,
			want: `the AliyunIssuer "cas" has not been checked yet: that is done within 30 seconds of a change to it`},
		"not ready": {conditions: ready(metav1.ConditionFalse, "NoPackage"), observed: 2,
			want: `the AliyunIssuer "cas" is not ready: why`},
		"an order was refused": {conditions: ready(metav1.ConditionFalse, v1alpha1.ReasonPermissionRefused),
			observed: 2,
			want:     `the AliyunIssuer "cas" is not ready: why`, mayTry: true},
		"refused before an edit": {conditions: ready(metav1.ConditionFalse, v1alpha1.ReasonPermissionRefused),
			observed: 1,
			want: `the AliyunIssuer "cas" has not been checked yet: that is done within 30 seconds of a ` +
				`change to it`},
		"deleted": {conditions: ready(metav1.ConditionFalse, v1alpha1.ReasonPermissionRefused), observed: 2,
			isDeleted: true, want: `the AliyunIssuer "cas" is being deleted`},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := &v1alpha1.AliyunIssuer{ObjectMeta: metav1.ObjectMeta{Name: "cas", Generation: 2}}
			issuer.Status.Conditions, issuer.Status.ObservedGeneration = test.conditions, test.observed
			if test.isDeleted {
				issuer.DeletionTimestamp = new(metav1.Now())
			}
			compare.Same(t, WhyNotReady(issuer), test.want)
			compare.Same(t, MayTryAgain(issuer), test.mayTry)
		})
	}
}

// TestTheKindOfAReferenceDecidesAlone compares what is found for two kinds of one name.
func TestTheKindOfAReferenceDecidesAlone(t *testing.T) {
	own := v1alpha1.IssuerReference{Kind: v1alpha1.AliyunIssuerKind, Name: "cas"}
	shared := v1alpha1.IssuerReference{Kind: v1alpha1.AliyunClusterIssuerKind, Name: "cas"}
	compare.Same(t, IndexValue("a", own) == IndexValue("b", own), false)
	compare.Same(t, IndexValue("a", shared), IndexValue("b", shared))
	compare.Same(t, IndexValue("", own) == IndexValue("", shared), false)
	compare.Same(t, New("Issuer") == nil, true)
}

func TestAClusterIssuerServesItsDomainsAndWhatIsBelow(t *testing.T) {
	for name, want := range map[string]bool{
		"example.com": true, "www.example.com": true, "*.example.com": true, "*.www.example.com": true,
		"example.net": false, "wwwexample.com": false, "com": false,
	} {
		compare.Same(t, allowsDomain([]string{"example.com"}, name), want)
		compare.Same(t, allowsDomain(nil, name), true)
	}
}
