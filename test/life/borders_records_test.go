// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// publisher is a DNS solver that publishes what CAS asks for, or says what people should, and how much there is of it.
type publisher struct {
	solver    *v1alpha1.DNSSolver
	published func() int
}

func publishers(t *testing.T, e *env.Env) map[string]publisher {
	t.Helper()
	server := primary.Start(t, cassim.DefaultZone)
	e.Configure = func(remote *access.Remote) { remote.Policy.Nameservers = []string{server.Addr} }
	e.Restart()
	e.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tsig"},
		StringData: map[string]string{"secret": server.Secret}})
	return map[string]publisher{
		"dns.alidns": {
			&v1alpha1.DNSSolver{Alidns: &v1alpha1.AlidnsSolver{Endpoint: &v1alpha1.Endpoint{URL: e.Simulator.URL()}}},
			func() int { return len(e.Simulator.Records(cassim.DefaultZone)) },
		},
		"dns.alidns that follows CNAMEs": {
			&v1alpha1.DNSSolver{CNAMEStrategy: v1alpha1.CNAMEFollow,
				Alidns: &v1alpha1.AlidnsSolver{Endpoint: &v1alpha1.Endpoint{URL: e.Simulator.URL()}}},
			func() int { return len(e.Simulator.Records(cassim.DefaultZone)) },
		},
		"dns.dnsEndpoint": {
			&v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}},
			func() int { return len(e.Objects(dnsendpoint.Kind)) },
		},
		"dns.rfc2136": {
			&v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
				Nameserver: server.Addr, TSIGKeyName: server.KeyName, TSIGAlgorithm: "HMACSHA256",
				TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{
					SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: "secret"},
			}},
			func() int { return len(server.Records()) },
		},
		"dns.manual": {
			&v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}},
			func() int { return strings.Count(said(e), "create the DNS record") },
		},
	}
}

// TestNothingButAValidationRecordIsPublishedWhateverCASAsksFor has a CAS of somebody's own choose type, name and value.
// Then a person does what the message says, and the order goes on.
func TestNothingButAValidationRecordIsPublishedWhateverCASAsksFor(t *testing.T) {
	for solver := range publishers(t, env.New(t, cassim.Options{})) {
		for title, asks := range map[string]env.Proof{
			"an address of a host":        {Type: "A", Name: "www.example.com", Value: "203.0.113.66"},
			"a text at a host":            {Type: "TXT", Name: "www", Value: "v=spf1 +all"},
			"the proof of another's name": {Type: "TXT", Name: "_dnsauth.shop.example.com", Value: "token"},
		} {
			t.Run(solver+" and "+title, func(t *testing.T) {
				e := env.New(t, cassim.Options{})
				cas, with := env.StartLiar(e, asks), publishers(t, e)[solver]
				e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
					i.Spec.Endpoint, i.Spec.Solvers = &v1alpha1.Endpoint{URL: cas.URL},
						[]v1alpha1.Solver{{DNS: with.solver}}
				}))
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
				e.Pass(20 * time.Minute)
				if n := with.published(); n > 0 {
					t.Errorf("%d are published: %s", n, said(e))
				}
				if text := said(e); !strings.Contains(text, "which is no validation record") ||
					!strings.Contains(text, "publish that by hand") {
					t.Errorf("nobody is told: %s", text)
				}
				shown := cas.Console()
				e.Simulator.AddRecord(cassim.DefaultZone, shown.Name, shown.Type, shown.Value)
				e.Until(time.Hour, isReady(e))
				billed(t, e, 1)
			})
		}
	}
}
