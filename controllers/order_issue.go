// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// maxChain bounds the certificates of a chain, the leaf included.
const maxChain = 8

// issue takes the chain over. Only a wrong key, wrong names or wrong dates hold it: a new order would cost money and
// might end alike.
func (r *OrderReconciler) issue(ctx context.Context, run *orderRun) outcome {
	order := run.order
	leaf, chain, err := chainFor(order.Spec.Request, []byte(run.described.Certificate))
	if err == nil && len(chain) == 1 && order.Status.CertificateID != "" {
		leaf, chain = completed(ctx, run, leaf, chain)
	}
	if err == nil {
		err = fits(leaf, order.Spec.DNSNames, run.now)
	}
	if errors.Is(err, errOtherKey) && order.Status.IsPresumed() {
		return r.disprove(ctx, run, fmt.Sprintf("CAS order %s was presumed to be this one's, and its certificate has another key: it is left alone", order.Status.OrderID))
	}
	if err != nil {
		if order.Status.UnusableSince == nil {
			order.Status.UnusableSince = run.timestamp()
		}
		return stall(holdLongest, v1alpha1.ReasonInvalidCertificate, fmt.Sprintf(
			"CAS order %s is issued, and its certificate cannot be used: %v. It is not ordered again by itself; ask the support of Alibaba Cloud about the order, or delete the CertificateRequest to order anew",
			order.Status.OrderID, err))
	}
	if order.Status.IsPresumed() {
		order.Status.OrderIDBasis = v1alpha1.OrderIDByCertificate
	}
	order.Status.Certificate, order.Status.UnusableSince = encode(chain), nil
	notAfter := metav1.NewTime(leaf.NotAfter)
	order.Status.NotAfter = &notAfter
	run.remark(leaf, chain)
	return wait(soon)
}

// errOtherKey says that the certificate is not for the request, and so the order is not this one's.
var errOtherKey = errors.New("none of its certificates has the key of the request")

// disprove leaves an order alone that was presumed to be this one's and is somebody else's, and goes on looking.
func (r *OrderReconciler) disprove(ctx context.Context, run *orderRun, message string) outcome {
	if end := r.cleanUp(ctx, run); end.kind != outcomeProceed {
		return end
	}
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "NotThisOrder", "Issue", "%s", message)
	letGoOfID(&run.order.Status)
	return wait(soon)
}

// chainFor picks the leaf by the key of the signing request, and walks up from there: which certificates CAS gives,
// and in what order, is not documented (CAS contract §2, §10). A root is left out: those who trust it have it.
func chainFor(request, bundle []byte) (*x509.Certificate, []*x509.Certificate, error) {
	csr, err := pki.DecodeX509CertificateRequestBytes(request)
	if err != nil {
		return nil, nil, fmt.Errorf("the signing request of this order cannot be read: %w", err)
	}
	given := certificates(bundle)
	if len(given) == 0 {
		return nil, nil, fmt.Errorf("CAS gave no PEM certificate")
	}
	at := slices.IndexFunc(given, func(c *x509.Certificate) bool {
		same, err := pki.PublicKeysEqual(c.PublicKey, csr.PublicKey)
		return err == nil && same && !c.IsCA
	})
	if at < 0 {
		return nil, nil, errOtherKey
	}
	chain := []*x509.Certificate{given[at]}
	for top := given[at]; len(chain) < maxChain; {
		up := slices.IndexFunc(given, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(chain, c.Equal) && !isRoot(c) && top.CheckSignatureFrom(c) == nil
		})
		if up < 0 {
			break
		}
		top = given[up]
		chain = append(chain, top)
	}
	return given[at], chain, nil
}

// completed looks for the issuers of a lone leaf in the store of CAS. What cannot be had there is no reason to keep
// the leaf back.
func completed(ctx context.Context, run *orderRun, leaf *x509.Certificate, chain []*x509.Certificate) (*x509.Certificate, []*x509.Certificate) {
	stored, err := run.calls.Certificate(ctx, run.order.Status.CertificateID)
	if err != nil {
		return leaf, chain
	}
	again, longer, err := chainFor(run.order.Spec.Request, []byte(run.described.Certificate+"\n"+stored))
	if err != nil {
		return leaf, chain
	}
	return again, longer
}

// certificates are those of a bundle that can be read; other blocks are none of ours.
func certificates(bundle []byte) []*x509.Certificate {
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return found
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, certificate)
		}
	}
}

// isRoot says that a certificate is its own issuer. Its signature says nothing that its key does not, and cannot always be
// checked: roots of DigiCert and GlobalSign are signed with SHA-1.
func isRoot(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && (len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
}

// notBeforeSkew is how far the CA's clock may be ahead.
const notBeforeSkew = time.Hour

func fits(leaf *x509.Certificate, names []string, now time.Time) error {
	for _, name := range names {
		if !slices.Contains(lowered(leaf.DNSNames), strings.ToLower(name)) {
			return fmt.Errorf("it is not for %q but for %s", name, strings.Join(leaf.DNSNames, ", "))
		}
	}
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it ended on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	case leaf.NotBefore.After(now.Add(notBeforeSkew)):
		return fmt.Errorf("it begins only on %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

func lowered(names []string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, strings.ToLower(name))
	}
	return out
}

// remark takes down what its owner should know about a good certificate.
func (run *orderRun) remark(leaf *x509.Certificate, chain []*x509.Certificate) {
	added := slices.DeleteFunc(lowered(leaf.DNSNames), func(name string) bool { return slices.Contains(lowered(run.order.Spec.DNSNames), name) })
	if len(added) > 0 {
		run.condition(v1alpha1.ConditionNamesAdded, metav1.ConditionTrue, v1alpha1.ReasonNamesAdded, fmt.Sprintf(
			"the CA added names that were not asked for: %s. List them in spec.dnsNames of the Certificate: otherwise cert-manager orders again once the request is gone", strings.Join(added, ", ")))
	}
	if respelled := notAsWritten(run.order.Spec.Request, leaf.DNSNames); len(respelled) > 0 {
		run.condition(v1alpha1.ConditionNamesRespelled, metav1.ConditionTrue, v1alpha1.ReasonNamesRespelled, fmt.Sprintf(
			"the certificate spells names in another way than they were asked for: %s. Write them in lower case in the Certificate: otherwise cert-manager orders again once the request is gone", strings.Join(respelled, ", ")))
	}
	if len(chain) == 1 {
		run.condition(v1alpha1.ConditionChainIncomplete, metav1.ConditionTrue, v1alpha1.ReasonLeafOnly,
			"CAS gave the certificate without its intermediates: clients that do not have them will not trust it")
	}
}

// notAsWritten are the names of a request that are among others in other letters only. cert-manager compares them as they
// are written. A dot at the end of a name is refused before anything is ordered.
func notAsWritten(request []byte, names []string) []string {
	csr, err := pki.DecodeX509CertificateRequestBytes(request)
	if err != nil {
		return nil // nothing was ordered for it
	}
	asked := slices.Compact(slices.Sorted(slices.Values(append(csr.DNSNames, csr.Subject.CommonName))))
	return slices.DeleteFunc(asked, func(name string) bool {
		return slices.Contains(names, name) || !slices.Contains(lowered(names), strings.ToLower(name))
	})
}

func encode(chain []*x509.Certificate) []byte {
	var out []byte
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// condition sets a condition of the order, at the time of the run.
func (run *orderRun) condition(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&run.order.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: run.order.Generation, LastTransitionTime: *run.timestamp(),
	})
}
