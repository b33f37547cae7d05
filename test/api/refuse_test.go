// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

func TestMain(m *testing.M) { env.Main(m) }

// change is one difference to a good object. A nil value removes the field.
type change struct {
	path  string // below spec, dots between names; numbers count in lists
	value any
}

type object = map[string]any

// row is an object with changes, and what the API server says of it: empty, if it is accepted.
type row struct {
	title   string
	changes []change
	refused string
}

const (
	httpsOnly = "url must begin with https:// (plain http is for a loopback host only: requests carry signatures " +
		"and contact data)"
	hostOnly   = "url is scheme and host only, without path, query or user: https://cas-vpc.cn-hangzhou.aliyuncs.com"
	oneContact = "exactly one of contact and contactSecretRef is needed: CAS asks for a contact with each order"
)

// issuerRows are for both kinds of issuers.
func issuerRows() []row {
	alidnsEndpoint := func(url string) []change {
		return []change{{"solvers.0.dns.alidns.endpoint", map[string]any{"url": url}}}
	}
	endpoint := func(url string) []change { return []change{{"endpoint", map[string]any{"url": url}}} }
	plan := func(field string, value any) []change { return []change{{"source.resourcePlan." + field, value}} }
	instances := func(ids ...any) []change {
		return []change{{"source", map[string]any{"instance": map[string]any{"selector": map[string]any{
			"ids": append([]any{}, ids...)}}}},
			{"contact", nil}}
	}
	contact := func(field string, value any) []change { return []change{{"contact." + field, value}} }
	rows := []row{
		{title: "the good one"},
		{title: "international site", changes: []change{{"region", "ap-southeast-1"}}},
		{title: "no such site", changes: []change{{"region", "cn-beijing"}},
			refused: `spec.region: Unsupported value: "cn-beijing": supported values: "cn-hangzhou", "ap-southeast-1"`},
		{title: "VPC endpoint", changes: endpoint("https://cas-vpc.cn-hangzhou.aliyuncs.com")},
		{title: "loopback endpoint", changes: endpoint("http://127.0.0.1:8080")},
		{title: "loopback name", changes: endpoint("http://localhost:8080/")},
		{title: "loopback IPv6", changes: endpoint("http://[::1]:8080")},
		{title: "plain http", changes: endpoint("http://cas.aliyuncs.com"), refused: "spec.endpoint: Invalid value: " +
			httpsOnly},
		{title: "a name that only begins like loopback", changes: endpoint("http://127.0.0.1.example.com"),
			refused: httpsOnly},
		{title: "a user that looks like loopback", changes: endpoint("http://localhost:80@example.com"),
			refused: httpsOnly},
		{title: "endpoint with a path", changes: endpoint("https://cas.aliyuncs.com/v1"), refused: "spec.endpoint: " +
			"Invalid value: " + hostOnly},
		{title: "endpoint with a query", changes: endpoint("https://cas.aliyuncs.com?a=b"), refused: hostOnly},
		{title: "endpoint with a user", changes: endpoint("https://me@cas.aliyuncs.com"), refused: hostOnly},
		{title: "endpoint of DNS with a path", changes: alidnsEndpoint("https://alidns.aliyuncs.com/x"),
			refused: "spec.solvers[0].dns.alidns.endpoint: Invalid value: " + hostOnly},
		{title: "endpoint of DNS without TLS", changes: alidnsEndpoint("http://alidns.aliyuncs.com"),
			refused: "spec.solvers[0].dns.alidns.endpoint: Invalid value: " + httpsOnly},
		{title: "endpoint that is too long", changes: endpoint("https://" + strings.Repeat("a", 249)),
			refused: "spec.endpoint.url: Too long: may not be more than 256 bytes"},
		{title: "no source", changes: []change{{"source", map[string]any{}}}, refused: "spec.source: Invalid value: " +
			"exactly one source is needed: resourcePlan or instance"},
		{title: "two sources", changes: []change{{"source.instance", map[string]any{"selector": map[string]any{
			"ids": []any{"cas_dv-cn-1"}}}}},
			refused: "exactly one source is needed: resourcePlan or instance"},
		{title: "instances", changes: instances("cas_dv-cn-1", "cas_dv-cn-2")},
		{title: "no instance", changes: instances(), refused: "spec.source.instance.selector.ids: Invalid value: 0: " +
			"spec.source.instance.selector.ids in body should have at least 1 items"},
		{title: "a selector that selects nothing", changes: []change{{"source", map[string]any{"instance": map[string]any{
			"selector": map[string]any{}}}}, {"contact", nil}}, refused: "spec.source.instance.selector: Invalid value: 0: " +
			"spec.source.instance.selector in body should have at least 1 properties"},
		{title: "an instance twice", changes: instances("a", "a"),
			refused: `spec.source.instance.selector.ids[1]: Duplicate value: "a"`},
		{title: "what is no id of an instance", changes: instances("cas_dv/cn"), refused: "spec.source.instance.selector.ids[0]: " +
			`Invalid value: "cas_dv/cn": spec.source.instance.selector.ids[0] in body should match`},
		{title: "instances with a contact", changes: append(instances("a")[:1], change{"contact", map[string]any{
			"name": "Zhang San", "email": "zhang.san@example.com", "phone": "+86 138 0000 0000"}}),
			refused: "contact and contactSecretRef are for resource plans: set source.instance.contactIDs"},
		{title: "instances with a name for a contact", changes: append(instances("a"),
			change{"source.instance.contactIDs", []any{"Zhang San"}}),
			refused: "spec.source.instance.contactIDs[0] in body should match '^[1-9][0-9]{0,18}$'"},
		{title: "instances with files", changes: append(instances("a"), change{"solvers", []any{map[string]any{
			"file": map[string]any{"manual": map[string]any{}}}}})},
		{title: "no product", changes: plan("productCode", nil), refused: "spec.source.resourcePlan.productCode: " +
			"Required value"},
		{title: "empty product", changes: plan("productCode", ""), refused: "spec.source.resourcePlan.productCode: " +
			"Invalid value: \"\": spec.source.resourcePlan.productCode in body should be at least 1 chars long"},
		{title: "product with a space", changes: plan("productCode", "digicert free"),
			refused: "spec.source.resourcePlan.productCode in body should match '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'"},
		{title: "domain type", changes: plan("domainType", "Wildcard")},
		{title: "no such domain type", changes: plan("domainType", "Multi"),
			refused: `spec.source.resourcePlan.domainType: Unsupported value: "Multi": supported values: ` +
				`"Single", "Wildcard"`},
		{title: "additional names", changes: plan("additionalNames", []any{"WWW", "Apex", "WildcardBase"})},
		{title: "an additional name twice", changes: plan("additionalNames", []any{"WWW", "WWW"}),
			refused: `spec.source.resourcePlan.additionalNames[1]: Duplicate value: "WWW"`},
		{title: "no such additional name", changes: plan("additionalNames", []any{"Any"}),
			refused: `Unsupported value: "Any": supported values: "WWW", "Apex", "WildcardBase"`},
		{title: "key algorithms", changes: plan("keyAlgorithms", []any{"RSA2048", "ECDSAP384"})},
		{title: "no such key algorithm", changes: plan("keyAlgorithms", []any{"Ed25519"}), refused: `Unsupported ` +
			`value: "Ed25519": supported values: "RSA2048", "RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384"`},
		{title: "no tags", changes: plan("tags", "Disabled")},
		{title: "no such tag policy", changes: plan("tags", "off"), refused: `Unsupported value: "off": supported ` +
			`values: "Enabled", "Disabled"`},
		{title: "exclusive account", changes: []change{{"account", "Exclusive"}}},
		{title: "no such account use", changes: []change{{"account", "Mine"}}, refused: `spec.account: Unsupported ` +
			`value: "Mine": supported values: "Shared", "Exclusive"`},
		{title: "order policy", changes: []change{
			{"orders", map[string]any{"timeout": "48h", "maxPerDay": int64(10), "onDelete": "Keep", "paused": true}}}},
		{title: "no reuse", changes: []change{{"orders", map[string]any{"reuse": "Disabled"}}}},
		{title: "no such reuse policy", changes: []change{{"orders", map[string]any{"reuse": "Always"}}},
			refused: `spec.orders.reuse: Unsupported value: "Always": supported values: "Enabled", "Disabled"`},
		{title: "repeated requests", changes: plan("repeatedRequests", "Accepted")},
		{title: "no such policy for repeated requests", changes: plan("repeatedRequests", "Yes"),
			refused: `Unsupported value: "Yes": supported values: "Refused", "Accepted"`},
		{title: "a timeout that is too short", changes: []change{{"orders", map[string]any{"timeout": "59m"}}},
			refused: `spec.orders.timeout: Invalid value: "59m": timeout is between 1h and 720h`},
		{title: "a timeout that is too long", changes: []change{{"orders", map[string]any{"timeout": "721h"}}},
			refused: "timeout is between 1h and 720h"},
		{title: "no orders a day", changes: []change{{"orders", map[string]any{"maxPerDay": int64(0)}}},
			refused: "spec.orders.maxPerDay in body should be greater than or equal to 1"},
		{title: "a budget", changes: []change{
			{"orders", map[string]any{
				"reserve": int64(5), "budget": map[string]any{"issuer": map[string]any{"per30Days": int64(100)},
					"namespace": map[string]any{"perDay": int64(1)}}}}}},
		{title: "a budget of nothing",
			changes: []change{{"orders",
				map[string]any{"budget": map[string]any{"issuer": map[string]any{"perDay": int64(0)}}}}},
			refused: "spec.orders.budget.issuer.perDay in body should be greater than or equal to 1"},
		{title: "a reserve in per cent", changes: []change{{"orders", map[string]any{"reserve": "100%"}}}},
		{title: "a reserve of more than all", changes: []change{{"orders", map[string]any{"reserve": "101%"}}},
			refused: "spec.orders.reserve: Invalid value: \"101%\": reserve is a number from 0 to 1000000, or a " +
				"part from 0% to 100%"},
		{title: "a reserve of less than nothing", changes: []change{{"orders", map[string]any{"reserve": int64(-1)}}},
			refused: "spec.orders.reserve: Invalid value: -1: reserve is a number"},
		{title: "a reserve that is a word", changes: []change{{"orders", map[string]any{"reserve": "all"}}},
			refused: "spec.orders.reserve: Invalid value: \"all\": reserve is a number"},
		{title: "no such policy", changes: []change{{"orders", map[string]any{"onDelete": "Forget"}}},
			refused: `spec.orders.onDelete: Unsupported value: "Forget": supported values: "Release", "Keep"`},
		{title: "a call timeout", changes: []change{{"callTimeout", "30s"}}},
		{title: "a call timeout that is too short", changes: []change{{"callTimeout", "999ms"}},
			refused: `spec.callTimeout: Invalid value: "999ms": callTimeout is between 1s and 60s`},
		{title: "a call timeout that is none", changes: []change{{"callTimeout", "1h"}}, refused: "spec.callTimeout " +
			"in body should match"},
		{title: "STS in a VPC", changes: []change{
			{"stsEndpoint", map[string]any{"url": "https://sts-vpc.cn-beijing.aliyuncs.com"}}}},
		{title: "STS without TLS", changes: []change{{"stsEndpoint", map[string]any{"url": "http://sts.aliyuncs.com"}}},
			refused: "spec.stsEndpoint: Invalid value: " + httpsOnly},
		{title: "a Secret without a name", changes: []change{{"credentials.accessKeySecretRef.name", nil}},
			refused: "spec.credentials.accessKeySecretRef.name: Required value"},
		{title: "a Secret in another namespace",
			changes: []change{{"credentials.accessKeySecretRef.namespace", "other"}},
			refused: `unknown field "spec.credentials.accessKeySecretRef.namespace"`},
		{title: "a Secret's name that cannot be one",
			changes: []change{{"credentials.accessKeySecretRef.name", "../x"}},
			refused: "spec.credentials.accessKeySecretRef.name in body should match"},
		{title: "a Secret's key that cannot be one",
			changes: []change{{"credentials.accessKeySecretRef.accessKeyIDKey", "a/b"}},
			refused: "spec.credentials.accessKeySecretRef.accessKeyIDKey in body should match"},
		{title: "a token", changes: []change{{"credentials.accessKeySecretRef.securityTokenKey", "token"}}},
		{title: "no contact", changes: []change{{"contact", nil}}, refused: "spec: Invalid value: " + oneContact},
		{title: "two contacts", changes: []change{{"contactSecretRef", map[string]any{"name": "contact"}}},
			refused: "spec: Invalid value: " + oneContact},
		{title: "contact in a Secret",
			changes: []change{{"contact", nil}, {"contactSecretRef", map[string]any{"name": "contact"}}}},
		{title: "contact without a phone", changes: contact("phone", nil),
			refused: "spec.contact.phone: Required value"},
		{title: "phone that is none", changes: contact("phone", "call me"), refused: "spec.contact.phone in body " +
			"should match '^[+]?[0-9][0-9 -]*$'"},
		{title: "phone with a country", changes: contact("phone", "+86 138-0013-8000")},
		{title: "mail that is none", changes: contact("email", "me"), refused: "spec.contact.email"},
		{title: "mail with a second header", changes: contact("email", "me@example.com\nBcc: you@example.com"),
			refused: "spec.contact.email"},
		{title: "Chinese name", changes: contact("name", "张三")},
		{title: "name with a second line", changes: contact("name", "Zhang\nSan"), refused: "spec.contact.name"},
		{title: "a check less", changes: []change{
			{"orders", map[string]any{"skipChecks": []any{"CAA", "Zone", "PublicName"}}}}},
		{title: "no such check", changes: []change{{"orders", map[string]any{"skipChecks": []any{"All"}}}},
			refused: `spec.orders.skipChecks[0]: Unsupported value: "All"`},
		{title: "a typo", changes: []change{{"regoin", "cn-hangzhou"}}, refused: `strict decoding error: unknown ` +
			`field "spec.regoin"`},
	}
	return slices.Concat(rows, credentialRows(), solverRows())
}

func orderRows() []row {
	rows := []row{
		{title: "the good one"},
		{title: "no request", changes: []change{{"request", nil}}, refused: "spec.request: Required value"},
		{title: "no common name", changes: []change{{"commonName", ""}}, refused: "spec.commonName in body should " +
			"be at least 1 chars long"},
		{title: "a name that is too long", changes: []change{{"commonName", strings.Repeat("a", 65)}},
			refused: "spec.commonName: Too long: may not be more than 64 bytes"},
		{title: "no names", changes: []change{{"dnsNames", []any{}}}, refused: "spec.dnsNames in body should have " +
			"at least 1 items"},
		{title: "another kind of issuer", changes: []change{{"issuerRef.kind", "Issuer"}},
			refused: `spec.issuerRef.kind: Unsupported value: "Issuer": supported values: "AliyunIssuer", ` +
				`"AliyunClusterIssuer"`},
		{title: "a solver for no name", changes: []change{{"solvers.0.dnsNames", []any{}}},
			refused: "spec.solvers[0].dnsNames in body should have at least 1 items"},
		{title: "no request's UID", changes: []change{{"requestRef.uid", nil}}, refused: "spec.requestRef.uid: " +
			"Required value"},
	}
	for _, shared := range issuerRows() { // what is copied from the issuer obeys the same rules
		if shared.refused == "" || len(shared.changes) != 1 {
			continue
		}
		c := shared.changes[0]
		switch {
		case strings.HasPrefix(c.path, "endpoint"), strings.HasPrefix(c.path, "stsEndpoint"),
			strings.HasPrefix(c.path, "callTimeout"), strings.HasPrefix(c.path, "source"),
			strings.HasPrefix(c.path, "credentials"):
			rows = append(rows, shared)
		case strings.HasPrefix(c.path, "solvers.0"):
			rows = append(rows, row{
				title:   shared.title,
				changes: []change{{"solvers.0.solver" + strings.TrimPrefix(c.path, "solvers.0"), c.value}},
				refused: strings.ReplaceAll(shared.refused, "spec.solvers[0]", "spec.solvers[0].solver"),
			})
		}
	}
	return rows
}

func TestBadObjectsAreRefusedInWordsThatHelp(t *testing.T) {
	for kind, rows := range map[string][]row{
		v1alpha1.AliyunIssuerKind: slices.Concat(issuerRows(), ownIdentityRows(endpointNeeds),
			unsignedRows(unsignedNeeds)),
		v1alpha1.AliyunClusterIssuerKind: slices.Concat(issuerRows(), ownIdentityRows(""), unsignedRows(""),
			tenancyRows()),
		"AliyunOrder": orderRows(),
	} {
		kube, namespace := cluster(t)
		said := strings.Builder{}
		for _, r := range rows {
			t.Run(kind+"/"+r.title, func(t *testing.T) {
				object := good(t, kind, namespace)
				for _, c := range r.changes {
					set(t, object, c)
				}
				err := kube.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict"))
				switch {
				case r.refused == "" && err != nil:
					t.Errorf("it was refused: %v", err)
				case r.refused != "" && err == nil:
					t.Error("it was accepted")
				case r.refused != "" && !strings.Contains(err.Error(), r.refused):
					t.Errorf("the API server says\n%v\nwhich does not contain\n%s", err, r.refused)
				case err != nil:
					said.WriteString(err.Error())
				}
			})
		}
		for _, rule := range rules(t, kind) {
			if !strings.Contains(said.String(), rule) && rule != frozen {
				t.Errorf("no row of %s is refused by the rule %q", kind, rule)
			}
		}
	}
}

// TestAContactIsAskedForOnlyWhereTheSourceNeedsOne leaves out the source together with the contact: only the source is
// missed then, since it is the plan that needs a contact.
func TestAContactIsAskedForOnlyWhereTheSourceNeedsOne(t *testing.T) {
	kube, namespace := cluster(t)
	for _, kind := range []string{v1alpha1.AliyunIssuerKind, v1alpha1.AliyunClusterIssuerKind} {
		object := good(t, kind, namespace)
		set(t, object, change{"contact", nil})
		for _, asksForOne := range []bool{true, false} {
			if !asksForOne {
				set(t, object, change{"source", map[string]any{}})
			}
			err := kube.Create(t.Context(), object, client.DryRunAll)
			if err == nil || strings.Contains(err.Error(), oneContact) != asksForOne {
				t.Errorf("%s without a contact: %v", kind, err)
			}
		}
	}
}

const frozen = "the spec of an AliyunOrder never changes: it is the record of what was ordered"

func TestTheRecordOfAnOrderNeverChanges(t *testing.T) {
	kube, namespace := cluster(t)
	order := good(t, "AliyunOrder", namespace)
	if err := kube.Create(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	for _, c := range []change{
		{"commonName", "other.example.com"}, {"baseName", "example.org"}, {"region", "ap-southeast-1"},
		{"secretNamespace", "other"},
		{"requestRef.uid", "another"}, {"endpoint", map[string]any{"url": "https://example.com"}},
	} {
		changed := order.DeepCopy()
		set(t, changed, c)
		if err := kube.Update(t.Context(), changed); err == nil || !strings.Contains(err.Error(), frozen) {
			t.Errorf("a change of %s: %v, want %q", c.path, err, frozen)
		}
	}
	order.SetLabels(map[string]string{"team": "a"})
	if err := kube.Update(t.Context(), order); err != nil {
		t.Errorf("a label was refused: %v", err)
	}
}

func TestDefaultsAreWrittenWhereUsersSeeThem(t *testing.T) {
	kube, namespace := cluster(t)
	issuer := good(t, v1alpha1.AliyunIssuerKind, namespace)
	set(t, issuer, change{"region", nil})
	if err := kube.Create(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"region":                   "cn-hangzhou",
		"source.resourcePlan.tags": "Enabled",
		"credentials.accessKeySecretRef.accessKeyIDKey":     "accessKeyID",
		"credentials.accessKeySecretRef.accessKeySecretKey": "accessKeySecret",
	} {
		got, _, _ := unstructured.NestedString(issuer.Object, append([]string{"spec"}, strings.Split(path, ".")...)...)
		if got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func cluster(t *testing.T) (client.Client, string) {
	t.Helper()
	kube := env.Client(t)
	return kube, env.Namespace(t, kube)
}

// good is an object that is accepted.
func good(t *testing.T, kind, namespace string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", strings.ToLower(kind)+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &object.Object); err != nil {
		t.Fatal(err)
	}
	if kind != v1alpha1.AliyunClusterIssuerKind {
		object.SetNamespace(namespace)
	}
	return object
}

func set(t *testing.T, object *unstructured.Unstructured, c change) {
	t.Helper()
	at := object.Object["spec"]
	steps := strings.Split(c.path, ".")
	for _, step := range steps[:len(steps)-1] {
		at = *child(t, at, step)
	}
	last := steps[len(steps)-1]
	if fields, ok := at.(map[string]any); ok && c.value == nil {
		delete(fields, last)
	} else if ok {
		fields[last] = c.value
	} else {
		*child(t, at, last) = c.value
	}
}

func child(t *testing.T, at any, step string) *any {
	t.Helper()
	switch parent := at.(type) {
	case map[string]any:
		value, ok := parent[step]
		if !ok {
			t.Fatalf("there is no %s", step)
		}
		return &value
	case []any:
		var i int
		if _, err := fmt.Sscan(step, &i); err != nil {
			t.Fatal(err)
		}
		return &parent[i]
	default:
		t.Fatalf("%s is in nothing", step)
		return nil
	}
}

// rules are the messages of all CEL rules of a kind.
func rules(t *testing.T, kind string) []string {
	t.Helper()
	crd := definition(t, kind)
	var all []string
	var walk func(schema *apiextensionsv1.JSONSchemaProps)
	walk = func(schema *apiextensionsv1.JSONSchemaProps) {
		for _, rule := range schema.XValidations {
			all = append(all, rule.Message)
		}
		for _, property := range schema.Properties {
			walk(&property)
		}
		if schema.Items != nil && schema.Items.Schema != nil {
			walk(schema.Items.Schema)
		}
	}
	walk(crd.Spec.Versions[0].Schema.OpenAPIV3Schema)
	if len(all) == 0 {
		t.Fatalf("%s has no rules", kind)
	}
	return all
}

func definition(t *testing.T, kind string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text, err := os.ReadFile(
		filepath.Join("..", "..", "config", "crd", "bases", "certmanager.aliyun.com_"+strings.ToLower(kind)+"s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}
