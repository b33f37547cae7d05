// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"context"
	"strings"
	"testing"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// TestTheSampleCertificateStaysReadyWhateverIsDoneToIt takes the sample through its life with what each sample of an
// issuer orders from: it is issued, its requests are deleted, it is renewed, the controller starts anew, and its
// requests are deleted again. It costs one order for each certificate, and is ready all the time.
func TestTheSampleCertificateStaysReadyWhateverIsDoneToIt(t *testing.T) {
	t.Parallel()
	files := []string{"issuer.yaml", "clusterissuer.yaml", "clusterissuer-shared.yaml", "clusterissuer-rrsa.yaml",
		"issuer-team-role.yaml", "issuer-manual-dns.yaml"}
	account := cassim.DefaultAccount()
	account.Packages[cassim.DefaultProduct] = 4 * len(files) // half of it is kept for renewals
	simulator := cassim.New(cassim.Options{Accounts: []cassim.Account{account}})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	c := newCluster(t)
	samples := make([]sampleLife, len(files))
	for i, file := range files {
		given := struct{ Spec v1alpha1.IssuerSpec }{}
		env.Sample(t, file, "Issuer", &given)
		samples[i] = sampleLife{
			world: worldOf(t, c, simulator, func(issuer *v1alpha1.AliyunIssuer) {
				issuer.Spec.Source = given.Spec.Source
			}), issuer: file}
	}
	m := samples[0].startManager()
	each := func(do func(s *sampleLife)) {
		for i := range samples {
			do(&samples[i])
		}
	}
	each((*sampleLife).apply)
	each(func(s *sampleLife) { s.untilRevision(1); s.watch() })
	each((*sampleLife).deleteRequests)
	each(func(s *sampleLife) { s.isBilled(1); s.renew(s.certificate) })
	each(func(s *sampleLife) { s.untilRevision(2); s.isBilled(2) })
	m.stop()
	each((*sampleLife).deleteRequests)
	m = samples[0].startManager()
	each(func(s *sampleLife) { s.renew(s.certificate) })
	each(func(s *sampleLife) { s.untilRevision(3); s.isBilled(3) })
	m.stop()
	each((*sampleLife).wasReady)
}

// sampleLife is the sample of a Certificate that is ordered as one of the samples of an issuer says.
type sampleLife struct {
	*world
	issuer      string
	certificate *cmapi.Certificate
	// unready is closed once the Certificate is not watched any more, and has what it showed while it was not ready.
	unready chan []cmapi.CertificateCondition
	end     context.CancelFunc
}

// apply makes the Certificate for names that no other one has.
func (s *sampleLife) apply() {
	s.T.Helper()
	s.certificate = &cmapi.Certificate{}
	env.Sample(s.T, "certificate.yaml", "Certificate", s.certificate)
	spec := &s.certificate.Spec
	own := func(name string) string {
		return strings.Replace(name, cassim.DefaultZone, s.Namespace+"."+cassim.DefaultZone, 1)
	}
	spec.CommonName = own(spec.CommonName)
	for i, name := range spec.DNSNames {
		spec.DNSNames[i] = own(name)
	}
	s.certificate.Namespace = s.Namespace
	s.Create(s.certificate)
}

func (s *sampleLife) untilRevision(n int) {
	s.T.Helper()
	s.until("the Certificate for "+s.issuer+" is renewed and ready", &cmapi.CertificateList{}, func() bool {
		isIssuing := cmutil.CertificateHasCondition(
			s.read(), cmapi.CertificateCondition{Type: cmapi.CertificateConditionIssuing, Status: cmmeta.ConditionTrue})
		return !isIssuing && isReady(s.certificate) && s.certificate.Status.Revision != nil &&
			*s.certificate.Status.Revision == n
	})
}

func (s *sampleLife) read() *cmapi.Certificate {
	s.T.Helper()
	if !s.get(s.certificate) {
		s.T.Fatal("the Certificate is gone")
	}
	return s.certificate
}

func isReady(certificate *cmapi.Certificate) bool {
	return cmutil.CertificateHasCondition(
		certificate, cmapi.CertificateCondition{Type: cmapi.CertificateConditionReady, Status: cmmeta.ConditionTrue})
}

// watch begins to look at each state of the Certificate.
func (s *sampleLife) watch() {
	s.T.Helper()
	ctx, end := context.WithCancel(s.T.Context())
	changes, err := s.Client.Watch(ctx, &cmapi.CertificateList{}, client.InNamespace(s.Namespace))
	if err != nil {
		s.T.Fatal(err)
	}
	s.end, s.unready = end, make(chan []cmapi.CertificateCondition, 1)
	go func() {
		var found []cmapi.CertificateCondition
		for change := range changes.ResultChan() {
			if certificate, ok := change.Object.(*cmapi.Certificate); ok && !isReady(certificate) {
				found = append(found, certificate.Status.Conditions...)
			}
		}
		s.unready <- found
	}()
}

func (s *sampleLife) wasReady() {
	s.T.Helper()
	s.end()
	if found := <-s.unready; len(found) > 0 {
		s.T.Errorf("the Certificate for %s was not ready: %+v", s.issuer, found)
	}
}

// deleteRequests is kubectl delete certificaterequest --all.
func (s *sampleLife) deleteRequests() {
	s.T.Helper()
	if err := s.Client.DeleteAllOf(s.T.Context(), &cmapi.CertificateRequest{},
		client.InNamespace(s.Namespace)); err != nil {
		s.T.Fatal(err)
	}
	s.untilGone("the requests", &cmapi.CertificateRequestList{})
}

func (s *sampleLife) isBilled(want int) {
	s.T.Helper()
	n := 0
	for _, entry := range s.Simulator.Ledger() {
		if entry.Domain == s.certificate.Spec.CommonName {
			n++
		}
	}
	if n != want {
		s.T.Errorf("%d orders were billed for the sample with %s, want %d", n, s.issuer, want)
	}
}
