// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// between is what somebody else does with an instance while a call of ours is held, after the look that allowed it: CAS
// has no call with a condition, so nothing can keep anybody out then.
type between struct {
	call string
	do   func(r *rivals, id string)
	// own is what becomes of the request at each value of the knob applyReplay.
	own map[string]string
}

var betweens = map[string]between{
	"a person writes before we do": {"UpdateInstance", writeInConsole, same(issued)},
	"a person applies before we write": {"UpdateInstance", func(r *rivals, id string) {
		writeInConsole(r, id)
		r.simulator.ApplyInConsole(id)
	}, same(issued)},
	"a person writes before we apply": {"ApplyCertificate", writeInConsole, same(failed)},
	"a person applies before we do": {"ApplyCertificate", func(r *rivals, id string) {
		writeInConsole(r, id)
		r.simulator.ApplyInConsole(id)
	}, map[string]string{cassim.ReplayRefused: issued, cassim.ReplayIgnored: failed, cassim.ReplayReplaces: failed}},
	"the other cluster applies before we write": {"UpdateInstance", otherCluster(""), same(issued)},
	"the other cluster writes before we do":     {"UpdateInstance", otherCluster("ApplyCertificate"), same(issued)},
}

func same(reason string) map[string]string {
	return map[string]string{cassim.ReplayRefused: reason, cassim.ReplayIgnored: reason, cassim.ReplayReplaces: reason}
}

func writeInConsole(r *rivals, id string) { r.simulator.WriteInConsole(id, "shop."+cassim.DefaultZone) }

// otherCluster asks in the other cluster, which is held before a call.
func otherCluster(call string) func(*rivals, string) {
	return func(r *rivals, _ string) {
		r.ask(r.clusters[1], "www")
		r.clusters[1].Hold(call)
		r.clusters[1].Settle()
	}
}

// TestWhoeverComesBetweenALookAndACall has somebody else act on the instance in the instant in which nobody can be kept
// out. Nobody gets a certificate for another's key even so, nothing of theirs is cancelled, and whoever comes away with
// nothing is told.
func TestWhoeverComesBetweenALookAndACall(t *testing.T) {
	for name, b := range betweens {
		for replay, want := range b.own {
			t.Run(name+"/"+replay, func(t *testing.T) {
				r := newRivals(t, 1, func(k *cassim.Knobs) error { return k.Set("applyReplay", replay) })
				ours := r.clusters[0]
				ours.Settle()
				r.clusters[1].Settle()
				ours.Hold(b.call)
				r.ask(ours, "www")
				ours.Settle()
				if !ours.Held() {
					t.Fatal("no run is held")
				}
				b.do(r, r.written(ours))
				ours.LetGo()
				r.clusters[1].LetGo()
				r.settleAll(3*time.Hour, func() {})
				for _, a := range r.requests {
					r.checkCertificate(a)
					if ready := r.readyOf(a); ready.Message == "" || a.Env == ours && ready.Reason != want {
						t.Errorf("the request %s says %+v, want %s", a.name, ready, want)
					}
				}
				for _, a := range r.simulator.Applications() {
					if a.ForeignCSR && !a.CancelledAt.IsZero() {
						t.Errorf("the application of the person was cancelled: %+v", a)
					}
				}
			})
		}
	}
}

// written is the instance that the only Order of a cluster has chosen.
func (r *rivals) written(e *env.Env) string {
	r.t.Helper()
	return onlyOrder(r.t, e).Status.Submission.Instance.ID
}
