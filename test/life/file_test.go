// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// web is the web server of all domains.
type web struct {
	*httptest.Server
	answer http.HandlerFunc
}

// serve starts the web server, where the CA finds every host. Nobody serves its port 443.
func serve(t *testing.T, options *cassim.Options) *web {
	t.Helper()
	site := &web{answer: http.NotFound}
	site.Server = httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.answer(w, r) }))
	t.Cleanup(site.Close)
	options.WebAddr = site.Listener.Addr().String()
	return site
}

// open lets the controller find every host there, too.
func (site *web) open(e *env.Env) {
	e.Configure = e.Web(site.Listener.Addr().String())
	e.Restart()
}

// withFile makes an approved request to an issuer with this file solver.
func withFile(t *testing.T, solver *v1alpha1.FileSolver, name string, knobs cassim.Knobs) (*env.Env, *web) {
	t.Helper()
	options := cassim.Options{Knobs: knobs}
	site := serve(t, &options)
	e := env.New(t, options)
	site.open(e)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(),
		func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = []v1alpha1.Solver{{File: solver}} }))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), named(name))))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e, site
}

func TestAFileValidatesAnOrderByARouteThatGoesAfterwards(t *testing.T) {
	parents := []v1alpha1.ParentReference{{Name: "web", Namespace: "gateways", Port: new(int32(80))}}
	for kind, solver := range map[schema.GroupVersionKind]*v1alpha1.FileSolver{
		httpfile.IngressKind: {
			Ingress: &v1alpha1.IngressSolver{IngressClassName: new("nginx"), Annotations: map[string]string{"a": "b"}}},
		httpfile.HTTPRouteKind: {GatewayHTTPRoute: &v1alpha1.HTTPRouteSolver{ParentRefs: parents}},
	} {
		t.Run(kind.Kind, func(t *testing.T) {
			e, site := withFile(t, solver, "example.com", cassim.Knobs{})
			site.answer = e.Router(kind)
			e.Until(time.Hour, isReady(e))
			if e.Simulator.Orders()[0].ValidateType != "FILE" {
				t.Error("it was not validated by a file")
			}
			e.Pass(time.Hour)
			if left := e.Objects(kind); len(left) > 0 {
				t.Errorf("left behind: %+v", left)
			}
			if answer := get(t, site, "example.com",
				"/.well-known/pki-validation/fileauth.txt"); answer != "404 page not found\n" {
				t.Errorf("the file is still there: %q", answer)
			}
		})
	}
}

func get(t *testing.T, site *web, host, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestWhatTheWebServerAnswersInsteadIsTold lets it redirect, which the CA does not follow.
func TestWhatTheWebServerAnswersInsteadIsTold(t *testing.T) {
	e, site := withFile(t, &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}, "example.com", cassim.Knobs{})
	site.answer = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+r.URL.Path+"?token=secret", http.StatusMovedPermanently)
	}
	e.Pass(10 * time.Minute)
	text := said(e)
	for _, want := range []string{
		"http://example.com: redirects (301) to https://example.com/.well-known/pki-validation/fileauth.txt, and " +
			"the CA follows no redirect",
		"http://www.example.com: redirects (301)", "https://example.com: refuses the connection",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("nobody is told %q: %s", want, text)
		}
	}
	if strings.Contains(text, "token=secret") {
		t.Error("what may be secret in the redirect is told")
	}
	site.answer = e.Router(httpfile.IngressKind)
	e.Until(time.Hour, isReady(e))
}

func TestAFileByHandIsNoticed(t *testing.T) {
	e, site := withFile(t, &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}, "shop.example.com", cassim.Knobs{})
	e.Pass(10 * time.Minute)
	value := onlyOrder(t, e).Status.Validations[0].RecordValue
	if text := said(e); !strings.Contains(text, `put a file with the content "`+value+
		`" at http://shop.example.com/.well-known/pki-validation/fileauth.txt`) {
		t.Errorf("nobody is told: %s", text)
	}
	site.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, value+"\n") }
	e.Until(time.Hour, isReady(e))
}

// TestAFileThatNobodyPutsThereEndsWithWhatHelps lets the deadline pass, and then does what the message says.
func TestAFileThatNobodyPutsThereEndsWithWhatHelps(t *testing.T) {
	e, site := withFile(t, &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}, "shop.example.com", cassim.Knobs{})
	e.Until(96*time.Hour, func() bool {
		return cmutil.CertificateRequestReadyReason(e.Request("www")) == cmapi.CertificateRequestReasonFailed
	})
	const want = "Its validation file could not be fetched: publish that of the next order"
	if text := said(e); !strings.Contains(text, want) {
		t.Errorf("nobody is told: %s", text)
	}
	e.Create(gen.Request(e.Namespace, "again", gen.CSR(gen.Key(), named("shop.example.com"))))
	e.Decide("again", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, func() bool { return len(orderOf(e, "again").Status.Validations) > 0 })
	value := orderOf(e, "again").Status.Validations[0].RecordValue
	site.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, value+"\n") }
	e.Until(time.Hour, isIssued(e, "again"))
}

// TestWhatTheCAHasSeenIsIssuedWhateverWeSee lets the CA look at one of two hosts.
func TestWhatTheCAHasSeenIsIssuedWhateverWeSee(t *testing.T) {
	e, site := withFile(t, &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}, "example.com",
		cassim.Knobs{FileHosts: cassim.FileAtDomain})
	e.Pass(time.Minute)
	value := onlyOrder(t, e).Status.Validations[0].RecordValue
	site.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "example.com" {
			_, _ = io.WriteString(w, value)
		} else {
			http.NotFound(w, r)
		}
	}
	e.Until(time.Hour, isReady(e))
}

// TestAFileSolverIsNotGivenWhatOnlyDNSCanValidate lets a wildcard, and a name that the CA would not add, wait for a DNS
// solver: both would be bought in vain.
func TestAFileSolverIsNotGivenWhatOnlyDNSCanValidate(t *testing.T) {
	const wildcards = "geotrust-dv-w-starter"
	account := cassim.DefaultAccount()
	account.Packages[wildcards] = 1
	for want, asked := range map[string]struct {
		product string
		csr     func(*x509.CertificateRequest)
	}{
		"no CA takes a file for a wildcard": {wildcards, named("*.example.com")},
		`CAs add "www.example.com" only to what was validated by DNS`: {
			gen.Product, func(csr *x509.CertificateRequest) {
				csr.Subject.CommonName, csr.DNSNames = "example.com", []string{"example.com", "www.example.com"}
			}},
	} {
		t.Run(want, func(t *testing.T) {
			e := env.New(t, cassim.Options{Accounts: []cassim.Account{account}})
			var dns []v1alpha1.Solver
			issuer := gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
				plan := i.Spec.Source.ResourcePlan
				plan.ProductCode, plan.AdditionalNames = asked.product,
					[]v1alpha1.AdditionalName{v1alpha1.AdditionalNameWWW}
				dns, i.Spec.Solvers = i.Spec.Solvers,
					[]v1alpha1.Solver{{File: &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}}}
			})
			e.Create(issuer)
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), asked.csr)))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Pass(10 * time.Minute)
			if text := said(e); !strings.Contains(text, `no DNS solver of the AliyunIssuer "cas" matches`) ||
				!strings.Contains(text, want) {
				t.Errorf("nobody is told: %s", text)
			}
			billed(t, e, 0)
			if err := e.Client.Get(t.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
				t.Fatal(err)
			}
			issuer.Spec.Solvers = append(issuer.Spec.Solvers, dns...)
			if err := e.Client.Update(t.Context(), issuer); err != nil {
				t.Fatal(err)
			}
			e.Until(time.Hour, isReady(e))
		})
	}
}
