// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

func TestTheWeakerProofGivesWay(t *testing.T) {
	held := func(basis v1alpha1.OrderIDBasis, at time.Duration, uid types.UID) *v1alpha1.AliyunOrder {
		stamp := metav1.NewTime(noon.Add(at))
		return &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: uid},
			Status: v1alpha1.OrderStatus{OrderIDBasis: basis, SubmittedAt: &stamp}}
	}
	ranked := []*v1alpha1.AliyunOrder{
		held(v1alpha1.OrderIDByCertificate, time.Hour, "z"), held(v1alpha1.OrderIDByAnswer, time.Hour, "z"),
		held(v1alpha1.OrderIDByOperator, time.Hour, "z"),
		held(v1alpha1.OrderIDByListing, 0, "z"), held(v1alpha1.OrderIDByListing, time.Hour, "a"),
		held(v1alpha1.OrderIDByListing, time.Hour, "b"),
	}
	for i, a := range ranked {
		for j, b := range ranked {
			if i != j && isStronger(a, b) != (i < j) {
				t.Errorf("of %d and %d it is the wrong one", i, j)
			}
		}
	}
}

func TestAWordWakesItsOrder(t *testing.T) {
	order := func(word string) *v1alpha1.AliyunOrder {
		o := &v1alpha1.AliyunOrder{}
		if word != "" {
			o.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word, "other": "x"}
		}
		return o
	}
	for name, test := range map[string]struct {
		before, after string
		want          bool
	}{
		"it is said": {"", "none", true}, "it is said again": {"7", "none", true}, "it is dropped": {"none", "", false},
		"nothing is said": {"none", "none", false},
	} {
		if got := spoken().Update(
			event.UpdateEvent{ObjectOld: order(test.before), ObjectNew: order(test.after)}); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestAnOrderThatCannotServeIsNotWorthInheriting(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }
	for name, test := range map[string]struct {
		status v1alpha1.OrderStatus
		want   bool
	}{
		"not asked for yet":        {v1alpha1.OrderStatus{}, true},
		"being validated":          {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseAwaitingValidation, Deadline: at(time.Hour)}, true},
		"in review":                {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseInReview}, true},
		"issued, and not read yet": {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseIssued}, true},
		"unknown":                  {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseUnknown}, true},
		"issued and unusable":      {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseIssued, UnusableSince: at(0)}, false},
		"refused":                  {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseRefused}, false},
		"withdrawn":                {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseWithdrawnElsewhere}, false},
		"in a word nobody knows":   {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseOther}, false},
		"missing": {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseInReview, Missing: &v1alpha1.OrderMissing{}},
			false},
		"at its deadline": {v1alpha1.OrderStatus{Progress: v1alpha1.PhaseAwaitingValidation, Deadline: at(0)}, false},
	} {
		if got := isWorth(&v1alpha1.AliyunOrder{Status: test.status}, noon); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
