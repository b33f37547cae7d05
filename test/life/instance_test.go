// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// withInstances is an issuer with so many instances that were bought, of one single name each.
func withInstances(t *testing.T, options cassim.Options, count int) (e *env.Env, ids []string) {
	t.Helper()
	if options.Knobs.InstanceDNS == "" {
		options.Knobs.InstanceDNS = cassim.Off // or CAS writes the record by itself
	}
	e = env.New(t, options)
	for range count {
		ids = append(ids, e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1}))
	}
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), fromInstances(e)))
	return e, ids
}

// fromInstances makes an issuer order from the instances that there are.
func fromInstances(e *env.Env) func(*v1alpha1.AliyunIssuer) {
	var ids []string
	for _, i := range e.Simulator.Instances() {
		ids = append(ids, i.InstanceID)
	}
	return func(issuer *v1alpha1.AliyunIssuer) {
		issuer.Spec.Source = v1alpha1.Source{Instance: &v1alpha1.Instance{
			Selector: v1alpha1.InstanceSelector{IDs: ids}, ContactIDs: []string{"86400001"}}}
		issuer.Spec.Orders = &v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(0))}
		issuer.Spec.Contact = nil
	}
}

// applied is an issuer with one instance and an approved request.
func applied(t *testing.T, options cassim.Options) (e *env.Env, id string) {
	t.Helper()
	e, ids := withInstances(t, options, 1)
	ask(e, "www", "www")
	return e, ids[0]
}

// wantApplications looks at what was applied for: each once, and nothing of others was touched.
func wantApplications(e *env.Env, want ...string) {
	e.T.Helper()
	var states []string
	for _, a := range e.Simulator.Applications() {
		states = append(states, a.State)
	}
	if fmt.Sprint(states) != fmt.Sprint(want) {
		e.T.Errorf("the applications are %v, want %v", states, want)
	}
	if err := e.Simulator.InstanceHarm(); err != nil {
		e.T.Error(err)
	}
	if records := e.Simulator.Records("example.com"); len(records) != 0 {
		e.T.Errorf("records were left behind: %v", records)
	}
}

func TestACertificateComesFromAnInstance(t *testing.T) {
	e, id := applied(t, cassim.Options{})
	e.Until(time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	block, _ := pem.Decode(e.Request("www").Status.Certificate)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil || leaf.VerifyHostname(gen.Domain) != nil {
		t.Fatalf("the certificate is for %v: %v", leaf.DNSNames, err)
	}
	status := onlyOrder(t, e).Status
	if status.OrderID != id || status.OrderIDBasis != v1alpha1.OrderIDByAnswer || status.Submission.Instance.ID != id ||
		status.Progress != v1alpha1.PhaseIssued || status.Submission.ResourcePlan != nil {
		t.Errorf("the order is %+v", status)
	}
	if supply := theIssuer(e).Status.Supply; supply == nil || supply.Total != 1 {
		t.Errorf("the issuer has %+v", supply)
	}
	wantApplications(e, "issued")
	total := 0
	for _, n := range e.Simulator.CallsForInstance(id) {
		total += n
	}
	if total > 8 || e.WritesUntilTold() > 10 {
		t.Errorf("%v calls on the instance, and %d writes until it is ready: at most 8 and 10 are to do",
			e.Simulator.CallsForInstance(id), e.WritesUntilTold())
	}
	calls := e.Simulator.Calls()
	if calls["UpdateInstance"] != 1 || calls["ApplyCertificate"] != 1 {
		t.Errorf("the calls are %v", calls)
	}
	for action := range calls {
		if strings.Contains(action, "Package") || strings.Contains(action, "UserCertificateOrder") {
			t.Errorf("%s was called, which is of plans", action)
		}
	}
}

// submissions are how CAS may take what is written and applied for. Where it submits by itself and that shows at once,
// a second application would take the place of the first.
var submissions = map[string]cassim.InstanceKnobs{
	"applied for":             {ApplyReplay: cassim.ReplayReplaces},
	"by itself, at once":      {AutoSubmit: "0s", PendingDelay: "0s", ApplyReplay: cassim.ReplayReplaces},
	"by itself, shown late":   {AutoSubmit: "0s"},
	"by itself, after a time": {AutoSubmit: "30s"},
}

// TestALostAnswerOfAnInstanceIsReadBack loses the answer to each call once, whether it was carried out or not.
func TestALostAnswerOfAnInstanceIsReadBack(t *testing.T) {
	for how, knobs := range submissions {
		for _, action := range []string{"UpdateInstance", "GetInstanceDetail", "ApplyCertificate",
			"GetUserCertificateDetail"} {
			for _, isExecuted := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s, executed %t", how, action, isExecuted), func(t *testing.T) {
					e, _ := withInstances(t, cassim.Options{Knobs: cassim.Knobs{InstanceKnobs: knobs}}, 1)
					e.Settle()
					e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.DropReply, Executed: isExecuted,
						Times: 1})
					ask(e, "www", "www")
					e.Pass(2 * time.Minute)
					e.Restart()
					e.Until(2*time.Hour, isReady(e))
					e.Pass(10 * time.Minute)
					wantApplications(e, "issued")
				})
			}
		}
	}
}

// TestAnApplicationIsWithdrawnWithItsRequest deletes the request before its name is validated, and before the instance
// shows that it was applied with.
func TestAnApplicationIsWithdrawnWithItsRequest(t *testing.T) {
	for name, options := range map[string]cassim.Options{
		"while it is pending": {DCVDelay: 5 * time.Hour},
		"before it is pending": {Knobs: cassim.Knobs{InstanceKnobs: cassim.InstanceKnobs{
			PendingDelay: "60s"}}},
		"while its answer is lost": {DCVDelay: 5 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := withInstances(t, options, 1)
			e.Settle()
			if name == "while its answer is lost" {
				e.Simulator.Inject(cassim.Fault{Action: "ApplyCertificate", Kind: cassim.DropReply, Executed: true})
			}
			ask(e, "www", "www")
			e.Settle()
			order := *onlyOrder(t, e)
			if order.Status.Submission == nil {
				t.Fatalf("nothing was applied for: %+v", order.Status)
			}
			for _, object := range []client.Object{e.Request("www"), &order} {
				if err := e.Client.Delete(t.Context(), object); err != nil {
					t.Fatal(err)
				}
			}
			e.Until(30*time.Minute, func() bool { return len(e.Orders()) == 0 })
			e.Pass(time.Hour)
			wantApplications(e, "withdrawn")
			for _, event := range e.Events() {
				if strings.Contains(event, "ReleaseUnresolved") {
					t.Error(event)
				}
			}
		})
	}
}

// TestManyInstancesAreLookedAtOnce bounds what orders cost that a new process finds: each instance is looked at for
// whether it is applied with already, once for all orders.
func TestManyInstancesAreLookedAtOnce(t *testing.T) {
	const many = 12
	names := []string{"first", "second", "third", "fourth"}
	e, _ := withInstances(t, cassim.Options{}, many)
	e.Settle()
	e.Simulator.Inject(cassim.Fault{Action: "ListInstances", Kind: cassim.Throttle, Times: -1})
	for _, name := range names {
		ask(e, name, name)
	}
	e.Pass(10 * time.Minute)
	e.Simulator.LiftFaults()
	e.Restart()
	before := e.Simulator.Calls()["GetInstanceDetail"]
	for _, name := range names {
		e.Until(time.Hour, isIssued(e, name))
	}
	// An order that finds nothing looks at its own instance 6 times: before it chooses, in between, and until it is
	// issued.
	looks := e.Simulator.Calls()["GetInstanceDetail"] - before
	if most := many + 6*len(names); looks < many || looks > most {
		t.Errorf("%d looks at %d instances for %d orders, want %d at most", looks, many, len(names), most)
	}
}

func TestTwoOrdersNeverApplyWithOneInstance(t *testing.T) {
	e, ids := withInstances(t, cassim.Options{DCVDelay: time.Hour}, 2)
	for _, name := range []string{"www", "a", "b"} {
		ask(e, name, name)
	}
	e.Pass(2 * time.Minute)
	taken, held := map[string]bool{}, 0
	for _, order := range e.Orders() {
		switch status := order.Status; {
		case status.State == v1alpha1.OrderStateHeld:
			held++
			ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
			if ready.Reason != v1alpha1.ReasonQuotaExhausted {
				t.Errorf("it is held for %s", ready.Reason)
			}
		default:
			taken[status.OrderID] = true
		}
	}
	if !taken[ids[0]] || !taken[ids[1]] || len(taken) != 2 || held != 1 {
		t.Fatalf("applied with %v, and %d are held", taken, held)
	}
	// The message says to buy one, and to have it selected.
	selectAlso(e, e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1}))
	e.Until(3*time.Hour, func() bool {
		for _, name := range []string{"www", "a", "b"} {
			if cmutil.CertificateRequestReadyReason(e.Request(name)) != cmapi.CertificateRequestReasonIssued {
				return false
			}
		}
		return true
	})
	if err := e.Simulator.InstanceHarm(); err != nil {
		t.Error(err)
	}
}

func TestWhatNoInstanceCarriesIsHeldBeforeAnythingIsWritten(t *testing.T) {
	e, _ := withInstances(t, cassim.Options{}, 1)
	askForAll(e, "two", gen.Domain, "shop.example.com")
	e.Settle()
	ready := meta.FindStatusCondition(onlyOrder(t, e).Status.Conditions, v1alpha1.ConditionReady)
	if ready.Reason != v1alpha1.ReasonQuotaExhausted || !strings.Contains(ready.Message, "for 2 single names") {
		t.Errorf("the order says %+v", ready)
	}
	if e.Simulator.Calls()["UpdateInstance"] != 0 {
		t.Error("the instance was written on")
	}
	// The message says to buy one for as many names.
	selectAlso(e, e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m",
		SingleNames: 2}))
	e.Until(time.Hour, isIssued(e, "two"))
	wantApplications(e, "issued")
}

func TestAnInstanceWithoutAContactIsToldBeforeItIsTouched(t *testing.T) {
	e, _ := withInstances(t, cassim.Options{}, 1)
	contacts := func(ids ...string) {
		issuer := theIssuer(e)
		issuer.Spec.Source.Instance.ContactIDs = ids
		if err := e.Client.Update(t.Context(), issuer); err != nil {
			t.Fatal(err)
		}
		e.Settle()
	}
	contacts()
	ask(e, "www", "www")
	e.Pass(time.Hour)
	if ready := readyOf(e); ready.Reason != v1alpha1.ReasonNoContact {
		t.Errorf("the issuer says %+v", ready)
	}
	if e.Simulator.Calls()["UpdateInstance"] != 0 {
		t.Error("the instance was written on")
	}
	contacts("86400001") // as the message says
	e.Until(time.Hour, isReady(e))
	wantApplications(e, "issued")
}

func TestAnInstanceThatTheAccountDoesNotHaveIsToldByItsID(t *testing.T) {
	e, ids := withInstances(t, cassim.Options{}, 1)
	set := func(id string) {
		issuer := theIssuer(e)
		issuer.Spec.Source.Instance.Selector.IDs = []string{id}
		if err := e.Client.Update(t.Context(), issuer); err != nil {
			t.Fatal(err)
		}
		e.Settle()
	}
	set("cas_dv-cn-of-nobody")
	if ready := readyOf(e); ready.Reason != v1alpha1.ReasonNoInstance ||
		!strings.Contains(ready.Message, "cas_dv-cn-of-nobody") {
		t.Errorf("the issuer says %+v", ready)
	}
	set(ids[0]) // as the message says
	ask(e, "www", "www")
	e.Until(time.Hour, isReady(e))
}
