// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// What the Orders that are gone cost is known to a new process, too.
func TestARestartForgetsNoneOfTheThreeCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newCluster(t))
	m := w.startManager()
	w.Create(w.certificate(www))
	for i := range 3 {
		w.untilIssued(www, i+1)
		w.untilPruned()
		if i == 2 {
			m.stop()
			m = w.startManager()
		}
		w.delete(w.secret(www))
	}
	isSettled := func(o v1alpha1.AliyunOrder) bool {
		return o.Spec.RequestRef.Name == www+"-4" && (hasID(o) || isHeld(v1alpha1.ReasonOrderRateExceeded)(o))
	}
	w.untilOrder(www, "the fourth order is held or bought", isSettled)
	w.bought(www, 3)

	// Held for long, an order is no longer one of which it is certain that nobody has submitted it: a restart is as
	// good.
	m.stop()
	w.startManager()
	w.allow(4)
	w.untilIssued(www, 4)
	w.bought(www, 4)
}
