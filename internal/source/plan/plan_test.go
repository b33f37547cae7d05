// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

func TestAnOrderThatIsForgottenLeavesNothingInMemory(t *testing.T) {
	s := &Source{}
	order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: "a"}}
	order.Status.Submission = &v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon)}
	at := &session{Source: s, Ask: source.Ask{Order: order, Now: noon}}
	if left := at.unsettled(time.Time{}); left != MinSettle {
		t.Errorf("where CAS does not tell the time, the doubt is settled in %s, want %s from its first sight", left,
			MinSettle)
	}
	s.listings.Store(order.UID, &listing{})
	s.Forget(order.UID)
	for name, remembered := range map[string]interface{ Load(any) (any, bool) }{
		"listings": &s.listings, "firstSeen": &s.firstSeen} {
		if _, ok := remembered.Load(order.UID); ok {
			t.Errorf("%s has it still", name)
		}
	}
}

// TestNothingThatWasSentIsExecutedAfterItsDoubtIsSettled compares the settle times with the life of a signature.
func TestNothingThatWasSentIsExecutedAfterItsDoubtIsSettled(t *testing.T) {
	if MinSettle <= signatureLife || DefaultSettle < MinSettle {
		t.Errorf("after %s an order is bought again, and the signature of the first is good for %s", MinSettle,
			signatureLife)
	}
}
