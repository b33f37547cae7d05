// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// updating makes an approved request whose domain is in a zone of a primary name server, which the CA asks, too.
func updating(t *testing.T, records ...string) (*env.Env, *primary.Server) {
	t.Helper()
	server := primary.Start(t, "example.com", records...)
	return updated(t, server, cassim.Options{}), server
}

// updated is updating with a server that is there, and a solver that may differ.
func updated(t *testing.T, server *primary.Server, options cassim.Options,
	differs ...func(*env.Env, *v1alpha1.RFC2136Solver)) *env.Env {
	t.Helper()
	options.Resolver = server.Addr
	e := env.New(t, options)
	e.Configure = func(remote *access.Remote) {
		remote.SelfCheck = &dcv.SelfCheck{Nameservers: []string{server.Addr}}
		remote.Policy.Nameservers = []string{server.Addr}
	}
	e.Restart()
	e.Create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tsig"},
		StringData: map[string]string{"secret": server.Secret + "\n"},
	})
	solver := &v1alpha1.RFC2136Solver{
		Nameserver: server.Addr, TSIGKeyName: "update-key", TSIGAlgorithm: "HMACSHA512",
		TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "tsig"},
			Key: "secret"},
	}
	for _, change := range differs {
		change(e, solver)
	}
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{RFC2136: solver}}}
	}))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e
}

func TestADynamicUpdateValidatesAnOrderAndLeavesNothingBehind(t *testing.T) {
	e, server := updating(t, `_dnsauth.www.example.com. 300 IN TXT "somebody else's"`)
	before := server.Records()
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	if diff := cmp.Diff(before, server.Records()); diff != "" {
		t.Errorf("the zone is not as it was (-before +after):\n%s", diff)
	}
	if strings.Contains(e.Logs()+said(e), server.Secret) {
		t.Error("the key is told")
	}
}

// TestTheRecordGoesThoughItsKeyWasDeletedFirst is a namespace that goes away, whose Secrets go first.
func TestTheRecordGoesThoughItsKeyWasDeletedFirst(t *testing.T) {
	e, server := updating(t)
	order := func() *v1alpha1.OrderValidation {
		if orders := e.Orders(); len(orders) > 0 && len(orders[0].Status.Validations) > 0 {
			return &orders[0].Status.Validations[0]
		}
		return nil
	}
	e.Until(time.Hour, func() bool { v := order(); return v != nil && v.PresentedAt != nil })
	if len(server.Records()) != 1 {
		t.Fatalf("records are %q", server.Records())
	}
	if err := e.Client.Delete(
		t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tsig"}}); err != nil {
		t.Fatal(err)
	}
	remove(e, e.Request("www"))
	remove(e, &e.Orders()[0])
	e.Pass(20 * time.Minute)
	if len(server.Records()) > 0 || len(e.Orders()) > 0 {
		t.Errorf("left behind: %q, and %d orders", server.Records(), len(e.Orders()))
	}
}
