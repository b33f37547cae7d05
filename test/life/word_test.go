// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestAWordThatCannotBeRightIsRefusedInWords names the orders that a console shows beside the right one, and does then
// what the answer says.
func TestAWordThatCannotBeRightIsRefusedInWords(t *testing.T) {
	issuedLongAgo := func(e *env.Env) string {
		return e.Simulator.AddForeignOrder(
			gen.Domain, func(f *cassim.ForeignOrder) { f.State = cassim.StateCertificate })
	}
	for name, test := range map[string]struct {
		word func(*env.Env) string
		why  string
	}{
		"an issued order with another key": {issuedLongAgo, "another key"},
		"no id":                            {func(*env.Env) string { return "98,98" }, "is no id"},
		"an id that CAS does not know":     {func(*env.Env) string { return "12345" }, "does not know"},
		"the order of another of these names": {func(e *env.Env) string { return orderOf(e, "shop").Status.OrderID },
			"holds"},
	} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, cassim.Options{CADelay: 10 * time.Hour})
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			askFor(e, e.Namespace, "shop", "shop.example.com")
			e.Settle()
			e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Times: -1})
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Settle()
			word := test.word(e)
			e.Pass(3 * time.Hour)
			tell(t, e, word)
			e.Pass(2 * time.Hour)
			messages := messagesOf(e, v1alpha1.ReasonAmbiguousSubmission)
			if len(messages) != 1 || !strings.Contains(messages[0], test.why) ||
				!strings.Contains(strings.Join(e.Events(), "\n"), "WordRefused") {
				t.Fatalf("it is held with %q", messages)
			}
			e.Simulator.LiftFaults()
			tell(t, e, v1alpha1.NoOrder)
			e.Until(15*time.Minute, func() bool { return orderOf(e, "www").Status.OrderID != "" })
			e.Pass(time.Minute)
			if answers := strings.Count(strings.Join(e.Events(), "\n"), "WordTaken"); answers != 1 {
				t.Errorf("the word was answered %d times", answers)
			}
		})
	}
}

// tell annotates the Order of the request www as its message says.
func tell(t *testing.T, e *env.Env, word string) {
	t.Helper()
	order := orderOf(e, "www")
	order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word}
	if err := e.Client.Update(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

// TestAWordIsNotUsedUpByARunThatDoesNotActOnIt says "none" while the name servers know nothing of the domain.
func TestAWordIsNotUsedUpByARunThatDoesNotActOnIt(t *testing.T) {
	e := wokenTogether(t, cassim.Options{}, map[string]string{"www": gen.Domain})
	e.Simulator.SetPackage("geotrust-dv-1-starter", 10, 0)
	e.Simulator.AddForeignOrder(gen.Domain, func(f *cassim.ForeignOrder) { f.Product = "geotrust-dv-1-starter" })
	e.Pass(15 * time.Minute)
	if len(messagesOf(e, v1alpha1.ReasonAmbiguousSubmission)) != 1 {
		t.Fatalf("nobody is asked: %+v", e.Orders())
	}
	ignorant := cassim.New(cassim.Options{Accounts: []cassim.Account{withZone("example.net")}})
	if err := ignorant.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ignorant.Close)
	e.Configure = func(remote *access.Remote) {
		remote.SelfCheck = &dcv.SelfCheck{Nameservers: []string{ignorant.DNSAddr()}}
	}
	e.Restart()
	tell(t, e, v1alpha1.NoOrder)
	e.Settle()
	if len(messagesOf(e, v1alpha1.ReasonDomainRefused)) != 1 {
		t.Fatalf("the domain is not refused: %+v", e.Orders())
	}
	e.Configure = nil
	e.Restart()
	e.Until(time.Hour, hasCertificate(e, "www"))
	if _, isLeft := orderOf(e, "www").Annotations[v1alpha1.OrderIDAnnotation]; isLeft {
		t.Error("the annotation is still there")
	}
}

// TestAStatusThatTheAPIServerRefusesStopsNothing has it refuse what is written, as a CRD of another version does.
func TestAStatusThatTheAPIServerRefusesStopsNothing(t *testing.T) {
	e := ordered(t, cassim.Options{CADelay: time.Hour})
	e.Pass(5 * time.Minute)
	e.BeforeWrite = func(object any) {
		if order, isOrder := object.(*v1alpha1.AliyunOrder); isOrder && order.Status.State != v1alpha1.OrderStateHeld {
			order.Status.OrderIDBasis = "a basis that this CRD does not know"
		}
	}
	e.Pass(2 * time.Hour)
	messages := messagesOf(e, v1alpha1.ReasonStatusRefused)
	if len(messages) != 1 || !strings.Contains(messages[0], "CustomResourceDefinition") {
		t.Fatalf("nobody is told: %+v", e.Orders())
	}
	e.BeforeWrite = nil
	e.Until(3*time.Hour, isReady(e))
	billed(t, e, 1)
}
