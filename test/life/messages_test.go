// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"flag"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
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
	// instances makes the issuer order from these, in place of a plan.
	instances []cassim.NewInstance
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
		"no common name": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.Subject.CommonName = ""
		}},
		"bare no common name": {csr: func(c *x509.CertificateRequest) { c.Subject.CommonName = "" }},
		"only a long name": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = "",
				[]string{"pgweb-team-pgweb-very-long-name-to-overflow-cn-limit.apps.dev.example.com"}
		}},
		"underscore": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = "my_app.example.com", []string{"my_app.example.com"}
		}},
		"dot at the end": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = "td.example.com.", []string{"td.example.com."}
		}},
		"weak key": {request: gen.OfCertificate, key: rsaKey(1024)},
		"IP address": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1")}
		}},
		"foreign name": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.DNSNames = []string{gen.Domain, "other.example.net"}
		}},
		"second Secret of an Ingress": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.DNSNames = []string{"other.example.com"}
		}},
		"apex not opted": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.DNSNames = []string{gen.Domain, "example.com"}
		}},
		"U-label": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = "www.例子.com", nil
		}},
		"single label": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = "localhost", nil
		}},
		"wildcard": {csr: func(c *x509.CertificateRequest) { c.Subject.CommonName, c.DNSNames = "*.example.com", nil }},
		"all at once": {
			key: rsaKey(1024), csr: func(c *x509.CertificateRequest) {
				c.Subject.CommonName, c.DNSNames, c.IPAddresses = "",
					[]string{"a_b.example.com", "*.example.com", gen.Domain, "other.example.com"},
					[]net.IP{net.ParseIP("192.0.2.1")}
			},
			request: func(r *cmapi.CertificateRequest) {
				gen.OfCertificate(r)
				r.Spec.IsCA, r.Spec.Usages = true, []cmapi.KeyUsage{cmapi.UsageClientAuth, cmapi.UsageCodeSigning}
			},
		},
		"client certificate": {request: func(r *cmapi.CertificateRequest) {
			gen.OfCertificate(r)
			r.Spec.Usages = []cmapi.KeyUsage{cmapi.UsageDigitalSignature, cmapi.UsageClientAuth}
		}},
		"otherName": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.DNSNames, c.ExtraExtensions = nil,
				[]pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: otherName}}
		}},
		"not a CSR":      {request: func(r *cmapi.CertificateRequest) { r.Spec.Request = []byte("hello") }},
		"CA":             {request: func(r *cmapi.CertificateRequest) { gen.OfCertificate(r); r.Spec.IsCA = true }},
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
		"Secret without its key": {
			issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Credentials.AccessKeySecretRef.AccessKeyIDKey = "id" }},
		"wrong AccessKey secret": {before: func(e *env.Env) { replaceKey(e, cassim.DefaultKeyID, "wrong") }},
		"unknown AccessKey":      {before: func(e *env.Env) { replaceKey(e, "unknown", "wrong") }},
		"no permission to read": {
			before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "DescribePackageState") }},
		"no permission to order": {before: func(e *env.Env) {
			e.Simulator.DenyAction(cassim.DefaultKeyID, "CreateCertificateWithCsrRequest")
		}},
		"no permission in DNS": {
			billed: 1, before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "AddDomainRecord") }},
		"no package":        {before: func(e *env.Env) { e.Simulator.RemovePackage(gen.Product) }},
		"exhausted package": {before: func(e *env.Env) { e.Simulator.SetPackage(gen.Product, 3, 3) }},
		"unknown product": {
			issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Source.ResourcePlan.ProductCode = "symantec-dv-1-starter" },
			before: func(e *env.Env) { e.Simulator.SetPackage("symantec-dv-1-starter", 3, 0) }},
		"no zone": {options: cassim.Options{Accounts: []cassim.Account{withZone("example.net")}}},
		"zone elsewhere": {
			options: cassim.Options{
				Accounts: []cassim.Account{
					withZone("example.net"), {ID: "2222", Keys: []cassim.Key{{ID: otherKey, Secret: otherSecret}},
						Zones: []string{cassim.DefaultZone}}}}},
		"manual DNS": {billed: 1, issuer: gen.Manual},
		"verify_fail": {
			billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "verify_fail") }},
		"withdrawn elsewhere": {
			billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "payed") }},
		"state unknow": {
			billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "unknow") }},
		"state never heard of": {
			billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.ForceState(id(e), "checking_twice") }},
		"certificate for another key": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Simulator.WrongKey(id(e))
			e.Simulator.ForceState(id(e), "certificate")
		}},
		"certificate for other names": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Simulator.WrongNames(id(e), "other.example.com")
			e.Simulator.ForceState(id(e), "certificate")
		}},
		"names added": {billed: 1, options: slow, request: gen.OfCertificate, after: func(e *env.Env) {
			e.Simulator.ExtraNames(id(e), "example.com")
			e.Simulator.ForceState(id(e), "certificate")
		}},
		"dropped reply": {billed: 1, before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "CreateCertificateWithCsrRequest", Kind: cassim.DropReply, Times: 1,
				Executed: true})
		}},
		"redirect": {before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "CreateCertificateWithCsrRequest", Kind: cassim.Redirect307,
				Times: 1})
		}},
		"page of HTML": {billed: 1, before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "CreateCertificateWithCsrRequest", Kind: cassim.HTML200, Times: 1,
				Executed: true})
		}},
		"nobody at the endpoint": {
			issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Endpoint = &v1alpha1.Endpoint{URL: "http://127.0.0.1:1"} }},
	}
}

// otherName is an extension with the DNS name www.example.com and the user principal name u@example.com.
var otherName = []byte(
	"\x30\x30\x82\x0fwww.example.com\xa0\x1d\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x0f\x0c\x0du@example.com")

// TestEveryObstacleIsToldInWordsThatHelp compares whole messages: cause, object and next step.
func TestEveryObstacleIsToldInWordsThatHelp(t *testing.T) {
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) { isTold(t, name, s) })
	}
}

// isTold plays a scenario, and compares what users read then. It also looks through all that was written and told for
// what nobody may read.
func isTold(t *testing.T, name string, s scenario) {
	t.Helper()
	e := play(t, s)
	got := said(e)
	golden(t, name, got)
	inAll(t, e, s.billed)
	hasNoSecret(t, "what users read", got)
	hasNoSecret(t, "the log", e.Logs())
}

// hasNoSecret looks for what nobody may read who was not given it: eyJ begins tokens of ServiceAccounts, and STS. keys
// of sessions.
func hasNoSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{cassim.DefaultKeySecret, cassim.DefaultKeyID, gen.Email, gen.Phone, gen.Person,
		"Signature=", "SignatureNonce", "PRIVATE KEY", "eyJ", "STS."} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, where)
		}
	}
}

func play(t *testing.T, s scenario) *env.Env {
	t.Helper()
	e := env.New(t, s.options)
	for _, bought := range s.instances {
		e.Simulator.AddInstance(bought)
	}
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
		if s.instances != nil {
			fromInstances(e)(issuer)
		}
		if s.issuer != nil {
			s.issuer(issuer)
		}
		e.Create(issuer)
		return
	}
	issuer := &v1alpha1.AliyunClusterIssuer{
		ObjectMeta: metav1.ObjectMeta{Name: gen.IssuerName},
		Spec:       v1alpha1.ClusterIssuerSpec{IssuerSpec: gen.IssuerSpec(e.Simulator.URL())},
	}
	s.shared(e, issuer)
	e.Create(issuer)
	e.T.Cleanup(func() { // the next test is in the same cluster
		if err := e.Client.Delete(context.WithoutCancel(e.T.Context()), issuer); err != nil {
			e.T.Error(err)
		}
	})
}

// said is what users can read, without what differs from run to run.
func said(e *env.Env) string { return stable(e, told(e)) }

// told is everything that users can read: conditions of issuer, request and order, and events.
func told(e *env.Env) string {
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
	fmt.Fprintf(&out, "request  has failed: %t, has a certificate: %t\n", request.Status.FailureTime != nil,
		len(request.Status.Certificate) > 0)
	for _, order := range e.Orders() {
		fmt.Fprintf(&out, "order    %s\n", order.Status.State)
		for _, c := range order.Status.Conditions {
			fmt.Fprintf(&out, "order    %s=%s %s\n         %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	for _, event := range e.Events() {
		fmt.Fprintf(&out, "event    %s\n", event)
	}
	return out.String()
}

var (
	moment   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	uid      = regexp.MustCompile(`\b(www|shop|next)-[0-9a-f]{8}\b`)
	uuid     = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	loopback = regexp.MustCompile(`127\.0\.0\.1:\d{3,}`)
)

// stable takes out what differs from run to run.
func stable(e *env.Env, text string) string {
	text = strings.ReplaceAll(text, e.Namespace, "NAMESPACE")
	text = moment.ReplaceAllString(text, "TIME")
	text = uuid.ReplaceAllString(text, "UID")
	text = loopback.ReplaceAllString(text, "127.0.0.1:PORT")
	return uid.ReplaceAllString(text, "$1-UID")
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
	if err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.SecretName},
		object); err != nil {
		e.T.Fatal(err)
	}
	object.Data = gen.Secret("", id, secret).Data
	if err := e.Client.Update(e.T.Context(), object); err != nil {
		e.T.Fatal(err)
	}
}
