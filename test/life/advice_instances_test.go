// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// instanceAdvice is about what is said where instances are ordered from.
var instanceAdvice = map[string][]advised{
	"instance no permission to list":   lacking,
	"instance no permission to write":  forbidden,
	"instance no permission to apply":  forbidden,
	"instance no instance that fits":   unfit,
	"instance in use by somebody else": unfit,
	"instance no common name": {
		{to: "set it", says: []string{`set (spec\.commonName) of the Certificate to "([^"]+)"`}, billed: 1,
			follow: (*reader).setsField},
		{to: "annotate the Ingress", says: []string{`or the annotation (\S+) of the Ingress or Gateway`}, billed: 1,
			follow: (*reader).annotatesTheIngress},
	},
	"instance what CAS rejects": {{to: "correct it", says: []string{`The domain is not valid: correct what CAS names`},
		billed: 1, follow: func(r *reader) string {
			r.Simulator.LiftFaults() // as if it was the domain
			return r.again()
		}}},
	"instance answers that tell nothing": {{
		to: "buy another one", billed: 1, says: []string{`if CAS goes on to refuse that instance, buy another one and ` +
			`let the selector of the issuer select it, which is then tried first`},
		elsewhere: "TestAnInstanceThatRefusesAgainAndAgainGivesWayToAnother",
	}, {
		to: "say which it is", billed: 1,
		says: []string{`with the instance (\S+), .* Look at the instance in the console of CAS, and annotate this ` +
			`AliyunOrder with its id if it is applied with for this name, or with "([^"]+)" if it is not: ` +
			`(kubectl [^<]+)<id or none>`},
		follow: func(r *reader) string {
			instance, _ := r.Simulator.Instance(r.words[0])
			if len(instance.Applications) > 0 {
				r.T.Fatalf("it is applied with: %+v", instance.Applications)
			}
			r.Simulator.LiftFaults()
			r.run(r.words[2] + r.words[1])
			return "www"
		},
	}},
	"instance vanished": {
		{to: "give it the right account", says: []string{`in that case, put those of the account that made it into ` +
			`the Secret`}, billed: 2, follow: func(r *reader) string {
			r.Simulator.ReappearInstance(r.Simulator.Instances()[0].InstanceID) // as with credentials of that account
			r.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
			return r.again()
		}},
	},
	"instance changed elsewhere": {{
		to: "switch hosting off", says: []string{`switch it off in the console of CAS, unless that is wanted`}, billed: 1,
		elsewhere: "TestWhatOthersChangeIsToldAndHarmsNothing",
	}},
	"instance certificate for other names": {
		{to: "ask the support", says: []string{`ask the support of Alibaba Cloud about the order`},
			elsewhere: "no CA mends a certificate that it has issued"},
		{to: "order anew", says: []string{`or delete the CertificateRequest to order anew`}, billed: 2,
			follow: func(r *reader) string {
				r.buysAnInstance()
				return r.ordersAnew()
			}},
	},
	"instance names added": {{
		to: "list them", billed: 2, says: []string{`First add (\w+) to (spec\.source\.instance\.additionalNames) of ` +
			`the AliyunIssuer "([^"]+)", then list ([^ ]+) in (spec\.dnsNames) of the Certificate`},
		follow: func(r *reader) string {
			r.Simulator.InstanceExtraNames(r.buysAnInstance(), r.words[3])
			return r.listsTheAddedNames()
		},
	}},
	"instance released but not given back": {{
		to: "do it in the console", billed: 1,
		says:   []string{`CAS order (\S+) for "[^"]+" could not be given back: cancel its application in the console of CAS`},
		follow: func(r *reader) string { r.Simulator.CancelInConsole(r.words[0]); return "" },
	}},
	"instance validation deadline": {{
		to: "publish the next record", says: []string{lateRecord + ` sooner`}, follow: (*reader).publishesTheNextRecord,
		billed: 2,
	}},
}

// unfit is the advice where no instance can be applied with.
var unfit = []advised{{
	to: "buy one", billed: 1, says: []string{`can be applied with for one single name: buy one that is for as many in ` +
		`the console of CAS, and let the selector select it`},
	follow: func(r *reader) string {
		r.buysAnInstance()
		return "www"
	},
}}

// buysAnInstance buys one for one single name, has the issuer select it, and returns its id.
func (r *reader) buysAnInstance() (id string) {
	r.T.Helper()
	id = r.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
	selectAlso(r.Env, id)
	return id
}
