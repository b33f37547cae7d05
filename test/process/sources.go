// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// source is who sells to a scene.
type source interface {
	env.Source
	// open puts there what the account has: enough to buy twice for n requests.
	open(s *scene, n int)
	// addForeign adds what others have, as some of the requests want it.
	addForeign(s *scene)
}

// plan is a resource plan.
type plan struct{ env.Plan }

func (plan) open(*scene, int) {} // the account has it

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

// instances are those of one name each that were bought.
type instances struct{ env.Instances }

func ofInstances() source {
	return instances{env.Instances{Selector: v1alpha1.InstanceSelector{Type: v1alpha1.InstanceBought}}}
}

func (instances) open(s *scene, n int) {
	for range 2 * n {
		s.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
	}
}

// addForeign lets somebody have a draft for every fifth name, on an instance that the issuer selects.
func (instances) addForeign(s *scene) {
	for i := 0; i < len(s.requests); i += 5 {
		id := s.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
		s.Simulator.WriteInConsole(id, domainOf(s.requests[i]))
	}
}
