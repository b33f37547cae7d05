// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

var update = flag.Bool("update", false, "write the golden files")

// scenario is something that goes wrong for a user.
type scenario struct {
	options cassim.Options
	issuer  func(*v1alpha1.AliyunIssuer)
	// shared makes it an AliyunClusterIssuer, in place of issuer.
	shared  func(*env.Env, *v1alpha1.AliyunClusterIssuer)
	request func(*cmapi.CertificateRequest)
	csr     func(*x509.CertificateRequest)
	key     crypto.Signer
	// before is done first, after once the order is submitted, if it is.
	before, after func(*env.Env)
	decision      []cmapi.CertificateRequestConditionType
	billed        int
}

var (
	approve = []cmapi.CertificateRequestConditionType{cmapi.CertificateRequestConditionApproved}
	deny    = []cmapi.CertificateRequestConditionType{cmapi.CertificateRequestConditionDenied}
)

func scenarios() map[string]scenario {
	slow := cassim.Options{CADelay: 100 * time.Hour}
	id := func(e *env.Env) string { return e.Simulator.Ledger()[0].OrderID }
	return map[string]scenario{
		"no common name": {csr: func(c *x509.CertificateRequest) { c.Subject.CommonName = "" }},
		"weak key":       {key: rsaKey(1024)},
		"IP address":     {csr: func(c *x509.CertificateRequest) { c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1")} }},
		"foreign name":   {csr: func(c *x509.CertificateRequest) { c.DNSNames = []string{gen.Domain, "other.example.net"} }},
		"apex not opted": {csr: func(c *x509.CertificateRequest) { c.DNSNames = []string{gen.Domain, "example.com"} }},
		"U-label":        {csr: func(c *x509.CertificateRequest) { c.Subject.CommonName, c.DNSNames = "www.例子.com", nil }},
		"single label":   {csr: func(c *x509.CertificateRequest) { c.Subject.CommonName, c.DNSNames = "localhost", nil }},
		"wildcard":       {csr: func(c *x509.CertificateRequest) { c.Subject.CommonName, c.DNSNames = "*.example.com", nil }},
		"not a CSR":      {request: func(r *cmapi.CertificateRequest) { r.Spec.Request = []byte("hello") }},
		"CA":             {request: func(r *cmapi.CertificateRequest) { r.Spec.IsCA = true }},
		"unknown kind":   {request: func(r *cmapi.CertificateRequest) { r.Spec.IssuerRef.Kind = "Issuer" }},
		"other group":    {request: func(r *cmapi.CertificateRequest) { r.Spec.IssuerRef.Group = "example.com" }},
		"missing issuer": {request: func(r *cmapi.CertificateRequest) { r.Spec.IssuerRef.Name = "gone" }},
		"missing cluster": {request: func(r *cmapi.CertificateRequest) {
			r.Spec.IssuerRef.Kind, r.Spec.IssuerRef.Name = "AliyunClusterIssuer", "gone"
		}},
		"denied":       {decision: deny},
		"not approved": {decision: []cmapi.CertificateRequestConditionType{}},
		"denied before approved": {decision: []cmapi.CertificateRequestConditionType{}, after: func(e *env.Env) {
			e.Pass(11 * time.Minute)
			e.Decide("www", cmapi.CertificateRequestConditionDenied)
		}},
		"deleted issuer": {billed: 1, options: cassim.Options{CADelay: 5 * time.Minute}, after: func(e *env.Env) {
			if err := e.Client.Delete(e.T.Context(), gen.Issuer(e.Namespace, "")); err != nil {
				e.T.Fatal(err)
			}
		}},
		"missing Secret": {before: func(e *env.Env) {
			if err := e.Client.Delete(e.T.Context(), gen.Secret(e.Namespace, "", "")); err != nil {
				e.T.Fatal(err)
			}
		}},
		"Secret without its key": {issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Credentials.AccessKeySecretRef.AccessKeyIDKey = "id" }},
		"wrong AccessKey secret": {before: func(e *env.Env) { replaceKey(e, cassim.DefaultKeyID, "wrong") }},
		"unknown AccessKey":      {before: func(e *env.Env) { replaceKey(e, "unknown", "wrong") }},
		"no permission to read":  {before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "DescribePackageState") }},
		"no permission to order": {before: func(e *env.Env) {
			e.Simulator.DenyAction(cassim.DefaultKeyID, "CreateCertificateWithCsrRequest")
		}},
		"no permission in DNS": {billed: 1, before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "AddDomainRecord") }},
		"no package":           {before: func(e *env.Env) { e.Simulator.RemovePackage(gen.Product) }},
		"exhausted package":    {before: func(e *env.Env) { e.Simulator.SetPackage(gen.Product, 3, 3) }},
		"unknown product":      {issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Source.ResourcePlan.ProductCode = "symantec-dv-1-starter" }, before: func(e *env.Env) { e.Simulator.SetPackage("symantec-dv-1-starter", 3, 0) }},
		"no zone":              {options: cassim.Options{Accounts: []cassim.Account{withZone("example.net")}}},
		"zone elsewhere":       {billed: 1, options: cassim.Options{Accounts: []cassim.Account{withZone("example.net"), {ID: "2222", Zones: []string{cassim.DefaultZone}}}}},
		"manual DNS":           {billed: 1, issuer: gen.Manual},
		"verify_fail":          {billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "verify_fail") }},
		"withdrawn elsewhere":  {billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "payed") }},
		"state unknow":         {billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "unknow") }},
		"state never heard of": {billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "checking_twice") }},
		"certificate for another key": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Simulator.WrongKey(id(e))
			e.Simulator.ForceState(id(e), "certificate")
		}},
		"certificate for other names": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Simulator.WrongNames(id(e), "other.example.com")
			e.Simulator.ForceState(id(e), "certificate")
		}},
		"names added": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Simulator.ExtraNames(id(e), "example.com")
			e.Simulator.ForceState(id(e), "certificate")
		}},
		"dropped reply": {billed: 1, before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "CreateCertificateWithCsrRequest", Kind: cassim.DropReply, Times: 1, Executed: true})
		}},
		"redirect": {before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "CreateCertificateWithCsrRequest", Kind: cassim.Redirect307, Times: 1})
		}},
		"page of HTML": {billed: 1, before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "CreateCertificateWithCsrRequest", Kind: cassim.HTML200, Times: 1, Executed: true})
		}},
		"nobody at the endpoint": {issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Endpoint = &v1alpha1.Endpoint{URL: "http://127.0.0.1:1"} }},
	}
}

// TestEveryObstacleIsToldInWordsThatHelp compares whole messages: cause, object and next step. It also looks through
// everything that was written and told for what nobody may read.
func TestEveryObstacleIsToldInWordsThatHelp(t *testing.T) {
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			e := play(t, s)
			got := said(e)
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the messages have changed (-want +got); 'go test ./test/life -update' takes them over:\n%s", diff)
			}
			if n := len(e.Simulator.Ledger()); n != s.billed {
				t.Errorf("%d orders were billed, want %d", n, s.billed)
			}
			hasNoSecret(t, "what users read", got)
			hasNoSecret(t, "the log", e.Logs())
		})
	}
}

// hasNoSecret looks for what nobody may read who was not given it: eyJ begins tokens of ServiceAccounts, and STS. keys of sessions.
func hasNoSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{cassim.DefaultKeySecret, cassim.DefaultKeyID, gen.Email, gen.Phone, gen.Person, "Signature=", "SignatureNonce", "PRIVATE KEY", "eyJ", "STS."} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, where)
		}
	}
}

func play(t *testing.T, s scenario) *env.Env {
	t.Helper()
	e := env.New(t, s.options)
	if s.before != nil {
		s.before(e)
	}
	s.makeIssuer(e)
	key := s.key
	if key == nil {
		key = gen.Key()
	}
	var different []func(*x509.CertificateRequest)
	if s.csr != nil {
		different = append(different, s.csr)
	}
	request := gen.Request(e.Namespace, "www", gen.CSR(key, different...))
	if s.shared != nil {
		request.Spec.IssuerRef.Kind = v1alpha1.AliyunClusterIssuerKind
	}
	if s.request != nil {
		s.request(request)
	}
	e.Create(request)
	decision := s.decision
	if decision == nil {
		decision = approve
	}
	for _, d := range decision {
		e.Decide("www", d)
	}
	e.Settle()
	if s.after != nil {
		s.after(e)
	}
	e.Pass(12 * time.Minute)
	return e
}

func (s scenario) makeIssuer(e *env.Env) {
	e.T.Helper()
	if s.shared == nil {
		issuer := gen.Issuer(e.Namespace, e.Simulator.URL())
		if s.issuer != nil {
			s.issuer(issuer)
		}
		e.Create(issuer)
		return
	}
	issuer := &v1alpha1.AliyunClusterIssuer{
		ObjectMeta: metav1.ObjectMeta{Name: gen.IssuerName}, Spec: v1alpha1.ClusterIssuerSpec{IssuerSpec: gen.IssuerSpec(e.Simulator.URL())},
	}
	s.shared(e, issuer)
	e.Create(issuer)
	e.T.Cleanup(func() { // the next test is in the same cluster
		if err := e.Client.Delete(context.WithoutCancel(e.T.Context()), issuer); err != nil {
			e.T.Error(err)
		}
	})
}

// said is everything that users can read: conditions of issuer, request and order, and events.
func said(e *env.Env) string {
	var out strings.Builder
	issuers := &v1alpha1.AliyunIssuerList{}
	if err := e.Client.List(e.T.Context(), issuers, client.InNamespace(e.Namespace)); err != nil {
		e.T.Fatal(err)
	}
	shared := &v1alpha1.AliyunClusterIssuerList{}
	if err := e.Client.List(e.T.Context(), shared); err != nil {
		e.T.Fatal(err)
	}
	for _, issuer := range shared.Items {
		issuers.Items = append(issuers.Items, v1alpha1.AliyunIssuer{Status: issuer.Status})
	}
	for _, issuer := range issuers.Items {
		ready := meta.FindStatusCondition(issuer.Status.Conditions, v1alpha1.ConditionReady)
		fmt.Fprintf(&out, "issuer   Ready=%s %s\n         %s\n", ready.Status, ready.Reason, ready.Message)
	}
	request := e.Request("www")
	for _, c := range request.Status.Conditions {
		if c.Type != cmapi.CertificateRequestConditionApproved && c.Type != cmapi.CertificateRequestConditionDenied {
			fmt.Fprintf(&out, "request  %s=%s %s\n         %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	fmt.Fprintf(&out, "request  has failed: %t, has a certificate: %t\n", request.Status.FailureTime != nil, len(request.Status.Certificate) > 0)
	for _, order := range e.Orders() {
		fmt.Fprintf(&out, "order    %s\n", order.Status.State)
		for _, c := range order.Status.Conditions {
			fmt.Fprintf(&out, "order    %s=%s %s\n         %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	for _, event := range e.Events() {
		fmt.Fprintf(&out, "event    %s\n", event)
	}
	return stable(e, out.String())
}

var (
	moment   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	uid      = regexp.MustCompile(`www-[0-9a-f]{8}\b`)
	uuid     = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	loopback = regexp.MustCompile(`127\.0\.0\.1:\d{3,}`)
)

// stable takes out what differs from run to run.
func stable(e *env.Env, text string) string {
	text = strings.ReplaceAll(text, e.Namespace, "NAMESPACE")
	text = moment.ReplaceAllString(text, "TIME")
	text = uuid.ReplaceAllString(text, "UID")
	text = loopback.ReplaceAllString(text, "127.0.0.1:PORT")
	return uid.ReplaceAllString(text, "www-UID")
}

func rsaKey(bits int) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, bits) //nolint:gosec // weak keys are what is refused
	if err != nil {
		panic(err)
	}
	return key
}

func withZone(zone string) cassim.Account {
	account := cassim.DefaultAccount()
	account.Zones = []string{zone}
	return account
}

func replaceKey(e *env.Env, id, secret string) {
	object := &corev1.Secret{}
	if err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.SecretName}, object); err != nil {
		e.T.Fatal(err)
	}
	object.Data = gen.Secret("", id, secret).Data
	if err := e.Client.Update(e.T.Context(), object); err != nil {
		e.T.Fatal(err)
	}
}
