// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// action is something that can happen, so often as its weight says.
type action struct {
	weight int
	do     func(*world)
	// isUsers says that it needs a namespace.
	isUsers bool
	// isRough says that it is left out of every other sequence: where much is broken little is ordered.
	isRough bool
}

// actions are all of them.
func actions() []action {
	return []action{
		{14, (*world).createRequests, true, false},
		{3, (*world).decideOne, true, true},
		{5, (*world).deleteRequest, true, false},
		{9, (*world).editCertificate, true, false},
		{8, (*world).prune, true, false},
		{4, (*world).renew, true, false},
		{3, (*world).deleteOrder, true, false},
		{3, (*world).takeOrder, true, true},
		{6, (*world).editIssuer, true, true},
		{3, (*world).moveIssuer, true, false},
		{4, (*world).rotate, true, true},
		{1, (*world).deleteNamespace, true, true},
		{4, (*world).restart, false, false},
		{7, (*world).passLong, false, true},
		{10, (*world).obey, false, false},
		{6, (*world).publish, false, false},
		{8, (*world).goDown, false, false},
		{20, (*world).hold, false, false},
		{14, (*world).breakPurchase, false, false},
		{8, (*world).breakCall, false, true},
		{3, (*world).lift, false, false},
		{5, (*world).breakList, false, false},
		{5, (*world).others, false, false},
		{4, (*world).changeSupply, false, true},
		{8, (*world).changePurchase, false, false},
		{10, (*world).interrupt, false, true},
	}
}

func (w *world) act() {
	table, total := actions(), 0
	if w.seed%2 == 0 {
		table = slices.DeleteFunc(table, func(a action) bool { return a.isRough })
	}
	for _, a := range table {
		total += a.weight
	}
	n := w.rng.IntN(total)
	for _, a := range table {
		if n -= a.weight; n < 0 {
			if !a.isUsers || len(w.living()) > 0 {
				a.do(w)
			}
			return
		}
	}
}

func (w *world) restart() {
	w.note("the controller is restarted")
	w.Restart()
}

func (w *world) passLong() {
	d := pick(w.rng, time.Hour, 3*time.Hour, 7*time.Hour, 26*time.Hour, 75*time.Hour)
	w.note("%s pass", d)
	w.pass(d)
}

// What happens at a source.
func (w *world) breakList()      { w.seller().breakList(w) }
func (w *world) others()         { w.seller().others(w) }
func (w *world) changeSupply()   { w.seller().changeSupply(w) }
func (w *world) changePurchase() { w.seller().changePurchase(w) }

// interruptible are the points that a step can be cut off at whoever sells, as env.Points names them.
var interruptible = []string{
	"AddDomainRecord", "DeleteDomainRecord",
	"patch status of *v1alpha1.AliyunOrder", "patch status of *v1alpha1.AliyunOrder",
	"patch status of *v1alpha1.AliyunOrder",
	"patch *v1alpha1.AliyunOrder", "create *v1alpha1.AliyunOrder", "apply status of *v1.CertificateRequest",
}

// interrupt lets a crash or an error come at a point of what follows, if it is passed.
func (w *world) interrupt() {
	points := slices.Concat(interruptible, w.seller().points().interruptible)
	point := fmt.Sprintf("%s #%d", pick(w.rng, points...), 1+w.rng.IntN(3))
	kind := pick(w.rng, env.Interruptions...)
	w.note("at %s comes %s", point, kind)
	w.Points.Trace(point, kind)
}
