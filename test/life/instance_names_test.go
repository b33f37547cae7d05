// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// askForAll makes an approved request for several names, the first of them as the common name.
func askForAll(e *env.Env, request string, names ...string) {
	e.Create(gen.Request(e.Namespace, request, gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: names[0]}, names
	})))
	e.Decide(request, cmapi.CertificateRequestConditionApproved)
}

// changeInstance edits the issuer's source.
func changeInstance(e *env.Env, change func(*v1alpha1.Instance)) {
	e.T.Helper()
	issuer := theIssuer(e)
	change(issuer.Spec.Source.Instance)
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
}

// selectAlso lets the issuer select more instances.
func selectAlso(e *env.Env, ids ...string) {
	e.T.Helper()
	changeInstance(e, func(i *v1alpha1.Instance) { i.Selector.IDs = append(i.Selector.IDs, ids...) })
}

// forNames is an issuer with an instance for one single name, and one for so many names of each kind.
func forNames(t *testing.T, options cassim.Options, singles, wildcards int) *env.Env {
	t.Helper()
	e, _ := withInstances(t, options, 1)
	selectAlso(e, e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m",
		SingleNames: singles, WildcardNames: wildcards}))
	return e
}

// TestEachNameOfAnOrderIsProvedAndShown puts several names into one certificate, wherever CAS wants their records.
func TestEachNameOfAnOrderIsProvedAndShown(t *testing.T) {
	for _, shape := range []string{cassim.WildcardOwn, cassim.WildcardShared, cassim.WildcardMerged} {
		t.Run(shape, func(t *testing.T) {
			options := cassim.Options{DCVDelay: 20 * time.Minute}
			options.Knobs.RecordsForWildcard = shape
			e := forNames(t, options, 2, 1)
			names := []string{"shop.example.com", "www.example.com", "*.shop.example.com"}
			askForAll(e, "several", names...)
			e.Pass(5 * time.Minute)
			status := onlyOrder(t, e).Status
			n := len(status.Validations)
			if all := fmt.Sprintf("%d/%d", n, n); n < 2 || status.Visible != all ||
				!strings.Contains(strings.Join(e.Events(), "\n"), all+" are") {
				t.Errorf("%d validations, and %s are visible", n, status.Visible)
			}
			if records := e.Simulator.Records("example.com"); len(records) < 2 {
				t.Errorf("the records are %+v", records)
			}
			e.Until(2*time.Hour, isIssued(e, "several"))
			e.Pass(10 * time.Minute)
			leaf, err := pki.DecodeX509CertificateBytes(e.Request("several").Status.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if !slices.Contains(leaf.DNSNames, name) {
					t.Errorf("the certificate is for %v", leaf.DNSNames)
				}
			}
			wantApplications(e, "issued")
		})
	}
}

// TestANameThatCannotBeProvedKeepsNoOtherFromBeing has somebody else's CNAME in the place of one record.
func TestANameThatCannotBeProvedKeepsNoOtherFromBeing(t *testing.T) {
	e := forNames(t, cassim.Options{DCVDelay: 10 * time.Minute}, 2, 0)
	askForAll(e, "two", "shop.example.com", "www.example.com")
	e.Settle()
	blocked := e.Simulator.AddRecord("example.com", "_dnsauth.shop", "CNAME", "elsewhere.example.net")
	e.Pass(2 * time.Minute)
	order := onlyOrder(t, e)
	if order.Status.Visible != "1/2" {
		t.Errorf("%s are visible: %+v", order.Status.Visible, order.Status.Validations)
	}
	if ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady); !strings.Contains(
		ready.Message, "_dnsauth.shop.example.com") {
		t.Errorf("the order says %+v", ready)
	}
	e.Simulator.RemoveRecord(blocked)
	e.Until(3*time.Hour, isIssued(e, "two"))
	e.Pass(10 * time.Minute)
	wantApplications(e, "issued")
}

// TestEachNameHasADNSEndpointOfItsOwn lets a person do what ExternalDNS does.
func TestEachNameHasADNSEndpointOfItsOwn(t *testing.T) {
	e := forNames(t, cassim.Options{}, 2, 0)
	setSolvers(e, v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}})
	askForAll(e, "www", "shop.example.com", "pay.example.com")
	e.Pass(2 * time.Minute)
	var added []string
	for _, object := range e.Objects(dnsendpoint.Kind) {
		endpoints, _, _ := unstructured.NestedSlice(object.Object, "spec", "endpoints")
		endpoint := endpoints[0].(map[string]any)
		added = append(added, e.Simulator.AddRecord("example.com",
			strings.TrimSuffix(endpoint["dnsName"].(string), ".example.com"), endpoint["recordType"].(string),
			endpoint["targets"].([]any)[0].(string)))
	}
	if len(added) != 2 {
		t.Fatalf("there are %d DNSEndpoints", len(added))
	}
	e.Until(time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	if left := e.Objects(dnsendpoint.Kind); len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
	for _, record := range added {
		e.Simulator.RemoveRecord(record)
	}
	wantApplications(e, "issued")
}

// TestANameThatTheCAAddsIsNotAppliedFor has a wildcard with the name that it stands on: CAS refuses to take both for an
// instance for one wildcard, and puts the other in by itself (docs/design/cas.md §4.7).
func TestANameThatTheCAAddsIsNotAppliedFor(t *testing.T) {
	options := cassim.Options{}
	options.Knobs.InstanceSANs = cassim.InstanceSANsIgnored
	e := forNames(t, options, 0, 1)
	changeInstance(e, func(i *v1alpha1.Instance) {
		i.AdditionalNames = []v1alpha1.AdditionalName{v1alpha1.AdditionalNameWildcardBase}
	})
	askForAll(e, "wild", "*.example.com", "example.com")
	e.Until(time.Hour, isIssued(e, "wild"))
	e.Pass(10 * time.Minute)
	wantApplications(e, "issued")
}
