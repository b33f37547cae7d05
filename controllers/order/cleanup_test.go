// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestARecordIsLeftOnlyToAnOrderThatStillNeedsIt changes the other Order after the cache has seen it. A record that is
// left to an Order which does not remove it would stay for good.
func TestARecordIsLeftOnlyToAnOrderThatStillNeedsIt(t *testing.T) {
	record := func(uid string) *v1alpha1.AliyunOrder {
		order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: uid, UID: types.UID(uid)}}
		order.Status.Validations = []v1alpha1.OrderValidation{{
			FQDN: "_dnsauth.example.com", RecordType: "TXT", RecordValue: "v", Ownership: v1alpha1.RecordOurs,
		}}
		return order
	}
	for name, test := range map[string]struct {
		since func(*v1alpha1.AliyunOrder)
		want  bool
	}{
		"it waits":             {func(*v1alpha1.AliyunOrder) {}, true},
		"it was handed over":   {func(o *v1alpha1.AliyunOrder) { o.Status.HandedOverTo = "mine" }, false},
		"it has ended":         {func(o *v1alpha1.AliyunOrder) { o.Status.Release = &v1alpha1.OrderRelease{} }, false},
		"it wants another":     {func(o *v1alpha1.AliyunOrder) { o.Status.Validations[0].RecordValue = "w" }, false},
		"another has its name": {func(o *v1alpha1.AliyunOrder) { o.UID = "other" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			mine, theirs := record("mine"), record("theirs")
			now := theirs.DeepCopy()
			test.since(now)
			r := New(Config{Client: fakeCluster(t, mine, theirs), APIReader: fakeCluster(t, mine, now)})
			owned := &mine.Status.Validations[0]
			if isLeft, err := r.wrapping.bequeath(t.Context(), mine, owned); isLeft != test.want || err != nil {
				t.Errorf("it is left: %t, %v", isLeft, err)
			}
			r.APIReader = fakeCluster(t, mine)
			if isLeft, err := r.wrapping.bequeath(t.Context(), mine, owned); isLeft || err != nil {
				t.Errorf("it is left to nobody: %t, %v", isLeft, err)
			}
		})
	}
}
