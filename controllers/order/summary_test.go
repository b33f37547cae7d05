// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// Returns a time of the tests as the API has it.
func at(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }

// TestAnOrderIsSummedUpByItsFacts sets each fact beside those that it outweighs.
func TestAnOrderIsSummedUpByItsFacts(t *testing.T) {
	asked := &v1alpha1.OrderSubmission{StartedAt: *at(0), Attempt: 1}
	for name, test := range map[string]struct {
		status v1alpha1.OrderStatus
		state  v1alpha1.OrderState
		reason string
	}{
		"nothing yet": {v1alpha1.OrderStatus{}, v1alpha1.OrderStatePending, v1alpha1.ReasonPending},
		"an intent": {v1alpha1.OrderStatus{Submission: asked}, v1alpha1.OrderStateSubmitting,
			v1alpha1.ReasonPending},
		"an id": {v1alpha1.OrderStatus{Submission: asked, OrderID: "7"}, v1alpha1.OrderStateValidating,
			v1alpha1.ReasonValidating},
		"to validate": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseAwaitingValidation}, v1alpha1.OrderStateValidating,
			v1alpha1.ReasonValidating},
		"in review": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseInReview}, v1alpha1.OrderStateReviewing,
			v1alpha1.ReasonReviewing},
		"issued there": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseIssued}, v1alpha1.OrderStateReviewing,
			v1alpha1.ReasonReviewing},
		"withdrawn": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseWithdrawnElsewhere, CASStateSince: at(0)},
			v1alpha1.OrderStateReviewing, v1alpha1.ReasonUnknownState},
		"refused": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseRefused, CASStateSince: at(0)},
			v1alpha1.OrderStateReviewing, v1alpha1.ReasonUnknownState},
		"a new word": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseOther}, v1alpha1.OrderStateReviewing,
			v1alpha1.ReasonUnknownState},
		"a certificate": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseIssued, Certificate: []byte("x")},
			v1alpha1.OrderStateIssued, v1alpha1.ReasonIssued},
		"a certificate again": {v1alpha1.OrderStatus{ReusedOrderID: "6", Certificate: []byte("x")},
			v1alpha1.OrderStateIssued, v1alpha1.ReasonReused},
		"being given back": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseInReview,
			Release: &v1alpha1.OrderRelease{Reason: "Why"}}, v1alpha1.OrderStateReleasing, "Why"},
		"given back": {v1alpha1.OrderStatus{OrderID: "7", Progress: v1alpha1.PhaseWithdrawnElsewhere,
			Release: &v1alpha1.OrderRelease{Reason: "Why", Outcome: v1alpha1.Released}}, v1alpha1.OrderStateFailed,
			"Why"},
	} {
		got := summarize(runOf(&v1alpha1.AliyunOrder{Status: test.status}, noon.Add(time.Hour)))
		if got.state != test.state || got.reason != test.reason || got.message == "" && test.status.Release == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// TestEachPhaseAtCASHasItsDeadline counts from the submission while a domain is validated, and from the last change of
// state after that.
func TestEachPhaseAtCASHasItsDeadline(t *testing.T) {
	own := &metav1.Duration{Duration: 2 * time.Hour}
	for name, test := range map[string]struct {
		status  v1alpha1.OrderStatus
		timeout *metav1.Duration
		want    time.Time
	}{
		"not submitted": {v1alpha1.OrderStatus{}, nil, time.Time{}},
		"submitted":     {v1alpha1.OrderStatus{SubmittedAt: at(0)}, nil, noon.Add(defaultTimeout)},
		"to validate": {v1alpha1.OrderStatus{SubmittedAt: at(0), Progress: v1alpha1.PhaseAwaitingValidation}, nil,
			noon.Add(defaultTimeout)},
		"with a time of its own": {v1alpha1.OrderStatus{SubmittedAt: at(0), Progress: v1alpha1.PhaseAwaitingValidation}, own,
			noon.Add(2 * time.Hour)},
		"in review": {v1alpha1.OrderStatus{SubmittedAt: at(0), Progress: v1alpha1.PhaseInReview, CASStateSince: at(time.Hour)}, own,
			noon.Add(time.Hour + reviewTimeout)},
		"a new word": {v1alpha1.OrderStatus{SubmittedAt: at(0), Progress: v1alpha1.PhaseOther, CASStateSince: at(time.Hour)}, nil,
			noon.Add(time.Hour + reviewTimeout)},
		"issued": {v1alpha1.OrderStatus{SubmittedAt: at(0), Progress: v1alpha1.PhaseIssued, CASStateSince: at(0)}, nil,
			time.Time{}},
	} {
		order := &v1alpha1.AliyunOrder{Spec: v1alpha1.OrderSpec{Timeout: test.timeout}, Status: test.status}
		end, waitsFor := deadline(&orderRun{order: order, now: noon})
		if !end.Equal(test.want) || (waitsFor == "") != end.IsZero() {
			t.Errorf("%s: it ends at %s, and waits for %q", name, end, waitsFor)
		}
	}
}

func TestWhatIsHeldSaysWhenItIsLookedAtNext(t *testing.T) {
	for after, want := range map[time.Duration]string{
		0: "This AliyunOrder goes on as soon as that has changed", time.Second: orders.Looked + "a minute",
		time.Minute: orders.Looked + "a minute", time.Minute + 1: orders.Looked + "12 minutes",
		12 * time.Minute: orders.Looked +
			"12 minutes",
		12*time.Minute + 1: orders.Looked + "the hour",
	} {
		compare.Same(t, nextLook(after), want)
		compare.Same(t, orders.WithoutNextLook("why. "+nextLook(time.Second)), "why")
	}
}
