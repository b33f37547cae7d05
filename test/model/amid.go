// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"math/rand/v2"
	"slices"
	"time"
)

// holdable are the points that a run can be held at whoever sells, as env.Hold names them: around calls, writes of
// facts, and reads that a decision hangs on.
var holdable = []string{
	"answer to AddDomainRecord",
	"patch status of *v1alpha1.AliyunOrder", "patch status of *v1alpha1.AliyunOrder",
	"patch status of *v1alpha1.AliyunOrder",
	"made: patch status of *v1alpha1.AliyunOrder", "patch *v1alpha1.AliyunOrder", "create *v1alpha1.AliyunOrder",
	"read *v1alpha1.AliyunOrder", "read *v1alpha1.AliyunOrderList", "read *v1.CertificateRequest",
}

// hold lets the next run that comes to a point be held there, while others go on and the world does, too.
func (w *world) hold() {
	w.heldAt = pick(w.rng, slices.Concat(holdable, w.seller().points().holdable)...)
	w.note("a run will be held at %s", w.heldAt)
	w.Hold(w.heldAt)
}

// amid lets things happen while a run is held, and lets it go then.
func (w *world) amid() {
	w.T.Helper()
	defer func(rng *rand.Rand) { w.rng, w.isAmid = rng, false }(w.rng)
	w.rng, w.isAmid = rand.New(rand.NewPCG(w.seed, w.rng.Uint64())), true //nolint:gosec // a seed is to be guessed
	w.note("   a run is held")
	w.observe()
	meanwhile := []func(*world){
		(*world).createRequests, (*world).createRequests, (*world).createRequests, (*world).editCertificate,
		(*world).editCertificate, (*world).deleteRequest,
		(*world).deleteOrder, (*world).editIssuer, (*world).moveIssuer, (*world).obey, (*world).changePurchase,
		(*world).breakList, (*world).others, (*world).breakPurchase,
	}
	for range w.rng.IntN(3) {
		if len(w.living()) > 0 {
			pick(w.rng, meanwhile...)(w)
		}
		w.Settle()
		w.observe()
	}
	w.Clock.SetTime(w.Clock.Now().Add(pick(w.rng, 0, time.Second, 20*time.Second)))
	w.Settle()
	w.observe()
	w.note("   it goes on")
	w.LetGo()
}

// goDown stops the controller for a while, in which people go on. What they asked for wakes together when it is back,
// and some run may be held then.
func (w *world) goDown() {
	d := pick(w.rng, 3*time.Minute, 12*time.Minute, 40*time.Minute, 3*time.Hour, 20*time.Hour)
	w.note("the controller is down for %s", d)
	w.LetGo()
	w.isDown = true
	for range 1 + w.rng.IntN(3) {
		if len(w.living()) > 0 {
			pick(w.rng, (*world).createRequests, (*world).createRequests, (*world).createRequests,
				(*world).editCertificate, (*world).deleteRequest,
				(*world).changePurchase, (*world).others)(w)
		}
		w.Clock.SetTime(w.Clock.Now().Add(d / 3))
	}
	w.isDown = false
	w.Restart()
	if w.chance(50) {
		w.hold()
	}
}
