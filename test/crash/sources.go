// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	// options make the times of the simulator such that each walk of a life passes the same points.
	options(o *cassim.Options)
	// open puts there what the account has before the life begins, and what others have.
	open(e *env.Env)
	issuer(i *v1alpha1.AliyunIssuer)
	// buys is the call that buys.
	buys() string
	// isSure says that nobody has to be asked at the end whether a call without an answer has bought something.
	isSure() bool
	// purchases are all that were made for us, whoever got to know of them.
	purchases(e *env.Env) []purchase
	// refuse lets the CA refuse a purchase that is kept.
	refuse(e *env.Env, id string)
	// others is what others have. At the end it has to be what it was before.
	others(e *env.Env) any
	// harm tells what was done there that no life may do.
	harm(e *env.Env) error
	// again buys with what was given back.
	again(e *env.Env)
}

// purchase is what was bought once. Its id is that which an operator reads in the console.
type purchase struct {
	id string
	// isKept says that it was not given back.
	isKept bool
}

// kept are the purchases that were not given back.
func kept(e *env.Env, from source) []purchase {
	return slices.DeleteFunc(from.purchases(e), func(p purchase) bool { return !p.isKept })
}

func ofPlan() source { return &plan{} }

func ofInstances() source { return &instances{} }

// plan is a resource plan that somebody else orders from, too.
type plan struct{ foreign string }

func (*plan) options(*cassim.Options) {}

func (p *plan) open(e *env.Env) { p.foreign = e.Simulator.AddForeignOrder("other.example.com") }

func (*plan) issuer(*v1alpha1.AliyunIssuer) {} // has it

func (*plan) buys() string { return "CreateCertificateWithCsrRequest" }

func (*plan) isSure() bool { return false }

func (*plan) purchases(e *env.Env) (all []purchase) {
	for _, entry := range e.Simulator.Ledger() {
		if !entry.Foreign {
			all = append(all, purchase{entry.OrderID, !entry.Released})
		}
	}
	return all
}

func (*plan) refuse(e *env.Env, id string) {
	if order, _ := e.Simulator.Order(id); order.State != cassim.StateVerifyFail {
		e.Simulator.ForceState(id, cassim.StateVerifyFail)
	}
}

func (p *plan) others(e *env.Env) any {
	_, isThere := e.Simulator.Order(p.foreign)
	return isThere
}

func (*plan) harm(e *env.Env) error { return e.Simulator.ForeignHarm() }

func (*plan) again(*env.Env) {} // the ledger tells that the plan has its certificate back

// instances are two, for two names each, that the issuer may apply with, and among its ids one with somebody else's
// signing request, which nobody has applied for.
type instances struct {
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
	e.Simulator.WriteInConsole(s.theirs, "other.example.com")
}

func (s *instances) issuer(i *v1alpha1.AliyunIssuer) {
	contact := strconv.FormatInt(cassim.DefaultContact, 10)
	i.Spec.Source = v1alpha1.Source{Instance: &v1alpha1.Instance{
		Selector: v1alpha1.InstanceSelector{IDs: append([]string{s.theirs}, s.ours...)}, ContactIDs: []string{contact}}}
	i.Spec.Contact = nil
	i.Spec.Orders = &v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(0))}
}

func (*instances) buys() string { return "ApplyCertificate" }

func (*instances) isSure() bool { return true }

func (s *instances) purchases(e *env.Env) (all []purchase) {
	for _, a := range e.Simulator.Applications() {
		if slices.Contains(s.ours, a.InstanceID) {
			all = append(all, purchase{a.InstanceID, a.EndedAt.IsZero() || a.CertificateID != ""})
		}
	}
	return all
}

func (*instances) refuse(e *env.Env, id string) { e.Simulator.FailApplication(id, "") }

func (s *instances) others(e *env.Env) any {
	theirs, _ := e.Simulator.Instance(s.theirs)
	return theirs
}

// harm tells also of a second application while the first one was under way, and of a second instance that was written
// on: there is one request at a time.
func (s *instances) harm(e *env.Env) error {
	harm := []error{e.Simulator.InstanceHarm()}
	all := e.Simulator.Applications()
	for i := 1; i < len(all); i++ {
		if first, second := all[i-1], all[i]; first.EndedAt.IsZero() || first.EndedAt.After(second.SubmittedAt) {
			harm = append(harm, fmt.Errorf("%s was applied with at %s, while %s was", second.InstanceID,
				second.SubmittedAt.Format(time.TimeOnly), first.InstanceID))
		}
	}
	var written []string
	for _, i := range e.Simulator.Instances() {
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
	before := s.purchases(e)
	if len(before) == 0 || before[len(before)-1].isKept {
		return
	}
	issuer := &v1alpha1.AliyunIssuer{}
	must(e, e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.IssuerName}, issuer))
	issuer.Spec.Source.Instance.Selector.IDs = []string{before[len(before)-1].id}
	must(e, e.Client.Update(e.T.Context(), issuer))
	e.Create(gen.Request(e.Namespace, "again", gen.CSR(gen.Key())))
	e.Decide("again", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, func() bool { return len(s.purchases(e)) > len(before) })
}
