// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/x509"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

func TestACertificateFitsByNamesAndDates(t *testing.T) {
	leaf := func(sans ...string) *x509.Certificate {
		return &x509.Certificate{DNSNames: sans, NotBefore: noon, NotAfter: noon.Add(time.Hour)}
	}
	tests := map[string]struct {
		leaf  *x509.Certificate
		names []string
		now   time.Time
		want  string
	}{
		"the name":                    {leaf("www.example.com"), []string{"www.example.com"}, noon, ""},
		"the name in other letters":   {leaf("WWW.example.com"), []string{"www.Example.COM"}, noon, ""},
		"more names":                  {leaf("a.example.com", "www.example.com"), []string{"www.example.com"}, noon, ""},
		"another name":                {leaf("a.example.com", "b.example.com"), []string{"www.example.com"}, noon, `it is not for "www.example.com" but for a.example.com, b.example.com`},
		"one of two names":            {leaf("example.com"), []string{"example.com", "www.example.com"}, noon, `it is not for "www.example.com" but for example.com`},
		"a wildcard is another name":  {leaf("*.example.com"), []string{"www.example.com"}, noon, `it is not for "www.example.com" but for *.example.com`},
		"the wildcard":                {leaf("*.example.com"), []string{"*.example.com"}, noon, ""},
		"the last second":             {leaf("example.com"), []string{"example.com"}, noon.Add(time.Hour), ""},
		"after the end":               {leaf("example.com"), []string{"example.com"}, noon.Add(time.Hour + time.Second), "it ended on 2026-11-23T13:00:00Z"},
		"a clock ahead":               {leaf("example.com"), []string{"example.com"}, noon.Add(-time.Hour), ""},
		"a beginning tomorrow":        {leaf("example.com"), []string{"example.com"}, noon.Add(-time.Hour - time.Second), "it begins only on 2026-11-23T12:00:00Z"},
		"names are told before dates": {leaf("a.example.com"), []string{"example.com"}, noon.Add(2 * time.Hour), `it is not for "example.com" but for a.example.com`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { wantText(t, fits(test.leaf, test.names, test.now), test.want) })
	}
}

// issued is a run whose order CAS has just answered with this bundle.
func issued(csr []byte, names []string, bundle []byte) *orderRun {
	order := &v1alpha1.AliyunOrder{}
	order.Generation = 3
	order.Spec.Request, order.Spec.DNSNames = csr, names
	order.Status.OrderID = "98987582437920968"
	return &orderRun{order: order, now: noon, described: &cas.Order{State: cas.StateCertificate, Certificate: string(bundle)}}
}

func TestAGoodCertificateIsTakenWithItsChain(t *testing.T) {
	key, root := newKey(t), newRoot(t, "root")
	middle := root.authority("middle")
	leaf := middle.leaf(key, "www.example.com", "example.com")
	csr := request(t, key, "www.example.com", nil, nil)
	names := []string{"www.example.com", "example.com"}
	reversed := []*x509.Certificate{root.cert, middle.cert, leaf}

	run := issued(csr, names, bundle(reversed...))
	end := (&OrderReconciler{}).issue(t.Context(), run)
	wantSame(t, end.kind, outcomeWait)
	wantSame(t, end.after, soon)
	wantSame(t, string(run.order.Status.Certificate), string(bundle(leaf, middle.cert)))
	wantSame(t, run.order.Status.NotAfter.UTC(), leaf.NotAfter)
	wantSame(t, len(run.order.Status.Conditions), 0)
}

func TestWhatItsOwnerShouldKnowOfAGoodCertificateIsTold(t *testing.T) {
	key, root := newKey(t), newRoot(t, "root")
	leaf := root.leaf(key, "example.com", "WWW.example.com", "m.example.com")
	run := issued(request(t, key, "Example.COM", []string{"example.com", "M.example.com"}, nil), []string{"example.com"}, bundle(leaf, root.cert))
	wantSame(t, (&OrderReconciler{}).issue(t.Context(), run).kind, outcomeWait)
	condition := func(kind, reason, message string) metav1.Condition {
		return metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message, ObservedGeneration: 3, LastTransitionTime: metav1.NewTime(noon),
		}
	}
	wantSame(t, run.order.Status.Conditions, []metav1.Condition{
		condition("NamesAdded", "NamesAdded", "the CA added names that were not asked for: www.example.com, m.example.com. "+
			"List them in spec.dnsNames of the Certificate: otherwise cert-manager orders again once the request is gone"),
		condition("NamesRespelled", "NamesRespelled", "the certificate spells names in another way than they were asked for: Example.COM, M.example.com. "+
			"Write them in lower case in the Certificate: otherwise cert-manager orders again once the request is gone"),
		condition("ChainIncomplete", "LeafOnly", "CAS gave the certificate without its intermediates: clients that do not have them will not trust it"),
	})
	wantSame(t, string(run.order.Status.Certificate), string(bundle(leaf)))
}

func TestACertificateThatCannotBeUsedIsHeldAndNotOrderedAgain(t *testing.T) {
	key, root := newKey(t), newRoot(t, "root")
	csr := request(t, key, "www.example.com", nil, nil)
	expired := certify(t, root, "www.example.com", key, func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{"www.example.com"}, noon.Add(-time.Second)
	})
	for why, given := range map[string][]byte{
		"CAS gave no PEM certificate":                             nil,
		"none of its certificates has the key of the request":     bundle(root.leaf(newKey(t), "www.example.com")),
		`it is not for "www.example.com" but for www.example.net`: bundle(root.leaf(key, "www.example.net")),
		"it ended on 2026-11-23T11:59:59Z":                        bundle(expired),
	} {
		t.Run(why, func(t *testing.T) {
			run := issued(csr, []string{"www.example.com"}, given)
			end := (&OrderReconciler{}).issue(t.Context(), run)
			want := stall(holdLongest, "InvalidCertificate", fmt.Sprintf(
				"CAS order 98987582437920968 is issued, and its certificate cannot be used: %s. It is not ordered again by itself; "+
					"ask the support of Alibaba Cloud about the order, or delete the CertificateRequest to order anew", why))
			wantSame(t, []any{end.kind, end.after, end.reason, end.message}, []any{want.kind, want.after, want.reason, want.message})
			if status := run.order.Status; status.Certificate != nil || status.NotAfter != nil || !slices.Equal(status.Conditions, nil) {
				t.Errorf("the status has %+v", status)
			}
		})
	}
}
