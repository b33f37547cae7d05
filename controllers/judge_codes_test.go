// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// decision is what a code of CAS contract §1 and §8 leads to where it is the answer to a create, to a read (describe,
// list, package state), and to a call of Alibaba Cloud DNS. "unknown" keeps the intent: an order may have been made.
type decision struct{ code, create, read, dns string }

const (
	again        = "again"                // without a word, as nobody is to blame
	inDoubtStill = "unknown"              // the order is looked for, and never assumed not to be
	later        = "held: CASUnavailable" // passes by itself, and says so
	noDNS        = "held: PresentFailed"
)

var decisions = []decision{
	{"NotFoundPackage", "held: NoPackage", "held: NoPackage", noDNS},
	{"NotRemainCount", "held: QuotaExhausted", "held: QuotaExhausted", noDNS},
	{"InsufficientQuota", "held: QuotaExhausted", "held: QuotaExhausted", noDNS},
	{"NotFoundOrder", inDoubtStill, "held: OrderNotFound", noDNS},
	{"NotFound", inDoubtStill, "held: OrderNotFound", "held: OrderNotFound"},
	{"OrderStateError", inDoubtStill, later, noDNS},
	{"OrderExpired", inDoubtStill, later, noDNS},
	{"DeleteFail", inDoubtStill, later, noDNS},
	{"OperationDenied", inDoubtStill, later, noDNS},
	{"OperationDenied.StatusNotSupport", inDoubtStill, later, noDNS},
	{"OperationDenied.SystemUpgrading", inDoubtStill, later, noDNS},
	{"CreateCertificateRequestFailed", inDoubtStill, "held: Rejected", noDNS},
	{"CreateOrderFailed", inDoubtStill, "held: Rejected", noDNS},
	{"DomainRepeat", inDoubtStill, "held: Rejected", noDNS},
	{"ParamRepeat", inDoubtStill, "held: Rejected", noDNS},
	{"DeductQuotaFailed", inDoubtStill, later, noDNS},
	{"Error", inDoubtStill, later, noDNS},
	{"InternalError", inDoubtStill, later, noDNS},
	{"ServiceUnavailable", inDoubtStill, later, noDNS},
	{"NeverHeardOf", inDoubtStill, later, noDNS},
	{"4003", inDoubtStill, later, noDNS},

	{"Throttling", again, again, again},
	{"Throttling.User", again, again, again},
	{"Throttling.Api", again, again, again},
	{"Rejected.Throttling", again, again, again},
	{"FlowControlError", again, again, again},

	{"InvalidTimeStamp.Expired", "held: ClockSkew", "held: ClockSkew", "held: ClockSkew"},
	{"InvalidTimeStamp.Format", "held: ClockSkew", "held: ClockSkew", "held: ClockSkew"},
	{"IllegalTimestamp", inDoubtStill, "held: ClockSkew", "held: ClockSkew"},
	{"SignatureNonceUsed", inDoubtStill, later, noDNS},

	{"InvalidSecurityToken.Expired", "held: CredentialsRefused", "held: CredentialsRefused", "held: CredentialsRefused"},
	{"InvalidSecurityToken.MismatchWithAccessKey", "held: CredentialsRefused", "held: CredentialsRefused", "held: CredentialsRefused"},
	{"InvalidAccessKeyId.Inactive", "held: CredentialsRefused", "held: CredentialsRefused", "held: CredentialsRefused"},
	{"InvalidAccessKeyId.NotFound", "held: CredentialsRefused", "held: CredentialsRefused", "held: CredentialsRefused"},
	{"SignatureDoesNotMatch", "held: CredentialsRefused", "held: CredentialsRefused", "held: CredentialsRefused"},
	{"IncompleteSignature", "held: CredentialsRefused", "held: CredentialsRefused", "held: CredentialsRefused"},
	{"Forbidden.AccessKeyDisabled", "held: CredentialsRefused", "held: CredentialsRefused", "held: CredentialsRefused"},

	{"Forbidden.RAM", "held: PermissionDenied", "held: PermissionDenied", "held: PermissionDenied"},
	{"NoPermission", "held: PermissionDenied", "held: PermissionDenied", "held: PermissionDenied"},
	{"Forbidden", "held: PermissionDenied", "held: PermissionDenied", "held: PermissionDenied"},
	{"Forbidden.NotSupportRAM", "held: PermissionDenied", "held: PermissionDenied", "held: PermissionDenied"},
	{"ActionUnauthorized", "held: PermissionDenied", "held: PermissionDenied", "held: PermissionDenied"},
	{"AccessDenied.NoAuth", "held: PermissionDenied", "held: PermissionDenied", noDNS},
	{"PermissionDenied", "held: PermissionDenied", "held: PermissionDenied", noDNS},

	{"Forbidden.RiskControl", inDoubtStill, "held: AccountBlocked", "held: AccountBlocked"},
	{"Forbidden.UserVerification", inDoubtStill, "held: AccountBlocked", "held: AccountBlocked"},
	{"InsufficientBalance", inDoubtStill, "held: AccountBlocked", "held: AccountBlocked"},

	{"MissingCsr", "failed: Rejected", "held: Rejected", "held: Rejected"},
	{"InvalidParameter.Csr", "failed: Rejected", "held: Rejected", "held: Rejected"},
	{"InvalidApi.NotFound", "failed: Rejected", "held: Rejected", "held: Rejected"},
	{"InvalidAction.NotFound", "failed: Rejected", "held: Rejected", "held: Rejected"},
	{"InvalidProduct.NotFound", "failed: Rejected", "held: Rejected", "held: Rejected"},
	{"InvalidProtocol.NeedSsl", "failed: Rejected", "held: Rejected", "held: Rejected"},
	{"UnsupportedHTTPMethod", inDoubtStill, "held: Rejected", "held: Rejected"},
	{"NoSuchVersion", inDoubtStill, "held: Rejected", "held: Rejected"},
}

// scene is one order, and a service that answers everything with the code but what answers says.
type scene struct {
	*OrderReconciler
	run     *orderRun
	clock   *clocktesting.FakePassiveClock
	code    string
	answers map[string]string
}

func newScene(t *testing.T, code string, status int, change func(*v1alpha1.OrderStatus)) *scene {
	t.Helper()
	s := &scene{code: code, answers: map[string]string{}, clock: clocktesting.NewFakePassiveClock(noon)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := s.answers[r.URL.Query().Get("Action")]
		if body == "" {
			w.WriteHeader(status)
			body = fmt.Sprintf(`{"RequestId":"R-1","Code":%q,"Message":"because"}`, code)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	endpoint := &v1alpha1.Endpoint{URL: server.URL}
	order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "www-1", UID: "order"}}
	issuer := &v1alpha1.AliyunIssuer{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "cas"}}
	order.Spec = v1alpha1.OrderSpec{
		IssuerRef: v1alpha1.IssuerReference{Kind: v1alpha1.AliyunIssuerKind, Name: "cas"},
		Request:   request(t, newKey(t), "www.example.com", nil, nil), CommonName: "www.example.com", DNSNames: []string{"www.example.com"},
		SecretNamespace: "team", Source: v1alpha1.Source{ResourcePlan: &v1alpha1.ResourcePlan{ProductCode: "p"}},
		Access: v1alpha1.Access{Region: "cn-hangzhou", Endpoint: endpoint, STSEndpoint: endpoint, Credentials: keyCredentials()},
		Solver: v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{Alidns: &v1alpha1.AlidnsSolver{Endpoint: endpoint}}},
	}
	change(&order.Status)
	// A key of its own has a rate of its own.
	secret := keySecret()
	secret.Data["accessKeyID"] = []byte(fmt.Sprintf("%p", s))
	kube := fakeCluster(t, order, issuer, secret)
	s.OrderReconciler = &OrderReconciler{
		Client: kube, APIReader: kube, Recorder: events.NewFakeRecorder(10), Submissions: &Submissions{}, Fresh: &FreshOrders{},
		Remote: &Remote{Secrets: &credentials.Store{Reader: kube, STSRate: 1e6}, Clock: s.clock, Policy: Policy{EndpointHosts: []string{"127.0.0.1"}}},
	}
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(order), order); err != nil {
		t.Fatal(err)
	}
	s.run = &orderRun{order: order.DeepCopy(), stored: order, now: noon, issuer: issuer}
	return s
}

func keyCredentials() v1alpha1.Credentials {
	return v1alpha1.Credentials{AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
		SecretReference: v1alpha1.SecretReference{Name: "key"}, AccessKeyIDKey: "accessKeyID", AccessKeySecretKey: "accessKeySecret",
	}}
}

func keySecret() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "key"}, Data: map[string][]byte{
		"accessKeyID": []byte("id"), "accessKeySecret": []byte("secret"),
	}}
}

func fakeCluster(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.AliyunOrder{}, &v1alpha1.AliyunIssuer{}).WithObjects(objects...)
	for field, index := range orderIndexes {
		builder = builder.WithIndex(&v1alpha1.AliyunOrder{}, field, index)
	}
	return builder.Build()
}

func (s *scene) calls(t *testing.T) *cas.Client {
	t.Helper()
	calls, err := s.Remote.cas(reachOfOrder(s.run.order), s.Remote.Secrets)
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// named is an outcome in the words of the table.
func named(t *testing.T, end outcome) string {
	t.Helper()
	switch end.kind {
	case outcomeWait, outcomeRest:
		if end.after <= 0 {
			t.Error("nothing wakes the order")
		}
		return again
	case outcomeStall:
		if end.after <= 0 || end.after > 30*time.Minute || end.message == "" {
			t.Errorf("held with %+v: it must heal by itself, and say why", end)
		}
		return "held: " + end.reason
	case outcomeFail:
		return "failed: " + end.reason
	default:
		return fmt.Sprintf("%+v", end)
	}
}

var contact = cas.Contact{Name: "Zhang San", Email: "zhang.san@example.com", Phone: "+86 138 0000 0000"}

func submittedAnHourAgo(status *v1alpha1.OrderStatus) {
	used, at := int64(0), metav1.NewMicroTime(noon.Add(-2*time.Hour))
	status.Submission = &v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon.Add(-time.Hour)), Attempt: 1, UsedCount: &used, UsedCountAt: &at}
}

func underWay(status *v1alpha1.OrderStatus) {
	submittedAnHourAgo(status)
	at := metav1.NewTime(noon)
	status.OrderID, status.OrderIDBasis, status.SubmittedAt = "7", v1alpha1.OrderIDByAnswer, &at
}

// places are where a code may be the answer. Each says what the order comes to.
var places = map[string]struct {
	order func(*v1alpha1.OrderStatus)
	meet  func(t *testing.T, s *scene) string
	want  func(decision) string
}{
	"create": {func(*v1alpha1.OrderStatus) {}, func(t *testing.T, s *scene) string {
		if end := s.maySpend(t.Context(), s.run); end.kind != outcomeProceed {
			t.Fatalf("nothing may be bought: %+v", end)
		}
		s.answers["DescribePackageState"] = `{"RequestId":"R-1","TotalCount":20,"UsedCount":0,"IssuedCount":0,"ProductCode":"p"}`
		end := s.buy(t.Context(), s.run, s.calls(t), contact)
		if s.run.order.Status.Submission != nil {
			wantSame(t, end.kind, outcomeWait)
			return inDoubtStill
		}
		return named(t, end)
	}, func(d decision) string { return d.create }},
	"describe": {underWay, func(t *testing.T, s *scene) string {
		return named(t, s.observe(t.Context(), s.run))
	}, func(d decision) string { return d.read }},
	"list": {submittedAnHourAgo, func(t *testing.T, s *scene) string {
		return named(t, s.settleDoubt(t.Context(), s.run))
	}, func(d decision) string { return d.read }},
	"package state": {submittedAnHourAgo, func(t *testing.T, s *scene) string {
		return named(t, s.accountedFor(t.Context(), s.run, s.calls(t)))
	}, func(d decision) string { return d.read }},
	"Alibaba Cloud DNS": {func(status *v1alpha1.OrderStatus) {
		underWay(status)
		status.Validation = &v1alpha1.OrderValidation{Domain: "www.example.com", RecordName: "_dnsauth", RecordType: "TXT", RecordValue: "v"}
	}, func(t *testing.T, s *scene) string {
		return named(t, s.present(t.Context(), s.run))
	}, func(d decision) string { return d.dns }},
	"cancel": {releasing, func(t *testing.T, s *scene) string {
		s.answers["DescribeCertificateState"] = `{"RequestId":"R-1","Type":"process"}`
		return giveBack(t, s)
	}, func(decision) string { return again }},
	"delete": {releasing, func(t *testing.T, s *scene) string {
		s.answers["DescribeCertificateState"] = `{"RequestId":"R-1","Type":"payed"}`
		return giveBack(t, s)
	}, func(decision) string { return again }},
}

func releasing(status *v1alpha1.OrderStatus) {
	underWay(status)
	status.Release = &v1alpha1.OrderRelease{Reason: "Deleted", Message: "the AliyunOrder was deleted", StartedAt: metav1.NewTime(noon)}
}

// giveBack tries to give the order back, and again when the time for it is over: then what is left is told. A throttle is
// no try.
func giveBack(t *testing.T, s *scene) string {
	t.Helper()
	first := named(t, s.release(t.Context(), s.run))
	wantSame(t, s.run.order.Status.Release.Outcome, v1alpha1.ReleaseOutcome(""))
	for _, after := range []time.Duration{releaseBound / 2, releaseBound} {
		s.run.now = noon.Add(after)
		s.release(t.Context(), s.run)
	}
	want := v1alpha1.Unresolved
	if slices.ContainsFunc(decisions, func(d decision) bool { return d.code == s.code && d.read == again }) {
		want = ""
	}
	wantSame(t, s.run.order.Status.Release.Outcome, want)
	return first
}

// TestEveryCodeHasItsOutcomeWhereverItHappens is the judge's law: what passes is tried again, what a person can mend is
// held until it is mended, what may have been bought is looked for, and only what can never be bought fails.
func TestEveryCodeHasItsOutcomeWhereverItHappens(t *testing.T) {
	for name, place := range places {
		for _, d := range decisions {
			t.Run(name+"/"+d.code, func(t *testing.T) {
				for _, status := range []int{400, 500} {
					got := place.meet(t, newScene(t, d.code, status, place.order))
					if want := place.want(d); got != want {
						t.Errorf("with HTTP %d it is %q, want %q", status, got, want)
					}
				}
			})
		}
	}
}
