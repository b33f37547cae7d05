// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"slices"
	"strings"
)

const (
	versionCAS    = "2020-04-07"
	versionAlidns = "2015-01-09"
	versionSTS    = "2015-04-01"
)

// reply is the JSON of a success, to which the gateway adds the RequestId.
type reply map[string]any

// action is a verb of the services. Parameters that are not named here are refused, so that a client's mistakes show.
type action struct {
	name     string
	version  string
	required []string
	optional []string
	tags     bool   // Tags.N.Key and Tags.N.Value
	lists    []list // further ones that are repeated
	// ofInstances tells that a grant of the action can be limited to a resource group.
	ofInstances bool
	unsigned    bool    // anybody may call it, and a signature is not looked at
	free        bool    // needs no permission
	rate        float64 // calls a second for each account; 0 if it is not known
	run         func(*Server, *call) (reply, *refusal)
}

// actions are all verbs, by version and name.
var actions = map[string]map[string]*action{
	versionCAS:    byName(versionCAS, append(casActions(), instanceActions()...)),
	versionAlidns: byName(versionAlidns, append(recordActions(), domainActions()...)),
	versionSTS:    byName(versionSTS, stsActions()),
}

// Says whether any of the services has the verb.
func isVerb(name string) bool {
	for _, named := range actions {
		if named[name] != nil {
			return true
		}
	}
	return false
}

func byName(version string, list []action) map[string]*action {
	named := map[string]*action{}
	for _, a := range list {
		a.version = version
		named[a.name] = &a
	}
	return named
}

// casRate is the rate of the verbs of CAS whose rate is known, except CancelOrderRequest, and is assumed for the others
// (docs/design/cas.md §9).
const casRate = 10

func casActions() []action {
	order := []string{"OrderId"}
	return []action{
		{
			name: "CreateCertificateWithCsrRequest", tags: true, rate: casRate, run: (*Server).createOrder,
			required: []string{"Csr", "Username", "Email", "Phone", "ValidateType"}, optional: []string{"ProductCode"},
		},
		{name: "DescribeCertificateState", required: order, rate: casRate, run: (*Server).describeOrder},
		{name: "DescribePackageState", optional: []string{"ProductCode"}, rate: casRate,
			run: (*Server).describePackage},
		{
			name: "ListUserCertificateOrder", rate: casRate, run: (*Server).listOrders,
			optional: []string{"Keyword", "Status", "OrderType", "CurrentPage", "ShowSize", "ResourceGroupId"},
		},
		{name: "CancelOrderRequest", required: order, rate: 100, run: (*Server).cancelOrder},
		{name: "DeleteCertificateRequest", required: order, rate: casRate, run: (*Server).deleteOrder},
		{name: "GetUserCertificateDetail", required: []string{"CertId"}, optional: []string{"CertFilter"},
			rate: casRate, run: (*Server).certificateDetail},
	}
}

// Rates are those of docs/design/cas.md §6.1.
func recordActions() []action {
	id, content := []string{"RecordId"}, []string{"TTL", "Line", "Priority"}
	paging := []string{"PageNumber", "PageSize"}
	return []action{
		{name: "AddDomainRecord", required: []string{"DomainName", "RR", "Type", "Value"}, optional: content, rate: 60,
			run: (*Server).addDomainRecord},
		{name: "UpdateDomainRecord", required: []string{"RecordId", "RR", "Type", "Value"}, optional: content, rate: 60,
			run: (*Server).updateDomainRecord},
		{name: "DeleteDomainRecord", required: id, rate: 60, run: (*Server).deleteDomainRecord},
		{name: "DescribeDomainRecordInfo", required: id, rate: 200, run: (*Server).describeDomainRecordInfo},
		{
			name: "DescribeDomainRecords", required: []string{"DomainName"}, rate: 100,
			run:      (*Server).describeDomainRecords,
			optional: slices.Concat(paging, []string{"RRKeyWord", "TypeKeyWord", "ValueKeyWord", "SearchMode"}),
		},
		{
			name: "DescribeSubDomainRecords", required: []string{"SubDomain"}, rate: 300,
			run:      (*Server).describeSubDomainRecords,
			optional: slices.Concat(paging, []string{"Type", "DomainName"}),
		},
	}
}

func domainActions() []action {
	return []action{
		{name: "DescribeDomains", optional: []string{"KeyWord", "SearchMode", "PageNumber", "PageSize"},
			run: (*Server).describeDomains},
		{name: "DescribeDomainInfo", required: []string{"DomainName"}, optional: []string{"NeedDetailAttributes"},
			run: (*Server).describeDomainInfo},
		{name: "GetMainDomainName", required: []string{"InputString"}, run: (*Server).getMainDomainName},
	}
}

// Returns what RAM policies call the action.
func (a *action) ramName() string {
	switch a.version {
	case versionAlidns:
		return "alidns:" + a.name
	case versionSTS:
		return "sts:" + a.name
	default:
		return "yundun-cert:" + a.name
	}
}

func (a *action) checkParams(params map[string]string) *refusal {
	for _, name := range a.required {
		if params[name] == "" {
			return badRequest("MissingParameter."+name, "%s is mandatory for this action.", name)
		}
	}
	for name := range params {
		known := slices.Contains(commonParams, name) || slices.Contains(commonOptional, name) ||
			slices.Contains(a.required, name) || slices.Contains(a.optional, name) ||
			(a.tags && strings.HasPrefix(name, "Tags.")) ||
			slices.ContainsFunc(a.lists, func(l list) bool { return l.holds(name) })
		if !known {
			return badRequest("InvalidParameter.NotInContract", "The simulator knows no parameter %s of %s.", name,
				a.name)
		}
	}
	return nil
}
