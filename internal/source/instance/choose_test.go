// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
)

const day = 24 * time.Hour

// choosing is a session of an order for these names, with an issuer that says nothing more.
func choosing(t *testing.T, names ...string) *session {
	t.Helper()
	s := applied(certs.Request(t, certs.NewKey(t), names[0], names, nil), 0)
	s.Order.Namespace = "web"
	s.Order.Spec.CommonName, s.Order.Spec.DNSNames = names[0], names
	s.Order.Spec.Source.Instance = &v1alpha1.Instance{}
	s.spec = s.Order.Spec.Source.Instance
	return s
}

// issuedFor is an instance whose certificate lives for 90 days, 60 of which are over.
func issuedFor(names ...string) casinstance.Instance {
	return casinstance.Instance{ID: "i", Status: casinstance.StatusNormal, CertificateID: "7", Names: names,
		CertificateStatus:    casinstance.CertificateIssued,
		CertificateNotBefore: noon.Add(-60 * day), CertificateNotAfter: noon.Add(30 * day),
		TermEnd: noon.Add(200 * day)}
}

// TestAnInstanceSuitsByWhatItHas ranks instances for an order for two names.
func TestAnInstanceSuitsByWhatItHas(t *testing.T) {
	with := func(change func(*casinstance.Instance)) casinstance.Instance {
		seen := issuedFor("b.example.com", "a.example.com")
		change(&seen)
		return seen
	}
	for name, test := range map[string]struct {
		seen casinstance.Instance
		want int
	}{
		"it has the certificate": {issuedFor("b.example.com", "a.example.com"), rankRenewed},
		"it has another one":     {issuedFor("a.example.com"), rankNone},
		"it is applied with": {with(func(i *casinstance.Instance) { i.Status = casinstance.StatusPending }),
			rankNone},
		"its certificate is young": {with(func(i *casinstance.Instance) {
			i.CertificateNotBefore = noon.Add(-10 * day)
			i.CertificateNotAfter = noon.Add(80 * day)
		}), rankNone},
		"its certificate has ended": {with(func(i *casinstance.Instance) {
			i.CertificateNotAfter = noon.Add(-day)
		}), rankRenewed},
		"its term has 30 days left": {with(func(i *casinstance.Instance) { i.TermEnd = noon.Add(30 * day) }),
			rankRenewed},
		"its term has 29 days left": {with(func(i *casinstance.Instance) { i.TermEnd = noon.Add(29 * day) }), rankNone},
		"its term ends soon, by the word of CAS": {with(func(i *casinstance.Instance) {
			i.Status = casinstance.StatusWillExpire
		}), rankRenewed},
		"it is new":               {casinstance.Instance{Status: casinstance.StatusInactive}, rankUnused},
		"it is not listed":        {casinstance.Instance{}, rankUnused},
		"it was given back":       {casinstance.Instance{Status: casinstance.StatusNormal}, rankGivenBack},
		"it has ended":            {casinstance.Instance{Status: casinstance.StatusClosed}, rankNone},
		"it says something new":   {casinstance.Instance{Status: "frozen"}, rankNone},
		"it is new and was asked": {casinstance.Instance{Status: casinstance.StatusPending}, rankNone},
	} {
		if got := choosing(t, "a.example.com", "b.example.com").rank(&test.seen); got != test.want {
			t.Errorf("%s: it has the rank %d, want %d", name, got, test.want)
		}
	}
}

func TestACertificateIsRenewedForItsOwnNamespace(t *testing.T) {
	delivered := func(namespace, certificate string) []v1alpha1.AliyunOrder {
		order := v1alpha1.AliyunOrder{}
		order.Namespace, order.Status.CertificateID = namespace, certificate
		return []v1alpha1.AliyunOrder{order}
	}
	for name, test := range map[string]struct {
		tags   map[string]string
		others []v1alpha1.AliyunOrder
		want   bool
	}{
		"nobody's":                    {nil, nil, false},
		"by its tags":                 {map[string]string{tagCluster: "ours", tagNamespace: "web"}, nil, true},
		"of another namespace":        {map[string]string{tagCluster: "ours", tagNamespace: "shop"}, nil, false},
		"of another cluster":          {map[string]string{tagCluster: "theirs", tagNamespace: "web"}, nil, false},
		"by its Order":                {nil, delivered("web", "7"), true},
		"an Order of another one":     {nil, delivered("shop", "7"), false},
		"an Order with what was then": {nil, delivered("web", "6"), false},
	} {
		seen := &casinstance.Detail{Instance: issuedFor("a.example.com"), Tags: test.tags}
		if got := choosing(t, "a.example.com").isOwn(seen, test.others); got != test.want {
			t.Errorf("%s: it is renewed: %t", name, got)
		}
	}
}

// TestInstancesAreTriedInOrder has the one that ends first before others of its kind, and those that refused last.
func TestInstancesAreTriedInOrder(t *testing.T) {
	s := choosing(t, "a.example.com")
	renewed, late, soon, small := issuedFor("a.example.com"), casinstance.Instance{ID: "late"},
		casinstance.Instance{ID: "soon"}, casinstance.Instance{ID: "wild", WildcardNames: 1}
	for _, unused := range []*casinstance.Instance{&late, &soon, &small} {
		unused.Status, unused.BoughtUntil = casinstance.StatusInactive, noon.Add(300*day)
	}
	soon.BoughtUntil = noon.Add(40 * day)
	order := func() (ids []string) {
		for _, candidate := range s.inOrder([]casinstance.Instance{late, small, renewed, soon}) {
			ids = append(ids, string(candidate.ID))
		}
		return ids
	}
	if got := order(); fmt.Sprint(got) != "[i soon late]" {
		t.Errorf("they are tried as %v", got)
	}
	s.noteRefused("i")
	if got := order(); fmt.Sprint(got) != "[soon late i]" {
		t.Errorf("after a refusal, they are tried as %v", got)
	}
}
