// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

const (
	oneSolver = "spec.solvers[0]: Invalid value: exactly one kind of solver is needed: dns or file"
	oneDNS    = "spec.solvers[0].dns: Invalid value: exactly one DNS solver is needed: alidns, webhook, " +
		"dnsEndpoint, rfc2136, manual or none"
	oneFile = "spec.solvers[0].file: Invalid value: exactly one file solver is needed: ingress, " +
		"gatewayHTTPRoute or manual"
	oneTSIG = "spec.solvers[0].dns.rfc2136: Invalid value: tsigKeyName and tsigSecretSecretRef belong together: set " +
		"both, or neither in an AliyunClusterIssuer for a server that takes unsigned updates"
)

const unsignedNeeds = "dns.rfc2136 without a key is for AliyunClusterIssuers only: a name server takes such updates " +
	"by the controller's address, whoever has them sent. Set tsigKeyName and tsigSecretSecretRef"

// unsignedRows have a name server know the controller by its address, which AliyunIssuers may not have.
func unsignedRows(refused string) []row {
	if refused != "" {
		refused = "spec: Invalid value: " + refused
	}
	unsigned := object{"dns": object{"rfc2136": object{"nameserver": "ns1.example.com", "tsigAlgorithm": "HMACSHA512"}}}
	return []row{
		{title: "unsigned updates", changes: []change{{"solvers.0", unsigned}}, refused: refused},
		{title: "unsigned updates beside another solver",
			changes: []change{{"solvers", []any{object{"file": object{"manual": object{}}}, unsigned}}},
			refused: refused},
	}
}

// solverRows are of every kind, since Orders keep a copy of the solver.
func solverRows() []row {
	solver := func(value object) []change { return []change{{"solvers.0", value}} }
	selector := func(value object) []change { return []change{{"solvers.0.selector", value}} }
	dns := func(name string, settings object) []change { return solver(object{"dns": object{name: settings}}) }
	file := func(name string, settings object) []change { return solver(object{"file": object{name: settings}}) }
	rfc2136 := func(name string, value any) []change {
		settings := object{"nameserver": "ns1.example.com"}
		settings[name] = value
		return dns("rfc2136", settings)
	}
	webhook := func(name string, value any) []change {
		settings := object{"groupName": "acme.example.com", "solverName": "my-dns"}
		settings[name] = value
		return dns("webhook", settings)
	}
	secret := object{"name": "tsig", "key": "secret"}
	return []row{
		{title: "no solver", changes: []change{{"solvers", []any{}}}, refused: "spec.solvers: Invalid value: 0: " +
			"spec.solvers in body should have at least 1 items"},
		{title: "two solvers", changes: []change{
			{"solvers", []any{object{"dns": object{"manual": object{}}}, object{"file": object{"manual": object{}}}}}}},
		{title: "empty solver", changes: solver(object{}), refused: oneSolver},
		{title: "a solver of both kinds", changes: []change{{"solvers.0.file", object{"manual": object{}}}},
			refused: oneSolver},
		{title: "no DNS solver", changes: []change{{"solvers.0.dns", object{}}}, refused: oneDNS},
		{title: "two DNS solvers", changes: []change{{"solvers.0.dns.manual", object{}}}, refused: oneDNS},
		{title: "no file solver", changes: solver(object{"file": object{}}), refused: oneFile},
		{title: "two file solvers", changes: solver(object{"file": object{"manual": object{}, "ingress": object{}}}),
			refused: oneFile},

		{title: "a selector", changes: selector(
			object{"dnsNames": []any{"www.example.com", "*.example.com"}, "dnsZones": []any{"example.com", "cn"}})},
		{title: "an empty selector", changes: selector(object{}), refused: "spec.solvers[0].selector: Invalid " +
			"value: a selector needs dnsNames or dnsZones: leave it out to match all names"},
		{title: "a selector in upper case", changes: selector(object{"dnsNames": []any{"WWW.example.com"}}),
			refused: "spec.solvers[0].selector.dnsNames[0] in body should match"},
		{title: "a zone with a star", changes: selector(object{"dnsZones": []any{"*.example.com"}}),
			refused: "spec.solvers[0].selector.dnsZones[0] in body should match"},

		{title: "another account for DNS",
			changes: []change{{"solvers.0.dns.alidns.credentials",
				object{"accessKeySecretRef": object{"name": "dns"}}}}},
		{title: "two credentials for DNS",
			changes: []change{{"solvers.0.dns.alidns.credentials",
				object{"ambient": object{}, "ecsRAMRole": object{}}}},
			refused: "spec.solvers[0].dns.alidns.credentials: Invalid value: " + oneCredential},
		{title: "CNAMEs followed", changes: []change{{"solvers.0.dns.cnameStrategy", "Follow"}}},
		{title: "no such strategy", changes: []change{{"solvers.0.dns.cnameStrategy", "follow"}},
			refused: `spec.solvers[0].dns.cnameStrategy: Unsupported value: "follow": supported values: ` +
				`"None", "Follow"`},
		{title: "manual", changes: dns("manual", object{})},
		{title: "none", changes: dns("none", object{})},

		{title: "a webhook", changes: webhook("config", object{"any": []any{object{"thing": 1}}})},
		{title: "a webhook without a group", changes: webhook("groupName", nil),
			refused: "spec.solvers[0].dns.webhook.groupName"},
		{title: "a webhook with a path for a group", changes: webhook("groupName", "acme.example.com/v1/secrets"),
			refused: "spec.solvers[0].dns.webhook.groupName in body should match"},
		{title: "a webhook with a path for a solver", changes: webhook("solverName", "../../secrets"),
			refused: "spec.solvers[0].dns.webhook.solverName in body should match"},

		{title: "a DNSEndpoint", changes: dns("dnsEndpoint", object{"labels": object{"external-dns": "public"}})},

		{title: "signed updates",
			changes: dns("rfc2136", object{"nameserver": "[2001:db8::1]:53", "tsigKeyName": "key",
				"tsigSecretSecretRef": secret})},
		{title: "a key without a name", changes: rfc2136("tsigSecretSecretRef", secret), refused: oneTSIG},
		{title: "a name without a key", changes: rfc2136("tsigKeyName", "key"), refused: oneTSIG},
		{title: "a server with a scheme", changes: rfc2136("nameserver", "tcp://ns1.example.com"),
			refused: "spec.solvers[0].dns.rfc2136.nameserver in body should match"},
		{title: "an algorithm that is broken", changes: rfc2136("tsigAlgorithm", "HMACMD5"),
			refused: `spec.solvers[0].dns.rfc2136.tsigAlgorithm: Unsupported value: "HMACMD5"`},

		{title: "an Ingress", changes: file(
			"ingress", object{"ingressClassName": "nginx",
				"annotations": object{"nginx.ingress.kubernetes.io/ssl-redirect": "false"}})},
		{title: "an HTTPRoute", changes: file(
			"gatewayHTTPRoute", object{
				"parentRefs": []any{object{"name": "web", "namespace": "gateways", "sectionName": "http",
					"port": 80}}})},
		{title: "an HTTPRoute without a parent", changes: file("gatewayHTTPRoute", object{"parentRefs": []any{}}),
			refused: "spec.solvers[0].file.gatewayHTTPRoute.parentRefs in body should have at least 1 items"},
		{title: "a file by hand", changes: file("manual", object{})},
	}
}
