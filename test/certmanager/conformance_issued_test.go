// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	corev1 "k8s.io/api/core/v1"
)

// issued is what a user has of a Certificate that is ready.
type issued struct {
	certificate *cmapi.Certificate
	request     *cmapi.CertificateRequest
	secret      *corev1.Secret
	// chain is what the Secret has, the certificate first.
	chain []*x509.Certificate
}

// issued waits until the Certificate is ready as its user has it written, and reads its Secret.
func (w *world) issued(name string) issued {
	w.T.Helper()
	i := issued{certificate: w.certificate(name), secret: w.secret(name)}
	w.until("the Certificate "+name+" is ready", &cmapi.CertificateList{}, func() bool {
		w.get(i.certificate)
		ready := cmutil.GetCertificateCondition(i.certificate, cmapi.CertificateConditionReady)
		isIssuing := cmutil.CertificateHasCondition(
			i.certificate, cmapi.CertificateCondition{Type: cmapi.CertificateConditionIssuing,
				Status: cmmeta.ConditionTrue})
		return ready != nil && ready.Status == cmmeta.ConditionTrue &&
			ready.ObservedGeneration == i.certificate.Generation && !isIssuing
	})
	i.request = w.request(name, *i.certificate.Status.Revision)
	if !w.get(i.request) || !w.get(i.secret) {
		w.T.Fatal("the request or the Secret is gone")
	}
	var err error
	if i.chain, err = pki.DecodeX509CertificateChainBytes(i.secret.Data[corev1.TLSCertKey]); err != nil {
		w.T.Fatal(err)
	}
	return i
}

// isGood checks what cert-manager's own suite checks of what any issuer has issued.
func (i issued) isGood(t *testing.T, root []byte, f feature) {
	t.Helper()
	want := slices.Sorted(slices.Values(append([]string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey}, f.keys...)))
	if got := slices.Sorted(maps.Keys(i.secret.Data)); !slices.Equal(got, want) {
		t.Errorf("the Secret has %q, want %q", got, want)
	}
	if of := i.secret.Annotations[cmapi.CertificateNameKey]; of != i.certificate.Name {
		t.Errorf("the Secret is that of %q", of)
	}
	i.hasItsKey(t)
	i.hasItsNames(t)
	i.isValid(t, root)
}

// hasItsKey checks that the key is the one of the certificate, and of the kind that was asked for.
func (i issued) hasItsKey(t *testing.T) {
	t.Helper()
	key, err := pki.DecodePrivateKeyBytes(i.secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	if isIts, err := pki.PublicKeyMatchesCertificate(key.Public(), i.chain[0]); err != nil || !isIts {
		t.Errorf("the key is not that of the certificate (%v)", err)
	}
	if differs := pki.PrivateKeyMatchesSpec(key, i.certificate.Spec); len(differs) > 0 {
		t.Errorf("the key is not as it was asked for: %q", differs)
	}
}

// hasItsNames checks that the certificate has all names of the Certificate, and nothing that a DV certificate does not.
func (i issued) hasItsNames(t *testing.T) {
	t.Helper()
	leaf, spec := i.chain[0], i.certificate.Spec
	for _, name := range spec.DNSNames {
		if !slices.Contains(leaf.DNSNames, strings.ToLower(name)) {
			t.Errorf("the certificate is for %q, without %q", leaf.DNSNames, name)
		}
	}
	if name := leaf.Subject.CommonName; spec.CommonName != "" && name != strings.ToLower(spec.CommonName) ||
		!slices.Contains(leaf.DNSNames, name) {
		t.Errorf("the common name is %q, want %q", name, spec.CommonName)
	}
	if n := len(leaf.IPAddresses) + len(leaf.URIs) + len(leaf.EmailAddresses); n > 0 || len(leaf.Subject.Names) > 1 ||
		leaf.IsCA {
		t.Errorf("the certificate is for more than DNS names, or a CA: %v", leaf.Subject)
	}
}

// isValid checks that the certificate leads to the root, for a server, at this time, and that its end and its renewal
// are told.
func (i issued) isValid(t *testing.T, root []byte) {
	t.Helper()
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	options.Roots.AppendCertsFromPEM(root)
	for _, above := range i.chain[1:] {
		options.Intermediates.AddCert(above)
	}
	if _, err := i.chain[0].Verify(options); err != nil {
		t.Error(err)
	}
	s := i.certificate.Status
	if s.NotBefore == nil || s.NotAfter == nil || s.RenewalTime == nil {
		t.Fatalf("the Certificate does not say how long it is valid: %+v", s)
	}
	if !s.NotAfter.Time.Equal(i.chain[0].NotAfter) || !s.NotBefore.Time.Equal(i.chain[0].NotBefore) ||
		!s.RenewalTime.Before(s.NotAfter) || !s.NotBefore.Before(s.RenewalTime) {
		t.Errorf("the Certificate says %+v of what is valid from %s to %s", s, i.chain[0].NotBefore,
			i.chain[0].NotAfter)
	}
}

func (i issued) hasCommonName(t *testing.T, name string) {
	t.Helper()
	if got := i.certificate.Spec.CommonName; got != name {
		t.Errorf("the Certificate has the common name %q, want %q", got, name)
	}
}

// wasRequestedBy checks how the signing request was signed.
func (i issued) wasRequestedBy(t *testing.T, want x509.SignatureAlgorithm) {
	t.Helper()
	csr, err := pki.DecodeX509CertificateRequestBytes(i.request.Spec.Request)
	if err != nil {
		t.Fatal(err)
	}
	if csr.SignatureAlgorithm != want {
		t.Errorf("the signing request is signed by %s, want %s", csr.SignatureAlgorithm, want)
	}
}

func (i issued) isRenewedBefore(t *testing.T, want time.Duration) {
	t.Helper()
	if got := i.certificate.Status.NotAfter.Sub(i.certificate.Status.RenewalTime.Time); got != want {
		t.Errorf("the certificate is renewed %s before its end, want %s", got, want)
	}
}

// hasIntermediate checks that the chain does not end with the certificate, nor has a root, and that no CA is in the
// Secret beside it.
func (i issued) hasIntermediate(t *testing.T) {
	t.Helper()
	last := i.chain[len(i.chain)-1]
	if len(i.chain) < 2 || last.Subject.String() == last.Issuer.String() || i.secret.Data[cmmeta.TLSCAKey] != nil {
		t.Errorf("the chain has %d certificates, the last of which is %s by %s", len(i.chain), last.Subject,
			last.Issuer)
	}
}
