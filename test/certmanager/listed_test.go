// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"path/filepath"
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
)

// TestAnInstallationForListedNamespacesServesThemAndNoOthers turns the installation of the cluster into one for a
// single namespace. The audit log tells whether the manager tries what it may not do.
func TestAnInstallationForListedNamespacesServesThemAndNoOthers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "--audit")
	simulator := cassim.New(cassim.Options{})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	listed, other := worldOf(t, c, simulator), worldOf(t, c, simulator)
	c.serveOnly(t, listed.Namespace)
	m, err := c.startManager(simulator.DNSAddr(), "--namespaces="+listed.Namespace, "--leader-elect",
		"--leader-election-namespace="+system,
		"--secret-reader-role=Role/"+release+"-secrets")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.stop()
		if t.Failed() {
			t.Logf("the log of the manager:\n%s", m.log.String())
		}
	})
	for _, w := range []*world{listed, other} {
		w.Create(w.certificate(www))
	}
	shared := listed.certificate("shared")
	shared.Spec.IssuerRef.Kind = v1alpha1.AliyunClusterIssuerKind
	listed.Create(shared)
	listed.untilIssued(www, 1)
	listed.untilRequestSays("shared", "serves listed namespaces (chart value namespaces), and no "+
		"AliyunClusterIssuer: name an AliyunIssuer in issuerRef")
	listed.editIssuer(solvedBy(v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}}))
	listed.Create(listed.certificate("external"))
	order := listed.untilOrder("external", "ExternalDNS is asked", func(o v1alpha1.AliyunOrder) bool {
		return len(o.Status.Validations) > 0 && o.Status.Validations[0].PresentedAt != nil
	})
	v := order.Status.Validations[0]
	simulator.AddRecord(cassim.DefaultZone, strings.TrimSuffix(v.FQDN, "."+cassim.DefaultZone), v.RecordType,
		v.RecordValue)
	listed.untilIssued("external", 1)
	listed.untilNone(dnsendpoint.Kind, listed.Namespace, "")
	if orders := other.Orders(); len(orders) > 0 {
		t.Errorf("the other namespace has orders: %+v", orders)
	}
	other.bought(www, 0)
	for what := range c.used(t) {
		if strings.HasPrefix(what, "forbidden") || !strings.HasPrefix(what, listed.Namespace+"/") &&
			!strings.HasPrefix(what, system+"/") &&
			!strings.Contains(what, "selfsubjectreviews") {
			t.Errorf("the manager has used, or tried, %s", what)
		}
	}
}

// serveOnly makes the release one for these namespaces.
func (c *cluster) serveOnly(t *testing.T, namespaces ...string) {
	t.Helper()
	err := c.run(c.program("helm"), "upgrade", release, filepath.Join(c.root, chart), "--namespace", system,
		"--reset-values",
		"--set", "replicaCount=0,solvers.dnsEndpoint=true", "--set", "namespaces={"+strings.Join(namespaces, ",")+"}")
	if err != nil {
		t.Fatal(err)
	}
}

// untilRequestSays waits until the request of a certificate says something.
func (w *world) untilRequestSays(name, text string) {
	w.T.Helper()
	request := &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{Name: name + "-1", Namespace: w.Namespace}}
	w.until("the request "+name+" is told what is wrong", &cmapi.CertificateRequestList{}, func() bool {
		if !w.get(request) {
			return false
		}
		for _, c := range request.Status.Conditions {
			if strings.Contains(c.Message, text) {
				return true
			}
		}
		return false
	})
}
