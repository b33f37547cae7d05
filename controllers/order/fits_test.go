// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"crypto/x509"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// Returns a run whose order CAS has just answered with this bundle.
func issued(t *testing.T, csr []byte, names []string, bundle []byte) *orderRun {
	order := &v1alpha1.AliyunOrder{}
	order.Generation = 3
	order.Spec.Request, order.Spec.DNSNames = csr, names
	order.Status.OrderID = "98987582437920968"
	order.Status.CASStateSince = &metav1.Time{Time: noon.Add(-certificateAfter)}
	order.Spec.CommonName, order.Spec.IssuerRef = names[0], v1alpha1.IssuerReference{Kind: "AliyunIssuer", Name: "cas"}
	order.Spec.Source.ResourcePlan = &v1alpha1.ResourcePlan{}
	order.Spec.Region, order.Spec.Credentials = v1alpha1.RegionChina, keyCredentials()
	run := runOf(order, noon)
	run.request = gen.Certified(csr)
	run.seen = &source.Observation{Phase: v1alpha1.PhaseIssued, Certificate: string(bundle)}
	remote := &access.Remote{Secrets: &credentials.Store{}, Clock: clocktesting.NewFakePassiveClock(noon)}
	r := New(Config{Sources: plans(remote, nil), Remote: remote})
	if _, err := r.open(run); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestAGoodCertificateIsTakenWithItsChain(t *testing.T) {
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	middle := root.Intermediate("middle")
	leaf := middle.Leaf(key, "www.example.com", "example.com")
	csr := certs.Request(t, key, "www.example.com", nil, nil)
	names := []string{"www.example.com", "example.com"}
	reversed := []*x509.Certificate{root.Certificate, middle.Certificate, leaf}

	run := issued(t, csr, names, certs.Bundle(reversed...))
	end := New(Config{}).issue(t.Context(), run)
	compare.Same(t, end.kind, outcomeWait)
	compare.Same(t, end.after, soon)
	compare.Same(t, string(run.order.Status.Certificate), string(certs.Bundle(leaf, middle.Certificate)))
	compare.Same(t, run.order.Status.NotAfter.UTC(), leaf.NotAfter)
	compare.Same(t, len(run.order.Status.Conditions), 0)
}

func TestWhatItsOwnerShouldKnowOfAGoodCertificateIsTold(t *testing.T) {
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	leaf := root.Leaf(key, "example.com", "WWW.example.com", "m.example.com")
	run := issued(t, certs.Request(t, key, "Example.COM", []string{"example.com", "M.example.com"}, nil),
		[]string{"example.com"}, certs.Bundle(leaf, root.Certificate))
	compare.Same(t, New(Config{}).issue(t.Context(), run).kind, outcomeWait)
	condition := func(kind, reason, message string) metav1.Condition {
		return metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message, ObservedGeneration: 3,
			LastTransitionTime: metav1.NewTime(noon),
		}
	}
	compare.Same(t, run.order.Status.Conditions, []metav1.Condition{
		condition("NamesAdded", "NamesAdded", "the CA added names that were not asked for: www.example.com, "+
			"m.example.com. "+
			`No order can ask for m.example.com beside "example.com", so do not list it in spec.dnsNames: `+
			"the Certificate shows Ready=False while it is renewed, though what it has goes on being valid, and is "+
			"ordered again once its request is gone"),
		condition("NamesRespelled", "NamesRespelled", "the certificate spells names in another way than they were "+
			"asked for: Example.COM, M.example.com. "+
			"Write them in lower case in the Certificate: otherwise cert-manager orders again once the request is gone"),
		condition("ChainIncomplete", "LeafOnly", "CAS gave the certificate without its intermediates: clients that "+
			"do not have them will not trust it"),
	})
	compare.Same(t, string(run.order.Status.Certificate), string(certs.Bundle(leaf)))
}

func TestNamesThatTheCAAddedAreToldWithWhatWorks(t *testing.T) {
	const otherwise = " in spec.dnsNames of the Certificate, which is then ordered anew. Otherwise the Certificate " +
		"shows Ready=False while it is renewed, " +
		"though what it has goes on being valid, and is ordered again once its request is gone"
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	for name, test := range map[string]struct {
		asked, issued []string
		opted         []v1alpha1.AdditionalName
		isBare        bool
		want          string
	}{
		"the issuer first": {[]string{"x.example.com"}, []string{"x.example.com", "www.x.example.com"}, nil, false,
			`www.x.example.com. First add WWW to spec.source.resourcePlan.additionalNames of the AliyunIssuer ` +
				`"cas", then list www.x.example.com` + otherwise},
		"the issuer has it": {[]string{"x.example.com"}, []string{"x.example.com", "www.x.example.com"},
			[]v1alpha1.AdditionalName{"WWW"}, false, "www.x.example.com. List www.x.example.com" + otherwise},
		"the base": {[]string{"*.example.com"}, []string{"*.example.com", "example.com"},
			[]v1alpha1.AdditionalName{"WWW"}, false, `example.com. First add WildcardBase to ` +
				`spec.source.resourcePlan.additionalNames of the AliyunIssuer "cas", then list example.com` +
				otherwise},
		"two of them": {[]string{"www.example.com"},
			[]string{"www.example.com", "example.com", "www.www.example.com"}, nil, false, `example.com, ` +
				`www.www.example.com. First add Apex, WWW to spec.source.resourcePlan.additionalNames of the ` +
				`AliyunIssuer "cas", then list example.com, www.www.example.com` + otherwise},
		"nobody has to listen": {[]string{"x.example.com"}, []string{"x.example.com", "www.x.example.com"}, nil, true,
			"www.x.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			csr := certs.Request(t, key, test.asked[0], test.asked, nil)
			run := issued(t, csr, test.asked, certs.Bundle(root.Leaf(key, test.issued...), root.Certificate))
			run.order.Spec.Source.ResourcePlan.AdditionalNames = test.opted
			if test.isBare {
				run.request = gen.Bare(csr)
			}
			compare.Same(t, New(Config{}).issue(t.Context(), run).kind, outcomeWait)
			at := slices.IndexFunc(run.order.Status.Conditions,
				func(c metav1.Condition) bool { return c.Type == "NamesAdded" })
			compare.Same(t, run.order.Status.Conditions[at].Message, "the CA added names that were not asked for: "+
				test.want)
		})
	}
}

func TestACertificateThatCannotBeUsedIsHeldAndNotOrderedAgain(t *testing.T) {
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	csr := certs.Request(t, key, "www.example.com", nil, nil)
	expired := certs.Certify(t, root, "www.example.com", key, func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{"www.example.com"}, noon.Add(-time.Second)
	})
	for why, given := range map[string][]byte{
		"CAS gave no PEM certificate": nil,
		"none of its certificates has the key of the request": certs.Bundle(
			root.Leaf(certs.NewKey(t), "www.example.com")),
		`it is not for "www.example.com" but for www.example.net`: certs.Bundle(root.Leaf(key, "www.example.net")),
		"it ended on 2026-11-23T11:59:59Z":                        certs.Bundle(expired),
	} {
		t.Run(why, func(t *testing.T) {
			run := issued(t, csr, []string{"www.example.com"}, given)
			end := New(Config{}).issue(t.Context(), run)
			want := hold(holdLongest, "InvalidCertificate", fmt.Sprintf(
				"CAS order 98987582437920968 is issued, and its certificate cannot be used: %s. It is not ordered "+
					"again by itself; "+
					"ask the support of Alibaba Cloud about the order, or delete the CertificateRequest to order anew",
				why))
			compare.Same(t, []any{end.kind, end.after, end.reason, end.message},
				[]any{want.kind, want.after, want.reason, want.message})
			if status := run.order.Status; status.Certificate != nil || status.NotAfter != nil ||
				!slices.Equal(status.Conditions, nil) {
				t.Errorf("the status has %+v", status)
			}
		})
	}
}
