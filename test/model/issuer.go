// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func (w *world) withIssuer(p *party, change func(*v1alpha1.IssuerSpec)) {
	issuer := &v1alpha1.AliyunIssuer{}
	key := client.ObjectKey{Namespace: p.namespace, Name: p.issuer}
	if err := w.Client.Get(w.T.Context(), key, issuer); err != nil {
		w.must(err)
		return
	}
	before := issuer.DeepCopy()
	change(&issuer.Spec)
	w.must(w.Client.Patch(w.T.Context(), issuer, client.MergeFrom(before)))
}

// editIssuer changes one thing about the issuer.
func (w *world) editIssuer() {
	what, p := w.rng.IntN(8), pick(w.rng, w.living()...)
	maxPerDay, timeout := pick(w.rng, int32(1), 2, 5, 50), pick(w.rng, time.Hour, 5*time.Hour, 72*time.Hour)
	solver, perDay := pick(w.rng, "alidns", "manual", "file"), pick(w.rng, int32(1), 2, 4)
	w.note("the issuer %s of %s is edited: %d (0 paused, 1 maxPerDay %d, 2 timeout %s, 3 solver %s, 4 productCode, "+
		"5 account, "+
		"6 budget of %d a day, 7 reserve)", p.issuer, w.tenantOf(p), what, maxPerDay, timeout, solver, perDay)
	w.withIssuer(p, func(spec *v1alpha1.IssuerSpec) {
		switch what {
		case 0:
			spec.Orders.Paused = !spec.Orders.Paused
		case 1:
			spec.Orders.MaxPerDay = &maxPerDay
		case 2:
			spec.Orders.Timeout = &metav1.Duration{Duration: timeout}
		case 3:
			w.changeSolver(p, spec, solver)
		case 4:
			if plan := spec.Source.ResourcePlan; plan != nil {
				plan.ProductCode = p.products[(slices.Index(p.products, plan.ProductCode)+1)%len(p.products)]
			}
		case 6:
			spec.Orders.Budget = &v1alpha1.OrderBudget{Namespace: v1alpha1.OrderLimits{PerDay: &perDay}}
			p.perDay, p.isEditedAmid, p.counted = int(perDay), w.isAmid, map[types.UID]bool{}
			for _, order := range w.orders() {
				p.counted[order.Spec.RequestRef.UID] = order.Status.Submission != nil
			}
		case 7:
			spec.Orders.Reserve = new(intstr.FromString("50%"))
		case 5:
			spec.Account = v1alpha1.AccountShared
			if p.account() == 1 {
				spec.Account = v1alpha1.AccountExclusive
			} else if !w.isExclusive && !w.hasOthers {
				spec.Account, w.isExclusive = v1alpha1.AccountExclusive, true
			}
		}
	})
}

func (w *world) changeSolver(p *party, spec *v1alpha1.IssuerSpec, to string) {
	switch manual := (v1alpha1.ManualSolver{}); {
	case to == "file" && !p.isWild():
		spec.Solvers = []v1alpha1.Solver{{File: &v1alpha1.FileSolver{Manual: &manual}}}
	case to == "manual":
		spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Manual: &manual}}}
	default:
		spec.Solvers = w.alidns(p)
	}
}

// object is the Secret with a key.
func (s *secret) object(id string) *corev1.Secret {
	object := gen.Secret(s.namespace, id, "secret of "+id)
	object.Name = s.name
	return object
}

// tellSecret writes a key of the account, or a wrong one, into the Secret.
func (w *world) tellSecret(s *secret, id string) {
	w.must(w.Client.Update(w.T.Context(), s.object(id)))
}

// replaceKey replaces a key at Alibaba Cloud.
func (w *world) replaceKey(s *secret) {
	old, next := s.keyID, w.newKey(s.account)
	w.Simulator.RotateKey(old, next)
	s.keyID = next.ID
}

// rotate replaces a key at Alibaba Cloud, in the Secret, or both.
func (w *world) rotate() {
	what, s := pick(w.rng, "both", "both", "the account only", "the Secret gets a wrong one"), pick(w.rng, w.secrets...)
	if w.gone[s.namespace] {
		return
	}
	w.note("the key of %s is replaced: %s", s.name, what)
	switch what {
	case "both", "the account only":
		w.replaceKey(s)
		if what == "both" {
			w.tellSecret(s, s.keyID)
		}
	default:
		w.tellSecret(s, "wrong-"+s.keyID)
	}
}
