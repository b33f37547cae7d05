// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// ask makes an approved request for a name below the zone.
func ask(e *env.Env, name, domain string) {
	e.T.Helper()
	e.Create(gen.Request(e.Namespace, name, gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: domain + "." + cassim.DefaultZone},
			[]string{domain + "." + cassim.DefaultZone}
	})))
	e.Decide(name, cmapi.CertificateRequestConditionApproved)
}

func issuerOf(e *env.Env) *v1alpha1.AliyunIssuer {
	e.T.Helper()
	issuer := &v1alpha1.AliyunIssuer{}
	if err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.IssuerName},
		issuer); err != nil {
		e.T.Fatal(err)
	}
	return issuer
}

func editPolicy(e *env.Env, change func(*v1alpha1.OrderPolicy)) {
	e.T.Helper()
	issuer := issuerOf(e)
	if issuer.Spec.Orders == nil {
		issuer.Spec.Orders = &v1alpha1.OrderPolicy{}
	}
	change(issuer.Spec.Orders)
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
}

// messagesOf are the messages of Orders that are held for a reason.
func messagesOf(e *env.Env, reason string) (messages []string) {
	for _, order := range e.Orders() {
		if ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady); ready != nil &&
			ready.Reason == reason {
			messages = append(messages, ready.Message)
		}
	}
	return messages
}

func billedSoFar(e *env.Env, want int) func() bool {
	return func() bool { return len(e.Simulator.Ledger()) == want }
}

// TestGeneratedNamesDoNotEmptyThePlan lets previews ask for a name each, and does what the message says then, in each
// way.
func TestGeneratedNamesDoNotEmptyThePlan(t *testing.T) {
	e := env.New(t, cassim.Options{}) // with a plan of 20 certificates
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	ask(e, "shop", "shop")
	e.Until(time.Hour, billedSoFar(e, 1))
	e.Pass(time.Minute)
	for i := range 25 {
		name := fmt.Sprintf("preview-%d", i)
		ask(e, name, name)
	}
	e.Pass(15 * time.Minute)
	billed(t, e, 10)
	messages := messagesOf(e, v1alpha1.ReasonReservedForRenewals)
	if len(messages) != 16 || !strings.Contains(messages[0], `10 certificates left, and 10, 50% of what it had a `+
		`day ago, are kept for renewals`) {
		t.Fatalf("%d are held: %q", len(messages), messages)
	}
	row := rowOf(e, v1alpha1.BudgetReserve)
	if row.Used != 10 || row.Limit == nil || *row.Limit != 10 || row.NextAt == nil {
		t.Errorf("the status tells of the reserve: %+v", row)
	}
	if row := rowOf(e, v1alpha1.BudgetNamespacePerDay); row.Used != 10 || *row.Limit != 100 ||
		row.Namespace != e.Namespace {
		t.Errorf("the status tells of the namespace: %+v", row)
	}

	ask(e, "shop-2", "shop") // a renewal goes on
	e.Until(time.Hour, billedSoFar(e, 11))

	if !strings.Contains(messagesOf(e, v1alpha1.ReasonReservedForRenewals)[0], `set spec.orders.reserve of the `+
		`AliyunIssuer "cas" to less than`) {
		t.Errorf("the message does not say which field to set: %q",
			messagesOf(e, v1alpha1.ReasonReservedForRenewals)[0])
	}
	editPolicy(e, func(p *v1alpha1.OrderPolicy) { p.Reserve = new(intstr.FromInt32(7)) })
	e.Until(15*time.Minute, billedSoFar(e, 13))

	editPolicy(e, func(p *v1alpha1.OrderPolicy) { p.Reserve = nil })
	e.Simulator.SetPackage(gen.Product, 60, 13) // more is bought for the plan
	e.Until(time.Hour, billedSoFar(e, 27))      // all
}

func rowOf(e *env.Env, name v1alpha1.BudgetName) v1alpha1.BudgetStatus {
	e.T.Helper()
	rows := issuerOf(e).Status.Budgets
	at := slices.IndexFunc(rows, func(b v1alpha1.BudgetStatus) bool { return b.Name == name })
	if at < 0 {
		e.T.Fatalf("the status tells nothing of %s: %+v", name, rows)
	}
	return rows[at]
}

// TestABudgetHoldsUntilItIsRaised does what the message says.
func TestABudgetHoldsUntilItIsRaised(t *testing.T) {
	for name, test := range map[string]struct {
		field func(*v1alpha1.OrderBudget, *int32)
		says  string
	}{
		"issuer.perDay": {func(b *v1alpha1.OrderBudget, n *int32) { b.Issuer.PerDay = n },
			`in the last 24 hours, and its budget is 1`},
		"issuer.per30Days": {func(b *v1alpha1.OrderBudget, n *int32) { b.Issuer.Per30Days = n },
			`in the last 30 days, and its budget is 1`},
		"namespace.perDay": {func(b *v1alpha1.OrderBudget, n *int32) { b.Namespace.PerDay = n },
			`in the last 24 hours, and its budget is 1`},
		"namespace.per30Days": {func(b *v1alpha1.OrderBudget, n *int32) { b.Namespace.Per30Days = n },
			`in the last 30 days, and its budget is 1`},
	} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			set := func(n int32) func(*v1alpha1.OrderPolicy) {
				return func(p *v1alpha1.OrderPolicy) { p.Budget = &v1alpha1.OrderBudget{}; test.field(p.Budget, &n) }
			}
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			editPolicy(e, set(1))
			ask(e, "a", "a")
			ask(e, "b", "b")
			e.Pass(20 * time.Minute)
			billed(t, e, 1)
			messages := messagesOf(e, v1alpha1.ReasonBudgetExceeded)
			advice := fmt.Sprintf(`set spec.orders.budget.%s of the AliyunIssuer "cas" to more than 1`, name)
			if len(messages) != 1 || !strings.Contains(messages[0], test.says) ||
				!strings.Contains(messages[0], advice) {
				t.Fatalf("it is held with %q", messages)
			}
			e.Restart()
			e.Pass(20 * time.Minute)
			billed(t, e, 1)
			editPolicy(e, set(2))
			e.Pass(time.Minute)
			billed(t, e, 2)
		})
	}
}

// TestAnOrderThatCASRefusesDoesNotCount tries one again and again that the plan has nothing left for.
func TestAnOrderThatCASRefusesDoesNotCount(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Simulator.SetPackage(gen.Product, 3, 3)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	editPolicy(e, func(p *v1alpha1.OrderPolicy) { p.MaxPerDay = new(int32(1)) })
	ask(e, "a", "a")
	e.Pass(3 * time.Hour)
	if n := callsForOrders(e)[create]; n < 5 {
		t.Fatalf("it was tried %d times", n)
	}
	if spending := issuerOf(e).Status.Spending; len(spending.Orders) > 0 || len(spending.NameSets) > 0 {
		t.Errorf("it counts: %+v", spending)
	}
	e.Simulator.SetPackage(gen.Product, 4, 3)
	e.Until(time.Hour, billedSoFar(e, 1))
}

// TestALoopIsHeldAlsoAfterItsOrdersAreGone restarts the controller when the held Order is the only one that is left, as
// cert-manager leaves it.
func TestALoopIsHeldAlsoAfterItsOrdersAreGone(t *testing.T) {
	e := ordered(t, cassim.Options{})
	for range 3 {
		orderAgain(e)
	}
	e.Pass(20 * time.Minute)
	if len(messagesOf(e, v1alpha1.ReasonOrderRateExceeded)) != 1 || len(e.Orders()) != 1 {
		t.Fatalf("the fourth order is not the only one, and held: %+v", e.Orders())
	}
	for range 3 {
		e.Restart()
		e.Pass(2 * time.Hour)
	}
	billed(t, e, 3)
	// The request is replaced, and the Order with it.
	remove(e, e.Request("www"))
	remove(e, &e.Orders()[0])
	e.Restart()
	e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
	ask(e, "www", "www")
	e.Pass(2 * time.Hour)
	billed(t, e, 3)
}

// renewing is a Certificate of which cert-manager renews each certificate as soon as it is issued, and its request.
type renewing struct {
	*env.Env
	certificate *cmapi.Certificate
	revision    int
}

func (r *renewing) request() {
	r.T.Helper()
	r.revision++
	request := gen.Request(r.Namespace, fmt.Sprintf("www-%d", r.revision), gen.CSR(gen.Key()))
	request.Annotations = map[string]string{cmapi.CertificateNameKey: r.certificate.Name}
	request.OwnerReferences = []metav1.OwnerReference{
		*metav1.NewControllerRef(r.certificate, cmapi.SchemeGroupVersion.WithKind("Certificate"))}
	r.Create(request)
	r.Decide(request.Name, cmapi.CertificateRequestConditionApproved)
}

// live lets time pass, and does what cert-manager does: it removes what is issued, and asks anew.
func (r *renewing) live(d time.Duration) {
	r.T.Helper()
	for end := r.Clock.Now().Add(d); r.Clock.Now().Before(end); {
		step := r.Settle()
		order := &r.Orders()[0]
		switch {
		case order.Status.State == v1alpha1.OrderStateHeld:
			step = 3 * time.Hour
		case len(order.Status.Certificate) > 0 && len(order.Finalizers) == 0:
			remove(r.Env, r.Request(order.Spec.RequestRef.Name))
			remove(r.Env, order)
			r.request()
			continue
		}
		r.Clock.SetTime(r.Clock.Now().Add(step))
	}
}

// TestALoopThatGoesOnIsGivenLessAndItsCauseIsNamed lets a Certificate want its renewal 15 seconds after it was issued,
// for ten days. Then somebody mends that.
func TestALoopThatGoesOnIsGivenLessAndItsCauseIsNamed(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	certificate := &cmapi.Certificate{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "shop"}}
	certificate.Spec.SecretName, certificate.Spec.DNSNames = "shop-tls", []string{gen.Domain}
	certificate.Spec.IssuerRef = gen.Request("", "", nil).Spec.IssuerRef
	certificate.Spec.RenewBefore = &metav1.Duration{Duration: 4799*time.Hour + 59*time.Minute + 45*time.Second}
	e.Create(certificate)
	r := &renewing{Env: e, certificate: certificate}
	r.request()
	r.live(23 * time.Hour)
	billed(t, e, 3)
	cause := `the CA's certificate lasts 4800h0m0s, and spec.renewBefore of the Certificate "shop" makes its ` +
		`renewal due within a day of being issued. Set spec.renewBefore lower, or leave it out`
	if messages := messagesOf(e, v1alpha1.ReasonOrderRateExceeded); len(messages) != 1 ||
		!strings.Contains(messages[0], cause) {
		t.Errorf("the first day says %q", messages)
	}
	r.live(48 * time.Hour)
	billed(t, e, 4)
	r.live(6 * 24 * time.Hour)
	billed(t, e, 6)
	if messages := messagesOf(e, v1alpha1.ReasonOrderRateExceeded); len(messages) != 1 ||
		!strings.Contains(messages[0], "held 4 times since") || !strings.Contains(messages[0], cause) {
		t.Errorf("the ninth day says %q", messages)
	}

	e.Restart()
	certificate.Spec.RenewBefore = nil
	if err := e.Client.Update(t.Context(), certificate); err != nil {
		t.Fatal(err)
	}
	e.Clock.SetTime(e.Clock.Now().Add(24 * time.Hour))
	e.Pass(2 * time.Hour)
	billed(t, e, 7)
}

// TestALoopEndsOnceItsCauseIsMended has cert-manager say why it orders again and again, and mends that.
func TestALoopEndsOnceItsCauseIsMended(t *testing.T) {
	for name, test := range map[string]struct {
		reason, told string
		mend         func(*cmapi.Certificate)
	}{
		"a Secret that something deletes": {
			"DoesNotExist", `the Secret "shop-tls" of the Certificate "shop" does not exist. Something deletes it ` +
				`again and again: find out what does`,
			func(*cmapi.Certificate) {},
		},
		"a Secret of two Certificates": {
			"IncorrectCertificate", `the Secret "shop-tls" of the Certificate "shop" was written for another ` +
				`Certificate, too. Give each of them a spec.secretName of its own`,
			func(c *cmapi.Certificate) { c.Spec.SecretName = "shop-alone" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			certificate := &cmapi.Certificate{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "shop"}}
			certificate.Spec.SecretName, certificate.Spec.DNSNames = "shop-tls", []string{gen.Domain}
			certificate.Spec.IssuerRef = gen.Request("", "", nil).Spec.IssuerRef
			e.Create(certificate)
			issuing := func(status cmmeta.ConditionStatus, reason string) {
				t.Helper()
				cmutil.SetCertificateCondition(certificate, certificate.Generation, cmapi.CertificateConditionIssuing,
					status, reason, "because")
				if err := e.Client.Status().Update(t.Context(), certificate); err != nil {
					t.Fatal(err)
				}
			}
			issuing(cmmeta.ConditionTrue, test.reason)
			r := &renewing{Env: e, certificate: certificate}
			r.request()
			r.live(23 * time.Hour)
			billed(t, e, 3)
			if messages := messagesOf(e, v1alpha1.ReasonOrderRateExceeded); len(messages) != 1 ||
				!strings.Contains(messages[0], test.told) {
				t.Fatalf("it is held with %q", messages)
			}
			test.mend(certificate)
			if err := e.Client.Update(t.Context(), certificate); err != nil {
				t.Fatal(err)
			}
			issuing(cmmeta.ConditionFalse, "Mended")
			e.Clock.SetTime(e.Clock.Now().Add(24 * time.Hour))
			e.Until(2*time.Hour, billedSoFar(e, 4))
		})
	}
}

// TestARecordThatIsFullIsTakenByTheAPIServer fills each list to its bound, and orders then.
func TestARecordThatIsFullIsTakenByTheAPIServer(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), gen.Manual, func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Orders = &v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(0)),
			Budget: &v1alpha1.OrderBudget{Issuer: v1alpha1.OrderLimits{PerDay: new(int32(100000))}}}
	}))
	e.Settle()
	issuer, now := issuerOf(e), e.Clock.Now()
	var counts []v1alpha1.OrderCount
	for age := 29 * 24 * time.Hour; age > 0; age -= 24 * time.Hour {
		counts = append(counts, v1alpha1.OrderCount{At: metav1.NewTime(now.Add(-age)), Orders: 999})
	}
	for age := 23 * time.Hour; age > 0; age -= time.Hour {
		counts = append(counts, v1alpha1.OrderCount{At: metav1.NewTime(now.Add(-age)), Orders: 999})
	}
	record := &v1alpha1.SpendingStatus{
		Orders: counts, Supply: &v1alpha1.SupplyMark{Product: gen.Product, At: metav1.NewTime(now)}}
	for i := range 100 {
		record.Namespaces = append(
			record.Namespaces, v1alpha1.NamespaceSpending{Name: fmt.Sprintf("%063d", i), Orders: counts})
	}
	for i := range 1000 {
		at := metav1.NewTime(now.Add(-time.Hour))
		set := v1alpha1.NameSetSpending{Names: fmt.Sprintf("%032x", i), NotBefore: &at,
			NotAfter: new(metav1.NewTime(now.Add(4799 * time.Hour)))}
		for n := range 4 {
			set.Orders = append(set.Orders, v1alpha1.NameSetOrder{At: at, Order: types.UID(fmt.Sprintf("%036d", 4*i+n)),
				Namespace: "01234567", Orders: 999})
		}
		set.LastRequest = &v1alpha1.SeenRequest{
			Request: fmt.Sprintf("%016x", i), Key: fmt.Sprintf("%016x", i), OrderID: fmt.Sprintf("%064d", i),
			Product: fmt.Sprintf("%064d", i), At: at,
		}
		set.Loop = &v1alpha1.OrderLoop{Since: at, Times: 9, After: set.Orders[3].Order, Limit: 3,
			Cause: v1alpha1.LoopSecretMissing}
		record.NameSets = append(record.NameSets, set)
	}
	issuer.Status.Spending = record
	if err := e.Client.Status().Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	ask(e, "a", "a")
	e.Until(time.Hour, billedSoFar(e, 1))
	after := issuerOf(e).Status.Spending
	text, err := json.Marshal(after)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a record that is full has %d bytes", len(text))
	if len(after.NameSets) != 1000 || len(after.Namespaces) != 100 || len(text) > 5<<18 {
		t.Errorf("it has %d name sets, %d namespaces and %d bytes", len(after.NameSets), len(after.Namespaces),
			len(text))
	}
	if len(after.NameSets[0].Orders) != 1 {
		t.Errorf("what was ordered last is not there: %+v", after.NameSets[0])
	}
}
