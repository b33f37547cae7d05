// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// advised is one of the things that a message tells somebody to do.
type advised struct {
	// to names it.
	to string
	// says are expressions for the words that tell it. What they capture is all that whoever follows it knows.
	says []string
	// follow does it, and returns the request that has to be issued then, or none if it has looked at the end itself.
	follow func(*reader) (request string)
	// elsewhere says why it is not followed here.
	elsewhere string
	// billed is how many orders there have been in the end, those of others included.
	billed int
}

// reader is somebody who has read a message.
type reader struct {
	*env.Env
	words []string
}

// silent are the scenarios whose message tells nobody to do anything, and why.
var silent = map[string]string{
	"denied":                 "somebody has decided",
	"denied before approved": "somebody has decided",
	"other group":            "it is no request of ours",
	"not a CSR":              "cert-manager never makes one, and what cannot be read cannot be corrected",
	"deleted issuer":         "it is issued",
	"dropped reply":          "it is issued",
	"page of HTML":           "it is issued",
	"redirect":               "it goes on by itself",
	"nobody at the endpoint": "it goes on by itself",
	"nobody at STS":          "it goes on by itself",
	"state unknow":           "it goes on by itself",
	"state never heard of":   "it goes on by itself",
	"withdrawn elsewhere":    "whoever has withdrawn it knows",

	"instance lost update":                 "it goes on by itself",
	"instance lost application":            "it is issued",
	"instance page of HTML":                "it is issued",
	"instance refused by the CA":           "what the CA says is quoted",
	"instance closed":                      "what CAS says is quoted",
	"instance withdrawn elsewhere":         "whoever has withdrawn it knows",
	"instance certificate for another key": "whoever has let it be issued knows",
}

// advice is what every other message tells somebody to do, by its scenario.
func advice() map[string][]advised {
	all := map[string][]advised{}
	for _, some := range []map[string][]advised{certificateAdvice, referenceAdvice, accessAdvice, identityAdvice,
		policyAdvice, orderAdvice, endAdvice, limitAdvice, misfitAdvice, instanceAdvice} {
		maps.Copy(all, some)
	}
	return all
}

// stories are the scenarios that have a golden file.
func stories(t *testing.T) map[string]func(*testing.T) *env.Env {
	t.Helper()
	all := map[string]func(*testing.T) *env.Env{}
	for _, some := range []map[string]scenario{scenarios(), holds(), limits(), misfits(), identities(t),
		instanceScenarios()} {
		for name, s := range some {
			all[name] = func(t *testing.T) *env.Env { t.Helper(); return play(t, s) }
		}
	}
	for name, s := range ambiguities {
		all[name] = func(t *testing.T) *env.Env { t.Helper(); return ambiguous(t, s) }
	}
	return all
}

// TestWhoeverDoesWhatAMessageSaysGetsTheCertificate takes each scenario to its message, and does what that says with
// nothing but the words in it.
func TestWhoeverDoesWhatAMessageSaysGetsTheCertificate(t *testing.T) {
	stories := stories(t)
	for name, all := range advice() {
		for _, a := range all {
			if a.follow == nil {
				continue
			}
			t.Run(name+": "+a.to, func(t *testing.T) {
				e := stories[name](t)
				r := &reader{Env: e}
				r.reads(a.says)
				if request := a.follow(r); request != "" {
					r.isIssued(request)
				}
				inAll(t, e, a.billed)
				if err := e.Simulator.ForeignHarm(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// reads takes the words out of what is told.
func (r *reader) reads(says []string) {
	r.T.Helper()
	for _, expression := range says {
		words := regexp.MustCompile(expression).FindStringSubmatch(told(r.Env))
		if words == nil {
			r.T.Fatalf("nobody is told %q:\n%s", expression, said(r.Env))
		}
		r.words = append(r.words, words[1:]...)
	}
}

// isIssued waits for the certificate of a request. A CA that would take for ever decides as soon as it is its turn.
func (r *reader) isIssued(request string) {
	r.T.Helper()
	r.Until(2*time.Hour, func() bool {
		for _, order := range r.Simulator.Ledger() {
			if order.State == cassim.StateProcess && !order.Foreign {
				r.Simulator.ForceState(order.OrderID, cassim.StateCertificate)
			}
		}
		return hasCertificate(r.Env, request)()
	})
}

// imperative matches what tells somebody to do something: the verbs with which the messages begin to.
var imperative = regexp.MustCompile(
	`(?i)\b(add|allow|annotate|ask|buy|cancel|check|choose|correct|create|delete|give|grant|leave|let|look ` +
		`(?:at|in)|make|name an?|publish|put|register|remove|set|use|write)\b[^.;]*`)

// TestNoMessageAdvisesWhatNobodyHasFollowed reads the golden files: what is left of a message without the words of the
// advice that is known must tell nobody to do anything.
func TestNoMessageAdvisesWhatNobodyHasFollowed(t *testing.T) {
	advice, stories := advice(), stories(t)
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(stories) {
		t.Errorf("there are %d files for %d scenarios", len(files), len(stories))
	}
	for name := range stories {
		why, isSilent := silent[name]
		if isSilent == (len(advice[name]) > 0) || isSilent && why == "" {
			t.Errorf("%q must be in one of the tables: of what follows its advice, or of those that advise nothing, "+
				"with the reason", name)
		}
		if left := imperative.FindString(withoutAdvice(t, name, advice[name])); left != "" {
			t.Errorf("%q tells somebody to %q, which nobody has followed", name, left)
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(advice)), slices.Collect(maps.Keys(silent))) {
		if stories[name] == nil {
			t.Errorf("there is no scenario %q", name)
		}
	}
}

// withoutAdvice is what a scenario says beside the advice that is known.
func withoutAdvice(t *testing.T, name string, all []advised) string {
	t.Helper()
	text := conditionsIn(t, name)
	rest := text
	for _, a := range all {
		if (a.follow == nil) == (a.elsewhere == "") {
			t.Errorf("%q: %q is followed, or else says why not", name, a.to)
		}
		for _, says := range a.says {
			words := regexp.MustCompile(says)
			if !words.MatchString(text) {
				t.Errorf("%q does not say %q", name, says)
			}
			rest = words.ReplaceAllString(rest, "")
		}
	}
	return rest
}

// conditionsIn are the messages of all conditions in a golden file.
func conditionsIn(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	var messages strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "         ") {
			messages.WriteString(line)
		}
	}
	return messages.String()
}
