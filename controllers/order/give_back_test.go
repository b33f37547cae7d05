// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// TestAnOrderThatIsGoneWasGivenBackOnlyIfADeleteMayHaveDoneIt looks at an order that CAS does not know any more. A
// delete of this controller, whose reply was lost, may have removed it only if it was in a phase from which this
// controller deletes. In any other phase one look is not enough: CAS may know a young order only later.
func TestAnOrderThatIsGoneWasGivenBackOnlyIfADeleteMayHaveDoneIt(t *testing.T) {
	for phase, want := range map[v1alpha1.OrderPhase]v1alpha1.ReleaseOutcome{
		v1alpha1.PhaseWithdrawnElsewhere: v1alpha1.Released, v1alpha1.PhaseRefused: v1alpha1.Released,
		v1alpha1.PhaseAwaitingValidation: v1alpha1.NothingToRelease, v1alpha1.PhaseInReview: v1alpha1.NothingToRelease,
		v1alpha1.PhaseIssued: v1alpha1.NothingToRelease, "": v1alpha1.NothingToRelease, v1alpha1.PhaseOther: v1alpha1.NothingToRelease,
	} {
		r := New(Config{})
		run := &orderRun{order: &v1alpha1.AliyunOrder{Status: v1alpha1.OrderStatus{Progress: phase}}, now: noon}
		first := r.goneOutcome(run)
		if want == v1alpha1.Released {
			compare.Same(t, first, want)
			continue
		}
		compare.Same(t, first, v1alpha1.ReleaseOutcome(""))
		run.now = noon.Add(goneAfter)
		compare.Same(t, r.goneOutcome(run), v1alpha1.ReleaseOutcome("")) // the second look
		compare.Same(t, r.goneOutcome(run), want)
	}
}
