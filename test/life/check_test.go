// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// servers makes an issuer with a solver for each of n servers, all of Alibaba Cloud DNS, which do this before they
// answer.
func servers(t *testing.T, n int, before http.HandlerFunc) *env.Env {
	t.Helper()
	e := env.New(t, cassim.Options{})
	target, err := url.Parse(e.Simulator.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // whoever was not answered has gone
	issuer := gen.Issuer(e.Namespace, e.Simulator.URL())
	issuer.Spec.CallTimeout = &metav1.Duration{Duration: time.Minute}
	issuer.Spec.Solvers = nil
	for i := range n {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before(w, r)
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		issuer.Spec.Solvers = append(issuer.Spec.Solvers, forZone(i, &v1alpha1.Endpoint{URL: server.URL}))
	}
	e.Create(issuer)
	return e
}

func forZone(i int, at *v1alpha1.Endpoint) v1alpha1.Solver {
	return v1alpha1.Solver{
		Selector: &v1alpha1.SolverSelector{DNSZones: []string{fmt.Sprintf("n%d.example.com", i)}},
		DNS:      &v1alpha1.DNSSolver{Alidns: &v1alpha1.AlidnsSolver{Endpoint: at}},
	}
}

func TestSolversWithOneServerAreCheckedWithOneCall(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(issuer *v1alpha1.AliyunIssuer) {
		issuer.Spec.Solvers = nil
		for i := range 32 {
			issuer.Spec.Solvers = append(issuer.Spec.Solvers, forZone(i, issuer.Spec.Endpoint))
		}
	}))
	e.Settle()
	if is := readyOf(e); is.Status != metav1.ConditionTrue {
		t.Errorf("the issuer is %+v", is)
	}
	if calls := e.Simulator.Calls()["DescribeDomains"]; calls != 1 {
		t.Errorf("the one server was asked %d times", calls)
	}
}

// TestServersAreAskedSideBySide has none of them answer before each has been asked.
func TestServersAreAskedSideBySide(t *testing.T) {
	const n = 8
	var asked sync.WaitGroup
	asked.Add(n)
	allAsked := make(chan struct{})
	go func() {
		asked.Wait()
		close(allAsked)
	}()
	e := servers(t, n, func(_ http.ResponseWriter, r *http.Request) {
		asked.Done()
		select {
		case <-allAsked:
		case <-r.Context().Done():
		}
	})
	e.Settle()
	if is := readyOf(e); is.Status != metav1.ConditionTrue {
		t.Errorf("the issuer is %+v", is)
	}
}

// TestACheckEndsInTimeHoweverManyServersDoNotAnswer lets them fall silent once the issuer is ready: it stays so, and
// one that has been edited since says why it is not.
func TestACheckEndsInTimeHoweverManyServersDoNotAnswer(t *testing.T) {
	var isSilent atomic.Bool
	var unanswered atomic.Int32
	e := servers(t, 12, func(_ http.ResponseWriter, r *http.Request) {
		if isSilent.Load() {
			unanswered.Add(1)
			<-r.Context().Done()
		}
	})
	e.CheckBound = 3 * time.Second // ten calls a second are made for an account
	e.Restart()
	e.Settle()
	isSilent.Store(true)
	e.Pass(12 * time.Minute)
	solvers := func() metav1.Condition {
		return *meta.FindStatusCondition(theIssuer(e).Status.Conditions, v1alpha1.ConditionSolversValid)
	}
	if is := readyOf(e); is.Status != metav1.ConditionTrue || unanswered.Load() == 0 {
		t.Errorf("after %d calls without an answer the issuer is %+v", unanswered.Load(), is)
	}
	issuer := theIssuer(e)
	issuer.Spec.Solvers[0].Selector.DNSZones[0] = "edited.example.com"
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Pass(time.Minute)
	for _, is := range []metav1.Condition{solvers(), readyOf(e)} {
		if is.Status != metav1.ConditionFalse || is.Reason != v1alpha1.ReasonCASUnavailable ||
			!strings.Contains(is.Message, "solver 0: DescribeDomains: the call was given up") {
			t.Errorf("nobody is told that a server has not answered: %+v", is)
		}
	}
	isSilent.Store(false)
	e.Until(2*time.Minute, func() bool { return readyOf(e).Status == metav1.ConditionTrue })
}

// TestAClusterIssuerNamesNobodysOrders has an order refused, for want of a permission to order, to publish and to clean
// up.
func TestAClusterIssuerNamesNobodysOrders(t *testing.T) {
	for action, reason := range map[string]string{
		create: v1alpha1.ReasonPermissionRefused, "AddDomainRecord": v1alpha1.ReasonZoneRefused,
		deleteRecord: v1alpha1.ReasonZoneRefused,
	} {
		t.Run(action, func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			issuer := clusterIssuer(e, nil, nil)
			request(e, gen.Domain)
			e.Simulator.DenyAction(cassim.DefaultKeyID, action)
			e.Until(30*time.Minute, func() bool {
				if err := e.Client.Get(t.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
					t.Fatal(err)
				}
				granted := meta.FindStatusCondition(issuer.Status.Conditions, v1alpha1.ConditionPermissionsGranted)
				return granted != nil && granted.Reason == reason
			})
			for _, c := range issuer.Status.Conditions {
				for _, secret := range []string{e.Namespace, onlyOrder(t, e).Name, gen.Domain} {
					if strings.Contains(c.Message, secret) {
						t.Errorf("%s tells all tenants %q: %s", c.Type, secret, c.Message)
					}
				}
			}
		})
	}
}
