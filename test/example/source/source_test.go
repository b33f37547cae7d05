// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"crypto"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	example "github.com/aliyun-issuer/aliyun-issuer/test/example/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func TestMain(m *testing.M) { env.Main(m) }

// slow is how far the clock of the CA is behind: what it still executes is told by no other.
const slow = 3 * time.Minute

// world has a real API server, the reconcilers of the product with the example in their registry, and the CA. The
// simulator is whom the example buys nothing from: its DNS has the zone, and its STS tells whose the keys are.
type world struct {
	*env.Env
	ca  *authority
	key crypto.Signer
}

// begin has an issuer that was checked. What is changed before is changed before that.
func begin(t *testing.T, before ...func(*authority)) *world {
	t.Helper()
	w := &world{Env: env.New(t, cassim.Options{}), key: gen.Key()}
	w.ca = open(t, func() time.Time { return w.Clock.Now().Add(-slow) }, w.Simulator.DNSAddr())
	for _, change := range before {
		change(w.ca)
	}
	// This is what the one line in main.go is for users.
	w.Sources = func(remote *access.Remote) source.Registry { return source.Registry{&example.Source{Remote: remote}} }
	w.Restart()
	w.Create(gen.Issuer(w.Namespace, w.Simulator.URL(), func(issuer *v1alpha1.AliyunIssuer) {
		issuer.Spec.Source = v1alpha1.Source{ResourcePlan: &v1alpha1.ResourcePlan{ProductCode: example.Product}}
		issuer.Spec.Endpoint = &v1alpha1.Endpoint{URL: w.ca.url}
	}))
	w.Settle()
	return w
}

// ask makes an approved request with the key of the world, as cert-manager does for a Certificate.
func (w *world) ask(name string, modifiers ...func(*x509.CertificateRequest)) {
	w.T.Helper()
	w.Create(gen.Request(w.Namespace, name, gen.CSR(w.key, modifiers...)))
	w.Decide(name, cmapi.CertificateRequestConditionApproved)
}

// remove deletes a request, and then its Order, as the garbage collector does.
func (w *world) remove(name string) {
	w.T.Helper()
	order := w.order()
	for _, object := range []client.Object{w.Request(name), order} {
		if err := w.Client.Delete(w.T.Context(), object); err != nil {
			w.T.Fatal(err)
		}
	}
}

// order is the only one.
func (w *world) order() *v1alpha1.AliyunOrder {
	w.T.Helper()
	orders := w.Orders()
	if len(orders) != 1 {
		w.T.Fatalf("there are %d AliyunOrders, want one", len(orders))
	}
	return &orders[0]
}

func (w *world) isIssued(name string) func() bool {
	return func() bool {
		return cmutil.CertificateRequestReadyReason(w.Request(name)) == cmapi.CertificateRequestReasonIssued
	}
}

// wantBilled compares the ledger, and looks whether anything was left behind, or bought elsewhere.
func (w *world) wantBilled(want ...string) {
	w.T.Helper()
	if diff := cmp.Diff(want, w.ca.billed()); diff != "" {
		w.T.Errorf("the CA has billed something else (-want +got):\n%s", diff)
	}
	if records := w.Simulator.Records(cassim.DefaultZone); len(records) != 0 {
		w.T.Errorf("records were left behind: %v", records)
	}
	if ledger := w.Simulator.Ledger(); len(ledger) != 0 {
		w.T.Errorf("something was bought from CAS: %v", ledger)
	}
}

// TestACertificateIsBought is a whole life. All other tests are about what may come between.
func TestACertificateIsBought(t *testing.T) {
	w := begin(t)
	w.ask("www")
	w.Until(time.Hour, w.isIssued("www"))
	w.Pass(10 * time.Minute)
	given := chain.Certificates(w.Request("www").Status.Certificate)
	if len(given) != 2 {
		t.Fatalf("the chain has %d certificates, want the leaf and who has issued it", len(given))
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(w.ca.root)
	intermediates.AddCert(given[1])
	if _, err := given[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: gen.Domain,
		CurrentTime: w.Clock.Now()}); err != nil {
		t.Error(err)
	}
	if status := w.order().Status; status.OrderID != "ex-1" || status.OrderIDBasis != v1alpha1.OrderIDByAnswer ||
		status.Submission.Instance.ID != string(w.Request("www").UID) {
		t.Errorf("the order is %+v", status)
	}
	w.wantBilled("issued")
}

// TestALostPurchaseIsSettledWithoutASecondOne loses each purchase in another way, and the process with it: what the
// next one knows stands in the Order.
func TestALostPurchaseIsSettledWithoutASecondOne(t *testing.T) {
	for name, test := range map[string]struct {
		what  mishap
		basis v1alpha1.OrderIDBasis
	}{
		"it is billed, and the answer is lost":        {mishap{isExecuted: true}, v1alpha1.OrderIDByRequest},
		"it is billed, and its id is none":            {mishap{isExecuted: true, status: 200}, v1alpha1.OrderIDByRequest},
		"it is billed later, by a clock that is slow": {mishap{isExecuted: true, after: 7 * time.Minute}, v1alpha1.OrderIDByRequest},
		"it comes too late to be billed":              {mishap{isExecuted: true, after: 9 * time.Minute}, v1alpha1.OrderIDByAnswer},
		"it never arrives":                            {mishap{}, v1alpha1.OrderIDByAnswer},
		"a proxy refuses it":                          {mishap{status: http.StatusUnprocessableEntity}, v1alpha1.OrderIDByAnswer},
		"a proxy sends it elsewhere":                  {mishap{status: http.StatusTemporaryRedirect}, v1alpha1.OrderIDByAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t)
			w.ca.befall("order", test.what)
			w.ask("www")
			w.Settle()
			if status := w.order().Status; status.OrderID != "" || status.Submission == nil {
				t.Fatalf("nothing was lost: %+v", status)
			}
			w.Restart()
			w.Until(time.Hour, w.isIssued("www"))
			w.Pass(10 * time.Minute)
			if got := w.order().Status.OrderIDBasis; got != test.basis {
				t.Errorf("its id is believed by %s, want %s", got, test.basis)
			}
			w.wantBilled("issued")
		})
	}
}

// TestAPurchaseWhoseRecordIsLostIsFoundAgain removes the Order by force, finalizer and all: the next one for the same
// request has to find what was bought.
func TestAPurchaseWhoseRecordIsLostIsFoundAgain(t *testing.T) {
	w := begin(t)
	w.ca.befall("describe", mishap{}) // so that it is not issued yet
	w.ask("www")
	w.Until(time.Hour, func() bool { return len(w.ca.billed()) == 1 })
	order := w.order()
	order.Finalizers = nil
	if err := w.Client.Update(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if err := w.Client.Delete(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	w.Restart()
	w.Until(time.Hour, w.isIssued("www"))
	if status := w.order().Status; status.OrderIDBasis != v1alpha1.OrderIDByRequest {
		t.Errorf("the order is %+v", status)
	}
	if n := len(w.ca.billed()); n != 1 {
		t.Errorf("%d orders were billed", n)
	}
}

// TestAnHeirFindsWhatItsPredecessorLost replaces the request while its purchase is in doubt, as cert-manager does when
// its Certificate is edited. The next one has the same key, another signing request, and another UID.
func TestAnHeirFindsWhatItsPredecessorLost(t *testing.T) {
	w := begin(t)
	w.ca.befall("order", mishap{isExecuted: true})
	w.ask("www")
	w.Settle()
	w.remove("www")
	w.ask("next")
	w.Until(time.Hour, w.isIssued("next"))
	w.Pass(10 * time.Minute)
	w.wantBilled("issued")
}

func TestAnOrderIsWithdrawnWithItsRequest(t *testing.T) {
	for name, lost := range map[string]string{
		"while it waits for the record": "", "while its answer is lost": "order",
		"and the answer to that is lost": "cancel",
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t)
			w.Simulator.Inject(cassim.Fault{Action: "AddDomainRecord", Kind: cassim.DropReply}) // nothing is proved
			if lost != "" {
				w.ca.befall(lost, mishap{isExecuted: true})
			}
			w.ask("www")
			w.Settle()
			w.remove("www")
			w.Until(30*time.Minute, func() bool { return len(w.Orders()) == 0 })
			w.Pass(time.Hour)
			w.wantBilled("cancelled")
			if n := w.ca.called("cancel"); n != 1 {
				t.Errorf("it was cancelled %d times", n)
			}
			for _, event := range w.Events() {
				if strings.Contains(event, "ReleaseUnresolved") {
					t.Error(event)
				}
			}
		})
	}
}

// TestARequestThatIsMadeAgainCostsNothing has its certificate, which is young, delivered once more.
func TestARequestThatIsMadeAgainCostsNothing(t *testing.T) {
	w := begin(t)
	w.ask("www")
	w.Until(time.Hour, w.isIssued("www"))
	w.Pass(time.Minute)
	first := w.Request("www").Status.Certificate
	if err := w.Client.Delete(t.Context(), w.Request("www")); err != nil {
		t.Fatal(err)
	}
	w.ask("again")
	w.Until(time.Hour, w.isIssued("again"))
	if diff := cmp.Diff(string(first), string(w.Request("again").Status.Certificate)); diff != "" {
		t.Errorf("it is another certificate (-want +got):\n%s", diff)
	}
	w.wantBilled("issued")
}

// TestWhatTheCARefusesFailsAtOnce needs no settling: the refusal proves that nothing was billed.
func TestWhatTheCARefusesFailsAtOnce(t *testing.T) {
	w := begin(t)
	w.ca.set(true, false)
	w.ask("www")
	w.Settle()
	ready := cmutil.GetCertificateRequestCondition(w.Request("www"), cmapi.CertificateRequestConditionReady)
	if ready == nil || ready.Reason != cmapi.CertificateRequestReasonFailed ||
		!strings.Contains(ready.Message, "the CA does not like the request: correct what it names") {
		t.Errorf("the request says %+v", ready)
	}
	w.wantBilled()
}

// TestWhatIsNotSoldIsRefusedBeforeTheCAIsAsked tells all reasons, and makes no Order.
func TestWhatIsNotSoldIsRefusedBeforeTheCAIsAsked(t *testing.T) {
	w := begin(t)
	w.ask("www", func(request *x509.CertificateRequest) {
		request.Subject.CommonName, request.DNSNames = "*.example.com", []string{"*.example.com", "shop.example.com"}
	})
	w.Settle()
	ready := cmutil.GetCertificateRequestCondition(w.Request("www"), cmapi.CertificateRequestConditionReady)
	for _, want := range []string{`"*.example.com" is a wildcard`, `"shop.example.com" are others`} {
		if ready == nil || !strings.Contains(ready.Message, want) {
			t.Errorf("the request says %+v, want %q", ready, want)
		}
	}
	if len(w.Orders()) != 0 {
		t.Error("there is an Order")
	}
	w.wantBilled()
}

// TestTwoOrdersWithOneReferenceAreLeftToAPerson, who does what the message says.
func TestTwoOrdersWithOneReferenceAreLeftToAPerson(t *testing.T) {
	w := begin(t)
	w.ca.befall("order", mishap{isExecuted: true})
	w.ask("www")
	w.Settle()
	w.ca.byHand(string(w.Request("www").UID), w.Request("www").Spec.Request)
	w.Pass(time.Hour)
	order := w.order()
	ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	if ready.Reason != v1alpha1.ReasonAmbiguousSubmission || !strings.Contains(ready.Message, "annotate") {
		t.Fatalf("the order says %+v", ready)
	}
	order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: "ex-2"}
	if err := w.Client.Update(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	w.Until(time.Hour, w.isIssued("www"))
	if id := w.order().Status.OrderID; id != "ex-2" {
		t.Errorf("it goes on with %s", id)
	}
}

// TestAnOrderOfAnotherKeyIsSomebodyElses has its reference, which anybody can give.
func TestAnOrderOfAnotherKeyIsSomebodyElses(t *testing.T) {
	w := begin(t)
	w.ca.befall("order", mishap{})
	w.ask("www")
	w.ca.byHand(string(w.Request("www").UID), gen.CSR(gen.Key()))
	w.Until(time.Hour, w.isIssued("www"))
	w.Pass(10 * time.Minute)
	w.wantBilled("pending", "issued")
}

// TestKeysThatTheCADoesNotKnowAreToldByTheIssuer keeps requests from becoming Orders, until they are mended.
func TestKeysThatTheCADoesNotKnowAreToldByTheIssuer(t *testing.T) {
	w := begin(t, func(ca *authority) { ca.set(false, true) })
	w.ask("www")
	w.Settle()
	issuer := &v1alpha1.AliyunIssuer{}
	key := client.ObjectKey{Namespace: w.Namespace, Name: gen.IssuerName}
	if err := w.Client.Get(t.Context(), key, issuer); err != nil {
		t.Fatal(err)
	}
	if ready := meta.FindStatusCondition(issuer.Status.Conditions, v1alpha1.ConditionReady); ready.Reason !=
		v1alpha1.ReasonCredentialsRefused || len(w.Orders()) != 0 {
		t.Errorf("the issuer says %+v, and there are %d Orders", ready, len(w.Orders()))
	}
	w.ca.set(false, false)
	w.Until(time.Hour, w.isIssued("www"))
}

// TestKeysThatTheCADoesNotKnowBuyNothing needs no settling: nothing can come of what the CA has sent away.
func TestKeysThatTheCADoesNotKnowBuyNothing(t *testing.T) {
	w := begin(t)
	w.ca.set(false, true)
	w.ask("www")
	w.Settle()
	status := w.order().Status
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready.Reason !=
		v1alpha1.ReasonCredentialsRefused || status.Submission != nil {
		t.Errorf("the order is %+v", status)
	}
	w.wantBilled()
	w.ca.set(false, false)
	w.Until(2*time.Minute, w.isIssued("www"))
}
