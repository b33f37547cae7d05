// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package webhook takes orders to their certificates by a DNS01 webhook that is built with cert-manager's own server
// library and registered with a real API server.
package webhook

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/provider"
)

func TestMain(m *testing.M) { env.Main(m) }

// ordered makes an approved request whose domain a webhook has to validate. The controller may call it as a
// ServiceAccount with the rule that the chart makes of webhookSolvers, if it isGranted.
func ordered(t *testing.T, isGranted bool, options cassim.Options,
	modifiers ...func(*v1alpha1.WebhookSolver)) (*env.Env, *provider.Provider) {
	t.Helper()
	e := env.New(t, options)
	dns := provider.Serve(t)
	dns.Attach(e.Namespace, e.Simulator)
	user := "system:serviceaccount:" + e.Namespace + ":aliyun-issuer"
	if isGranted {
		grant(e, dns.Group, user)
	}
	e.Configure = func(remote *access.Remote) {
		remote.API = rest.CopyConfig(remote.API)
		remote.API.Impersonate.UserName = user
		remote.Webhooks = []string{dns.Group + "/" + provider.SolverName, dns.Group + "/" + misspelt, misspelt + "." +
			dns.Group + "/" + provider.SolverName}
	}
	e.Restart()
	solver := &v1alpha1.WebhookSolver{
		GroupName: dns.Group, SolverName: provider.SolverName,
		Config: &apiextensionsv1.JSON{Raw: []byte(`{"tokenSecretRef":{"name":"token"},"ttl":60}`)},
	}
	for _, modify := range modifiers {
		modify(solver)
	}
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Webhook: solver}}}
	}))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e, dns
}

// grant does what the chart does with webhookSolvers.
func grant(e *env.Env, group, user string) {
	name := e.Namespace + "-webhook"
	e.Create(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{group}, Resources: []string{provider.SolverName}, Verbs: []string{"create"}},
	}})
	e.Create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
}

func isReady(e *env.Env) func() bool {
	return func() bool { return len(e.Request("www").Status.Certificate) > 0 }
}

func TestAWebhookValidatesAnOrderAndLeavesNothingBehind(t *testing.T) {
	e, dns := ordered(t, true, cassim.Options{})
	e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "TXT", "somebody else's")
	foreign := e.Simulator.Records(cassim.DefaultZone)
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	if diff := cmp.Diff(foreign, e.Simulator.Records(cassim.DefaultZone)); diff != "" {
		t.Errorf("the zone is not as it was (-before +after):\n%s", diff)
	}
	presented, cleaned := dns.Calls("Present"), dns.Calls("CleanUp")
	if len(presented) != 1 || len(cleaned) != 1 {
		t.Fatalf("presented %d times, cleaned up %d times", len(presented), len(cleaned))
	}
	got := *presented[0]
	got.UID, got.Key = "", ""
	want := got
	want.Type, want.DNSName, want.ResolvedFQDN, want.ResolvedZone = "dns-01", "www.example.com",
		"_dnsauth.www.example.com.", "example.com."
	want.ResourceNamespace, want.AllowAmbientCredentials = e.Namespace, false
	want.Config = &apiextensionsv1.JSON{Raw: []byte(`{"ttl":60,"tokenSecretRef":{"name":"token"}}`)}
	if diff := cmp.Diff(want, got,
		cmp.Transformer("JSON", func(j apiextensionsv1.JSON) string { return canonical(t, j.Raw) })); diff != "" {
		t.Errorf("what the webhook was told differs (-want +got):\n%s", diff)
	}
	if presented[0].Key != cleaned[0].Key || presented[0].Key == "" {
		t.Errorf("presented %q, and cleaned up %q", presented[0].Key, cleaned[0].Key)
	}
}

func TestARecordThatCASPublishesByItselfIsLeftToIt(t *testing.T) {
	options := cassim.Options{}
	if err := options.Knobs.Set("automaticDNS", cassim.On); err != nil {
		t.Fatal(err)
	}
	e, dns := ordered(t, true, options)
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	if presented, cleaned := dns.Calls("Present"), dns.Calls("CleanUp"); len(presented)+len(cleaned) > 0 {
		t.Errorf("presented %d times, cleaned up %d times", len(presented), len(cleaned))
	}
	if records := e.Simulator.Records(cassim.DefaultZone); len(records) != 1 {
		t.Errorf("the record of CAS is gone: %+v", records)
	}
}

func TestWhatTheWebhookSaysIsTold(t *testing.T) {
	e, dns := ordered(t, true, cassim.Options{})
	dns.Refuse("the zone is locked")
	e.Pass(10 * time.Minute)
	if message := ready(e); !strings.Contains(message, "the zone is locked") ||
		!strings.Contains(message, "mend what it says") {
		t.Errorf("nobody is told: %s", message)
	}
	dns.Refuse("")
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	if left := e.Simulator.Records(cassim.DefaultZone); len(left) > 0 {
		t.Errorf("records were left behind: %+v", left)
	}
}

func TestWithoutTheChartsRuleTheMessageNamesIt(t *testing.T) {
	e, dns := ordered(t, false, cassim.Options{})
	e.Pass(10 * time.Minute)
	if message := ready(e); !strings.Contains(message, "the controller has no right to call") ||
		!strings.Contains(message, "webhookSolvers") {
		t.Errorf("nobody is told: %s", message)
	}
	if n := len(dns.Calls("Present")); n > 0 {
		t.Errorf("it was called %d times", n)
	}
	grant(e, dns.Group, "system:serviceaccount:"+e.Namespace+":aliyun-issuer")
	e.Until(2*time.Hour, isReady(e))
}

func TestAWebhookThatIsNotAllowedIsRefusedBeforeAnythingIsOrdered(t *testing.T) {
	e, _ := ordered(t, true, cassim.Options{})
	allowed := e.Configure
	e.Configure = nil
	e.Restart()
	e.Pass(time.Hour)
	if orders := e.Simulator.Ledger(); len(orders) > 0 {
		t.Errorf("ordered: %+v", orders)
	}
	issuers := &v1alpha1.AliyunIssuerList{}
	if err := e.Client.List(t.Context(), issuers, client.InNamespace(e.Namespace)); err != nil {
		t.Fatal(err)
	}
	told := meta.FindStatusCondition(issuers.Items[0].Status.Conditions, v1alpha1.ConditionSolversValid)
	if told == nil || told.Status != metav1.ConditionFalse ||
		!strings.Contains(told.Message, "chart value webhookSolvers") {
		t.Errorf("the issuer says %+v", told)
	}
	e.Configure = allowed
	e.Restart()
	e.Until(time.Hour, isReady(e))
}

// misspelt is how somebody spells a group, or a solver, that does not exist.
const misspelt = "misspelt"

// TestANameThatNoWebhookHasIsToldUntilItIsCorrected looks at nothing being ordered meanwhile, too.
func TestANameThatNoWebhookHasIsToldUntilItIsCorrected(t *testing.T) {
	for name, test := range map[string]struct {
		misspell func(*v1alpha1.WebhookSolver)
		told     string
	}{
		"a solver": {func(s *v1alpha1.WebhookSolver) { s.SolverName = misspelt }, "has no solver of that name, " +
			"correct solverName"},
		"a group": {func(s *v1alpha1.WebhookSolver) { s.GroupName = misspelt + "." + s.GroupName },
			"or correct groupName and solverName"},
	} {
		t.Run(name, func(t *testing.T) {
			e, dns := ordered(t, true, cassim.Options{}, test.misspell)
			e.Pass(10 * time.Minute)
			issuer := gen.Issuer(e.Namespace, "")
			if err := e.Client.Get(t.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
				t.Fatal(err)
			}
			if told := meta.FindStatusCondition(issuer.Status.Conditions,
				v1alpha1.ConditionSolversValid); told == nil || !strings.Contains(told.Message, test.told) {
				t.Errorf("the issuer says %+v", told)
			}
			if orders := e.Simulator.Ledger(); len(orders) > 0 {
				t.Errorf("ordered: %+v", orders)
			}
			solver := issuer.Spec.Solvers[0].DNS.Webhook
			solver.GroupName, solver.SolverName = dns.Group, provider.SolverName
			if err := e.Client.Update(t.Context(), issuer); err != nil {
				t.Fatal(err)
			}
			e.Until(time.Hour, isReady(e))
		})
	}
}

func TestAnOrderThatWantsACNAMESaysWhatToUse(t *testing.T) {
	options := cassim.Options{}
	if err := options.Knobs.Set("recordType", "CNAME"); err != nil {
		t.Fatal(err)
	}
	e, dns := ordered(t, true, options)
	e.Pass(10 * time.Minute)
	if message := ready(e); !strings.Contains(message, "publish TXT records only: use the solver dns.alidns") {
		t.Errorf("nobody is told: %s", message)
	}
	if n := len(dns.Calls("Present")); n > 0 {
		t.Errorf("it was called %d times", n)
	}
}

// TestAWebhookIsNotAskedForWhatIsNoValidationRecord has a CAS of somebody's own ask for a text at the name of a host.
func TestAWebhookIsNotAskedForWhatIsNoValidationRecord(t *testing.T) {
	e, dns := ordered(t, true, cassim.Options{})
	issuer := &v1alpha1.AliyunIssuer{}
	if err := e.Client.Get(t.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.IssuerName},
		issuer); err != nil {
		t.Fatal(err)
	}
	issuer.Spec.Endpoint = &v1alpha1.Endpoint{
		URL: env.StartLiar(e, env.Proof{Type: "TXT", Name: "www", Value: "v=spf1 +all"}).URL}
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Pass(20 * time.Minute)
	if n := len(dns.Calls("Present")); n > 0 {
		t.Errorf("it was called %d times", n)
	}
	if message := ready(e); !strings.Contains(message, "which is no validation record") {
		t.Errorf("nobody is told: %s", message)
	}
}

// ready is what the only Order says.
func ready(e *env.Env) string {
	e.T.Helper()
	orders := e.Orders()
	if len(orders) != 1 {
		e.T.Fatalf("there are %d orders", len(orders))
	}
	for _, c := range orders[0].Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c.Message
		}
	}
	return ""
}

// canonical spells JSON in one way.
func canonical(t *testing.T, raw []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
