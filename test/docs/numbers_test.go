// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// claim is a place of a page with a [number] that the product has.
type claim struct {
	page, text string
	// source is a constant of the code by its folder and name, or a path in the CRD of an issuer and what it says of
	// it.
	source string
	// times is what the number is of the source's; none is 1.
	times float64
}

// held is what a hold is at most: a fifth is added, so that not all end at once.
const held = 1.2

var claims = []claim{
	{page: "README.md", text: "or after [ten minutes] of trying", source: "controllers/order.releaseBound"},
	{page: "README.md", text: "half of what the plan had [a day] ago", source: "internal/budget.Day"},
	{page: "README.md", text: "it is submitted once more after [20 minutes]",
		source: "internal/source/plan.DefaultSettle"},
	{page: "README.zh-CN.md", text: "[20 分钟]后会再提交一次", source: "internal/source/plan.DefaultSettle"},

	{page: "docs/budgets.md", text: "maxPerDay: [3] # for the same names", source: "internal/budget.defaultMaxPerDay"},
	{page: "docs/budgets.md", text: "for the same names, within [24 hours]", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "reserve: [50]% # of the plan", source: "internal/budget.defaultReserve"},
	{page: "docs/budgets.md", text: "perDay: [500] # all orders of the issuer",
		source: "internal/budget.defaultIssuerPerDay"},
	{page: "docs/budgets.md", text: "perDay: [100] # the orders of each namespace",
		source: "internal/budget.defaultNamespacePerDay"},
	{page: "docs/budgets.md", text: "a loop | [3] in 24 hours", source: "internal/budget.defaultMaxPerDay"},
	{page: "docs/budgets.md", text: "a loop | 3 in [24 hours]", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "| [500] and 100 in 24 hours", source: "internal/budget.defaultIssuerPerDay"},
	{page: "docs/budgets.md", text: "| 500 and [100] in 24 hours", source: "internal/budget.defaultNamespacePerDay"},
	{page: "docs/budgets.md", text: "| 500 and 100 in [24 hours]", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "half of what it had left [a day] ago", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "up to [30 days] after the end of that",
		source: "internal/budget.renewableAfterEnd"},
	{page: "docs/budgets.md", text: "More than [100 names] of one namespace",
		source: "internal/budget.defaultNamespacePerDay"},
	{page: "docs/budgets.md", text: "of one namespace in [a day] need", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "asks CAS for the numbers, every [ten minutes]",
		source: "controllers/issuer.issuerRecheck"},
	{page: "docs/budgets.md", text: "one order after [two days]", source: "internal/budget.Day", times: 2},
	{page: "docs/budgets.md", text: "up to one in [30 days]", source: "internal/budget.longestWait"},
	{page: "docs/budgets.md", text: "has asked for the names for [a day] after", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "may go in these [24 hours]", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "bounded: [30 days] of orders", source: "internal/budget.month"},
	{page: "docs/budgets.md", text: "by the hour for [one day]", source: "internal/budget.Day"},
	{page: "docs/budgets.md", text: "the [100 namespaces] that have ordered the most",
		source: "internal/budget.maxNamespaces"},
	{page: "docs/budgets.md", text: "and [1000 sets] of names", source: "internal/budget.maxNameSets"},

	{page: "docs/instances.md", text: "for [30 days] more", source: "internal/source/instance.room"},

	{page: "docs/design/0012-the-purchase-protocol.md", text: "less than [two minutes] ago for a request",
		source: "internal/orders.Freshness"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "sent within [30 seconds] of the time in the intent",
		source: "internal/cas.SubmitWindow"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "does not take it within [15 seconds]",
		source: "controllers/order.recordBound"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "[65 seconds] after the intent",
		source: "internal/budget.SubmissionLasts"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "more than [100] pages",
		source: "internal/source/plan.maxPages"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "[20 minutes] after the intent and",
		source: "internal/source/plan.DefaultSettle"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "at least [16]. A signed request",
		source: "internal/source/plan.MinSettle", times: 1. / 60},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "executed for [15 minutes]",
		source: "internal/source/plan.signatureLife"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "None in a second listing, [a minute] later",
		source: "internal/source/plan.listingGap"},
	{page: "docs/design/0012-the-purchase-protocol.md", text: "There are [two] attempts at most",
		source: "internal/source.MaxAttempts"},
	{page: "docs/design/0013-hand-over.md", text: "A deletion waits [30 seconds] for an heir",
		source: "controllers/order.heirPatience"},
	{page: "docs/design/architecture.md", text: "Each kind has [40] workers", source: "internal/fairqueue.workers"},
	{page: "docs/design/architecture.md", text: "a namespace at most [ten] of them",
		source: "internal/fairqueue.share"},
	{page: "docs/design/architecture.md", text: "whoever waits for one looks every [30 seconds]",
		source: "controllers/issuer.secretRecheck"},

	{page: "docs/credentials.md", text: "from [900] to the", source: "spec.credentials.oidc.durationSeconds minimum"},
	{page: "docs/credentials.md", text: "[3600] by default", source: "internal/credentials.defaultDuration"},
	{page: "docs/credentials.md", text: "requested lives for [ten minutes]",
		source: "internal/credentials.tokenSeconds"},
	{page: "docs/credentials.md", text: "wait look every [30 seconds]", source: "controllers/order.holdFirst"},
	{page: "docs/credentials.md", text: "tried again after [half a minute]",
		source: "internal/credentials.refusalLifetime"},
	{page: "docs/credentials.md", text: "renewed [5 minutes] ahead", source: "internal/credentials.renewAhead"},
	{page: "docs/credentials.md", text: "used until [30 seconds] before its end",
		source: "internal/credentials.endMargin"},
	{page: "docs/credentials.md", text: "is tried again, at most every [10 seconds]",
		source: "internal/credentials.renewPause"},
	{page: "docs/credentials.md", text: "also at most every [10 seconds]", source: "internal/credentials.renewPause"},
	{page: "docs/credentials.md", text: "asked every [10 seconds] at most", source: "internal/credentials.renewPause"},
	{page: "docs/credentials.md", text: "what has [3 minutes] left", source: "internal/credentials.sdkKeeps"},
	{page: "docs/credentials.md", text: "| ready | every [10 minutes]", source: "controllers/issuer.issuerRecheck"},
	{page: "docs/credentials.md", text: "within [30 seconds] of a change to it",
		source: "controllers/issuer.secretRecheck"},
	{page: "docs/credentials.md", text: "within [30 seconds] of a change to one of its Secrets",
		source: "controllers/issuer.secretRecheck"},
	{page: "docs/credentials.md", text: "an order needs | every [10 minutes]",
		source: "controllers/issuer.issuerRecheck"},
	{page: "docs/credentials.md", text: "finds out itself, within [12 minutes]",
		source: "controllers/order.holdLongest",
		times:  held},
	{page: "docs/credentials.md", text: "That order tries again within [12 minutes]",
		source: "controllers/order.holdLongest",
		times:  held},
	{page: "docs/credentials.md", text: "[9.5 a second] at most", source: "internal/rpc.DefaultRate"},
	{page: "docs/credentials.md", text: "differ by more than [15 minutes]", source: "internal/source/plan.signatureLife"},

	{page: "docs/names.md", text: "with at most [64 characters]", source: "internal/csr.maxCommonName"},
	{page: "docs/names.md", text: "longer than [64 characters]", source: "internal/csr.maxCommonName"},
	{page: "docs/reuse.md", text: "kept for [40 days]", source: "internal/budget.loopForgotten"},

	{page: "docs/security.md", text: "up to [10] of the controller's", source: "internal/fairqueue.share"},
	{page: "docs/security.md", text: "the controller's [40 workers]", source: "internal/fairqueue.workers"},
	{page: "docs/security.md", text: "check of an issuer ends after [a minute]",
		source: "controllers/issuer.DefaultCheckBound"},
	{page: "docs/security.md", text: "good for one request and [[15 minutes]](",
		source: "internal/source/plan.signatureLife"},
	{page: "docs/security.md", text: "to one STS share [20 a second]", source: "internal/sts.callRate"},
	{page: "docs/security.md", text: "makes one in [ten seconds]", source: "internal/credentials.renewPause"},
	{page: "docs/security.md", text: "sessions until [2 hours] after", source: "internal/credentials.sessionLifetime"},
	{page: "docs/security.md", text: "both up to [24 hours]", source: "internal/credentials.identityLifetime"},

	{page: "docs/solvers.md", text: "may have up to [32]", source: "spec.solvers maxItems"},
	{page: "docs/solvers.md", text: "differ by more than [5 minutes]", source: "internal/dcv/rfc2136.fudge"},
	{page: "docs/solvers.md", text: "was tried for [ten minutes]", source: "controllers/order.releaseBound"},
	{page: "docs/solvers.md", text: "ten minutes ([two] in a namespace", source: "controllers/order.namespaceBound",
		times: 1. / 60},
	{page: "docs/uninstall.md", text: "is tried for [ten minutes]", source: "controllers/order.releaseBound"},
	{page: values, text: "at most [64 characters]", source: "internal/csr.maxCommonName"},
}

// others are the numbers that the product does not have.
var others = []struct{ page, text, why string }{
	{"README.md", "takes 5 to [10 minutes], later", "as it was measured"},
	{"README.md", "less than [a minute]", "as it was measured"},
	{"README.zh-CN.md", "5 到 [10 分钟]", "as it was measured"},
	{"docs/budgets.md", "longer than [200 days]", "a rule for public CAs"},
	{"docs/reuse.md", "again after [an hour]", "of cert-manager"},
	{"docs/solvers.md", "die after [24 hours]", "a rule of DigiCert"},
	{"docs/solvers.md", "If it stays so for [an hour]", "when a reader should give up"},
	{"docs/uninstall.md", "takes about [a minute]", "as it was measured"},
}

// number is one of what the product bounds or waits for. Others of the same form are told apart by hand.
var number = regexp.MustCompile(
	`\b(?:up to )?(?:[0-9][0-9,.]*|two|three|four|five|ten|twenty|thirty) (?:seconds?|minutes?|hours?|days?)\b` +
		`|\b(?:half an?|an?|one) (?:minute|hour|day)\b` +
		`|\b[0-9][0-9,.]* (?:a ` +
		`second|characters|bytes|workers|calls|orders|certificates|namespaces|sets|names|solvers)\b` +
		`|\bup to [0-9]+\b|[0-9]+ (?:秒|分钟|小时|天)`)

// TestEveryNumberInThePagesIsThatOfTheProduct compares each with the constant or the schema that it is from.
func TestEveryNumberInThePagesIsThatOfTheProduct(t *testing.T) {
	code := readCode(t)
	issuer := map[string]map[string]any{}
	fieldsOf(t, filepath.Join(root, "config/crd/bases/certmanager.aliyun.com_aliyunissuers.yaml"), issuer)
	for _, c := range claims {
		var is float64
		if path, attribute, isField := strings.Cut(c.source, " "); isField {
			is, _ = issuer[path][attribute].(float64)
		} else {
			is = code.value(t, c.source)
		}
		if c.times > 0 {
			is *= c.times
		}
		_, said := marked(c.text)
		if want := valueOf(t, said); math.Abs(is-want) > 1e-6 {
			t.Errorf("%s says %q, and %s is %v", c.page, c.text, c.source, is)
		}
		if !strings.Contains(all(t, c.page), plain(c.text)) {
			t.Errorf("%s does not say %q any more: %s is %v", c.page, c.text, c.source, is)
		}
	}
}

// TestEveryNumberInThePagesHasASource finds those that nobody has compared.
func TestEveryNumberInThePagesHasASource(t *testing.T) {
	for _, page := range written(t) {
		if page == "docs/evidence.md" { // what was measured, with the command that does it
			continue
		}
		text := prose(t, page)
		covered := make([]bool, len(text))
		cover := func(said string) {
			before, number := marked(said)
			at := strings.Index(text, plain(said))
			if at < 0 {
				return // in the code of the page
			}
			for i := range len(number) {
				covered[at+len(before)+i] = true
			}
		}
		for _, c := range claims {
			if c.page == page {
				cover(c.text)
			}
		}
		for _, o := range others {
			if o.page == page {
				if !strings.Contains(text, plain(o.text)) {
					t.Errorf("%s does not say %q any more", page, o.text)
				}
				cover(o.text)
			}
		}
		for _, at := range number.FindAllStringIndex(text, -1) {
			if !covered[at[1]-1] {
				t.Errorf("%s says %q, and nobody has compared that with the product: …%s", page, text[at[0]:at[1]],
					strings.ToValidUTF8(text[max(0, at[0]-60):min(len(text), at[1]+20)], ""))
			}
		}
	}
}

// marked is the number of a text, and what is before it.
func marked(text string) (before, number string) {
	before, after, _ := strings.Cut(strings.Replace(text, "[[", "[", 1), "[")
	number, _, _ = strings.Cut(after, "]")
	if strings.Contains(text, "[[") {
		before += "[" // of a link
	}
	return before, number
}

// plain is the text of a page without the marks of a number: the outermost brackets.
func plain(marked string) string {
	if strings.Contains(marked, "[[") {
		return strings.Replace(strings.Replace(marked, "[[", "[", 1), "]]", "]", 1)
	}
	return strings.Replace(strings.Replace(marked, "[", "", 1), "]", "", 1)
}

// all is a whole page in one line.
func all(t *testing.T, page string) string {
	t.Helper()
	if filepath.Ext(page) == ".yaml" {
		return prose(t, page)
	}
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

var (
	numerals = map[string]float64{"half a": 0.5, "a": 1, "an": 1, "one": 1, "two": 2, "ten": 10}
	seconds  = map[string]float64{"second": 1, "minute": 60, "hour": 3600, "day": 86400, "秒": 1, "分钟": 60, "小时": 3600,
		"天": 86400}
)

// valueOf is a number in words: of seconds, if it is a time.
func valueOf(t *testing.T, words string) float64 {
	t.Helper()
	count, unit := words, ""
	if at := strings.LastIndex(words, " "); at >= 0 {
		count, unit = words[:at], strings.TrimSuffix(words[at+1:], "s")
	}
	if rate, isRate := strings.CutSuffix(words, " a second"); isRate {
		count, unit = rate, ""
	}
	value, isWord := numerals[count]
	if !isWord {
		var err error
		if value, err = strconv.ParseFloat(strings.ReplaceAll(count, ",", ""), 64); err != nil {
			t.Fatalf("%q is no number", words)
		}
	}
	if factor, isTime := seconds[unit]; isTime {
		value *= factor
	}
	return value
}
