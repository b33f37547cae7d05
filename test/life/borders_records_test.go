// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/controllers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// proof is a record as DescribeCertificateState tells it.
type proof struct{ kind, name, value string }

// liar stands before a CAS and asks for another record than that does. What the console of CAS shows, it leaves as it is.
type liar struct {
	url   string
	mutex sync.Mutex
	shown proof
}

func startLiar(t *testing.T, before string, asks proof) *liar {
	t.Helper()
	target, err := url.Parse(before)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		var reply map[string]any
		if json.Unmarshal(body, &reply) == nil && reply["RecordValue"] != nil {
			l.mutex.Lock()
			defer l.mutex.Unlock()
			l.shown = proof{reply["RecordType"].(string), reply["RecordDomain"].(string), reply["RecordValue"].(string)}
			reply["RecordType"], reply["RecordDomain"], reply["RecordValue"] = asks.kind, asks.name, asks.value
			if body, err = json.Marshal(reply); err != nil {
				return err
			}
		}
		r.Header.Del("Content-Length")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// console is what people see who look there.
func (l *liar) console() proof {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.shown
}

// publisher is a DNS solver that publishes what CAS asks for, or says what people should, and how much there is of it.
type publisher struct {
	solver    *v1alpha1.DNSSolver
	published func() int
}

func publishers(t *testing.T, e *env.Env) map[string]publisher {
	t.Helper()
	server := primary.Start(t, cassim.DefaultZone)
	e.Configure = func(remote *controllers.Remote) { remote.Policy.Nameservers = []string{server.Addr} }
	e.Restart()
	e.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tsig"}, StringData: map[string]string{"secret": server.Secret}})
	return map[string]publisher{
		"dns.alidns": {
			&v1alpha1.DNSSolver{Alidns: &v1alpha1.AlidnsSolver{Endpoint: &v1alpha1.Endpoint{URL: e.Simulator.URL()}}},
			func() int { return len(e.Simulator.Records(cassim.DefaultZone)) },
		},
		"dns.alidns that follows CNAMEs": {
			&v1alpha1.DNSSolver{CNAMEStrategy: v1alpha1.CNAMEFollow, Alidns: &v1alpha1.AlidnsSolver{Endpoint: &v1alpha1.Endpoint{URL: e.Simulator.URL()}}},
			func() int { return len(e.Simulator.Records(cassim.DefaultZone)) },
		},
		"dns.dnsEndpoint": {
			&v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}, func() int { return len(e.Objects(dnsendpoint.Kind)) },
		},
		"dns.rfc2136": {
			&v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
				Nameserver: server.Addr, TSIGKeyName: server.KeyName, TSIGAlgorithm: "HMACSHA256",
				TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: "secret"},
			}},
			func() int { return len(server.Records()) },
		},
		"dns.manual": {
			&v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}, func() int { return strings.Count(said(e), "create the DNS record") },
		},
	}
}

// TestNothingButAValidationRecordIsPublishedWhateverCASAsksFor has a CAS of somebody's own choose type, name and value. Then
// a person does what the message says, and the order goes on.
func TestNothingButAValidationRecordIsPublishedWhateverCASAsksFor(t *testing.T) {
	for solver := range publishers(t, env.New(t, cassim.Options{})) {
		for title, asks := range map[string]proof{
			"an address of a host":        {"A", "www.example.com", "203.0.113.66"},
			"a text at a host":            {"TXT", "www", "v=spf1 +all"},
			"the proof of another's name": {"TXT", "_dnsauth.shop.example.com", "token"},
		} {
			t.Run(solver+" and "+title, func(t *testing.T) {
				e := env.New(t, cassim.Options{})
				cas, with := startLiar(t, e.Simulator.URL(), asks), publishers(t, e)[solver]
				e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
					i.Spec.Endpoint, i.Spec.Solvers = &v1alpha1.Endpoint{URL: cas.url}, []v1alpha1.Solver{{DNS: with.solver}}
				}))
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
				e.Pass(20 * time.Minute)
				if n := with.published(); n > 0 {
					t.Errorf("%d are published: %s", n, said(e))
				}
				if text := said(e); !strings.Contains(text, "which is no validation record") || !strings.Contains(text, "publish that by hand") {
					t.Errorf("nobody is told: %s", text)
				}
				shown := cas.console()
				e.Simulator.AddRecord(cassim.DefaultZone, shown.name, shown.kind, shown.value)
				e.Until(time.Hour, isReady(e))
				billed(t, e, 1)
			})
		}
	}
}
