// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// instances sells with instances that were bought. They are few, so that requests wait for each other's.
type instances struct {
	env.Instances

	// lasts is how long their certificates live, or 0 if that is as long as usual.
	lasts time.Duration
	// hasEnded are instances that were closed, or refunded, for good.
	hasEnded map[string]bool
}

// Who has applied, where that was no call: see env.Purchase.
const (
	byCAS     = "cas"
	byConsole = "console"
)

// uncertain are the knobs that decide what becomes of an application, or of two who want one instance. The default
// comes in most worlds.
var uncertain = []string{"reapplyOnNormal", "updateOnNormal", "updateTooEarly", "reapplyLimit", "reapplyLimitCode",
	"oldCertificate", "nextValidity", "detailDuringReapply", "autoSubmit", "pendingDelay", "afterFailedReview",
	"failedTask", "failedResult", "failedCSR", "afterCancel", "cancelDelay", "cancelRace", "cancelOfReapply",
	"cancelTooEarly", "recordsDelay", "recordsShape", "taskWords", "idTypes", "timeUnit", "instanceCSRReuse",
	"csrText", "applyReplay", "instanceList", "instanceNotFound", "pendingExpiry"}

func (*instances) knobs(w *world, k *cassim.Knobs) {
	for _, unknown := range cassim.AllKnobs() {
		value := pick(w.rng, unknown.Values...)
		if !slices.Contains(uncertain, unknown.Knob) || !w.chance(45) {
			continue
		}
		if err := k.Set(unknown.Knob, value); err != nil {
			panic(err) // it is one of its values
		}
	}
	// What CAS submits by itself, and does not show yet, is replaced by what is applied for: nobody can see it.
	if k.ApplyReplay == cassim.ReplayReplaces {
		k.AutoSubmit = cassim.Never
	}
	k.InstanceDNS = cassim.Off // or CAS leaves records of its own
}

func (s *instances) open(w *world) {
	s.Selector.Type, s.hasEnded = v1alpha1.InstanceBought, map[string]bool{}
	s.lasts = pick(w.rng, 0, 36*time.Hour, 96*time.Hour)
	for range 2 + w.rng.IntN(3) {
		s.buy(w, 0, false)
	}
	s.buy(w, 0, true)
	s.buy(w, 1, false)
}

// buy adds an instance for two single names, or for a wildcard.
func (s *instances) buy(w *world, account int, isWild bool) {
	wanted := cassim.NewInstance{AccountID: accountIDs[account], Type: cassim.InstanceBought, SingleNames: 2}
	if isWild {
		wanted.SingleNames, wanted.WildcardNames = 0, 1
	}
	id := w.Simulator.AddInstance(wanted)
	w.Simulator.InstanceLasts(id, s.lasts)
}

func (s *instances) sell(_ *world, _ *party, spec *v1alpha1.IssuerSpec) { s.Issuer(spec) }

// blind are the points between a look at an instance and the call that follows it. CAS has no call with a condition, so
// nothing keeps others from the instance there: see docs/design/unknowns.md.
var blind = []string{"answer to GetInstanceDetail", "UpdateInstance", "ApplyCertificate", "CancelPendingCertificate",
	"patch status of *v1alpha1.AliyunOrder", "made: patch status of *v1alpha1.AliyunOrder"}

func (*instances) points() points {
	return points{
		buys: []string{"UpdateInstance", "ApplyCertificate", "ApplyCertificate"},
		interruptible: []string{"UpdateInstance", "ApplyCertificate", "ApplyCertificate", "GetInstanceDetail",
			"ListInstances", "CancelPendingCertificate"},
		holdable: []string{
			"UpdateInstance", "answer to UpdateInstance", "answer to UpdateInstance", "ApplyCertificate",
			"answer to ApplyCertificate", "answer to ApplyCertificate", "GetInstanceDetail",
			"answer to GetInstanceDetail", "answer to GetInstanceDetail", "ListInstances", "answer to ListInstances",
			"answer to ListInstances", "CancelPendingCertificate", "answer to CancelPendingCertificate",
			"answer to GetUserCertificateDetail",
		},
		breakable: []string{"GetInstanceDetail", "GetInstanceDetail", "ListInstances", "CancelPendingCertificate",
			"CancelPendingCertificate", "GetUserCertificateDetail", "GetTaskAttribute"},
	}
}

// breakList lets the listing of instances be behind, or out of order.
func (*instances) breakList(w *world) {
	how := pick(w.rng, cassim.ListSteady, cassim.ListShuffled, cassim.ListDrifting, cassim.ListLagging)
	w.note("listings of instances are %s now", how)
	w.Simulator.SetKnobs(func(k *cassim.Knobs) { k.InstanceList = how })
}

// changeSupply ends an instance that nobody has applied with, or buys another.
func (s *instances) changeSupply(w *world) {
	isMore, isWild, n := w.chance(60), w.chance(25), w.rng.IntN(1<<20)
	status := pick(w.rng, cassim.InstanceClosed, cassim.InstanceRefund, cassim.InstanceExpired)
	if isMore {
		w.note("somebody buys another instance, for a wildcard: %t", isWild)
		s.buy(w, 0, isWild)
		return
	}
	free := slices.DeleteFunc(w.Simulator.Instances(), func(i cassim.InstanceView) bool {
		return len(i.Applications) > 0 || s.hasEnded[i.InstanceID]
	})
	if len(free) > 0 {
		s.end(w, free[n%len(free)].InstanceID, status)
	}
}

// end takes an instance away for good.
func (s *instances) end(w *world, id, status string) {
	w.note("the instance %s is %s", id, status)
	s.hasEnded[id] = true
	w.Simulator.SetInstanceStatus(id, status)
}

func (s *instances) changePurchase(w *world) {
	var ours []env.Purchase
	for _, p := range s.Purchases(w.Simulator) {
		if !p.IsReleased && !p.IsVanished && p.IssuedAt.IsZero() {
			ours = append(ours, p)
		}
	}
	n := w.rng.IntN(1 << 20)
	what := pick(w.rng, "is refused by the CA", "is refused by the CA", "vanishes", "is cancelled in the console",
		"is cancelled in the console", "is issued though it is cancelled", "has an odd chain",
		"is in a state that nobody knows", "freezes", "is issued for other names", "is issued for another key",
		"is closed", "is validated", "is validated")
	odd := pick(w.rng, oddChains...)
	if len(ours) == 0 {
		return
	}
	p := ours[n%len(ours)]
	w.note("the application with %s for %s %s", p.Key(), p.Domain, what)
	switch what {
	case "is refused by the CA":
		w.Simulator.FailApplication(p.ID, "the authority says no")
	case "vanishes":
		w.Simulator.VanishInstance(p.ID)
	case "is cancelled in the console":
		w.try(func() { w.Simulator.CancelInConsole(p.ID) })
	case "is issued though it is cancelled":
		w.Simulator.IgnoreInstanceCancel(p.ID)
	case "has an odd chain":
		w.Simulator.InstanceChain(p.ID, odd)
	case "is in a state that nobody knows":
		w.Simulator.SetInstanceStatus(p.ID, "limbo")
	case "freezes":
		if p.State == cassim.InstancePending { // or CAS would not show for hours what it has accepted
			w.Simulator.FreezeInstance(p.ID)
		}
	case "is issued for other names":
		w.Simulator.InstanceWrongNames(p.ID, "other.example.com")
	case "is issued for another key":
		w.forced["other key "+p.ID] = true
		w.Simulator.InstanceWrongKey(p.ID)
	case "is closed":
		s.end(w, p.ID, cassim.InstanceClosed)
	case "is validated":
		for _, challenge := range p.Challenges {
			w.publishChallenge(challenge)
		}
	}
}

func (s *instances) buyMore(w *world, order *v1alpha1.AliyunOrder) {
	p := w.partyOf(order)
	s.buy(w, p.account(), p.isWild())
}

// heal buys what orders have waited for, and lets everything go on that was kept from it.
func (s *instances) heal(w *world) {
	w.Simulator.SetKnobs(func(k *cassim.Knobs) { k.InstanceList = cassim.ListSteady })
	for _, p := range w.parties {
		s.buy(w, p.account(), p.isWild())
	}
	for _, i := range w.Simulator.Instances() {
		w.Simulator.ThawInstance(i.InstanceID)
		w.Simulator.InstanceChain(i.InstanceID, cassim.ChainFull)
		if !s.hasEnded[i.InstanceID] {
			w.Simulator.SetInstanceStatus(i.InstanceID, "")
		}
	}
}

func (*instances) holds(order *v1alpha1.AliyunOrder) bool {
	release := order.Status.Release
	return len(order.Status.Certificate) == 0 && (release == nil || release.Outcome == "")
}

// knows says yes if the Order that the signing request is of has applied with the instance, or has written on it: then
// CAS may have applied, and the look before the next application finds that.
func (*instances) knows(w *world, order *v1alpha1.AliyunOrder, p *env.Purchase) bool {
	owner := w.ownerOf(p)
	return owner != nil && order.Spec.RequestRef.UID == owner.uid && (idOf(order) == p.ID || p.By == byCAS)
}

// check looks for a certificate that is lost by the application: a CA may revoke the one before. So that has to be of
// the same namespace and for the same names, and not young.
func (*instances) check(w *world, p *env.Purchase) {
	w.T.Helper()
	seen, _ := w.Simulator.Instance(p.ID)
	a := w.byCSR[p.CSR]
	before := slices.DeleteFunc(seen.Applications, func(other cassim.ApplicationView) bool {
		return other.Number >= p.Number || other.CertificateID == ""
	})
	if p.By == byConsole || len(before) == 0 {
		return
	}
	last := before[len(before)-1]
	owner := w.byCSR[last.CSRFingerprint]
	switch {
	case last.ForeignCSR:
		w.fail("somebody else's certificate may be revoked", "request %s has applied with %s", a.name, p.Key())
	case owner.namespace != a.namespace, !slices.Equal(owner.names, a.names):
		w.fail("the certificate of another request may be revoked", "request %s for %v has applied with %s, which has "+
			"issued to request %s for %v", a.name, a.names, p.Key(), owner.name, owner.names)
	case isYoung(last.Certificate, p.BoughtAt):
		w.fail("a young certificate may be revoked", "request %s has applied with %s", a.name, p.Key())
	}
}

// isYoung says that a certificate has two thirds of its life left.
func isYoung(certificate string, now time.Time) bool {
	block, _ := pem.Decode([]byte(certificate))
	leaf, err := x509.ParseCertificate(block.Bytes)
	return err == nil && leaf.NotAfter.Sub(now) > leaf.NotAfter.Sub(leaf.NotBefore)*2/3
}

// paidBefore says yes if it is the last certificate for the names in the issuer's record, and the last of its instance.
func (s *instances) paidBefore(w *world, a *asked, earlier *env.Purchase) bool {
	seen, _ := w.Simulator.Instance(earlier.ID)
	of := w.byCSR[earlier.CSR]
	hasNext := slices.ContainsFunc(s.Purchases(w.Simulator), func(p env.Purchase) bool {
		other := w.byCSR[p.CSR]
		return other.party == of.party && other.domain == of.domain && p.IssuedAt.After(earlier.IssuedAt)
	})
	return of.party == a.party && len(seen.Applications) == earlier.Number && !hasNext &&
		isYoung(earlier.Certificate, w.Clock.Now())
}

// again leaves an issuer nothing but an instance that was given back, if there is one, and applies.
func (s *instances) again(w *world) {
	w.T.Helper()
	for _, p := range s.Purchases(w.Simulator) {
		by := w.partyWith(&p)
		if !s.isBack(w, &p) || by == nil {
			continue
		}
		w.withIssuer(by, func(spec *v1alpha1.IssuerSpec) {
			env.Instances{Selector: v1alpha1.InstanceSelector{IDs: []string{p.ID}}}.Issuer(spec)
			spec.Orders = &v1alpha1.OrderPolicy{MaxPerDay: new(int32(1000)), Reserve: new(intstr.FromInt32(0))}
			spec.Solvers = w.alidns(by)
		})
		by.perDay = 0
		a := w.ask(by, "again", []string{"again." + zone}, gen.Key())
		w.decide(a, approved)
		w.pass(30 * time.Minute)
		seen, _ := w.Simulator.Instance(p.ID)
		if last := seen.Applications[len(seen.Applications)-1]; w.byCSR[last.CSRFingerprint] != a {
			w.T.Errorf("nobody can apply with %s, which request %s has given back: %s", p.ID, w.byCSR[p.CSR].name, w.open())
		}
		return
	}
}

// isBack says that an application was given back, and that nothing else has happened with its instance which keeps
// others from it.
func (s *instances) isBack(w *world, p *env.Purchase) bool {
	seen, _ := w.Simulator.Instance(p.ID)
	hasOther := slices.ContainsFunc(seen.Applications, func(a cassim.ApplicationView) bool {
		return a.EndedAt.IsZero() || a.CertificateID != "" || a.ForeignCSR
	})
	isProtected := seen.Status != cassim.InstanceInactive && w.Simulator.Knobs().UpdateOnNormal != cassim.UpdateAllowed
	return p.IsReleased && p.State == "withdrawn" && !hasOther && !isProtected && !s.hasEnded[p.ID] && !seen.Vanished &&
		seen.CSRBy != byConsole && seen.Tags["certmanager.aliyun.com/cluster"] == env.Cluster && seen.SingleNames > 0
}
