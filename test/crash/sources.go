// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// source is who sells to a life, and what others have there. It is made anew for each walk.
type source interface {
	env.Source
	// options make the times of the simulator such that each walk of a life passes the same points.
	options(o *cassim.Options)
	// open puts there what the account has before the life begins, and what others have.
	open(e *env.Env)
	// isSure says that nobody has to be asked at the end whether a call without an answer has bought something.
	isSure() bool
	// refuse lets the CA refuse a purchase that is kept.
	refuse(e *env.Env, id string)
	// others is what others have. At the end it has to be what it was before.
	others(e *env.Env) any
	// again buys with what was given back.
	again(e *env.Env)
}

// kept are the purchases that were not given back.
func kept(e *env.Env, from source) []env.Purchase {
	return slices.DeleteFunc(from.Purchases(e.Simulator), func(p env.Purchase) bool { return p.IsReleased })
}

func ofPlan() source { return &plan{} }

func ofInstances() source { return &instances{} }

// plan is a resource plan that somebody else orders from, too.
type plan struct {
	env.Plan

	foreign string
}

func (*plan) options(*cassim.Options) {}

func (p *plan) open(e *env.Env) { p.foreign = e.Simulator.AddForeignOrder("other.example.com") }

func (*plan) isSure() bool { return false }

func (*plan) refuse(e *env.Env, id string) {
	if order, _ := e.Simulator.Order(id); order.State != cassim.StateVerifyFail {
		e.Simulator.ForceState(id, cassim.StateVerifyFail)
	}
}

func (p *plan) others(e *env.Env) any {
	_, isThere := e.Simulator.Order(p.foreign)
	return isThere
}

func (*plan) again(*env.Env) {} // the ledger tells that the plan has its certificate back

// instances are two, for two names each, that the issuer may apply with, and among its ids one with somebody else's
// signing request, which nobody has applied for.
type instances struct {
	env.Instances

	theirs string
	ours   []string
}

// options keep CAS from writing records by itself, and end a cancellation when no look can be due. The first or the
// second look cancels, 0 to 12 seconds after the withdrawal began; later ones are 40 to 58 and 80 to 116 seconds
// after that.
func (*instances) options(o *cassim.Options) {
	o.Knobs.InstanceDNS, o.Knobs.CancelTooEarly = cassim.Off, "0s"
	o.Knobs.CancelDelay, o.CancelDelay = "0s", 62*time.Second
}

func (s *instances) open(e *env.Env) {
	buy := func() string {
		return e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 2})
	}
	s.theirs, s.ours = buy(), []string{buy(), buy()}
	s.Selector.IDs = append([]string{s.theirs}, s.ours...)
	e.Simulator.WriteInConsole(s.theirs, "other.example.com")
}

// Issuer has all new names ordered at once.
func (s *instances) Issuer(spec *v1alpha1.IssuerSpec) {
	s.Instances.Issuer(spec)
	spec.Orders = &v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(0))}
}

func (*instances) isSure() bool { return true }

func (*instances) refuse(e *env.Env, id string) { e.Simulator.FailApplication(id, "") }

func (s *instances) others(e *env.Env) any {
	theirs, _ := e.Simulator.Instance(s.theirs)
	return theirs
}

// Harm tells also of a second application while the first one was under way, and of a second instance that was written
// on: there is one request at a time.
func (s *instances) Harm(at *cassim.Server) error {
	harm := []error{s.Instances.Harm(at)}
	all := at.Applications()
	for i := 1; i < len(all); i++ {
		if first, second := all[i-1], all[i]; first.EndedAt.IsZero() || first.EndedAt.After(second.SubmittedAt) {
			harm = append(harm, fmt.Errorf("%s was applied with at %s, while %s was", second.InstanceID,
				second.SubmittedAt.Format(time.TimeOnly), first.InstanceID))
		}
	}
	var written []string
	for _, i := range at.Instances() {
		if i.InstanceID != s.theirs && i.CSRFingerprint != "" {
			written = append(written, i.InstanceID)
		}
	}
	if len(written) > 1 {
		harm = append(harm, fmt.Errorf("the instances %s were written on", strings.Join(written, ", ")))
	}
	return errors.Join(harm...)
}

// again leaves the issuer nothing but the instance that was given back, if there is one, and makes a request.
func (s *instances) again(e *env.Env) {
	before := s.Purchases(e.Simulator)
	if len(before) == 0 || !before[len(before)-1].IsReleased {
		return
	}
	issuer := &v1alpha1.AliyunIssuer{}
	must(e, e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.IssuerName}, issuer))
	issuer.Spec.Source.Instance.Selector.IDs = []string{before[len(before)-1].ID}
	must(e, e.Client.Update(e.T.Context(), issuer))
	e.Create(gen.Request(e.Namespace, "again", gen.CSR(gen.Key())))
	e.Decide("again", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, func() bool { return len(s.Purchases(e.Simulator)) > len(before) })
}
