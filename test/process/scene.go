// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/process/leap"
)

// scene is a World with requests of which each is for another name, and with others' orders and records for the same
// names. No manager runs yet.
type scene struct {
	*env.World
	from     source
	gateway  *gateway
	clock    *leap.Clock
	requests []string
	// records are those of others.
	records  []cassim.Record
	managers []*manager
	// isBlind says that the person whom held orders ask cannot see orders in the console: only that there is none.
	isBlind bool
	// words is how often a person had to decide.
	words int
}

// newScene makes a scene with n requests, none of which is approved yet.
func newScene(t *testing.T, from source, n int) *scene {
	t.Helper()
	s := &scene{from: from, clock: &leap.Clock{Path: filepath.Join(t.TempDir(), "ahead")}}
	if err := s.clock.Set(0); err != nil {
		t.Fatal(err)
	}
	account := cassim.DefaultAccount()
	account.Packages[cassim.DefaultProduct] = 3 * n // enough to buy twice
	options := cassim.Options{Accounts: []cassim.Account{account}, Clock: s.clock}
	options.Knobs.InstanceDNS = cassim.Off // or CAS writes records by itself
	s.World = env.NewWorld(t, options)
	t.Cleanup(s.letGo)
	from.open(s, n)
	s.gateway = newGateway(t, s.Simulator)
	s.Create(gen.Issuer(s.Namespace, s.gateway.URL, func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Endpoint, i.Spec.Solvers[0].DNS.Alidns.Endpoint = s.gateway.endpoint(), s.gateway.endpoint()
		from.Issuer(&i.Spec)
		i.Spec.Orders = &v1alpha1.OrderPolicy{
			MaxPerDay: new(int32(50)), // a person may let one order be tried that often
			Budget:    &v1alpha1.OrderBudget{Namespace: v1alpha1.OrderLimits{PerDay: new(int32(1000))}},
			Reserve:   new(intstr.FromInt32(0)), // all are new names, and are to be ordered now
		}
	}))
	for i := range n {
		name := fmt.Sprintf("n%03d", i)
		domain := name + "." + cassim.DefaultZone
		s.requests = append(s.requests, name)
		s.Create(gen.Request(s.Namespace, name, gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = domain, []string{domain}
		})))
		s.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth."+name, "TXT", "somebody else's")
	}
	s.records = s.Simulator.Records(cassim.DefaultZone)
	return s
}

// letGo removes what the scene leaves, once its managers have ended: its simulator is gone, too, and a manager of a
// later scene would try for minutes to give back what it had. A CRD could not be deleted for as long.
func (s *scene) letGo() {
	ctx := context.WithoutCancel(s.T.Context())
	if err := s.Client.DeleteAllOf(ctx, &cmapi.CertificateRequest{}, client.InNamespace(s.Namespace)); err != nil {
		s.T.Error(err)
	}
	orders := &v1alpha1.AliyunOrderList{}
	if err := s.Client.List(ctx, orders, client.InNamespace(s.Namespace)); err != nil {
		s.T.Error(err)
	}
	for i := range orders.Items {
		order := &orders.Items[i]
		order.Finalizers = nil
		if err := s.Client.Update(ctx, order); client.IgnoreNotFound(err) != nil {
			s.T.Error(err)
		}
		if err := s.Client.Delete(ctx, order); client.IgnoreNotFound(err) != nil {
			s.T.Error(err)
		}
	}
}

func domainOf(request string) string { return request + "." + cassim.DefaultZone }

// approve approves all requests.
func (s *scene) approve() {
	s.T.Helper()
	for _, name := range s.requests {
		s.Decide(name, cmapi.CertificateRequestConditionApproved)
	}
}

// leap lets time pass for the managers and the simulator.
func (s *scene) leap(by time.Duration) {
	s.T.Helper()
	if err := s.clock.Leap(by); err != nil {
		s.T.Fatal(err)
	}
}

// bought are the orders at CAS that are ours, by name.
func (s *scene) bought() map[string][]env.Purchase {
	all := map[string][]env.Purchase{}
	for _, p := range s.from.Purchases(s.Simulator) {
		all[p.Domain] = append(all[p.Domain], p)
	}
	return all
}

// inDoubt are the Orders that have an intent and no id, by name.
func (s *scene) inDoubt() map[string]v1alpha1.AliyunOrder {
	s.T.Helper()
	doubts := map[string]v1alpha1.AliyunOrder{}
	for _, order := range s.Orders() {
		if order.Status.Submission != nil && order.Status.OrderID == "" {
			doubts[order.Spec.CommonName] = order
		}
	}
	return doubts
}

// sees watches objects of the scene until isIt is true of one, in its present or a later state.
func (s *scene) sees(objects client.ObjectList, isIt func(runtime.Object) bool) {
	s.T.Helper()
	if !env.Await(s.T, s.Client, objects, nil, isIt, client.InNamespace(s.Namespace)) {
		s.T.Fatalf("no %T comes to be what is waited for", objects)
	}
}

func issuerIsReady(o runtime.Object) bool {
	issuer, ok := o.(*v1alpha1.AliyunIssuer)
	return ok && meta.IsStatusConditionTrue(issuer.Status.Conditions, v1alpha1.ConditionReady)
}
