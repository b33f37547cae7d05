// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// leads is what a manager logs when it has the lease.
const leads = "Successfully acquired lease"

// TestTheLeaseChangesHandsThriceAmidSixtySubmissions takes it from three leaders in a row, each time while ten answers
// are kept back: by theft, which both sides survive for a while, by an orderly end, and by a crash.
func TestTheLeaseChangesHandsThriceAmidSixtySubmissions(t *testing.T) {
	s := newScene(t, plan{}, 60)
	s.from.addForeign(s)
	s.gateway.answers.hold(8)
	s.approve()
	robbed := s.candidate()
	s.gateway.answers.holdsAll()
	terminated := s.candidate()
	s.steal()
	robbed.logs("Failed to renew lease")
	s.giveBack()
	terminated.logs(leads)
	s.gateway.answers.holdsAll() // of the second, while the first still waits for its own
	s.gateway.answers.hold(0)
	if status := robbed.ends(); status != 1 {
		t.Errorf("the manager without a lease ended with status %d, want 1", status)
	}
	if strings.Contains(robbed.Log(), "still in flight") {
		t.Error("the manager without a lease ended before its answers were there")
	}

	s.gateway.answers.holdsAll()
	crashed := s.candidate()
	terminated.terminate()
	terminated.logs("Stopping and waiting for leader election runnables")
	s.gateway.answers.hold(0)
	if status := terminated.ends(); status != 0 {
		t.Errorf("the manager that was terminated ended with status %d, want 0", status)
	}

	crashed.logs(leads)
	s.gateway.answers.holdsAll()
	last := s.candidate()
	crashed.kill()
	s.gateway.answers.release()
	if n := len(s.inDoubt()); n < inFlight {
		t.Errorf("after the crash %d orders are in doubt, want at least %d", n, inFlight)
	}
	last.logs(leads)
	s.finish()
	s.verdict()
	t.Logf("a person had to decide %d times", s.words)
}

// steal gives the lease to somebody who keeps it.
func (s *scene) steal() {
	s.T.Helper()
	lease := s.lease()
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = new("somebody else"), new(int32(3600))
	if err := s.Client.Update(s.T.Context(), lease); err != nil {
		s.T.Fatal(err)
	}
}

// giveBack lets anybody take it.
func (s *scene) giveBack() {
	s.T.Helper()
	if err := s.Client.Delete(s.T.Context(), s.lease()); err != nil {
		s.T.Fatal(err)
	}
}

func (s *scene) lease() *coordinationv1.Lease {
	s.T.Helper()
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: s.Namespace, Name: "aliyun-issuer." + v1alpha1.Group}
	if err := s.Client.Get(s.T.Context(), key, lease); err != nil {
		s.T.Fatal(err)
	}
	return lease
}
