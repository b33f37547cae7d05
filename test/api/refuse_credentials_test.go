// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"maps"
	"strings"
)

const (
	oneCredential = "at most one kind of credentials is possible: accessKeySecretRef, oidc, ecsRAMRole or ambient " +
		"(assumeRole may stand beside it)"
	endpointNeeds = "endpoint and stsEndpoint need credentials of the namespace (accessKeySecretRef, or oidc with " +
		"serviceAccountRef): what the controller signs with its own identity goes to Alibaba Cloud's own endpoints only"

	role     = "acs:ram::1234567890123456:role/cas"
	provider = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1"
)

// with is an object with further fields.
func with(base object, name string, value any) object {
	changed := maps.Clone(base)
	changed[name] = value
	return changed
}

func oidc() object {
	return object{"roleARN": role, "providerARN": provider, "serviceAccountRef": object{"name": "team"}}
}

// credentialRows are for both kinds of issuers.
func credentialRows() []row {
	credentials := func(kind string, value any) []change { return []change{{"credentials", object{kind: value}}} }
	assume := object{"roleARN": role}
	return []row{
		{title: "no credentials, which are the controller's own",
			changes: []change{{"credentials", nil}, {"endpoint", nil}}},
		{title: "empty credentials", changes: []change{{"credentials", object{}}, {"endpoint", nil}}},
		{title: "a token of a ServiceAccount", changes: credentials("oidc", oidc())},
		{title: "a token with all settings", changes: credentials("oidc", with(with(with(oidc(),
			"serviceAccountRef", object{"name": "team", "audience": "my-client"}), "sessionName", "team@cluster"),
			"durationSeconds", int64(900)))},
		{title: "the controller's token",
			changes: []change{{"credentials", object{"oidc": object{"roleARN": role, "providerARN": provider}}},
				{"endpoint", nil}}},
		{title: "the role of the instance",
			changes: []change{{"credentials",
				object{"ecsRAMRole": object{"roleName": "node", "metadata": "RequireV2"}}}, {"endpoint", nil}}},
		{title: "the surroundings", changes: []change{{"credentials", object{"ambient": object{}}}, {"endpoint", nil}}},
		{title: "a role on top of an AccessKey",
			changes: []change{{"credentials.assumeRole", with(with(assume, "externalID", "team/1"), "durationSeconds",
				int64(43200))}}},
		{title: "two credentials", changes: []change{{"credentials.ambient", object{}}},
			refused: "spec.credentials: Invalid value: " + oneCredential},
		{title: "a token without a role", changes: credentials("oidc", object{"providerARN": provider}),
			refused: "spec.credentials.oidc.roleARN: Required value"},
		{title: "a token without a provider", changes: credentials("oidc", object{"roleARN": role}),
			refused: "spec.credentials.oidc.providerARN: Required value"},
		{title: "a role that is a user", changes: credentials("oidc", with(oidc(), "roleARN", "acs:ram::1:user/me")),
			refused: "spec.credentials.oidc.roleARN in body should match"},
		{title: "a provider that is a role", changes: credentials("oidc", with(oidc(), "providerARN", role)),
			refused: "spec.credentials.oidc.providerARN in body should match"},
		{title: "a ServiceAccount of another namespace",
			changes: credentials("oidc",
				with(oidc(), "serviceAccountRef", object{"name": "team", "namespace": "other"})),
			refused: `unknown field "spec.credentials.oidc.serviceAccountRef.namespace"`},
		{title: "a session that is too short",
			changes: credentials("oidc", with(oidc(), "durationSeconds", int64(899))),
			refused: "spec.credentials.oidc.durationSeconds in body should be greater than or equal to 900"},
		{title: "a session with a space in its name",
			changes: credentials("oidc", with(oidc(), "sessionName", "my session")),
			refused: "spec.credentials.oidc.sessionName in body should match"},
		{title: "no such way to ask the metadata server", changes: credentials("ecsRAMRole", object{"metadata": "V1"}),
			refused: `Unsupported value: "V1": supported values: "PreferV2", "RequireV2"`},
		{title: "a role's name with a path", changes: credentials("ecsRAMRole", object{"roleName": "../../user-data"}),
			refused: "spec.credentials.ecsRAMRole.roleName in body should match"},
		{title: "an external id with a line break",
			changes: []change{{"credentials.assumeRole", with(assume, "externalID", "a\nb")}},
			refused: "spec.credentials.assumeRole.externalID in body should match"},
		{title: "a session that is too long",
			changes: []change{{"credentials.assumeRole", with(assume, "durationSeconds", int64(43201))}},
			refused: "spec.credentials.assumeRole.durationSeconds in body should be less than or equal to 43200"},
	}
}

// ownIdentityRows have the controller's own identity beside an endpoint, which AliyunIssuers may not have.
func ownIdentityRows(refused string) []row {
	if refused != "" {
		refused = "spec: Invalid value: " + refused
	}
	endpoint := object{"url": "https://cas.example.com"}
	var rows []row
	for title, credentials := range map[string]any{
		"nothing": nil, "the surroundings": object{"ambient": object{}}, "the instance": object{"ecsRAMRole": object{}},
		"the controller's token": object{"oidc": object{"roleARN": role, "providerARN": provider}},
		"a role on top":          object{"assumeRole": object{"roleARN": role}},
	} {
		rows = append(rows,
			row{title: title + " beside an endpoint",
				changes: []change{{"credentials", credentials}, {"endpoint", endpoint}}, refused: refused},
			row{title: title + " beside an endpoint of STS",
				changes: []change{{"credentials", credentials}, {"endpoint", nil}, {"stsEndpoint", endpoint}},
				refused: refused})
	}
	return rows
}

// tenancyRows are for AliyunClusterIssuers.
func tenancyRows() []row {
	namespaces := func(name string, value any) []change { return []change{{"allowedNamespaces", object{name: value}}} }
	domains := func(domains ...any) []change { return []change{{"allowedDomains", domains}} }
	return []row{
		{title: "named namespaces", changes: namespaces("names", []any{"team-a", "team-b"})},
		{title: "selected namespaces", changes: namespaces("selector", object{"matchLabels": object{"cas": "yes"}})},
		{title: "no namespace at all", changes: []change{{"allowedNamespaces", object{}}},
			refused: "spec.allowedNamespaces: Invalid value: names or selector is needed: leave allowedNamespaces " +
				"out to serve all namespaces"},
		{title: "a namespace that cannot be one", changes: namespaces("names", []any{strings.Repeat("a", 64)}),
			refused: "spec.allowedNamespaces.names[0]"},
		{title: "domains", changes: domains("example.com", "xn--fsq.com")},
		{title: "a domain with a star", changes: domains("*.example.com"), refused: "spec.allowedDomains[0] in body " +
			"should match"},
		{title: "a domain in capitals", changes: domains("Example.com"), refused: "spec.allowedDomains[0] in body " +
			"should match"},
		{title: "a domain twice", changes: domains("example.com", "example.com"), refused: `spec.allowedDomains[1]: ` +
			`Duplicate value: "example.com"`},
	}
}
