// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// outcome is what a feature comes to.
type outcome string

const (
	served  outcome = "Served"
	warned  outcome = "Warned"
	leftOut outcome = "Left out"
	refusal outcome = "Refused"
)

// feature is something that a user can ask cert-manager for.
type feature struct {
	// id is the name of the Certificate, of its Secret, and the first label of its domain: of all of its domains the
	// end.
	id, title string
	want      outcome
	// note tells on the page what the words of the controller do not. What it says is asserted.
	note string
	// asks changes a Certificate that is served. domain is that of the feature.
	asks func(c *cmapi.Certificate, domain string)
	// shim is a manifest that cert-manager makes Certificates of, instead. ID and DOMAIN are put in.
	shim string
	// isFilled puts it into the namespace where the chart's policy fills the common name in.
	isFilled bool
	// follows does more once the Certificate is there, and returns the one and its revision that are observed.
	follows func(w *world, f feature) (name string, revision int)
	// earlier is how many orders are billed for what comes before.
	earlier int
	// also looks at a certificate that was issued.
	also func(t *testing.T, i issued)
	// keys are those that the Secret has beside tls.crt and tls.key.
	keys []string
}

func (f feature) domain() string { return f.id + "." + cassim.DefaultZone }

// has says that a domain is one of the feature's.
func (f feature) has(domain string) bool {
	return domain == f.domain() || strings.HasSuffix(domain, "."+f.domain())
}

// billed is how many orders the feature costs.
func (f feature) billed() int {
	if f.want == refusal {
		return f.earlier
	}
	return f.earlier + 1
}

// features are in the order of the page. Names of cert-manager's suite are in the titles.
var features = slices.Concat(nameFeatures, keyFeatures, contentFeatures, secretFeatures, shimFeatures, laterFeatures)

var nameFeatures = []feature{
	{id: "basic", title: "`commonName`, and `dnsNames` with the same name", want: served},
	{id: "cluster-issuer", title: "The same from an AliyunClusterIssuer", want: served,
		asks: func(c *cmapi.Certificate, _ string) {
			c.Spec.IssuerRef.Kind = v1alpha1.AliyunClusterIssuerKind
		}},
	{id: "only-san", title: "`OnlySAN`: `dnsNames` without `commonName`", want: refusal,
		asks: func(c *cmapi.Certificate, _ string) { c.Spec.CommonName = "" }},
	{
		id: "filled", title: "`OnlySAN` with the chart value `commonNamePolicy.enabled`", want: served, isFilled: true,
		note: "The API server has filled `commonName` in.",
		asks: func(c *cmapi.Certificate, _ string) { c.Spec.CommonName = "" },
		also: func(t *testing.T, i issued) { i.hasCommonName(t, "filled.example.com") },
	},
	{id: "common-name", title: "`CommonName`: a domain, without `dnsNames`", want: served,
		asks: func(c *cmapi.Certificate, _ string) { c.Spec.DNSNames = nil }},
	{id: "no-domain", title: "`CommonName`: what is no domain", want: refusal,
		asks: func(c *cmapi.Certificate, _ string) {
			c.Spec.CommonName, c.Spec.DNSNames = "test-common-name", nil
		}},
	{id: "distinct", title: "`CommonName`: another one than in `dnsNames`", want: refusal,
		asks: func(c *cmapi.Certificate, domain string) {
			c.Spec.DNSNames = []string{"a." + domain}
		}},
	{id: "two-names", title: "Two `dnsNames`, one of them the `commonName`", want: refusal,
		asks: func(c *cmapi.Certificate, domain string) {
			c.Spec.DNSNames = append(c.Spec.DNSNames, "a."+domain)
		}},
	{id: "capitals", title: "Names in capitals", want: warned, asks: func(c *cmapi.Certificate, domain string) {
		c.Spec.CommonName, c.Spec.DNSNames = strings.ToUpper(domain), []string{strings.ToUpper(domain)}
	}},
	{id: "long", title: "`LongDomain`: a label of 63 characters", want: refusal,
		asks: func(c *cmapi.Certificate, domain string) {
			c.Spec.CommonName, c.Spec.DNSNames = "", []string{strings.Repeat("a", 63) + "." + domain}
		}},
	{id: "wildcard-single", title: "`Wildcards`, with a product for single names", want: refusal, asks: wildcard},
	{id: "wildcard", title: "`Wildcards`, with a wildcard product", want: served,
		asks: func(c *cmapi.Certificate, domain string) {
			wildcard(c, domain)
			c.Spec.IssuerRef.Name = wildcards
		}},
	{
		id: "wildcard-base", title: "`Wildcards` and the name above, with `additionalNames: [WildcardBase]`",
		want: served,
		asks: func(c *cmapi.Certificate, domain string) {
			wildcard(c, domain)
			c.Spec.DNSNames, c.Spec.IssuerRef.Name = append(c.Spec.DNSNames, domain), wildcardsWithBase
		},
	},
	{id: "wildcard-base-not-opted", title: "`Wildcards` and the name above, without", want: refusal,
		asks: func(c *cmapi.Certificate, domain string) {
			wildcard(c, domain)
			c.Spec.DNSNames, c.Spec.IssuerRef.Name = append(c.Spec.DNSNames, domain), wildcards
		}},
	{id: "only-ip", title: "`IPAddresses` alone", want: refusal, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.CommonName, c.Spec.DNSNames, c.Spec.IPAddresses = "", nil, []string{"192.0.2.1"}
	}},
	{id: "ip", title: "`IPAddresses` beside a DNS name", want: refusal, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.IPAddresses = []string{"192.0.2.1"}
	}},
	{id: "only-uri", title: "`URISANs` alone", want: refusal, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.CommonName, c.Spec.DNSNames, c.Spec.URIs = "", nil, []string{"spiffe://cluster.local/ns/sandbox/sa/foo"}
	}},
	{id: "uri", title: "`URISANs` beside a common name", want: refusal, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.DNSNames, c.Spec.URIs = nil, []string{"spiffe://cluster.local/ns/sandbox/sa/foo"}
	}},
	{id: "only-email", title: "`EmailSANs` alone", want: refusal, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.CommonName, c.Spec.DNSNames, c.Spec.EmailAddresses = "", nil, []string{"alice@example.com"}
	}},
	{id: "other-names", title: "`OtherNames`, with an e-mail address", want: refusal,
		asks: func(c *cmapi.Certificate, _ string) {
			c.Spec.EmailAddresses = []string{"alice@example.com"}
			c.Spec.OtherNames = []cmapi.OtherName{{OID: "1.3.6.1.4.1.311.20.2.3", UTF8Value: "upn@domain.test"}}
		}},
}

// wildcard asks for all names below the domain.
func wildcard(c *cmapi.Certificate, domain string) {
	c.Spec.CommonName, c.Spec.DNSNames = "*."+domain, []string{"*." + domain}
}

var keyFeatures = []feature{
	{id: "rsa-4096", title: "RSA 4096, in PKCS #8", want: served, asks: withKey(cmapi.CertificatePrivateKey{
		Algorithm: cmapi.RSAKeyAlgorithm, Size: 4096, Encoding: cmapi.PKCS8,
	})},
	{id: "ecdsa", title: "`ECDSA`", want: served,
		asks: withKey(cmapi.CertificatePrivateKey{Algorithm: cmapi.ECDSAKeyAlgorithm})},
	{id: "p384", title: "`ECDSA`, P-384", want: refusal,
		asks: withKey(cmapi.CertificatePrivateKey{Algorithm: cmapi.ECDSAKeyAlgorithm, Size: 384})},
	{id: "ed25519", title: "`Ed25519`", want: refusal,
		asks: withKey(cmapi.CertificatePrivateKey{Algorithm: cmapi.Ed25519KeyAlgorithm})},
	{
		id: "signature", title: "`signatureAlgorithm`", want: served,
		note: "The signing request is signed with it. The CA decides how it signs the certificate.",
		asks: func(c *cmapi.Certificate, _ string) { c.Spec.SignatureAlgorithm = cmapi.SHA512WithRSA },
		also: func(t *testing.T, i issued) { i.wasRequestedBy(t, x509.SHA512WithRSA) },
	},
}

func withKey(key cmapi.CertificatePrivateKey) func(*cmapi.Certificate, string) {
	return func(c *cmapi.Certificate, _ string) { c.Spec.PrivateKey = &key }
}

var contentFeatures = []feature{
	{id: "duration", title: "`Duration`", want: warned, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.Duration = &metav1.Duration{Duration: 896 * time.Hour}
	}},
	{
		id: "renew-before", title: "`renewBefore`", want: served,
		note: "`status.renewalTime` of the Certificate is that long before the end of what was issued.",
		asks: func(c *cmapi.Certificate, _ string) { c.Spec.RenewBefore = &metav1.Duration{Duration: 480 * time.Hour} },
		also: func(t *testing.T, i issued) { i.isRenewedBefore(t, 480*time.Hour) },
	},
	{id: "key-usages", title: "`KeyUsages`: `data encipherment` and `client auth` beside the usual ones", want: warned,
		asks: withUsages(
			cmapi.UsageSigning, cmapi.UsageDataEncipherment, cmapi.UsageServerAuth, cmapi.UsageClientAuth)},
	{id: "client-auth", title: "`KeyUsages`: `client auth` alone", want: refusal,
		asks: withUsages(cmapi.UsageDigitalSignature, cmapi.UsageClientAuth)},
	{id: "code-signing", title: "`KeyUsages`: `code signing`", want: refusal,
		asks: withUsages(cmapi.UsageDigitalSignature, cmapi.UsageCodeSigning)},
	{
		id: "no-usages", title: "`encodeUsagesInRequest: false`", want: served,
		asks: func(c *cmapi.Certificate, _ string) { c.Spec.EncodeUsagesInRequest = new(false) },
	},
	{id: "subject", title: "`subject`", want: warned, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.Subject = &cmapi.X509Subject{Organizations: []string{"Corp."}, Countries: []string{"CN"}}
	}},
	{id: "literal-subject", title: "`LiteralCertificateSubject` with more than a common name", want: warned,
		asks: func(c *cmapi.Certificate, domain string) {
			c.Spec.CommonName, c.Spec.LiteralSubject = "", "CN="+domain+",OU=Dept.,O=Corp."
		}},
	{id: "issue-ca", title: "`IssueCA`: `isCA`", want: refusal, asks: func(c *cmapi.Certificate, _ string) {
		c.Spec.IsCA = true
	}},
	{id: "constraints", title: "`nameConstraints`, which need `isCA`", want: refusal,
		asks: func(c *cmapi.Certificate, domain string) {
			c.Spec.IsCA = true
			c.Spec.NameConstraints = &cmapi.NameConstraints{
				Critical: true, Permitted: &cmapi.NameConstraintItem{DNSDomains: []string{domain}}}
		}},
}

func withUsages(usages ...cmapi.KeyUsage) func(*cmapi.Certificate, string) {
	return func(c *cmapi.Certificate, _ string) { c.Spec.Usages = usages }
}

var secretFeatures = []feature{
	{
		id: "save-ca", title: "`SaveCAToSecret`, `SaveRootCAToSecret`", want: leftOut,
		note: "The Secret has no `ca.crt`. The intermediate CA is in `tls.crt`.",
		also: func(t *testing.T, i issued) { i.hasIntermediate(t) },
	},
	{
		id: "output-formats", title: "`additionalOutputFormats`: `DER` and `CombinedPEM`", want: served,
		note: "The Secret has `key.der` and `tls-combined.pem`, too.",
		asks: func(c *cmapi.Certificate, _ string) {
			c.Spec.AdditionalOutputFormats = []cmapi.CertificateAdditionalOutputFormat{
				{Type: cmapi.CertificateOutputFormatDER}, {Type: cmapi.CertificateOutputFormatCombinedPEM}}
		},
		keys: []string{cmapi.CertificateOutputFormatDERKey, cmapi.CertificateOutputFormatCombinedPEMKey},
	},
	{
		id: "keystores", title: "`keystores`: PKCS #12", want: served, note: "The Secret has `keystore.p12`, too.",
		asks: func(c *cmapi.Certificate, _ string) {
			c.Spec.Keystores = &cmapi.CertificateKeystores{
				PKCS12: &cmapi.PKCS12Keystore{Create: true, Password: new("changeit")}}
		},
		keys: []string{cmapi.PKCS12SecretKey},
	},
	{
		id: "template", title: "`secretTemplate`", want: served, note: "The Secret has the labels of the template.",
		asks: func(c *cmapi.Certificate, _ string) {
			c.Spec.SecretTemplate = &cmapi.CertificateSecretTemplate{Labels: map[string]string{"team": "shop"}}
		},
		also: func(t *testing.T, i issued) {
			if i.secret.Labels["team"] != "shop" {
				t.Errorf("the labels of the Secret are %v", i.secret.Labels)
			}
		},
	},
}

var laterFeatures = []feature{
	{
		id: "reuse-key", title: "`ReusePrivateKey`: the certificate is taken out of its Secret, with " +
			"`rotationPolicy: Never`", want: served,
		note: "The certificate that was paid for is delivered again, with its key, and none is bought.",
		asks: withKey(cmapi.CertificatePrivateKey{RotationPolicy: cmapi.RotationPolicyNever}),
		follows: func(w *world, f feature) (string, int) {
			w.untilIssued(f.id, 1)
			before := w.secret(f.id)
			w.get(before)
			secret := w.secret(f.id)
			w.edit(secret, func() { secret.Data[corev1.TLSCertKey] = []byte{} })
			w.untilIssued(f.id, 2)
			after := w.secret(f.id)
			w.get(after)
			for _, key := range []string{corev1.TLSPrivateKeyKey, corev1.TLSCertKey} {
				if !bytes.Equal(before.Data[key], after.Data[key]) {
					w.T.Errorf("the Secret has another %s than before", key)
				}
			}
			return f.id, 2
		},
	},
	{
		id: "added-name", title: "A name that is added to the `dnsNames` of an issued Certificate", want: refusal,
		earlier: 1,
		note:    "The Secret keeps the certificate that it has.",
		follows: func(w *world, f feature) (string, int) {
			w.untilIssued(f.id, 1)
			certificate := w.certificate(f.id)
			w.edit(certificate, func() {
				certificate.Spec.DNSNames = append(certificate.Spec.DNSNames, "a."+f.domain())
			})
			return f.id, 2
		},
	},
}

// The issuers that have wildcard products. The brand of the second adds the base name to what it issues.
const (
	wildcards, wildcardProduct                 = "wildcards", "globalsign-dv-w-advanced"
	wildcardsWithBase, wildcardProductWithBase = "wildcards-with-base", "geotrust-dv-w-starter"
)

func forWildcards(name, product string, additional ...v1alpha1.AdditionalName) func(*v1alpha1.AliyunIssuer) {
	return func(i *v1alpha1.AliyunIssuer) {
		i.Name = name
		i.Spec.Source.ResourcePlan.ProductCode, i.Spec.Source.ResourcePlan.AdditionalNames = product, additional
	}
}

// certificate is what a user writes who asks for a feature.
func (f feature) certificate(namespace string) *cmapi.Certificate {
	c := &cmapi.Certificate{
		ObjectMeta: metav1.ObjectMeta{Name: f.id, Namespace: namespace},
		Spec: cmapi.CertificateSpec{
			CommonName: f.domain(), DNSNames: []string{f.domain()}, SecretName: f.id,
			IssuerRef: cmmeta.IssuerReference{Group: v1alpha1.Group, Kind: v1alpha1.AliyunIssuerKind,
				Name: gen.IssuerName},
		},
	}
	if f.asks != nil {
		f.asks(c, f.domain())
	}
	return c
}
