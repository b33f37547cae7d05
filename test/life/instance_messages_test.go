// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// instanceScenarios are those whose messages depend on that instances are ordered from.
func instanceScenarios() map[string]scenario {
	slow, waits := cassim.Options{DCVDelay: 100 * time.Hour}, cassim.Options{DCVDelay: 20 * time.Minute}
	// What is written for names that the CA adds by itself may be refused (docs/design/unknowns.md): not here.
	ignores := cassim.Options{}
	ignores.Knobs.InstanceSANs = cassim.InstanceSANsIgnored
	one := []cassim.NewInstance{{Type: cassim.InstanceBought, SingleNames: 1}}
	// A second one keeps the issuer ready, whatever becomes of the first.
	two := append(one, cassim.NewInstance{Type: cassim.InstanceBought, WildcardNames: 1})
	bought := func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Source.Instance.Selector = v1alpha1.InstanceSelector{Type: v1alpha1.InstanceBought}
	}
	id := func(e *env.Env) string { return e.Simulator.Instances()[0].InstanceID }
	freeze := func(e *env.Env) { e.Simulator.FreezeInstance(id(e)) }
	refuse := func(action, code, message string, status int) func(*env.Env) {
		return func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.Refuse, Status: status, Code: code,
				Message: message, Times: -1})
		}
	}
	lose := func(action string, kind cassim.FaultKind, isExecuted bool) func(*env.Env) {
		return func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: action, Kind: kind, Times: 1, Executed: isExecuted})
		}
	}
	all := map[string]scenario{
		"no permission to list": {
			before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "ListInstances") }},
		"no permission to write": {
			before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "UpdateInstance") }},
		"no permission to apply": {
			before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "ApplyCertificate") }},
		"no instance that fits": {instances: []cassim.NewInstance{{Type: cassim.InstanceBought, WildcardNames: 1}}},
		"in use by somebody else": {before: func(e *env.Env) {
			e.Simulator.WriteInConsole(id(e), "other.example.com")
			e.Simulator.ApplyInConsole(id(e))
			freeze(e)
		}},
		"no common name": {request: gen.OfCertificate, csr: func(c *x509.CertificateRequest) {
			c.Subject.CommonName = ""
		}},
		"what CAS rejects": {before: refuse("UpdateInstance", "InvalidParameter", "The domain is not valid.", 400)},
		"lost update":      {before: lose("UpdateInstance", cassim.DropReply, true)},
		"lost application": {billed: 1, before: lose("ApplyCertificate", cassim.DropReply, true)},
		"page of HTML":     {billed: 1, before: lose("ApplyCertificate", cassim.HTML200, true)},
		"answers that tell nothing": {before: refuse("ApplyCertificate", "InternalError", "because", 500),
			after: waitFor(3 * time.Hour)},
		"refused by the CA": {billed: 1, options: slow, after: func(e *env.Env) {
			isSeen(e)
			e.Simulator.FailApplication(id(e), "the CAA record forbids it")
			e.Pass(time.Hour)
		}},
		"withdrawn elsewhere": {billed: 1, options: slow, after: func(e *env.Env) {
			isSeen(e)
			e.Simulator.CancelInConsole(id(e))
			e.Pass(time.Hour)
		}},
		"vanished": {billed: 1, options: waits, instances: two, issuer: bought, after: func(e *env.Env) {
			isSeen(e)
			freeze(e)
			e.Simulator.VanishInstance(id(e))
			e.Pass(2 * time.Hour)
		}},
		"closed": {billed: 1, options: waits, instances: two, after: func(e *env.Env) {
			isSeen(e)
			freeze(e)
			e.Simulator.SetInstanceStatus(id(e), "closed")
			e.Pass(time.Hour)
		}},
		"changed elsewhere": {billed: 1, options: slow, after: func(e *env.Env) {
			isSeen(e)
			e.Simulator.SetHosting(id(e), true)
			e.Simulator.TagInConsole(id(e), map[string]string{"team": "theirs"})
			e.Simulator.UpgradeInstance(id(e), 0, 1)
			e.Pass(time.Hour)
		}},
		"certificate for another key": {billed: 1, after: waitFor(time.Hour),
			before: func(e *env.Env) { e.Simulator.InstanceWrongKey(id(e)) }},
		"certificate for other names": {billed: 1, after: waitFor(time.Hour),
			before: func(e *env.Env) { e.Simulator.InstanceWrongNames(id(e), "other.example.com") }},
		"names added": {billed: 1, options: ignores, request: gen.OfCertificate, after: waitFor(time.Hour),
			before: func(e *env.Env) { e.Simulator.InstanceExtraNames(id(e), "example.com") }},
		"released but not given back": {billed: 1, options: slow, after: func(e *env.Env) {
			isSeen(e)
			refuse("CancelPendingCertificate", "InternalError", "because", 500)(e)
			remove(e, &e.Orders()[0])
			e.Pass(2 * time.Hour)
		}},
		"validation deadline": {billed: 1, issuer: gen.Manual, after: func(e *env.Env) { leap(e, 24*time.Hour) }},
	}
	named := map[string]scenario{}
	for name, s := range all {
		if s.instances == nil {
			s.instances = one
		}
		s.options.Knobs.InstanceDNS = cassim.Off
		named["instance "+name] = s
	}
	return named
}

// isSeen waits until the record is visible: when that is found out differs from run to run.
func isSeen(e *env.Env) {
	e.T.Helper()
	e.Until(time.Hour, func() bool { return e.Orders()[0].Status.Visible == "1/1" })
}

func waitFor(d time.Duration) func(*env.Env) { return func(e *env.Env) { e.Pass(d) } }

// TestEveryObstacleOfAnInstanceIsToldInWordsThatHelp compares what users read.
func TestEveryObstacleOfAnInstanceIsToldInWordsThatHelp(t *testing.T) {
	for name, s := range instanceScenarios() {
		t.Run(name, func(t *testing.T) { isTold(t, name, s) })
	}
}
