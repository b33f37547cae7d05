// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"crypto/x509"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// What another team has, and must keep.
const (
	otherKeyID     = "the-key-of-another-team"
	otherKeySecret = "the-secret-of-another-team"
)

// attempt is somebody in a namespace who tries to get past its border.
type attempt struct {
	scenario
	// told is what they are told.
	told string
}

// inside is a server that only the controller can reach, and the number of its visitors.
type inside struct {
	url      string
	visitors atomic.Int32
}

func startInside(t *testing.T) *inside {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // nobody is there
	i := &inside{url: "http://localhost:" + strings.TrimPrefix(listener.Addr().String(), "127.0.0.1:")}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			i.visitors.Add(1)
			_ = conn.Close() // it has come
		}
	}()
	return i
}

func attempts(i *inside) map[string]attempt {
	edit := func(change func(*v1alpha1.IssuerSpec)) scenario {
		return scenario{issuer: func(issuer *v1alpha1.AliyunIssuer) { change(&issuer.Spec) }}
	}
	named := func(secret string) scenario {
		return edit(func(s *v1alpha1.IssuerSpec) { s.Credentials.AccessKeySecretRef.Name = secret })
	}
	holding := func(s scenario, secret func(namespace string) *corev1.Secret) scenario {
		s.before = func(e *env.Env) { e.Create(secret(e.Namespace)) }
		return s
	}
	withContact := func(name string) scenario {
		s := edit(func(s *v1alpha1.IssuerSpec) {
			s.Contact, s.ContactSecretRef = nil, &v1alpha1.SecretReference{Name: "contact"}
		})
		return holding(s, func(namespace string) *corev1.Secret {
			return opaque(namespace, "contact", "name", name, "email", gen.Email, "phone", gen.Phone)
		})
	}
	return map[string]attempt{
		"a Secret of another namespace": {named("of-another-team"), `the Secret "of-another-team" does not exist in ` +
			`the namespace "NAMESPACE": create it`},
		"a ServiceAccount of another namespace": {edit(func(s *v1alpha1.IssuerSpec) {
			s.Credentials = v1alpha1.Credentials{OIDC: &v1alpha1.OIDCCredentials{
				RoleARN:           "acs:ram::1000000000000001:role/cas",
				ProviderARN:       "acs:ram::1000000000000001:oidc-provider/cluster",
				ServiceAccountRef: &v1alpha1.ServiceAccountReference{Name: "of-another-team"},
			}}
		}), `the ServiceAccount "of-another-team" does not exist in the namespace "NAMESPACE": create it`},
		"the token of a ServiceAccount as an AccessKey": {
			holding(edit(func(s *v1alpha1.IssuerSpec) {
				s.Credentials.AccessKeySecretRef.Name = "token"
				s.Credentials.AccessKeySecretRef.AccessKeyIDKey,
					s.Credentials.AccessKeySecretRef.AccessKeySecretKey = "tls.key", "tls.crt"
			}), func(namespace string) *corev1.Secret {
				secret := opaque(namespace, "token", "tls.key", otherKeySecret, "tls.crt", otherKeyID)
				secret.Type = corev1.SecretTypeTLS
				return secret
			}), `is of the type "kubernetes.io/tls", whose values are no AccessKeys and go nowhere`},
		"a key of a megabyte": {
			holding(named("large"), func(namespace string) *corev1.Secret {
				return opaque(namespace, "large", "accessKeyID", strings.Repeat("a", 1<<20-1000), "accessKeySecret",
					"x")
			}), `has more than 8192 bytes for "accessKeyID": shorten it`},
		"a second header in the contact": {withContact("Zhang San\r\nBcc: all@example.com"),
			`has line breaks or control characters in the value for "name": remove them`},
		"a contact of a megabyte": {withContact(strings.Repeat("a", 1<<20-1000)), `has more than 254 bytes for ` +
			`"name": shorten it`},
		"CAS inside of the cluster": {
			edit(func(s *v1alpha1.IssuerSpec) { s.Endpoint = &v1alpha1.Endpoint{URL: i.url} }),
			`may not name the host "localhost" in an endpoint`},
		"STS inside of the cluster": {
			edit(func(s *v1alpha1.IssuerSpec) { s.STSEndpoint = &v1alpha1.Endpoint{URL: i.url} }),
			`may not name the host "localhost" in an endpoint`},
		"DNS inside of the cluster": {edit(func(s *v1alpha1.IssuerSpec) {
			s.Solvers[0].DNS.Alidns.Endpoint = &v1alpha1.Endpoint{URL: i.url}
		}), `solver 0: an AliyunIssuer may not name the host "localhost" in an endpoint`},
		"a name server inside of the cluster": {
			holding(edit(func(s *v1alpha1.IssuerSpec) {
				s.Solvers[0].DNS = &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
					Nameserver: strings.TrimPrefix(i.url, "http://"), TSIGKeyName: "key",
					TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{
						SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: "secret"},
				}}
			}), func(namespace string) *corev1.Secret { return opaque(namespace, "tsig", "secret", "c2VjcmV0") }),
			`solver 0: an AliyunIssuer may not have the name server "localhost:`},
		"the identity of the controller": {edit(func(s *v1alpha1.IssuerSpec) {
			s.Endpoint, s.STSEndpoint, s.Credentials = nil, nil, v1alpha1.Credentials{}
		}), "the issuer may not use the controller's own identity"},
		"the controller's token for a role that trusts it": {edit(func(s *v1alpha1.IssuerSpec) {
			s.Endpoint, s.STSEndpoint = nil, nil
			s.Credentials = v1alpha1.Credentials{OIDC: &v1alpha1.OIDCCredentials{
				RoleARN:     "acs:ram::1000000000000001:role/cas",
				ProviderARN: "acs:ram::1000000000000001:oidc-provider/cluster",
			}}
		}), "the issuer may not use the controller's own identity"},
		"the identity of the controller for DNS": {edit(func(s *v1alpha1.IssuerSpec) {
			s.Solvers[0].DNS.Alidns.Endpoint, s.Solvers[0].DNS.Alidns.Credentials = nil,
				&v1alpha1.Credentials{ECSRAMRole: &v1alpha1.ECSRAMRoleCredentials{}}
		}), "solver 0: an AliyunIssuer that uses the controller's own identity may not name an endpoint"},
	}
}

// TestNobodyGetsPastTheBorderOfTheirNamespace tries what the author of an issuer can try: nothing is bought, nothing is
// called with what is somebody else's or at a place that only the controller reaches, and the attempt is told as such.
func TestNobodyGetsPastTheBorderOfTheirNamespace(t *testing.T) {
	i := startInside(t)
	for name, a := range attempts(i) {
		t.Run(name, func(t *testing.T) {
			kube := env.Client(t)
			other := opaque(env.Namespace(t, kube), "of-another-team", "accessKeyID", otherKeyID, "accessKeySecret",
				otherKeySecret)
			account := &corev1.ServiceAccount{ObjectMeta: *other.ObjectMeta.DeepCopy()}
			for _, object := range []client.Object{other, account} {
				if err := kube.Create(t.Context(), object); err != nil {
					t.Fatal(err)
				}
			}
			customer := cassim.DefaultAccount()
			customer.Keys = append(customer.Keys, cassim.Key{ID: otherKeyID, Secret: otherKeySecret})
			a.options = cassim.Options{Accounts: []cassim.Account{customer}}
			e := play(t, a.scenario)
			text := said(e)
			if !strings.Contains(text, a.told) {
				t.Errorf("they are told\n%s\nwant %s", text, a.told)
			}
			if calls := e.Simulator.Calls(); len(e.Simulator.Ledger()) > 0 || calls[create] > 0 {
				t.Errorf("something was bought: %v", calls)
			}
			for _, request := range e.Simulator.Requests() {
				if request.Params["AccessKeyId"] == otherKeyID {
					t.Errorf("%s was called as another team", request.Action)
				}
			}
			for _, secret := range []string{otherKeyID, otherKeySecret, strings.Repeat("a", 300), "Bcc"} {
				if strings.Contains(text, secret) || strings.Contains(e.Logs(), secret) {
					t.Errorf("%.40q is told", secret)
				}
			}
			hasNoSecret(t, "what users read", text)
			hasNoSecret(t, "the log", e.Logs())
		})
	}
	if n := i.visitors.Load(); n > 0 {
		t.Errorf("%d calls came to where only the controller can go", n)
	}
}

// TestAnOrderIsWhatItsStatusSaysAndNoAnnotationOfARequest lets a tenant claim the order of another one, where tenants
// can write: on Certificates, whose annotations cert-manager copies.
func TestAnOrderIsWhatItsStatusSaysAndNoAnnotationOfARequest(t *testing.T) {
	e := ordered(t, cassim.Options{})
	e.Until(time.Hour, isReady(e))
	theirs := e.Simulator.Ledger()[0].OrderID
	forged := gen.Request(e.Namespace, "forged", gen.CSR(gen.Key(), func(csr *x509.CertificateRequest) {
		csr.Subject.CommonName, csr.DNSNames = "forged.example.com", []string{"forged.example.com"}
	}))
	forged.Annotations = map[string]string{
		v1alpha1.OrderIDAnnotation: theirs, v1alpha1.Group + "/release": "true",
		"venafi.cert-manager.io/pickup-id": theirs,
	}
	e.Create(forged)
	e.Decide("forged", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, func() bool { return len(e.Simulator.Ledger()) == 2 })
	e.Pass(time.Hour)
	for _, entry := range e.Simulator.Ledger() {
		if entry.Released || entry.OrderID == theirs && entry.Domain != gen.Domain {
			t.Errorf("the order %s is %+v", entry.OrderID, entry)
		}
	}
	if got := e.Request("forged").Status.Certificate; string(got) == string(e.Request("www").Status.Certificate) {
		t.Error("the certificate of another request was delivered")
	}
}

func TestAClusterIssuerServesWhomAndWhatItsOperatorAllows(t *testing.T) {
	for name, test := range map[string]struct {
		namespaces *v1alpha1.NamespaceSelector
		domains    []string
		name       string
		refused    string
	}{
		"all":                         {name: gen.Domain},
		"the domain":                  {domains: []string{"example.com"}, name: "example.com"},
		"below the domain":            {domains: []string{"example.net", "example.com"}, name: "a.b.example.com"},
		"the domain in other letters": {domains: []string{"example.com"}, name: "WWW.EXAMPLE.com"},
		"another domain that ends like it": {domains: []string{"example.com"}, name: "www.badexample.com",
			refused: `does not order for "www.badexample.com"`},
		"the parent": {domains: []string{"www.example.com"}, name: "example.com",
			refused: `does not order for "example.com"`},
		"a wildcard above what is allowed": {domains: []string{"www.example.com"}, name: "*.example.com",
			refused: `does not order for "*.example.com"`},
		"a namespace by its name": {namespaces: &v1alpha1.NamespaceSelector{Names: []string{"NAMESPACE"}},
			name: gen.Domain},
		"a namespace by another name": {namespaces: &v1alpha1.NamespaceSelector{Names: []string{"other"}},
			name: gen.Domain, refused: "does not serve the namespace"},
		"a namespace by its labels": {namespaces: selects("cas", "yes"), name: gen.Domain},
		"a namespace with another label": {namespaces: selects("cas", "no"), name: gen.Domain,
			refused: "does not serve the namespace"},
		"a selector with an operator that is none": {
			namespaces: &v1alpha1.NamespaceSelector{Selector: &metav1.LabelSelector{
				MatchExpressions: []metav1.LabelSelectorRequirement{
					{Key: "cas", Operator: "Like", Values: []string{"y"}}},
			}}, name: gen.Domain, refused: "does not serve the namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			label(e, "cas", "yes")
			if test.namespaces != nil && len(test.namespaces.Names) > 0 {
				test.namespaces.Names[0] = strings.ReplaceAll(test.namespaces.Names[0], "NAMESPACE", e.Namespace)
			}
			clusterIssuer(e, test.namespaces, test.domains)
			request(e, test.name)
			e.Pass(12 * time.Minute)
			text, bought := e.Request("www").Status.Conditions, len(e.Simulator.Ledger())
			if test.refused == "" && bought != 1 {
				t.Errorf("%d orders were bought: %+v", bought, text)
			}
			if test.refused != "" && (bought != 0 || !isRefused(e.Request("www"), test.refused)) {
				t.Errorf("%d orders were bought, and the request is told %+v, want %q", bought, text, test.refused)
			}
		})
	}
}

// TestWhatAnOperatorTakesBackIsNotBoughtAnyMore takes it back while an order waits for its turn.
func TestWhatAnOperatorTakesBackIsNotBoughtAnyMore(t *testing.T) {
	e := env.New(t, cassim.Options{})
	label(e, "cas", "yes")
	issuer := clusterIssuer(e, selects("cas", "yes"), nil,
		func(s *v1alpha1.IssuerSpec) { s.Orders = &v1alpha1.OrderPolicy{Paused: true} })
	request(e, gen.Domain)
	e.Pass(time.Minute)
	if len(e.Orders()) != 1 {
		t.Fatal("no order waits")
	}
	label(e, "cas", "no")
	if err := e.Client.Get(t.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
		t.Fatal(err)
	}
	issuer.Spec.Orders.Paused = false
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Pass(time.Hour)
	billed(t, e, 0)
	if r := e.Request("www"); r.Status.FailureTime == nil {
		t.Errorf("the request waits for ever: %+v", r.Status.Conditions)
	}
}

func isRefused(request *cmapi.CertificateRequest, why string) bool {
	for _, c := range request.Status.Conditions {
		if c.Type == cmapi.CertificateRequestConditionInvalidRequest && strings.Contains(c.Message, why) {
			return request.Status.FailureTime != nil
		}
	}
	return false
}

func selects(key, value string) *v1alpha1.NamespaceSelector {
	return &v1alpha1.NamespaceSelector{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}}
}

func label(e *env.Env, key, value string) {
	e.T.Helper()
	namespace := &corev1.Namespace{}
	if err := e.Client.Get(e.T.Context(), client.ObjectKey{Name: e.Namespace}, namespace); err != nil {
		e.T.Fatal(err)
	}
	namespace.Labels[key] = value
	if err := e.Client.Update(e.T.Context(), namespace); err != nil {
		e.T.Fatal(err)
	}
}

// clusterIssuer reads its Secrets from the namespace of the test, and takes wildcards.
func clusterIssuer(e *env.Env, namespaces *v1alpha1.NamespaceSelector, domains []string,
	modifiers ...func(*v1alpha1.IssuerSpec)) *v1alpha1.AliyunClusterIssuer {
	e.T.Helper()
	spec := gen.IssuerSpec(e.Simulator.URL())
	for _, modify := range modifiers {
		modify(&spec)
	}
	issuer := &v1alpha1.AliyunClusterIssuer{
		ObjectMeta: metav1.ObjectMeta{Name: e.Namespace},
		Spec: v1alpha1.ClusterIssuerSpec{IssuerSpec: spec, AllowedNamespaces: namespaces,
			AllowedDomains: domains},
	}
	e.Create(issuer)
	e.T.Cleanup(func() { // every later test would check it, too
		if err := e.Client.Delete(context.WithoutCancel(e.T.Context()), issuer); err != nil {
			e.T.Error(err)
		}
	})
	return issuer
}

func request(e *env.Env, name string) {
	e.T.Helper()
	made := gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), func(csr *x509.CertificateRequest) {
		csr.Subject.CommonName, csr.DNSNames = name, []string{name}
	}))
	made.Spec.IssuerRef.Kind, made.Spec.IssuerRef.Name = v1alpha1.AliyunClusterIssuerKind, e.Namespace
	e.Create(made)
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
}

// opaque takes pairs of keys and values.
func opaque(namespace, name string, pairs ...string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{}}
	for i := 0; i < len(pairs); i += 2 {
		secret.Data[pairs[i]] = []byte(pairs[i+1])
	}
	return secret
}
