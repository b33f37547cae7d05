// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// list is a parameter that is repeated: Name.1, Name.2 and so on, or with members Name.1.Member.
type list struct {
	name    string
	members []string
	most    int
}

// holds tells whether a parameter is an element of the list.
func (l list) holds(param string) bool {
	rest, isOfList := strings.CutPrefix(param, l.name+".")
	number, member, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(number)
	isNumber := err == nil && n >= 1 && n <= l.most && strconv.Itoa(n) == number
	return isOfList && isNumber && (member == "" && len(l.members) == 0 || slices.Contains(l.members, member))
}

// Says whether a key whose grants are limited to resource groups may not do this (knob groupGrants). A verb that names
// neither an instance nor a group is outside of every group.
func (s *Server) isOutOfGroup(c *call) bool {
	if len(c.key.ResourceGroups) == 0 || !c.action.ofInstances {
		return false
	}
	group := c.arg("ResourceGroupId")
	if i := s.instances.byID[cmp.Or(c.arg("InstanceId"), c.arg("TaskId"))]; i != nil {
		group = i.ResourceGroup
	}
	return s.knobs.GroupGrants == GrantsIgnored || !slices.Contains(c.key.ResourceGroups, group)
}

// pagingParams are those of every listing of instances.
var pagingParams = []string{"CurrentPage", "ShowSize"}

func instanceActions() []action {
	instance := []string{"InstanceId"}
	list := []action{
		{
			name: "ListInstances", rate: casRate, run: (*Server).listInstances,
			optional: slices.Concat(pagingParams, []string{
				"Keyword", "Status", "CertificateStatus", "InstanceType", "Brand", "CertificateType", "ResourceGroupId",
			}),
		},
		{name: "GetInstanceDetail", required: instance, rate: casRate, run: (*Server).instanceDetail},
		{
			name: "UpdateInstance", required: instance, rate: casRate, run: (*Server).updateInstance,
			optional: []string{
				"CertificateName", "Domain", "Csr", "GenerateCsrMethod", "KeyAlgorithm", "ValidationMethod",
				"CompanyId", "Province", "City",
				"CountryCode", "AutoReissue", "ResourceGroupId",
			},
			lists: []list{{"ContactIdList", nil, 50}, {"Tags", []string{"TagKey", "TagValue"}, maxTags}},
		},
		{name: "ApplyCertificate", required: instance, rate: casRate, run: (*Server).applyCertificate},
		{
			name: "GetTaskAttribute", required: []string{"TaskId"}, optional: []string{"TaskType"}, rate: casRate,
			run: (*Server).taskAttribute,
		},
		{name: "CancelPendingCertificate", required: instance, rate: casRate, run: (*Server).cancelPending},
		{name: "RefundInstance", required: instance, rate: casRate, run: (*Server).refundInstance},
		{
			name: "DeleteInstance", required: instance, optional: []string{"ClientToken"}, rate: casRate,
			run: (*Server).deleteInstance,
		},
		{
			name: "RevokeCertificate", required: instance, optional: []string{"CertificateId"}, rate: casRate,
			run: (*Server).revokeCertificate,
		},
	}
	list = append(list, storeActions()...)
	for n := range list {
		list[n].ofInstances = true
	}
	return list
}

// storeActions are the verbs about certificates of instances, and about contacts.
func storeActions() []action {
	return []action{
		{
			name: "ListCertificates", rate: casRate, run: (*Server).listCertificates,
			optional: slices.Concat(pagingParams, []string{
				"InstanceId", "CertificateSource", "CertificateStatus", "Keyword", "ResourceGroupId",
			}),
		},
		{name: "GetCertificateDetail", required: []string{"CertificateId"}, rate: casRate, run: (*Server).storedDetail},
		{name: "GetInstanceSummary", optional: []string{"InstanceType"}, rate: casRate, run: (*Server).instanceSummary},
		{
			name: "ListContact", optional: slices.Concat(pagingParams, []string{"Keyword"}), rate: casRate,
			run: (*Server).listContacts,
		},
	}
}
