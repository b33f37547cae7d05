// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "fmt"

// account is a customer with what has changed since the options were read.
type account struct {
	id       string
	packages map[string]*plan // by product code
	roles    map[string]*role // by name
	// providers are those of OIDC, by name.
	providers map[string]OIDCProvider
	contacts  []contact
}

// plan is a resource plan. A certificate is reserved at submission and given back by DeleteCertificateRequest; what
// UsedCount shows is another matter (knob usedCount).
type plan struct {
	total    int
	reserved int
	used     int // as UsedCount shows it
	issued   int
}

type key struct {
	Key
	account *account
	denied  map[string]bool
	session *session // of a role; nil for the account itself and its users
}

func (s *Server) addAccount(a Account) {
	added := &account{
		id: a.ID, packages: map[string]*plan{}, roles: map[string]*role{}, providers: map[string]OIDCProvider{},
		contacts: []contact{{DefaultContact, "Test Person", "person@example.com", "13800000000"}},
	}
	if s.accounts[a.ID] != nil {
		panic("cassim: two accounts have the id " + a.ID)
	}
	s.accounts[a.ID] = added
	for product, total := range a.Packages {
		added.packages[product] = &plan{total: total}
	}
	for _, k := range a.Keys {
		s.addKey(added, k)
	}
	for _, r := range a.Roles {
		s.addRole(added, r)
	}
	for _, p := range a.OIDCProviders {
		added.addProvider(p)
	}
	for _, zone := range a.Zones {
		if s.zones.byName[canonical(zone)] != nil {
			panic("cassim: two accounts have the zone " + zone)
		}
		s.zones.add(zone, a.ID, s.now())
	}
}

func (s *Server) addKey(a *account, k Key) {
	if s.keys[k.ID] != nil {
		panic("cassim: two keys have the id " + k.ID)
	}
	added := &key{Key: k, account: a, denied: map[string]bool{}}
	for _, action := range k.Denied {
		added.denied[action] = true
	}
	s.keys[k.ID] = added
}

// changeKey panics for a key that does not exist, which is a mistake in a test.
func (s *Server) changeKey(id string, change func(*key)) {
	if !s.tryChangeKey(id, change) {
		panic(fmt.Sprintf("cassim: there is no key %q", id))
	}
}

func (s *Server) tryChangeKey(id string, change func(*key)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[id]
	if k != nil {
		change(k)
	}
	return k != nil
}

// DenyAction takes the permission for an action from a key's user.
func (s *Server) DenyAction(keyID, action string) {
	s.changeKey(keyID, func(k *key) { k.denied[action] = true })
}

// AllowAction gives the permission for an action back to a key's user.
func (s *Server) AllowAction(keyID, action string) {
	s.changeKey(keyID, func(k *key) { delete(k.denied, action) })
}

// SetKeyDisabled has requests of the key refused, or accepted again.
func (s *Server) SetKeyDisabled(keyID string, disabled bool) {
	s.changeKey(keyID, func(k *key) { k.Disabled = disabled })
}

// ExpireToken ends a temporary key now, by the clock of the gateway. It panics for a permanent key, which has no end.
func (s *Server) ExpireToken(keyID string) {
	if !s.expireToken(keyID) {
		panic(fmt.Sprintf("cassim: there is no temporary key %q", keyID))
	}
}

func (s *Server) expireToken(keyID string) (isTemporary bool) {
	s.tryChangeKey(keyID, func(k *key) {
		if isTemporary = k.SecurityToken != ""; isTemporary {
			k.ExpiresAt = s.gatewayNow()
		}
	})
	return isTemporary
}

// RotateKey replaces a key of an account by another: the old one no longer exists.
func (s *Server) RotateKey(keyID string, replacement Key) {
	s.changeKey(keyID, func(k *key) {
		delete(s.keys, keyID)
		s.addKey(k.account, replacement)
	})
}

// SetPackage sets what the first account has bought of a product, and how much of it is used up.
func (s *Server) SetPackage(product string, total, used int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	packages := s.accounts[s.opts.Accounts[0].ID].packages
	if packages[product] == nil {
		packages[product] = &plan{}
	}
	p := packages[product]
	p.total, p.reserved, p.used = total, used, used
}

// RemovePackage takes the plan of a product from the first account.
func (s *Server) RemovePackage(product string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts[s.opts.Accounts[0].ID].packages, product)
}

// UsedCount is what DescribePackageState tells the first account of a product. It is 0 without a plan.
func (s *Server) UsedCount(productCode string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.accounts[s.opts.Accounts[0].ID].packages[productCode]; p != nil {
		return p.used
	}
	return 0
}
