// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestOneLookEndsNoOrder lets CAS say once that an order has ended, and take that back.
func TestOneLookEndsNoOrder(t *testing.T) {
	for _, state := range []string{cassim.StatePayed, cassim.StateVerifyFail} {
		t.Run(state, func(t *testing.T) {
			e, id := bought(t, slow)
			calls := e.Simulator.Calls()[describe]
			e.Simulator.ForceState(id, state)
			e.Until(time.Hour, func() bool { return e.Simulator.Calls()[describe] > calls })
			if text := said(e); reason(e) != held ||
				!strings.Contains(text, "that is believed if CAS still says so at") {
				t.Fatalf("the request is %s: %s", reason(e), text)
			}
			e.Simulator.ForceState(id, cassim.StateDomainVerify)
			e.Pass(30 * time.Minute)
			e.Simulator.ForceState(id, cassim.StateCertificate)
			e.Until(time.Hour, isReady(e))
			billed(t, e, 1)
		})
	}
}

// TestAnOrderThatTellsPayedAtFirstIsIssued also counts that nothing was cancelled or deleted for it.
func TestAnOrderThatTellsPayedAtFirstIsIssued(t *testing.T) {
	e := ordered(t, cassim.Options{Knobs: cassim.Knobs{FirstState: cassim.StatePayed}})
	e.Until(time.Hour, isReady(e))
	billed(t, e, 1)
	if calls := e.Simulator.Calls(); calls[cancel]+calls["DeleteCertificateRequest"] > 0 {
		t.Errorf("it was thrown away: %v", calls)
	}
}

// TestARefusalThatContradictsABeliefEndsIt lets CAS say payed for long enough to be believed, of an order that it works
// on.
func TestARefusalThatContradictsABeliefEndsIt(t *testing.T) {
	for _, state := range []string{cassim.StatePayed, cassim.StateVerifyFail} {
		t.Run(state, func(t *testing.T) {
			e, id := bought(t, slow)
			e.Simulator.ForceState(id, state)
			e.Simulator.Inject(cassim.Fault{Action: "DeleteCertificateRequest", Kind: cassim.Refuse, Status: 403,
				Code: "OrderStateError", Message: "The order cannot be deleted in its state.", Times: -1})
			e.Until(time.Hour, func() bool { return e.Simulator.Calls()["DeleteCertificateRequest"] > 0 })
			e.Simulator.LiftFaults()
			e.Simulator.ForceState(id, cassim.StateProcess)
			e.Pass(5 * time.Minute)
			if release := onlyOrder(t, e).Status.Release; release != nil || reason(e) != held {
				t.Fatalf("the request is %s, and its order is given back: %+v", reason(e), release)
			}
			e.Simulator.ForceState(id, cassim.StateCertificate)
			e.Until(time.Hour, isReady(e))
			billed(t, e, 1)
			if n := e.Simulator.Calls()[cancel]; n > 0 {
				t.Errorf("it was cancelled %d times", n)
			}
		})
	}
}

// TestAnOrderThatNobodyWantsAnyMoreIsGivenBackWhateverIsBelievedOfIt deletes the request of an order that tells payed
// at first.
func TestAnOrderThatNobodyWantsAnyMoreIsGivenBackWhateverIsBelievedOfIt(t *testing.T) {
	e, id := bought(t, cassim.Options{CADelay: slow.CADelay, Knobs: cassim.Knobs{FirstState: cassim.StatePayed}})
	abandon(t, e)
	e.Until(10*time.Minute, isGone(e))
	wantReleased(t, e, id)
}

// TestAProofThatCASChangesIsPublishedAnew lets the CA look far too late for the first value.
func TestAProofThatCASChangesIsPublishedAnew(t *testing.T) {
	e := ordered(t, cassim.Options{Knobs: cassim.Knobs{ProofValue: "30m"}, RecordDelay: 20 * time.Minute,
		DCVDelay: 1000 * time.Hour})
	e.Pass(45 * time.Minute)
	first := onlyOrder(t, e).Status.Validations[0].RecordValue
	if records := e.Simulator.Records(cassim.DefaultZone); len(records) != 1 || records[0].Value != first {
		t.Fatalf("the records are %+v, want one with %q", records, first)
	}
	e.Pass(15 * time.Minute)
	second := onlyOrder(t, e).Status.Validations[0]
	records := e.Simulator.Records(cassim.DefaultZone)
	if second.RecordValue == first || len(records) != 1 || records[0].Value != second.RecordValue ||
		second.VisibleAt == nil {
		t.Errorf("the proof is %+v and the records are %+v, want one with another value than %q", second, records,
			first)
	}
	if text := strings.Join(e.Events(), "\n"); !strings.Contains(text, "ProofChanged") {
		t.Errorf("nobody is told: %s", text)
	}
}

// TestAnOldProofThatCannotBeRemovedKeepsTheNewOneWaitingForItsBoundOnly lets RAM forbid to remove it.
func TestAnOldProofThatCannotBeRemovedKeepsTheNewOneWaitingForItsBoundOnly(t *testing.T) {
	e := ordered(t, cassim.Options{Knobs: cassim.Knobs{ProofValue: "30m"}, DCVDelay: 1000 * time.Hour})
	e.Pass(25 * time.Minute)
	first := onlyOrder(t, e).Status.Validations[0].RecordValue
	e.Simulator.DenyAction(cassim.DefaultKeyID, deleteRecord)
	e.Pass(33 * time.Minute)
	isPublished := false
	for _, record := range e.Simulator.Records(cassim.DefaultZone) {
		isPublished = isPublished || record.Value == onlyOrder(t, e).Status.Validations[0].RecordValue &&
			record.Value != first
	}
	if text := strings.Join(e.Events(), "\n"); !isPublished || !strings.Contains(text, "CleanUpFailed") {
		t.Errorf("the records are %+v: %s", e.Simulator.Records(cassim.DefaultZone), text)
	}
}

// TestAProofByHandIsAskedForAnewWhenCASChangesIt tells the person who has to publish it.
func TestAProofByHandIsAskedForAnewWhenCASChangesIt(t *testing.T) {
	e := env.New(t, cassim.Options{Knobs: cassim.Knobs{ProofValue: "30m"}})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), gen.Manual))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Pass(20 * time.Minute)
	first := onlyOrder(t, e).Status.Validations[0].RecordValue
	e.Pass(20 * time.Minute)
	second := onlyOrder(t, e).Status.Validations[0].RecordValue
	if text := said(e); first == second || !strings.Contains(text, second) {
		t.Errorf("after %q they are asked for %q: %s", first, second, text)
	}
	e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "TXT", second)
	e.Until(20*time.Minute, isReady(e))
}

// TestALostOrderIsNotOverlookedForTheDateOfItsPlan lets BuyDate be that date: it is neither bought again, nor taken
// over without a word.
func TestALostOrderIsNotOverlookedForTheDateOfItsPlan(t *testing.T) {
	for name, usedCount := range map[string]string{"with a count that tells": cassim.UsedFalls,
		"with a count that does not": cassim.UsedStays} {
		t.Run(name, func(t *testing.T) {
			e := unanswered(t, cassim.Options{
				CADelay: time.Hour, Knobs: cassim.Knobs{BuyDate: cassim.BuyDateOfPlan, UsedCount: usedCount}}, true)
			e.Pass(time.Hour)
			if heldFor(e) != v1alpha1.ReasonAmbiguousSubmission || !strings.Contains(said(e), mine(e)) {
				t.Fatalf("it is not left to a person who is told its id: %s", said(e))
			}
			annotate(t, e, mine(e))
			e.Until(3*time.Hour, isReady(e))
			billed(t, e, 1)
		})
	}
}

// TestADomainThatIsCalledWWWIsFoundInABigAccount has more orders below com than a search may read.
func TestADomainThatIsCalledWWWIsFoundInABigAccount(t *testing.T) {
	account := cassim.DefaultAccount()
	account.Zones = []string{"www.com"}
	account.Packages = map[string]int{gen.Product: 5000}
	e := env.New(t, cassim.Options{Accounts: []cassim.Account{account}, Knobs: cassim.Knobs{MaxShowSize: "10"}})
	for n := range 1010 {
		e.Simulator.AddForeignOrder(fmt.Sprintf("shop%d.com", n))
	}
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), named("www.com"))))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(2*time.Hour, isReady(e))
	billed(t, e, 1011)
	unharmed(t, e)
}

// TestARootThatIsSignedWithSHA1IsNotDelivered has such a root as those of DigiCert and GlobalSign are.
func TestARootThatIsSignedWithSHA1IsNotDelivered(t *testing.T) {
	e, id := bought(t, slow)
	e.Simulator.OrderChain(id, cassim.ChainSHA1Root)
	e.Simulator.ForceState(id, cassim.StateCertificate)
	e.Until(time.Hour, isReady(e))
	verified(t, e)
	if n := bytes.Count(e.Request("www").Status.Certificate, []byte("-----BEGIN CERTIFICATE-----")); n != 2 {
		t.Errorf("%d certificates are delivered, want leaf and intermediate", n)
	}
}

// TestNamesInCapitalsAreServedWithAWarningThatHelps follows the advice with a second request.
func TestNamesInCapitalsAreServedWithAWarningThatHelps(t *testing.T) {
	e := env.New(t, cassim.Options{Knobs: cassim.Knobs{ExtraNames: cassim.Off}})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	issue := func(request, name string) *v1alpha1.AliyunOrder {
		t.Helper()
		e.Create(gen.Request(e.Namespace, request, gen.CSR(gen.Key(), named(name)), gen.OfCertificate))
		e.Decide(request, cmapi.CertificateRequestConditionApproved)
		e.Until(time.Hour, func() bool { return len(e.Request(request).Status.Certificate) > 0 })
		orders := e.Orders()
		for i := range orders {
			if orders[i].Spec.RequestRef.Name == request {
				return &orders[i]
			}
		}
		t.Fatal("there is no Order")
		return nil
	}
	first := issue("www", "Uno.Example.COM")
	if c := meta.FindStatusCondition(first.Status.Conditions, v1alpha1.ConditionNamesRespelled); c == nil ||
		!strings.Contains(c.Message, "Uno.Example.COM") {
		t.Errorf("its Order does not tell: %+v", first.Status.Conditions)
	}
	const advice = "lower case in the Certificate"
	if text := said(e); strings.Count(text, "NamesRespelled CAs write names in lower case") != 1 ||
		!strings.Contains(text, "request  Ready=True") || !strings.Contains(text, advice) {
		t.Errorf("nobody is told: %s", text)
	}
	events := len(e.Events())
	second := issue("lower", "uno.example.com")
	if c := meta.FindStatusCondition(second.Status.Conditions, v1alpha1.ConditionNamesRespelled); c != nil {
		t.Errorf("what was advised is told again: %s", c.Message)
	}
	if text := strings.Join(e.Events()[events:], "\n"); strings.Contains(text, advice) {
		t.Errorf("what was advised is told again: %s", text)
	}
}
