// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func (w *world) withIssuer(change func(*v1alpha1.IssuerSpec)) {
	issuer := &v1alpha1.AliyunIssuer{}
	key := client.ObjectKey{Namespace: w.Namespace, Name: gen.IssuerName}
	if err := w.Client.Get(w.T.Context(), key, issuer); err != nil {
		w.must(err)
		return
	}
	change(&issuer.Spec)
	w.must(w.Client.Update(w.T.Context(), issuer))
}

// editIssuer changes one thing about the issuer.
func (w *world) editIssuer() {
	what := w.rng.IntN(6)
	maxPerDay, timeout := pick(w.rng, int32(1), 2, 5, 50), pick(w.rng, time.Hour, 5*time.Hour, 72*time.Hour)
	w.note("the issuer is edited: %d (0 paused, 1 maxPerDay %d, 2 timeout %s, 3 solver, 4 productCode, 5 account)", what, maxPerDay, timeout)
	w.withIssuer(func(spec *v1alpha1.IssuerSpec) {
		switch what {
		case 0:
			spec.Orders.Paused = !spec.Orders.Paused
		case 1:
			spec.Orders.MaxPerDay = &maxPerDay
		case 2:
			spec.Orders.Timeout = &metav1.Duration{Duration: timeout}
		case 3:
			w.changeSolver(spec)
		case 4:
			plan := spec.Source.ResourcePlan
			if plan.ProductCode == gen.Product {
				plan.ProductCode = otherProduct
			} else {
				plan.ProductCode = gen.Product
			}
		case 5:
			spec.Account = v1alpha1.AccountShared
			if !w.isExclusive && !w.hasOthers {
				spec.Account, w.isExclusive = v1alpha1.AccountExclusive, true
			}
		}
	})
}

func (w *world) changeSolver(spec *v1alpha1.IssuerSpec) {
	if spec.Solvers[0].DNS.Manual == nil {
		spec.Solvers[0].DNS = &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}
		return
	}
	spec.Solvers[0].DNS = &v1alpha1.DNSSolver{Alidns: &v1alpha1.AlidnsSolver{Endpoint: spec.Endpoint}}
}

// tellSecret writes a key of the account, or a wrong one, into the Secret.
func (w *world) tellSecret(id string) {
	secret := gen.Secret(w.Namespace, id, "secret of "+id)
	if err := w.Client.Update(w.T.Context(), secret); client.IgnoreNotFound(err) != nil {
		w.T.Fatal(err)
	}
}

// rotate replaces the key at Alibaba Cloud, in the Secret, or both.
func (w *world) rotate() {
	switch what := pick(w.rng, "both", "both", "the account only", "the Secret gets a wrong one"); what {
	case "both", "the account only":
		w.note("the key is replaced: %s", what)
		old := w.keyID
		w.Simulator.RotateKey(old, w.newKey())
		if what == "both" {
			w.tellSecret(w.keyID)
		}
	default:
		w.note("%s", what)
		w.tellSecret("wrong-" + w.keyID)
	}
}
