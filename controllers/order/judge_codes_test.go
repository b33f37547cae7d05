// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

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
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// decision is what a code of docs/design/cas.md §2.3 and §3.9 leads to as the answer to a create, to a read (describe,
// list, package state), and to a call of Alibaba Cloud DNS. "unknown" keeps the intent: an order may have been made.
type decision struct{ code, create, read, dns string }

const (
	again        = "again"                // nothing is told, as nobody is to blame
	inDoubtStill = "unknown"              // the order is looked for, and never assumed not to exist
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

	{"InvalidSecurityToken.Expired", "held: CredentialsRefused", "held: CredentialsRefused",
		"held: CredentialsRefused"},
	{"InvalidSecurityToken.MismatchWithAccessKey", "held: CredentialsRefused", "held: CredentialsRefused",
		"held: CredentialsRefused"},
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

// scene is one order, and a service that answers every call with the code, except the actions in answers.
type scene struct {
	*Reconciler
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
	issuer.Spec.Contact = &v1alpha1.Contact{Name: "Zhang San", Email: "zhang.san@example.com",
		Phone: "+86 138 0000 0000"}
	order.Spec = v1alpha1.OrderSpec{
		IssuerRef: v1alpha1.IssuerReference{Kind: v1alpha1.AliyunIssuerKind, Name: "cas"},
		Request:   certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil), CommonName: "www.example.com",
		DNSNames:        []string{"www.example.com"},
		SecretNamespace: "team", Source: v1alpha1.Source{ResourcePlan: &v1alpha1.ResourcePlan{ProductCode: "p"}},
		Access: v1alpha1.Access{Region: "cn-hangzhou", Endpoint: endpoint, STSEndpoint: endpoint,
			Credentials: keyCredentials()},
		Solvers: by(v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{Alidns: &v1alpha1.AlidnsSolver{Endpoint: endpoint}}}),
	}
	change(&order.Status)
	// Calls are limited for each access key: with a key of its own, no scene waits for another.
	secret := keySecret()
	secret.Data["accessKeyID"] = []byte(fmt.Sprintf("%p", s))
	kube := fakeCluster(t, order, issuer, secret)
	s.Reconciler = New(Config{
		Client: kube, APIReader: kube, Recorder: events.NewFakeRecorder(10), Submissions: &Submissions{},
		Fresh: &orders.Fresh{},
		Remote: &access.Remote{Secrets: &credentials.Store{Reader: kube, STSRate: 1e6}, Clock: s.clock,
			Policy: access.Policy{EndpointHosts: []string{"127.0.0.1"}}},
	})
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(order), order); err != nil {
		t.Fatal(err)
	}
	s.Sources = plans(s.Remote, kube)
	s.run = s.begin(order)
	s.run.issuer = issuer
	return s
}

func keyCredentials() v1alpha1.Credentials {
	return v1alpha1.Credentials{AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
		SecretReference: v1alpha1.SecretReference{Name: "key"}, AccessKeyIDKey: "accessKeyID",
		AccessKeySecretKey: "accessKeySecret",
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
	builder := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.AliyunOrder{},
		&v1alpha1.AliyunIssuer{}).WithObjects(objects...)
	for field, index := range AllIndexes(plans(nil, nil)) {
		builder = builder.WithIndex(&v1alpha1.AliyunOrder{}, field, index)
	}
	return builder.Build()
}

// Returns the session of the order, with all that a purchase needs.
func (s *scene) prepared(t *testing.T) source.Session {
	t.Helper()
	session, err := s.open(s.run)
	if err == nil {
		err = session.Prepare(t.Context(), s.run.issuer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// Returns an outcome in the words of the table.
func named(t *testing.T, end outcome) string {
	t.Helper()
	switch end.kind {
	case outcomeWait, outcomeNotYet:
		if end.after <= 0 {
			t.Error("nothing wakes the order")
		}
		return again
	case outcomeHold:
		if end.after <= 0 || end.after > 30*time.Minute || end.message == "" {
			t.Errorf("held with %+v: it must heal by itself, and say why", end)
		}
		return "held: " + end.reason
	case outcomeGiveUp:
		return "failed: " + end.reason
	default:
		return fmt.Sprintf("%+v", end)
	}
}

func submittedAnHourAgo(status *v1alpha1.OrderStatus) {
	used, at := int64(0), metav1.NewMicroTime(noon.Add(-2*time.Hour))
	status.Submission = &v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon.Add(-time.Hour)), Attempt: 1,
		ResourcePlan: &v1alpha1.PlanEvidence{UsedCount: &used, UsedCountAt: &at}}
}

// Sets a submission of an hour ago, and that a listing half an hour ago did not have its order.
func searchedHalfAnHourAgo(status *v1alpha1.OrderStatus) {
	submittedAnHourAgo(status)
	at := metav1.NewTime(noon.Add(-30 * time.Minute))
	status.Submission.ResourcePlan.EmptyListingAt = &at
}

func underWay(status *v1alpha1.OrderStatus) {
	submittedAnHourAgo(status)
	at := metav1.NewTime(noon)
	status.OrderID, status.OrderIDBasis, status.SubmittedAt = "7", v1alpha1.OrderIDByAnswer, &at
}

// places are the calls that a code may be the answer to. Each says what the order comes to.
var places = map[string]struct {
	order func(*v1alpha1.OrderStatus)
	meet  func(t *testing.T, s *scene) string
	want  func(decision) string
}{
	"create": {func(*v1alpha1.OrderStatus) {}, func(t *testing.T, s *scene) string {
		if end := s.checkSpending(t.Context(), s.run); end.endsRun() {
			t.Fatalf("nothing may be bought: %+v", end)
		}
		s.answers["DescribePackageState"] = `{"RequestId":"R-1","TotalCount":20,"UsedCount":0,"IssuedCount":0,"ProductCode":"p"}`
		end := s.buy(t.Context(), s.run, s.prepared(t))
		if s.run.order.Status.Submission != nil {
			compare.Same(t, end.kind, outcomeWait)
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
	"package state": {searchedHalfAnHourAgo, func(t *testing.T, s *scene) string {
		s.answers["ListUserCertificateOrder"] = `{"RequestId":"R-1","TotalCount":0,"CertificateOrderList":[]}`
		return named(t, s.settleDoubt(t.Context(), s.run))
	}, func(d decision) string { return d.read }},
	"Alibaba Cloud DNS": {func(status *v1alpha1.OrderStatus) {
		underWay(status)
		status.Validations = []v1alpha1.OrderValidation{{Domain: "www.example.com", RecordName: "_dnsauth",
			RecordType: "TXT", RecordValue: "v"}}
	}, func(t *testing.T, s *scene) string {
		return named(t, s.present(t.Context(), s.run, &s.run.order.Status.Validations[0]))
	}, func(d decision) string { return d.dns }},
	"cancel": {beingGivenBack, func(t *testing.T, s *scene) string {
		s.answers["DescribeCertificateState"] = `{"RequestId":"R-1","Type":"process"}`
		return giveBack(t, s)
	}, func(decision) string { return again }},
	"delete": {beingGivenBack, func(t *testing.T, s *scene) string {
		s.answers["DescribeCertificateState"] = `{"RequestId":"R-1","Type":"payed"}`
		return giveBack(t, s)
	}, func(decision) string { return again }},
}

func beingGivenBack(status *v1alpha1.OrderStatus) {
	underWay(status)
	status.Release = &v1alpha1.OrderRelease{Reason: "Deleted", Message: "the AliyunOrder was deleted",
		StartedAt: metav1.NewTime(noon)}
}

// Tries to give the order back until the time for that is over. Then it must be unresolved; only a throttle is no try,
// after which it must not be.
func giveBack(t *testing.T, s *scene) string {
	t.Helper()
	first := named(t, s.release(t.Context(), s.run))
	compare.Same(t, s.run.order.Status.Release.Outcome, v1alpha1.ReleaseOutcome(""))
	for _, after := range []time.Duration{releaseBound / 2, releaseBound} {
		s.run.now = noon.Add(after)
		s.release(t.Context(), s.run)
	}
	want := v1alpha1.Unresolved
	if slices.ContainsFunc(decisions, func(d decision) bool { return d.code == s.code && d.read == again }) {
		want = ""
	}
	compare.Same(t, s.run.order.Status.Release.Outcome, want)
	return first
}

// TestEveryCodeHasItsOutcomeWhereverItHappens holds each answer to one law: what passes by itself is tried again, what
// a person can mend is held until it is mended, what may have been bought is looked for, and only what can never be
// bought fails.
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
