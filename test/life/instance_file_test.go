// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

const fileAuth = "/.well-known/pki-validation/fileauth.txt"

// setSolvers gives the issuer these solvers, and no others.
func setSolvers(e *env.Env, solvers ...v1alpha1.Solver) {
	e.T.Helper()
	issuer := theIssuer(e)
	issuer.Spec.Solvers = solvers
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
}

// byIngress gives the issuer a solver for files, whose Ingresses the web server follows.
func byIngress(e *env.Env, site *web) {
	e.T.Helper()
	site.open(e)
	site.answer = e.Router(httpfile.IngressKind)
	setSolvers(e, v1alpha1.Solver{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}})
}

// withInstanceFiles is an issuer with an instance for so many single names, and a solver for files.
func withInstanceFiles(t *testing.T, options cassim.Options, singles int) (*env.Env, *web) {
	t.Helper()
	site := serve(t, &options)
	e := forNames(t, options, singles, 0)
	byIngress(e, site)
	return e, site
}

// endsWell waits for the certificate, and for the routes to go.
func endsWell(e *env.Env) {
	e.T.Helper()
	e.Until(time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	noRoutes(e.T, e)
	wantApplications(e, "issued")
}

// TestNamesOfAnInstanceAreProvedByFiles has one name, and two, by each kind of route.
func TestNamesOfAnInstanceAreProvedByFiles(t *testing.T) {
	parents := []v1alpha1.ParentReference{{Name: "web", Namespace: "gateways", Port: new(int32(80))}}
	for kind, solver := range map[schema.GroupVersionKind]*v1alpha1.FileSolver{
		httpfile.IngressKind:   {Ingress: &v1alpha1.IngressSolver{}},
		httpfile.HTTPRouteKind: {GatewayHTTPRoute: &v1alpha1.HTTPRouteSolver{ParentRefs: parents}},
	} {
		for _, names := range [][]string{{"shop.example.com"}, {"shop.example.com", "example.com"}} {
			t.Run(fmt.Sprintf("%s, %d names", kind.Kind, len(names)), func(t *testing.T) {
				e, site := withInstanceFiles(t, cassim.Options{DCVDelay: 10 * time.Minute}, 2)
				setSolvers(e, v1alpha1.Solver{File: solver})
				site.answer = e.Router(kind)
				askForAll(e, "www", names...)
				e.Pass(5 * time.Minute)
				status := onlyOrder(t, e).Status
				if all := fmt.Sprintf("%d/%d", len(names), len(names)); status.Visible != all {
					t.Errorf("%s are visible, want %s", status.Visible, all)
				}
				for _, v := range status.Validations {
					if !slices.Contains(names, v.Domain) || v.RecordType != dcv.TypeFile || v.Zone != fileAuth ||
						v.Ownership != v1alpha1.RecordOurs || v.VisibleAt == nil ||
						get(t, site, v.Domain, fileAuth) != v.RecordValue {
						t.Errorf("it shows %+v", v)
					}
				}
				if routes := e.Objects(kind); len(routes) != len(names) {
					t.Errorf("%d routes were made", len(routes))
				}
				e.Until(time.Hour, isReady(e))
				e.Pass(10 * time.Minute)
				leaf, err := pki.DecodeX509CertificateBytes(e.Request("www").Status.Certificate)
				if err != nil || len(leaf.DNSNames) != len(names) {
					t.Errorf("the certificate is for %v: %v", leaf, err)
				}
				noRoutes(t, e)
				wantApplications(e, "issued")
				for _, record := range e.Simulator.Applications()[0].Records {
					if record.URI == "" {
						t.Errorf("%s was validated by a record", record.Domain)
					}
				}
			})
		}
	}
}

// TestAWildcardOfAnInstanceIsRefusedAFileBeforeAnythingIsWritten does what the message says.
func TestAWildcardOfAnInstanceIsRefusedAFileBeforeAnythingIsWritten(t *testing.T) {
	e, _ := withInstanceFiles(t, cassim.Options{}, 1)
	selectAlso(e, e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m",
		SingleNames: 1, WildcardNames: 1}))
	askForAll(e, "www", "shop.example.com", "*.shop.example.com")
	e.Pass(10 * time.Minute)
	if text := said(e); !strings.Contains(text, `no DNS solver of the AliyunIssuer "cas" matches "shop.example.com", `+
		"and no CA takes a file for a wildcard: add one to spec.solvers") {
		t.Errorf("nobody is told: %s", text)
	}
	if calls := e.Simulator.Calls(); len(e.Orders()) > 0 || calls["UpdateInstance"] > 0 {
		t.Errorf("there are %d orders, after %v", len(e.Orders()), calls)
	}
	issuer := theIssuer(e)
	issuer.Spec.Solvers = append(issuer.Spec.Solvers, v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{
		Alidns: &v1alpha1.AlidnsSolver{Endpoint: &v1alpha1.Endpoint{URL: e.Simulator.URL()}}}})
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Until(time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	wantApplications(e, "issued")
}

// TestAFileOfWhichCASHasNotToldAllIsWaitedFor has CAS tell the path first, and the content a minute later.
func TestAFileOfWhichCASHasNotToldAllIsWaitedFor(t *testing.T) {
	options := cassim.Options{}
	options.Knobs.RecordsShape, options.Knobs.RecordsDelay = cassim.RecordsWithoutValue, "60s"
	e, _ := withInstanceFiles(t, options, 2)
	askForAll(e, "www", "shop.example.com", "example.com")
	e.Pass(45 * time.Second)
	if seen := e.Simulator.Applications(); len(seen) != 1 || seen[0].State != "pending" {
		t.Fatalf("the applications are %+v", seen)
	}
	noRoutes(t, e)
	order := onlyOrder(t, e)
	ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	if len(order.Status.Validations) != 0 || !strings.Contains(ready.Message, "has not named its validation file yet") {
		t.Errorf("the order has %+v, and says %s", order.Status.Validations, ready.Message)
	}
	endsWell(e)
}

// TestAFileThatAHostDoesNotServeIsToldByItsName serves the file of one of two names.
func TestAFileThatAHostDoesNotServeIsToldByItsName(t *testing.T) {
	e, site := withInstanceFiles(t, cassim.Options{}, 2)
	router := e.Router(httpfile.IngressKind)
	site.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "pay.example.com" {
			http.NotFound(w, r)
			return
		}
		router(w, r)
	}
	askForAll(e, "www", "shop.example.com", "pay.example.com")
	e.Pass(10 * time.Minute)
	if text := said(e); onlyOrder(t, e).Status.Visible != "1/2" ||
		!strings.Contains(text, "waits for the file http://pay.example.com"+fileAuth) ||
		!strings.Contains(text, "http://pay.example.com: answers 404") {
		t.Errorf("nobody is told: %s", text)
	}
	site.answer = router
	endsWell(e)
}

// TestFilesOfAnInstanceByHandAreTold does what the message says, for each name.
func TestFilesOfAnInstanceByHandAreTold(t *testing.T) {
	e, site := withInstanceFiles(t, cassim.Options{}, 2)
	setSolvers(e, v1alpha1.Solver{File: &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}})
	askForAll(e, "www", "shop.example.com", "pay.example.com")
	e.Pass(5 * time.Minute)
	contents, text := map[string]string{}, told(e)
	for _, v := range onlyOrder(t, e).Status.Validations {
		contents[v.Domain] = v.RecordValue
		if !strings.Contains(text, fmt.Sprintf("with the content %q at http://%s%s", v.RecordValue, v.Domain,
			fileAuth)) {
			t.Errorf("nobody is told of %s: %s", v.Domain, text)
		}
	}
	if len(contents) != 2 {
		t.Fatalf("there are files for %v", contents)
	}
	site.answer = func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, contents[r.Host]) }
	e.Until(time.Hour, isReady(e))
	wantApplications(e, "issued")
}

// TestEachNameOfATenantNeedsLeaveForItsFile has the operator list the domain of the first name only.
func TestEachNameOfATenantNeedsLeaveForItsFile(t *testing.T) {
	e, _ := withInstanceFiles(t, cassim.Options{}, 2)
	allow(e, inNamespace(e, domains("shop.example.com")))
	askForAll(e, "www", "shop.example.com", "pay.example.com")
	e.Pass(20 * time.Minute)
	if text := said(e); !strings.Contains(text, `may not have a file for "pay.example.com" routed`) {
		t.Errorf("nobody is told: %s", text)
	}
	noRoutes(t, e)
	if e.Simulator.Calls()["UpdateInstance"] > 0 {
		t.Error("the instance was written on")
	}
	allow(e, inNamespace(e, domains("shop.example.com", "pay.example.com")))
	endsWell(e)
}

// TestNoFileIsServedForAHostThatTheOrderIsNotFor has a CAS of somebody's own ask for a file on another host. The issuer
// may have any host routed. Then a person does what the message says, and the order goes on.
func TestNoFileIsServedForAHostThatTheOrderIsNotFor(t *testing.T) {
	e, site := withInstanceFiles(t, cassim.Options{}, 1)
	cas := env.StartLiar(e, env.Proof{Domain: "bank.example.com"})
	issuer := theIssuer(e)
	issuer.Spec.Endpoint = &v1alpha1.Endpoint{URL: cas.URL}
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	askForAll(e, "www", "shop.example.com")
	e.Pass(20 * time.Minute)
	if text := said(e); !strings.Contains(text, `CAS asks for a validation of "bank.example.com", which the order is `+
		"not for. Nothing is published") || !strings.Contains(text, "publish that by hand") {
		t.Errorf("nobody is told: %s", text)
	}
	noRoutes(t, e)
	if text := get(t, site, "bank.example.com", fileAuth); text != "404 page not found\n" {
		t.Errorf("it is served: %q", text)
	}
	shown := e.Simulator.Applications()[0].Records[0]
	site.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Host == shown.Domain && r.URL.Path == shown.URI {
			_, _ = io.WriteString(w, shown.Value)
		}
	}
	e.Until(time.Hour, isReady(e))
	wantApplications(e, "issued")
}

// TestFilesAreSeenHoweverTheCALooks has the CA look by HTTP, by HTTPS or by either, and one port served at a time.
func TestFilesAreSeenHoweverTheCALooks(t *testing.T) {
	for scheme, ports := range map[string][]string{cassim.FileByHTTP: {"80"}, cassim.FileByHTTPS: {"443"},
		cassim.FileByEither: {"80", "443"}} {
		for _, port := range ports {
			t.Run(scheme+", served at "+port, func(t *testing.T) {
				var options cassim.Options
				options.Knobs.FileScheme = scheme
				site := serve(t, &options)
				secure := httptest.NewTLSServer(site.Config.Handler)
				t.Cleanup(secure.Close)
				options.WebTLSAddr, options.WebRoots = secure.Listener.Addr().String(), x509.NewCertPool()
				options.WebRoots.AddCert(secure.Certificate())
				if port == "443" {
					options.WebAddr = "127.0.0.1:1"
				} else {
					options.WebTLSAddr = "127.0.0.1:1"
				}
				e := forNames(t, options, 2, 0)
				byIngress(e, site)
				configure := e.Configure
				e.Configure = func(remote *access.Remote) {
					configure(remote)
					remote.FileCheck = &httpfile.SelfCheck{RootCAs: options.WebRoots,
						Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
							at := options.WebAddr
							if strings.HasSuffix(to, ":443") {
								at = options.WebTLSAddr
							}
							return (&net.Dialer{}).DialContext(ctx, network, at)
						}}
				}
				e.Restart()
				askForAll(e, "www", "shop.example.com", "pay.example.com")
				e.Until(time.Hour, isReady(e))
				e.Pass(10 * time.Minute)
				noRoutes(t, e)
				wantApplications(e, "issued")
			})
		}
	}
}
