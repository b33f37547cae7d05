// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"fmt"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// refuses has Alibaba Cloud DNS refuse a verb until it is lifted.
func refuses(action, code string) func(*env.Env) {
	return func(e *env.Env) {
		e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.Refuse, Code: code, Message: "because", Times: -1})
	}
}

func (r *reader) isLifted() string { r.Simulator.LiftFaults(); return "www" }

const disabledRecord = `the TXT record "([^"]+)" in zone "[^"]+" has the right value and is disabled: enable it in ` +
	`Alibaba Cloud DNS, or delete it`

// alidnsLessons are about what stands in a zone of Alibaba Cloud DNS, or does not.
var alidnsLessons = map[string]lesson{
	"a CNAME in the way": {played(
		scenario{before: func(e *env.Env) { addAlias(e, "_dnsauth.www.example.com", "proof.example.com") }}), []advised{
		{to: "delete it", says: []string{`the TXT record "([^"]+)" cannot be added to zone "[^"]+", because a CNAME ` +
			`to "([^"]+)" is at the same name: delete the CNAME`}, billed: 1, follow: func(r *reader) string {
			r.removesRecords(func(record cassim.Record) bool {
				return record.FQDN == r.words[0] && record.Type == "CNAME" && record.Value == r.words[1]
			})
			return "www"
		}},
		{to: "follow it", says: []string{
			`or let (cnameStrategy): (Follow) publish the validation record where it leads`, changedSolver},
			follow: (*reader).followsAliases, billed: 1},
	}},
	"a CNAME in the way that is disabled": {played(scenario{before: func(e *env.Env) {
		e.Simulator.DisableRecord(
			e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "CNAME", "proof.example.com"), true)
	}}), []advised{
		{to: "delete it", says: []string{`the TXT record "([^"]+)" in zone "[^"]+": another record at the same name ` +
			`excludes it, such as a CNAME: delete that record`}, billed: 1, follow: func(r *reader) string {
			r.removesRecords(func(record cassim.Record) bool { return record.FQDN == r.words[0] })
			return "www"
		}},
		{to: "validate otherwise", says: []string{`or validate by another way`},
			elsewhere: "TestWhoeverCorrectsTheSolverIsValidated goes from one way to another"},
	}},
	"as many records as are allowed": {played(scenario{before: func(e *env.Env) {
		for i := range 90 {
			e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "TXT", fmt.Sprintf("of an order long ago, %d", i))
		}
	}}), []advised{{
		to: "delete some", billed: 1,
		says: []string{`the TXT record "([^"]+)" in zone "[^"]+": the name has as many records of this type as are ` +
			`allowed: delete those that are no longer needed`},
		follow: func(r *reader) string {
			r.removesRecords(func(record cassim.Record) bool {
				return record.FQDN == r.words[0] && strings.HasSuffix(record.Value, "7")
			})
			return "www"
		},
	}}},
	"a black hole": {played(scenario{before: refuses("AddDomainRecord", "RecordForbidden.BlackHole")}), []advised{
		{to: "wait", says: []string{`the domain is in a black hole because of an attack: wait until Alibaba ` +
			`Cloud lifts it`}, follow: (*reader).isLifted, billed: 1},
		{to: "move the zone", says: []string{`or move the zone`}, elsewhere: "a zone is in one account only, here " +
			"as at Alibaba Cloud"},
	}},
	"a zone that has left the account": {
		played(scenario{before: refuses("DescribeSubDomainRecords", "IncorrectDomainUser")}), []advised{
			{to: "add it there", says: []string{`the zone is not in the account of the solver's credentials: ` +
				`add it there`}, follow: (*reader).isLifted, billed: 1},
			{to: "use the other account", says: []string{`or use credentials of the account that holds it`},
				elsewhere: `"zone elsewhere" has it`},
		}},
	"a record that is disabled": {
		played(scenario{options: cassim.Options{DCVDelay: 3 * time.Minute}, after: func(e *env.Env) {
			e.Simulator.DisableRecord(e.Simulator.Records(cassim.DefaultZone)[0].ID, true)
			e.Pass(15 * time.Minute) // until it is looked for again
		}}), []advised{
			{to: "enable it", says: []string{disabledRecord}, billed: 1, follow: func(r *reader) string {
				for _, record := range r.Simulator.Records(cassim.DefaultZone) {
					r.Simulator.DisableRecord(record.ID, record.FQDN != r.words[0])
				}
				return "www"
			}},
			{to: "delete it", says: []string{disabledRecord}, billed: 1, follow: func(r *reader) string {
				r.removesRecords(func(record cassim.Record) bool { return record.FQDN == r.words[0] })
				return "www"
			}},
		}},
	"an account without zones": {played(scenario{options: cassim.Options{Accounts: []cassim.Account{
		withoutZones(), {ID: otherAccount, Keys: []cassim.Key{{ID: otherKey, Secret: otherSecret}},
			Zones: []string{"example.net"}},
	}}}), []advised{
		{to: "add one", says: []string{`the Alibaba Cloud DNS account of the solver's credentials has no zone: ` +
			`add one there`}, billed: 1, follow: func(r *reader) string {
			r.Simulator.AddZone(cassim.DefaultZone, account)
			return "www"
		}},
		{to: "use the other account", says: []string{`or use credentials of the account that holds the zones`},
			billed: 1, follow: func(r *reader) string {
				r.Simulator.AddZone(cassim.DefaultZone, otherAccount)
				r.Create(opaque(r.Namespace, "dns", "accessKeyID", otherKey, "accessKeySecret", otherSecret))
				solver := theIssuer(r.Env).Spec.Solvers[0]
				solver.DNS.Alidns.Credentials = &v1alpha1.Credentials{
					AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
						SecretReference: v1alpha1.SecretReference{Name: "dns"}}}
				r.set(r.issuer(), "spec.solvers", []v1alpha1.Solver{solver})
				return "www"
			}},
	}},
}

func withoutZones() cassim.Account {
	account := cassim.DefaultAccount()
	account.Zones = nil
	return account
}

func (r *reader) followsAliases() string {
	solver := theIssuer(r.Env).Spec.Solvers[0]
	solver.DNS.CNAMEStrategy = v1alpha1.CNAMEStrategy(r.words[1])
	return r.solves(solver)
}
