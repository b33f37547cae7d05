// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"errors"
	"strconv"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// source is who sells to a scene.
type source interface {
	// open puts there what the account has: enough to buy twice for n requests.
	open(s *scene, n int)
	issuer(i *v1alpha1.AliyunIssuer)
	// addForeign adds what others have, as some of the requests want it.
	addForeign(s *scene)
	// purchases are all that were made for us, whoever got to know of them, by the name of the request.
	purchases(s *scene) map[string][]purchase
	harm(s *scene) error
}

// purchase is what was bought once. Its id is that which an operator reads in the console.
type purchase struct {
	id         string
	isReleased bool
}

// plan is a resource plan.
type plan struct{}

func (plan) open(*scene, int) {} // the account has it

func (plan) issuer(*v1alpha1.AliyunIssuer) {} // has it

// addForeign lets every fifth name have an order of somebody else: too old to be taken for ours, or so young that only
// a person can tell.
func (plan) addForeign(s *scene) {
	for i := 0; i < len(s.requests); i += 5 {
		age := 72 * time.Hour
		if i%10 == 0 {
			age = 30 * time.Minute
		}
		s.Simulator.AddForeignOrder(domainOf(s.requests[i]),
			func(o *cassim.ForeignOrder) { o.BoughtAt = s.clock.Now().Add(-age) })
	}
}

func (plan) purchases(s *scene) map[string][]purchase {
	all := map[string][]purchase{}
	for _, entry := range s.Simulator.Ledger() {
		if !entry.Foreign {
			all[entry.Domain] = append(all[entry.Domain], purchase{entry.OrderID, entry.Released})
		}
	}
	return all
}

func (plan) harm(s *scene) error { return s.Simulator.ForeignHarm() }

// instances are of one name each.
type instances struct{}

func (instances) open(s *scene, n int) {
	for range 2 * n {
		s.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
	}
}

func (instances) issuer(i *v1alpha1.AliyunIssuer) {
	i.Spec.Source = v1alpha1.Source{Instance: &v1alpha1.Instance{
		Selector:   v1alpha1.InstanceSelector{Type: v1alpha1.InstanceBought},
		ContactIDs: []string{strconv.FormatInt(cassim.DefaultContact, 10)},
	}}
	i.Spec.Contact = nil
}

// addForeign lets somebody have a draft for every fifth name, on an instance that the issuer selects.
func (instances) addForeign(s *scene) {
	for i := 0; i < len(s.requests); i += 5 {
		id := s.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
		s.Simulator.WriteInConsole(id, domainOf(s.requests[i]))
	}
}

func (instances) purchases(s *scene) map[string][]purchase {
	all := map[string][]purchase{}
	for _, a := range s.Simulator.Applications() {
		isReleased := !a.EndedAt.IsZero() && a.CertificateID == ""
		all[a.Names[0]] = append(all[a.Names[0]], purchase{a.InstanceID, isReleased})
	}
	return all
}

// harm tells also of a draft that was written over.
func (instances) harm(s *scene) error {
	harm := []error{s.Simulator.InstanceHarm()}
	for _, i := range s.Simulator.Instances() {
		if i.Overwritten > 0 {
			harm = append(harm, errors.New("the draft on "+i.InstanceID+" was written over"))
		}
	}
	return errors.Join(harm...)
}
