// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	whapi "github.com/cert-manager/cert-manager/pkg/acme/webhook/apis/acme/v1alpha1"
	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/webhook"
)

const settings = `{"tokenSecretRef":{"name":"the-token"},"account":"account-of-ours","nested":[{"key":"value-of-a-key"}],"ttl":60}`

// api answers calls of the webhook as the API server does, and keeps what was asked.
type api struct {
	status int
	answer any
	asked  []whapi.ChallengeRequest
	paths  []string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.paths = append(a.paths, r.Method+" "+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	var payload whapi.ChallengePayload
	if json.Unmarshal(body, &payload) == nil && payload.Request != nil {
		a.asked = append(a.asked, *payload.Request)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.answer)
}

func success() *whapi.ChallengePayload {
	return &whapi.ChallengePayload{Response: &whapi.ChallengeResponse{Success: true}}
}

func refusal(message string) *whapi.ChallengePayload {
	return &whapi.ChallengePayload{Response: &whapi.ChallengeResponse{Result: &metav1.Status{Message: message}}}
}

func status(code int, reason metav1.StatusReason, message string) metav1.Status {
	return metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code),
		Reason: reason, Message: message, //nolint:gosec // of HTTP
	}
}

// dns knows the zones, and what is visible.
type dns struct {
	visible bool
	err     error
}

func (d *dns) FindZone(_ context.Context, name string) (string, error) {
	if strings.HasSuffix(name, "sub.example.com") {
		return "sub.example.com", nil
	}
	return "example.com", nil
}

func (d *dns) Check(context.Context, dcv.Record) (dcv.Observation, error) {
	return dcv.Observation{Visible: d.visible}, d.err
}

func newSolver(t *testing.T, a *api, lookup *dns, change ...func(*webhook.Config)) *webhook.Solver {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	config := webhook.Config{
		REST: &rest.Config{Host: server.URL}, Allowed: []string{"acme.example.com/my-dns"},
		GroupName: "acme.example.com", SolverName: "my-dns",
		Config: &apiextensionsv1.JSON{Raw: []byte(settings)}, ResourceNamespace: "team", Zones: lookup, Lookup: lookup,
	}
	for _, change := range change {
		change(&config)
	}
	solver, err := webhook.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return solver
}

var challenge = dcv.Challenge{Domain: "www.example.com", RecordName: "_dnsauth.www", RecordType: "TXT",
	RecordValue: "the-value"}

var record = dcv.Record{FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: "the-value", Zone: "example.com"}

// claims keeps what was claimed, and when.
func claims(a *api, into *[]dcv.Record) func(context.Context, dcv.Record) error {
	return func(_ context.Context, rec dcv.Record) error {
		if len(a.asked) > 0 {
			return errors.New("it was called before it was claimed")
		}
		*into = append(*into, rec)
		return nil
	}
}

func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	problem, isProblem := errors.AsType[*dcv.Problem](err)
	if !isProblem || !strings.Contains(problem.Message, want) {
		t.Errorf("got %v, want a problem with %q", err, want)
	}
}

func TestARecordIsClaimedBeforeTheWebhookIsTold(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	var claimed []dcv.Record
	got, err := newSolver(t, a, &dns{}).Present(t.Context(), challenge, nil, claims(a, &claimed))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, got); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]dcv.Record{record}, claimed); diff != "" {
		t.Errorf("what was claimed differs (-want +got):\n%s", diff)
	}
	if want := []string{"POST /apis/acme.example.com/v1alpha1/my-dns"}; !slices.Equal(a.paths, want) {
		t.Errorf("asked %q, want %q", a.paths, want)
	}
	want := whapi.ChallengeRequest{
		UID: a.asked[0].UID, Action: whapi.ChallengeActionPresent, Type: "dns-01", DNSName: "www.example.com",
		Key: "the-value", ResourceNamespace: "team",
		ResolvedFQDN: "_dnsauth.www.example.com.", ResolvedZone: "example.com.",
		Config: &apiextensionsv1.JSON{Raw: []byte(settings)},
	}
	if diff := cmp.Diff(want, a.asked[0]); diff != "" {
		t.Errorf("what the webhook was told differs (-want +got):\n%s", diff)
	}
}

func TestWithoutAClaimNothingIsAsked(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	refuse := func(context.Context, dcv.Record) error { return errors.New("a conflict") }
	if _, err := newSolver(t, a, &dns{}).Present(t.Context(), challenge, nil, refuse); err == nil || len(a.paths) > 0 {
		t.Errorf("got %v, asked %q", err, a.paths)
	}
}

func TestARecordThatWasThereBeforeIsForeign(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	solver := newSolver(t, a, &dns{visible: true})
	got, err := solver.Present(t.Context(), challenge, nil, claims(a, new([]dcv.Record)))
	if err != nil || !got.Foreign {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := solver.CleanUp(t.Context(), got); err != nil || len(a.paths) > 0 {
		t.Errorf("got %v, asked %q", err, a.paths)
	}
	// Once it is claimed, the same record is ours.
	if got, err := solver.Present(t.Context(), challenge, &record, nil); err != nil || got.Foreign {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhoCannotLookDoesNotPresentUnlessItIsClaimed(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	solver := newSolver(t, a, &dns{err: errors.New("no answer")})
	if _, err := solver.Present(t.Context(), challenge, nil, claims(a, new([]dcv.Record))); err == nil ||
		len(a.paths) > 0 {
		t.Errorf("got %v, asked %q", err, a.paths)
	}
	if _, err := solver.Present(t.Context(), challenge, &record, claims(a, new([]dcv.Record))); err != nil ||
		len(a.paths) != 1 {
		t.Errorf("got %v, asked %q", err, a.paths)
	}
}

func TestAClaimOnAnotherRecordSaysNothing(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	other := record
	other.Value, other.FQDN = "another-value", "elsewhere.example.com"
	got, err := newSolver(t, a, &dns{visible: true}).Present(t.Context(), challenge, &other,
		claims(a, new([]dcv.Record)))
	if err != nil || !got.Foreign || got.FQDN != record.FQDN {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestADeeperZoneOfTheRecordIsTold(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	full := dcv.Challenge{Domain: "sub.example.com", RecordName: "_dnsauth.sub.example.com", RecordType: "txt",
		RecordValue: "the-value"}
	got, err := newSolver(t, a, &dns{}).Present(t.Context(), full, nil, claims(a, new([]dcv.Record)))
	if err != nil || got.Zone != "sub.example.com" || a.asked[0].ResolvedZone != "sub.example.com." ||
		a.asked[0].DNSName != "sub.example.com" {
		t.Errorf("got %+v, %v, asked %+v", got, err, a.asked)
	}
}

func TestCleanUpTellsWhatPresentTold(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	solver := newSolver(t, a, &dns{}, func(c *webhook.Config) { c.AllowAmbientCredentials = true })
	if err := solver.CleanUp(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	got := a.asked[0]
	if got.Action != whapi.ChallengeActionCleanUp || got.Key != "the-value" ||
		got.ResolvedFQDN != "_dnsauth.www.example.com." || !got.AllowAmbientCredentials {
		t.Errorf("told %+v", got)
	}
	if err := solver.CleanUp(t.Context(), dcv.Record{}); err != nil || len(a.asked) != 1 {
		t.Errorf("nothing to remove: %v, asked %+v", err, a.asked)
	}
}

func TestWhatTheAPIServerSaysIsExplained(t *testing.T) {
	for want, a := range map[string]*api{
		`the controller has no right to call the DNS webhook "my-dns" of API group "acme.example.com": add both to the chart value webhookSolvers`: {
			status: http.StatusForbidden, answer: status(http.StatusForbidden, metav1.StatusReasonForbidden,
				"forbidden"),
		},
		`whose APIService is "v1alpha1.acme.example.com"`: {status: http.StatusNotFound,
			answer: status(http.StatusNotFound, metav1.StatusReasonNotFound, "not found")},
		"whether the webhook's Pods run": {
			status: http.StatusServiceUnavailable,
			answer: status(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "unavailable"),
		},
		"it gives no reason; its log may":     {status: http.StatusOK, answer: refusal("")},
		"did not remove the TXT record":       {status: http.StatusOK, answer: refusal("busy")},
		"at the DNS provider: zone is locked": {status: http.StatusOK, answer: refusal("zone is\n locked")},
	} {
		t.Run(want, func(t *testing.T) {
			wantProblem(t, newSolver(t, a, &dns{}).CleanUp(t.Context(), record), want)
		})
	}
	for want, a := range map[string]*api{
		"could not be called": {status: http.StatusInternalServerError,
			answer: status(http.StatusInternalServerError, metav1.StatusReasonInternalError, "it broke")},
		"answered with something": {status: http.StatusOK, answer: map[string]any{"kind": "Pod"}},
	} {
		err := newSolver(t, a, &dns{}).CleanUp(t.Context(), record)
		if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that passes with %q", err, want)
		}
	}
}

// TestWhatIsSecretInTheWordsOfAWebhookIsHidden gives it everything that a provider's client may put into an error.
func TestWhatIsSecretInTheWordsOfAWebhookIsHidden(t *testing.T) {
	const said = `zone the-zone: POST https://user:hunter22@api.example.com/v1?Signature=c2lnbmVk&Expires=1 with ` +
		`"Bearer abcdef123456": account-of-ours, ` +
		`value-of-a-key, request 0A1B2C3D-1111-2222-3333-444455556666 of 2026-11-24T01:02:03Z, dial tcp ` +
		`10.0.0.1:40000->10.0.0.2:443, the-token, ` +
		"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
	err := newSolver(t, &api{status: http.StatusOK, answer: refusal(said)}, &dns{}).CleanUp(t.Context(), record)
	wantProblem(t, err, "zone the-zone: POST ")
	for _, secret := range []string{
		"hunter22", "c2lnbmVk", "abcdef123456", "account-of-ours", "value-of-a-key", "0A1B2C3D", "2026-11-24", "40000",
		"MIIE",
	} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is told: %v", secret, err)
		}
	}
	if !strings.Contains(err.Error(), "the-token") {
		t.Errorf("the name of a Secret is hidden: %v", err)
	}
	long := newSolver(t, &api{status: http.StatusOK, answer: refusal(strings.Repeat("é ", 1000))}, &dns{}).CleanUp(
		t.Context(), record)
	if n := len([]rune(long.Error())); n > 600 {
		t.Errorf("%d characters are told", n)
	}
}

func TestWhatCannotBeAskedIsRefused(t *testing.T) {
	a := &api{status: http.StatusOK, answer: success()}
	solver := newSolver(t, a, &dns{})
	alias := challenge
	alias.RecordType = "CNAME"
	_, err := solver.Present(t.Context(), alias, nil, nil)
	wantProblem(t, err, "publish TXT records only: use the solver dns.alidns, dns.rfc2136, dns.dnsEndpoint "+
		"or dns.manual")
	unnamed := challenge
	unnamed.RecordName = ""
	if _, err := solver.Present(t.Context(), unnamed, nil, nil); err == nil || len(a.paths) > 0 {
		t.Errorf("got %v, asked %q", err, a.paths)
	}
	for name, change := range map[string]func(*webhook.Config){
		"another solver of the group": func(c *webhook.Config) { c.SolverName = "other-dns" },
		"another group":               func(c *webhook.Config) { c.GroupName = "other.example.com" },
		"a path in the name": func(c *webhook.Config) {
			c.GroupName, c.SolverName = "acme.example.com/my-dns",
				""
		},
		"no JSON":        func(c *webhook.Config) { c.Config = &apiextensionsv1.JSON{Raw: []byte("the-secret")} },
		"no way to look": func(c *webhook.Config) { c.Lookup = nil },
	} {
		config := webhook.Config{
			REST: &rest.Config{}, Allowed: []string{"acme.example.com/my-dns"}, GroupName: "acme.example.com",
			SolverName: "my-dns", Zones: &dns{}, Lookup: &dns{},
		}
		change(&config)
		if _, err := webhook.New(config); err == nil || strings.Contains(err.Error(), "the-secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAProbeLooksForTheNameOfTheSolver(t *testing.T) {
	offered := func(names ...string) *metav1.APIResourceList {
		list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
			GroupVersion: "acme.example.com/v1alpha1"}
		for _, name := range names {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: name})
		}
		return list
	}
	a := &api{status: http.StatusOK, answer: offered("other", "my-dns")}
	solver := newSolver(t, a, &dns{})
	if err := solver.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"GET /apis/acme.example.com/v1alpha1"}; !slices.Equal(a.paths, want) {
		t.Errorf("asked %q, want %q", a.paths, want)
	}
	a.answer = offered("other")
	wantProblem(t, solver.Probe(t.Context()), "has no solver of that name, correct solverName")
	a.status, a.answer = http.StatusNotFound, status(http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
	wantProblem(t, solver.Probe(t.Context()), "install the webhook")
}
