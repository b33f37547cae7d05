// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const (
	zone = cassim.DefaultZone
	// otherProduct is one that issuers change to.
	otherProduct = "geotrust-dv-1-starter"
	wildProduct  = "geotrust-dv-w-starter"
)

// domains are few, so that orders get in each other's way. The first two are one name for brands that add www.
var domains = []string{"www.example.com", "example.com", "www.example.com", "api.example.com"}

// secret is an AccessKey, and where it is.
type secret struct {
	namespace, name string
	account         int
	keyID           string
}

// party is an issuer, and whom it serves.
type party struct {
	namespace, issuer string
	key               *secret
	// dns is the key for the zone, which one account has.
	dns      *secret
	products []string
	domains  []string
	// perDay is how many orders of the namespace a day may be, or 0. isEditedAmid says that this was told while a run
	// was held, and counted are the requests whose orders had been submitted by then: each counts once, however often
	// it is submitted.
	perDay       int
	isEditedAmid bool
	counted      map[types.UID]bool
}

// account is the number of the account that pays.
func (p *party) account() int { return p.key.account }

// isWild says that it asks for wildcard names.
func (p *party) isWild() bool { return strings.HasPrefix(p.domains[0], "*.") }

// newParties are four issuers: that of the first tenant, one beside it for wildcard names from the same account, one
// for names of the same from another account, and that of a second tenant, who has the first account, too.
func (w *world) newParties() {
	w.tenants = []string{w.Namespace, w.AddNamespace()}
	first := &secret{namespace: w.tenants[0], name: gen.SecretName}
	away := &secret{namespace: w.tenants[0], name: "other-key", account: 1}
	second := &secret{namespace: w.tenants[1], name: gen.SecretName}
	w.secrets = []*secret{first, away, second}
	w.parties = []*party{
		{namespace: w.tenants[0], issuer: gen.IssuerName, key: first, dns: first,
			products: []string{gen.Product, otherProduct}, domains: domains},
		{namespace: w.tenants[0], issuer: "wild", key: first, dns: first, products: []string{wildProduct},
			domains: []string{"*.example.com"}},
		{namespace: w.tenants[0], issuer: "away", key: away, dns: first, products: []string{gen.Product},
			domains: domains[:2]},
		{namespace: w.tenants[1], issuer: gen.IssuerName, key: second, dns: second,
			products: []string{gen.Product, otherProduct}, domains: domains[:2]},
	}
}

// accounts are those of Alibaba Cloud.
func (w *world) accounts() []cassim.Account {
	plans := map[string]int{gen.Product: 20, otherProduct: 20, wildProduct: 20}
	return []cassim.Account{
		{ID: accountIDs[0], Packages: plans, Zones: []string{zone}, Keys: []cassim.Key{w.newKey(0), w.newKey(0)}},
		{ID: accountIDs[1], Packages: map[string]int{gen.Product: 1000}, Keys: []cassim.Key{w.newKey(1)}},
	}
}

var accountIDs = []string{"1000000000000001", "1000000000000002"}

// openParties gives each its Secret and its issuer.
func (w *world) openParties(accounts []cassim.Account) {
	w.newParties()
	w.secrets[0].keyID, w.secrets[1].keyID, w.secrets[2].keyID = accounts[0].Keys[0].ID, accounts[1].Keys[0].ID,
		accounts[0].Keys[1].ID
	for _, s := range w.secrets[1:] {
		w.Create(s.object(s.keyID)) // the first one is there
	}
	w.tellSecret(w.secrets[0], w.secrets[0].keyID)
	for _, p := range w.parties {
		w.Create(gen.Issuer(p.namespace, w.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
			i.Name = p.issuer
			i.Spec.Orders = &v1alpha1.OrderPolicy{MaxPerDay: new(int32(5))}
			w.sources[0].sell(w, p, &i.Spec)
			i.Spec.Credentials.AccessKeySecretRef.Name = p.key.name
			i.Spec.Solvers = w.alidns(p)
			if p == w.parties[0] && w.chance(30) {
				i.Spec.Account, w.isExclusive = v1alpha1.AccountExclusive, true
			}
		}))
	}
}

// alidns are solvers that write into the zone.
func (w *world) alidns(p *party) []v1alpha1.Solver {
	solver := &v1alpha1.AlidnsSolver{Endpoint: &v1alpha1.Endpoint{URL: w.Simulator.URL()}}
	if p.dns != p.key {
		solver.Credentials = &v1alpha1.Credentials{
			AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
				SecretReference: v1alpha1.SecretReference{Name: p.dns.name}}}
	}
	return []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Alidns: solver}}}
}

// partyOf is who has made an Order.
func (w *world) partyOf(order *v1alpha1.AliyunOrder) *party {
	for _, p := range w.parties {
		if p.namespace == order.Namespace && p.issuer == order.Spec.IssuerRef.Name {
			return p
		}
	}
	return nil
}

// partyWith is one that has the account of a purchase, and asks for names of its kind, or nil.
func (w *world) partyWith(bought *env.Purchase) *party {
	for _, p := range w.living() {
		if p.account() == w.accountOf(bought) && p.isWild() == strings.HasPrefix(bought.Domain, "*.") {
			return p
		}
	}
	return nil
}

// living are the parties whose namespace is there.
func (w *world) living() []*party {
	var found []*party
	for _, p := range w.parties {
		if !w.gone[p.namespace] {
			found = append(found, p)
		}
	}
	return found
}

// files are those that people publish on the web server of all names.
type files struct {
	*httptest.Server
	mutex sync.Mutex
	texts map[string]string
}

func newFiles() *files {
	f := &files{texts: map[string]string{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		f.mutex.Lock()
		text, isThere := f.texts[baseName(r.Host)+r.URL.Path]
		f.mutex.Unlock()
		if !isThere {
			http.NotFound(rw, r)
			return
		}
		_, _ = rw.Write([]byte(text))
	}))
	return f
}

func (f *files) publish(domain, path, text string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.texts[baseName(domain)+path] = text
}

// baseName is a name without what brands add to it or take for the same.
func baseName(name string) string { return strings.TrimPrefix(strings.TrimPrefix(name, "*."), "www.") }
