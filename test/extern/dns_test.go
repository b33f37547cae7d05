// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

//go:build extern

package extern

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// newEnv lets the controller, and the CA, ask this name server.
func newEnv(t *testing.T, server *bind) *env.Env {
	t.Helper()
	e := env.New(t, cassim.Options{Resolver: server.addr()})
	e.Configure = func(remote *access.Remote) {
		remote.SelfCheck = &dcv.SelfCheck{Nameservers: []string{server.addr()}}
		remote.Kube = env.Client(t) // others write, too
	}
	e.Restart()
	return e
}

// askFor makes an approved request to an issuer with this solver.
func askFor(e *env.Env, solver v1alpha1.Solver) {
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(),
		func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = []v1alpha1.Solver{solver} }))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
}

func isReady(e *env.Env) func() bool {
	return func() bool { return len(e.Request("www").Status.Certificate) > 0 }
}

// untilPresented returns the value that is to be published.
func untilPresented(e *env.Env) (value string) {
	e.Until(time.Hour, func() bool {
		orders := e.Orders()
		if len(orders) != 1 || len(orders[0].Status.Validations) == 0 ||
			orders[0].Status.Validations[0].PresentedAt == nil {
			return false
		}
		value = orders[0].Status.Validations[0].RecordValue
		return true
	})
	return value
}

// message is what the order says.
func message(e *env.Env) string {
	ready := meta.FindStatusCondition(e.Orders()[0].Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return ""
	}
	return ready.Message
}

func unchanged(t *testing.T, server *bind, before []string) {
	t.Helper()
	if diff := cmp.Diff(before, server.records(t)); diff != "" {
		t.Errorf("the zone is not as it was (-before +after):\n%s", diff)
	}
}

func TestBINDTakesDynamicUpdates(t *testing.T) {
	server := serveZone(t, `_dnsauth.www IN TXT "somebody else's"`, `www IN A 127.0.0.1`)
	before := server.records(t)
	e := newEnv(t, server)
	e.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tsig"},
		StringData: map[string]string{"secret": server.secret}})
	askFor(e, v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
		Nameserver: server.addr(), TSIGKeyName: keyName, TSIGAlgorithm: "HMACSHA256",
		TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "tsig"},
			Key: "secret"},
	}}})
	value := untilPresented(e)
	if !server.has(t, value) || !server.has(t, "somebody else's") {
		t.Fatalf("the zone has %q", server.records(t))
	}
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	unchanged(t, server, before)
}

func TestBINDRefusesAKeyThatItDoesNotKnow(t *testing.T) {
	server := serveZone(t)
	before := server.records(t)
	e := newEnv(t, server)
	e.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tsig"},
		StringData: map[string]string{"secret": "d3JvbmcgIHNlY3JldA=="}})
	askFor(e, v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
		Nameserver: server.addr(), TSIGKeyName: keyName, TSIGAlgorithm: "HMACSHA256",
		TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "tsig"},
			Key: "secret"},
	}}})
	e.Pass(10 * time.Minute)
	if text := message(e); !strings.Contains(text, "has another secret or algorithm there: correct tsigAlgorithm "+
		"and the Secret") {
		t.Errorf("nobody is told: %s", text)
	}
	unchanged(t, server, before)
}

// startExternalDNS runs ExternalDNS as docs/solvers.md says, for the DNSEndpoints of a namespace.
func startExternalDNS(t *testing.T, server *bind, namespace string) {
	t.Helper()
	host, port := server.host()
	start(t, program(t, "extern/external-dns"),
		"--kubeconfig="+env.Kubeconfig(t), "--namespace="+namespace, "--source=crd", "--managed-record-types=TXT",
		"--managed-record-types=CNAME",
		"--provider=rfc2136", "--rfc2136-host="+host, "--rfc2136-port="+port, "--rfc2136-zone="+zone,
		"--rfc2136-tsig-keyname="+keyName, "--rfc2136-tsig-secret="+server.secret,
		"--rfc2136-tsig-secret-alg=hmac-sha256", "--rfc2136-tsig-axfr",
		"--registry=txt", "--txt-owner-id=test", "--txt-prefix=externaldns-", "--policy=sync", "--interval=1s",
		"--metrics-address="+loopback(freePort(t)))
}

func TestExternalDNSPublishesWhatADNSEndpointAsksFor(t *testing.T) {
	server := serveZone(t, `_dnsauth.www IN MX 10 mail`, `_dnsauth.shop IN TXT "somebody else's"`)
	before := server.records(t)
	e := newEnv(t, server)
	startExternalDNS(t, server, e.Namespace)
	askFor(e, v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}})
	value := untilPresented(e)
	wait(t, "ExternalDNS has published the record", func() bool { return server.has(t, value) })
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	wait(t, "ExternalDNS has removed the record", func() bool { return cmp.Equal(before, server.records(t)) })
}

// TestARecordThatExternalDNSDoesNotOwnStallsTheOrder is what ExternalDNS does with a name and type that somebody has.
func TestARecordThatExternalDNSDoesNotOwnStallsTheOrder(t *testing.T) {
	const theirs = `_dnsauth.www.example.com. 60 IN TXT "somebody else's"`
	server := serveZone(t, theirs)
	e := newEnv(t, server)
	startExternalDNS(t, server, e.Namespace)
	askFor(e, v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}})
	value := untilPresented(e)
	time.Sleep(5 * time.Second) // rounds of ExternalDNS
	e.Pass(time.Hour)
	if server.has(t, value) {
		t.Fatal("it was published after all")
	}
	if text := message(e); !strings.Contains(text, "somebody else's") {
		t.Errorf("nobody is told what is there instead: %s", text)
	}
	server.remove(t, theirs)
	wait(t, "ExternalDNS has published the record", func() bool { return server.has(t, value) })
	e.Until(time.Hour, isReady(e))
}
