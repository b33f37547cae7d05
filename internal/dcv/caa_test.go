// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"testing"

	"github.com/miekg/dns"
)

func TestTheNearestCAARecordsDecide(t *testing.T) {
	const other = "example.com. CAA 0 issue \"letsencrypt.org\"\n"
	const refused = `CAA at "example.com" allows only "letsencrypt.org": add 0 issue "digicert.com"`
	tests := map[string]struct{ records, name, want string }{
		"none":                {"", "www.example.com", ""},
		"this CA":             {`example.com. CAA 0 issue "digicert.com"`, "www.example.com", ""},
		"another brand of it": {`example.com. CAA 0 issue "geotrust.com"`, "www.example.com", ""},
		"upper case and parameters": {`example.com. CAA 0 ISSUE " DigiCert.COM ; accounturi=x"`, "www.example.com",
			""},
		"another CA":              {other, "www.example.com", refused},
		"another CA, at the name": {other, "example.com", refused},
		"another CA, for a wildcard": {other, "*.example.com", `CAA at "example.com" allows only "letsencrypt.org": ` +
			`add 0 issue "digicert.com"`},
		"a look-alike": {`example.com. CAA 0 issue "evildigicert.com"`, "example.com", `CAA at "example.com" ` +
			`allows only "evildigicert.com": add 0 issue "digicert.com"`},
		"one of several": {other + `example.com. CAA 0 issue "digicert.com"`, "www.example.com", ""},
		"none of several": {other + "example.com. CAA 0 issue \"globalsign.com\"\nexample.com. CAA 0 issue " +
			"\"letsencrypt.org\"", "example.com",
			`CAA at "example.com" allows only "globalsign.com", "letsencrypt.org": add 0 issue "digicert.com"`},
		"no CA at all": {`example.com. CAA 0 issue ";"`, "www.example.com",
			`CAA at "example.com" allows no CA: add 0 issue "digicert.com"`},
		"nearer ones allow": {other + `www.example.com. CAA 0 issue "digicert.com"`, "www.example.com",
			""},
		"nearer ones say nothing of it": {other + `www.example.com. CAA 0 iodef "mailto:a@example.com"`,
			"www.example.com", ""},
		"nearer ones refuse": {`example.com. CAA 0 issue "digicert.com"` + "\n" + `www.example.com. ` +
			`CAA 0 issue "letsencrypt.org"`, "www.example.com",
			`CAA at "www.example.com" allows only "letsencrypt.org": add 0 issue "digicert.com"`},
		"a sibling's": {`shop.example.com. CAA 0 issue "letsencrypt.org"`, "www.example.com", ""},
		"the registry's": {`com. CAA 0 issue "letsencrypt.org"`, "www.example.com",
			`CAA at "com" allows only "letsencrypt.org": add 0 issue "digicert.com"`},
		"wildcards only, for a host": {`example.com. CAA 0 issuewild "letsencrypt.org"`, "www.example.com", ""},
		"wildcards only, for a wildcard": {`example.com. CAA 0 issuewild "letsencrypt.org"`, "*.example.com",
			`CAA at "example.com" allows only "letsencrypt.org": add 0 issuewild "digicert.com"`},
		"wildcards refused, hosts allowed": {"example.com. CAA 0 issue \"digicert.com\"\nexample.com. CAA 0 " +
			"issuewild \";\"", "*.example.com", `CAA at "example.com" allows no CA: add 0 issuewild "digicert.com"`},
		"wildcards allowed, hosts not": {other + `example.com. CAA 0 issuewild "digicert.com"`, "*.example.com", ""},
		"and then a host":              {other + `example.com. CAA 0 issuewild "digicert.com"`, "example.com", refused},
		"an unknown property":          {`example.com. CAA 0 tbs "x"`, "example.com", ""},
		"an unknown flag":              {`example.com. CAA 1 tbs "x"`, "example.com", ""},
		"an unknown critical property": {"example.com. CAA 0 issue \"digicert.com\"\nexample.com. CAA 128 TBS \"x\"",
			"example.com", `CAA at "example.com" has the critical property "tbs", which forbids every CA that does ` +
				`not know it to issue: delete it`},
		"a known critical property": {"example.com. CAA 128 issue \"digicert.com\"\nexample.com. CAA 128 " +
			"issuemail \";\"", "example.com", ""},
		"an alias's target speaks": {other + "www.example.com. CNAME host.example.net.\nhost.example.net. CAA 0 " +
			"issue \"digicert.com\"", "www.example.com", ""},
		"an alias's target refuses": {"www.example.com. CNAME host.example.net.\nhost.example.net. CAA 0 issue " +
			"\"letsencrypt.org\"", "www.example.com",
			`CAA at "www.example.com" (a CNAME to "host.example.net") allows only "letsencrypt.org": add 0 issue ` +
				`"digicert.com"`},
		"a wildcard's": {`*.example.net. CAA 0 issue "letsencrypt.org"`, "img.example.net",
			`CAA at "*.example.net", which answers for "img.example.net", allows only "letsencrypt.org": ` +
				`add 0 issue "digicert.com" there, since a record at "img.example.net" would hide what the wildcard ` +
				`answers for it`},
		"a wildcard's, two levels above": {`*.example.net. CAA 0 issue "letsencrypt.org"`, "a.img.example.net",
			`CAA at "*.example.net", which answers for "a.img.example.net", allows only "letsencrypt.org": ` +
				`add 0 issue "digicert.com" there, since a record at "a.img.example.net" would hide what the ` +
				`wildcard answers for it`},
		"a wildcard's critical property": {`*.example.net. CAA 128 tbs "x"`, "img.example.net",
			`CAA at "*.example.net", which answers for "img.example.net", has the critical property "tbs", ` +
				`which forbids every CA that does not know it to issue: delete it there, since a record at ` +
				`"img.example.net" would hide what the wildcard answers for it`},
		"a wildcard's that allows": {`*.example.net. CAA 0 issue "digicert.com"`,
			"img.example.net", ""},
		"a name of its own beside a wildcard": {"*.example.net. CAA 0 issue " +
			"\"digicert.com\"\nimg.example.net. CAA 0 issue \"letsencrypt.org\"", "img.example.net",
			`CAA at "img.example.net" allows only "letsencrypt.org": add 0 issue "digicert.com"`},
		"the parents of an alias's target are not asked": {"www.example.com. CNAME host.example.net.\nexample.net. " +
			"CAA 0 issue \"letsencrypt.org\"", "www.example.com", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check := &SelfCheck{Nameservers: []string{serving(t, test.records).addr}}
			err := check.CheckCAA(t.Context(), test.name, []string{"digicert.com", "geotrust.com"})
			if test.want != "" {
				wantProblem(t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWithoutKnownIdentitiesNobodyIsAskedForCAA(t *testing.T) {
	server := serving(t, `example.com. CAA 0 issue ";"`)
	if err := (&SelfCheck{Nameservers: []string{server.addr}}).CheckCAA(t.Context(), "example.com",
		nil); err != nil {
		t.Error(err)
	}
	wantQuestions(t, server)
}

func TestCAAThatCannotBeReadIsNoRefusal(t *testing.T) {
	server := refusing(t, dns.RcodeServerFailure)
	err := (&SelfCheck{Nameservers: []string{server.addr}}).CheckCAA(t.Context(), "www.example.com",
		[]string{"globalsign.com"})
	wantTrouble(t, err, `whether CAA allows a certificate for "www.example.com" cannot be checked, and a CA that `+
		`cannot check must not issue: `+
		"no name server answered for CAA www.example.com: "+server.addr+": SERVFAIL")
	wantQuestions(t, server, "udp CAA www.example.com.") // to go on upwards would find the wrong records
}

// TestAWildcardIsLookedForOnlyWhereCAARefuses counts the questions.
func TestAWildcardIsLookedForOnlyWhereCAARefuses(t *testing.T) {
	for name, asked := range map[string][]string{
		"img.example.net":   {"udp CAA img.example.net.", "udp CAA *.example.net."},
		"img.example.com":   {"udp CAA img.example.com."},
		"x.own.example.net": {"udp CAA x.own.example.net.", "udp CAA own.example.net.", "udp CAA *.example.net."},
	} {
		server := serving(t, `*.example.net. CAA 0 issue "letsencrypt.org"
*.example.com. CAA 0 issue "digicert.com"
own.example.net. CAA 0 issue "globalsign.com"`)
		_ = (&SelfCheck{Nameservers: []string{server.addr}}).CheckCAA(t.Context(), name, []string{"digicert.com"})
		wantQuestions(t, server, asked...)
	}
}
