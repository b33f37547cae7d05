// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Words of InstanceType.
const (
	InstanceBought = "BUY"
	InstanceTest   = "TEST"
)

// DefaultContact is the contact that every account has.
const DefaultContact int64 = 86400001

// NewInstance is what somebody buys. The zero value is a free TEST instance, which serves one name and is of DigiCert.
type NewInstance struct {
	// AccountID is who buys. The default is the first account.
	AccountID string `json:"accountID"`
	// Type is InstanceBought or InstanceTest. The default is InstanceTest.
	Type string `json:"type"`
	// Spec is brand.grade.kind, with f for single names, w for wildcards, t for tests, m for several. The default is
	// ss.dv.t.
	Spec string `json:"spec"`
	// Brand is DigiCert, GeoTrust, Alibaba and the like. The default is DigiCert.
	Brand string `json:"brand"`
	// CertificateType is DV, OV or EV. The default is DV.
	CertificateType string `json:"certificateType"`
	// SingleNames and WildcardNames are how many names of either kind the instance serves. Both 0 are one single name.
	SingleNames   int `json:"singleNames"`
	WildcardNames int `json:"wildcardNames"`
	// Months is the term. The default is 3 for tests, else 12.
	Months int `json:"months"`
	// Name is the CertificateName that it has from the first. The default is its id.
	Name string `json:"name"`
	// Contact is one that the instance has from the first. 0 is none.
	Contact int64 `json:"contact"`
	// ResourceGroup is the id of its resource group. The default is that of the account.
	ResourceGroup string `json:"resourceGroup"`
	// Tags are those that it has from the first.
	Tags map[string]string `json:"tags"`
}

const defaultResourceGroup = "rg-acfmdefault0001"

func (n NewInstance) withDefaults() NewInstance {
	n.Type = cmp.Or(n.Type, InstanceTest)
	n.Spec = cmp.Or(n.Spec, "ss.dv.t")
	n.Brand = cmp.Or(n.Brand, "DigiCert")
	n.CertificateType = cmp.Or(n.CertificateType, "DV")
	n.ResourceGroup = cmp.Or(n.ResourceGroup, defaultResourceGroup)
	if n.SingleNames == 0 && n.WildcardNames == 0 {
		n.SingleNames = 1
	}
	if n.Months == 0 {
		n.Months = map[string]int{InstanceTest: 3}[n.Type]
	}
	n.Months = cmp.Or(n.Months, 12)
	return n
}

// AddInstance buys an instance, and returns its id. It panics if there is no such account, type or contact.
func (s *Server) AddInstance(wanted NewInstance) (id string) {
	id, err := s.tryAddInstance(wanted)
	if err != nil {
		panic("cassim: " + err.Error())
	}
	return id
}

func (s *Server) tryAddInstance(wanted NewInstance) (id string, err error) {
	wanted = wanted.withDefaults()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	account := s.accounts[cmp.Or(wanted.AccountID, s.opts.Accounts[0].ID)]
	switch {
	case account == nil:
		return "", fmt.Errorf("there is no account %q", wanted.AccountID)
	case wanted.Type != InstanceBought && wanted.Type != InstanceTest:
		return "", fmt.Errorf("there is no type of instance %q", wanted.Type)
	case wanted.SingleNames < 0 || wanted.WildcardNames < 0 || wanted.Months < 0:
		return "", fmt.Errorf("an instance cannot have less than nothing")
	case wanted.Contact != 0 && !account.hasContact(wanted.Contact):
		return "", fmt.Errorf("there is no contact %d", wanted.Contact)
	}
	i := &subscription{
		NewInstance: wanted, account: account, boughtAt: s.now(), settled: InstanceInactive, upgradeStatus: "none",
		form: form{
			isOnline: true, validation: validateDNS, autoReissue: disabled,
			place: map[string]string{}, tags: map[string]string{},
		},
	}
	maps.Copy(i.form.tags, wanted.Tags)
	if wanted.Contact != 0 {
		i.form.contacts = []int64{wanted.Contact}
	}
	s.instances.addInstance(i)
	i.Name = cmp.Or(i.Name, i.id)
	s.remember(i)
	return i.id, nil
}

// Words of AutoReissue.
const (
	enabled  = "enable"
	disabled = "disable"
)

// orderEnds is the end of what was bought, whether or not the term has begun.
func (i *subscription) orderEnds() time.Time { return i.boughtAt.AddDate(0, i.Months, 0) }

// contact is a person whom a CA may ask.
type contact struct {
	id                  int64
	name, email, mobile string
}

func (a *account) hasContact(id int64) bool {
	return slices.ContainsFunc(a.contacts, func(c contact) bool { return c.id == id })
}

// AddContact adds a contact to the first account, and returns its id.
func (s *Server) AddContact(name, email, mobile string) (id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.firstAccount()
	id = DefaultContact + int64(len(account.contacts))
	account.contacts = append(account.contacts, contact{id, name, email, mobile})
	return id
}
