// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// askFor makes an approved request for one name.
func askFor(e *env.Env, namespace, name, domain string) {
	e.T.Helper()
	e.Create(gen.Request(namespace, name, gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: domain}, []string{domain}
	})))
	if namespace == e.Namespace {
		e.Decide(name, cmapi.CertificateRequestConditionApproved)
	}
}

// wokenTogether makes requests whose Orders wake together in a process that has made none of them.
func wokenTogether(t *testing.T, options cassim.Options, domains map[string]string,
	modifiers ...func(*v1alpha1.AliyunIssuer)) *env.Env {
	t.Helper()
	e := env.New(t, options)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), append(modifiers, func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Orders = &v1alpha1.OrderPolicy{Paused: true}
	})...))
	for name, domain := range domains {
		askFor(e, e.Namespace, name, domain)
	}
	e.Settle()
	e.Restart()
	editPolicy(e, func(p *v1alpha1.OrderPolicy) { p.Paused = false })
	return e
}

var apexAndWWW = map[string]string{"apex": "example.com", "www": "www.example.com"}

func orderOf(e *env.Env, request string) *v1alpha1.AliyunOrder {
	e.T.Helper()
	for _, order := range e.Orders() {
		if order.Spec.RequestRef.Name == request {
			return &order
		}
	}
	e.T.Fatalf("the request %s has no AliyunOrder", request)
	return nil
}

func uniqueIDs(t *testing.T, e *env.Env) {
	t.Helper()
	holders := map[string]string{}
	for _, order := range e.Orders() {
		id := order.Status.OrderID
		if other := holders[id]; id != "" && other != "" && order.Status.HandedOverTo == "" {
			t.Errorf("%s and %s hold the CAS order %s", other, order.Name, id)
		}
		holders[id] = order.Name
	}
}

// TestTwoAliyunOrdersNeverHoldOneOrderAtCAS holds the look of the one in the midst, while the other goes on. Then one
// of them is deleted.
func TestTwoAliyunOrdersNeverHoldOneOrderAtCAS(t *testing.T) {
	for _, point := range []string{"read *v1alpha1.AliyunOrderList", create, "answer to " + create} {
		t.Run("held at "+point, func(t *testing.T) {
			e := wokenTogether(t, cassim.Options{CADelay: 10 * time.Hour}, apexAndWWW, func(i *v1alpha1.AliyunIssuer) {
				i.Spec.Account = v1alpha1.AccountExclusive
			})
			e.Hold(point)
			e.Settle()
			if !e.Held() {
				t.Fatal("no run came to the point")
			}
			e.Settle()
			e.LetGo()
			e.Pass(15 * time.Minute)
			uniqueIDs(t, e)
			billed(t, e, 2)
			remove(e, e.Request("apex"))
			remove(e, orderOf(e, "apex"))
			e.Pass(15 * time.Minute)
			if order := orderOf(e, "www"); order.Status.Release != nil || order.Status.OrderID == "" {
				t.Errorf("a request that nobody touched lost its order: %+v", order.Status)
			}
		})
	}
}

// TestOfTwoHoldersOfAnIDTheWeakerGivesItUpAndIsTold has an Order presume what is another one's, as an earlier version,
// or a cluster whose STS was down, may have left it.
func TestOfTwoHoldersOfAnIDTheWeakerGivesItUpAndIsTold(t *testing.T) {
	for name, isDeleted := range map[string]bool{"while both are wanted": false,
		"while the owner's request is deleted": true} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, cassim.Options{CADelay: 10 * time.Hour})
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(),
				func(i *v1alpha1.AliyunIssuer) { i.Spec.Account = v1alpha1.AccountExclusive }))
			for request, domain := range apexAndWWW {
				askFor(e, e.Namespace, request, domain)
			}
			e.Pass(10 * time.Minute)
			billed(t, e, 2)
			theirs, own := orderOf(e, "www").Status.OrderID, orderOf(e, "apex").Status.OrderID
			apex := orderOf(e, "apex")
			apex.Status.OrderID, apex.Status.OrderIDBasis = theirs, v1alpha1.OrderIDByListing
			if err := e.Client.Status().Update(t.Context(), apex); err != nil {
				t.Fatal(err)
			}
			if isDeleted {
				remove(e, e.Request("www"))
				remove(e, orderOf(e, "www"))
			}
			e.Pass(30 * time.Minute)
			uniqueIDs(t, e)
			if got := orderOf(e, "apex").Status; got.OrderID != own || got.Release != nil {
				t.Errorf("it has %q, want its own order %s: %+v", got.OrderID, own, got)
			}
			if told := strings.Count(strings.Join(e.Events(), "\n"), "NotThisOrder"); told != 1 {
				t.Errorf("it was told %d times", told)
			}
			if isDeleted {
				wantReleased(t, e, theirs)
			} else if got := orderOf(e, "www").Status; got.OrderID != theirs || got.Release != nil {
				t.Errorf("the owner has lost it: %+v", got)
			}
			billed(t, e, 2)
		})
	}
}

// TestOfTwoSubmissionsForOneNameOneIsInDoubt loses the answers of both, of which one was carried out.
func TestOfTwoSubmissionsForOneNameOneIsInDoubt(t *testing.T) {
	e := wokenTogether(t, cassim.Options{CADelay: 10 * time.Hour}, apexAndWWW)
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply})
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
	e.Hold("patch status of *v1alpha1.AliyunOrder")
	e.Settle()
	e.LetGo()
	for range 60 {
		doubts := 0
		for _, order := range e.Orders() {
			if order.Status.Submission != nil && order.Status.OrderID == "" {
				doubts++
			}
		}
		if doubts > 1 {
			t.Fatalf("%d submissions for one name are in doubt at once", doubts)
		}
		e.Pass(time.Minute)
	}
	e.Until(24*time.Hour, func() bool {
		return len(orderOf(e, "www").Status.Certificate) > 0 && len(orderOf(e, "apex").Status.Certificate) > 0
	})
	billed(t, e, 2)
}

// strangerInDoubt adds a tenant with a key, whose purchase ends in doubt, and is held for a person.
func strangerInDoubt(t *testing.T, e *env.Env, keyID, secret string) string {
	t.Helper()
	other := e.AddNamespace()
	e.Create(gen.Secret(other, keyID, secret))
	e.Create(gen.Issuer(other, e.Simulator.URL(), gen.Manual))
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.Refuse, Code: "Forbidden.RiskControl", Times: 2})
	request := gen.Request(other, "evil", gen.CSR(gen.Key()))
	e.Create(request)
	request.Status.Conditions = e.Request("mine").Status.Conditions
	for i := range request.Status.Conditions {
		if request.Status.Conditions[i].Type != cmapi.CertificateRequestConditionApproved {
			t.Fatalf("the request mine was looked at already: %+v", request.Status)
		}
	}
	if err := e.Client.Status().Update(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	e.Pass(3 * time.Hour)
	billed(t, e, 0)
	return other
}

// TestADoubtOfAStrangerHoldsNobody has another tenant's order for my name in doubt, in an account of its own.
func TestADoubtOfAStrangerHoldsNobody(t *testing.T) {
	accounts := []cassim.Account{
		{Keys: []cassim.Key{{ID: cassim.DefaultKeyID, Secret: cassim.DefaultKeySecret}},
			Packages: map[string]int{gen.Product: 20}, Zones: []string{cassim.DefaultZone}},
		{Keys: []cassim.Key{{ID: "LTAIother", Secret: "secret of other"}}, Packages: map[string]int{gen.Product: 20}},
	}
	e := env.New(t, cassim.Options{Accounts: accounts})
	askFor(e, e.Namespace, "mine", gen.Domain) // it waits for its issuer
	strangerInDoubt(t, e, "LTAIother", "secret of other")
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Until(time.Hour, func() bool { return len(e.Request("mine").Status.Certificate) > 0 })
	billed(t, e, 1)
}

// TestADoubtOfTheSameAccountIsWaitedForAndNotNamed has two namespaces share an account: their orders could not be told
// apart in its listings.
func TestADoubtOfTheSameAccountIsWaitedForAndNotNamed(t *testing.T) {
	e := env.New(t, cassim.Options{})
	askFor(e, e.Namespace, "mine", gen.Domain)
	other := strangerInDoubt(t, e, cassim.DefaultKeyID, cassim.DefaultKeySecret)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Pass(time.Hour)
	billed(t, e, 0)
	messages := messagesOf(e, v1alpha1.ReasonAmbiguousSubmission)
	if len(messages) != 1 || !strings.Contains(messages[0], "an AliyunOrder of another namespace") ||
		strings.Contains(messages[0], other) || strings.Contains(messages[0], "evil") {
		t.Errorf("it says %q", messages)
	}
}

// TestACountIsNoEvidenceForAnotherPlan edits the product of the issuer while the order waits: the count of the other
// plan was the higher.
func TestACountIsNoEvidenceForAnotherPlan(t *testing.T) {
	const other = "geotrust-dv-1-starter"
	e := env.New(t, cassim.Options{CADelay: 10 * time.Hour, ListDelay: 3 * time.Hour})
	e.Simulator.SetPackage(other, 100, 30)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(),
		func(i *v1alpha1.AliyunIssuer) { i.Spec.Orders = &v1alpha1.OrderPolicy{Paused: true} }))
	askFor(e, e.Namespace, "www", gen.Domain)
	e.Settle()
	issuer := issuerOf(e)
	issuer.Spec.Source.ResourcePlan.ProductCode, issuer.Spec.Orders.Paused = other, false
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
	e.Pass(2 * time.Hour)
	billed(t, e, 1)
	e.Until(5*time.Hour, func() bool { return orderOf(e, "www").Status.OrderID != "" })
}

// TestAnOrderThatIsGivenBackHidesNoPurchase gives one back while another one's answer is lost, and listings are late.
func TestAnOrderThatIsGivenBackHidesNoPurchase(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		e := env.New(t, cassim.Options{CADelay: 10 * time.Hour, ListDelay: 3 * time.Hour})
		e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
		askFor(e, e.Namespace, "shop", "shop.example.com")
		e.Pass(15 * time.Minute)
		e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
		askFor(e, e.Namespace, "www", gen.Domain)
		e.Settle()
		remove(e, e.Request("shop"))
		remove(e, orderOf(e, "shop"))
		e.Pass(3 * time.Minute)
		if restarts {
			e.Restart()
		}
		e.Pass(2 * time.Hour)
		billed(t, e, 2)
		if got := orderOf(e, "www").Status; got.OrderID != "" || got.Submission.ResourcePlan.UsedCount != nil {
			t.Errorf("the count is taken for evidence still: %+v", got)
		}
	}
}

// TestAMixedOutageLeavesNothingToAPerson has creates that were carried out and creates that were not, at once.
func TestAMixedOutageLeavesNothingToAPerson(t *testing.T) {
	domains := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		domains[name] = name + ".example.com"
	}
	e := wokenTogether(t, cassim.Options{CADelay: time.Minute}, domains)
	for i := range 4 {
		e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.Refuse, Status: 500, Code: "InternalError",
			Executed: i%2 == 0})
	}
	e.Until(3*time.Hour, func() bool {
		for name := range domains {
			if len(e.Request(name).Status.Certificate) == 0 {
				return false
			}
		}
		return true
	})
	billed(t, e, len(domains))
}

// TestAnOrderThatIsFoundInAListingKnowsItsAccount removes the Order by force: the next one finds what was ordered.
func TestAnOrderThatIsFoundInAListingKnowsItsAccount(t *testing.T) {
	e := ordered(t, cassim.Options{CADelay: 10 * time.Hour})
	e.Pass(3 * time.Minute)
	want := onlyOrder(t, e).Status
	strip(e)
	e.Restart()
	e.Pass(5 * time.Minute)
	got := onlyOrder(t, e).Status
	if got.OrderID != want.OrderID || got.OrderIDBasis != v1alpha1.OrderIDByListing {
		t.Fatalf("the order was not found: %+v", got)
	}
	if got.AccountID != want.AccountID || got.AccountID == "" {
		t.Errorf("the order is of the account %q, want %q", got.AccountID, want.AccountID)
	}
}

// TestNobodyReadsAllOrdersToBuyOne takes an order through its life, with a lost answer and a release.
func TestNobodyReadsAllOrdersToBuyOne(t *testing.T) {
	e := env.New(t, cassim.Options{CADelay: time.Hour})
	lists := map[string]int{}
	e.BeforeList = func(list client.ObjectList, wanted client.ListOptions) {
		if _, isOrders := list.(*v1alpha1.AliyunOrderList); isOrders {
			lists[wanted.Namespace+" "+fmt.Sprint(wanted.FieldSelector)]++
			if wanted.FieldSelector == nil && wanted.Namespace == "" {
				t.Error("all Orders of the cluster are read")
			}
		}
	}
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	askFor(e, e.Namespace, "www", gen.Domain)
	e.Until(time.Hour, func() bool { return orderOf(e, "www").Status.OrderID != "" })
	remove(e, e.Request("www"))
	remove(e, orderOf(e, "www"))
	e.Until(time.Hour, isGone(e))
	t.Logf("lists of Orders, by what selects from them: %v", lists)
}
