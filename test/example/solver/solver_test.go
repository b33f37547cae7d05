// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package solver_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/test/example/solver"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// What CAS asks for, and what it comes to in the zone. Somebody else has a record at the same name all the time.
var challenge = dcv.Challenge{Domain: "www.example.com", RecordName: "_dnsauth.www", RecordType: "TXT",
	RecordValue: "token"}

const (
	ours   = `_dnsauth.www.example.com. 60 IN TXT "token"`
	theirs = `_dnsauth.www.example.com. 300 IN TXT "somebody else's"`
)

// world is a name server on the loopback with the zone example.com, and what asks and changes it.
type world struct {
	*testing.T
	server *primary.Server
	check  *dcv.SelfCheck
	solver *solver.Solver
	// isLost keeps the answers to updates back, once they are made.
	isLost atomic.Bool
	// kept is what an AliyunOrder has in its status: what was claimed or presented last. It outlives a crash.
	kept *dcv.Record
}

func begin(t *testing.T, records ...string) *world {
	t.Helper()
	w := &world{T: t, server: primary.Start(t, "example.com", append(records, theirs)...)}
	w.server.TakeUnsigned()
	w.server.Answers = w.isLost.Load
	w.check = &dcv.SelfCheck{Nameservers: []string{w.server.Addr}}
	w.solver = &solver.Solver{Server: w.server.Addr, Zones: w.check}
	return w
}

// present calls the solver as the order machine does: with what was kept, and with a claim that is kept before
// anything is made.
func (w *world) present(ch dcv.Challenge) (dcv.Record, error) {
	rec, err := w.solver.Present(w.Context(), ch, w.kept, func(_ context.Context, rec dcv.Record) error {
		w.kept = &rec
		return nil
	})
	if err == nil {
		w.kept = &rec
	}
	return rec, err
}

// mustPresent ends the test unless the record is presented.
func (w *world) mustPresent() dcv.Record {
	w.Helper()
	rec, err := w.present(challenge)
	if err != nil {
		w.Fatal(err)
	}
	return rec
}

func (w *world) mustCleanUp(rec dcv.Record) {
	w.Helper()
	if err := w.solver.CleanUp(w.Context(), rec); err != nil {
		w.Fatal(err)
	}
}

// wantRecords compares all that the zone has beside its SOA and NS.
func (w *world) wantRecords(want ...string) {
	w.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, w.server.Records()); diff != "" {
		w.Errorf("the zone is not as it should be (-want +got):\n%s", diff)
	}
}

// wantSeen looks at DNS as the controller does for people's sake. The solver has no part in that.
func (w *world) wantSeen(rec dcv.Record, want dcv.Observation) {
	w.Helper()
	seen, err := w.check.Check(w.Context(), rec)
	if diff := cmp.Diff(want, seen); diff != "" || err != nil {
		w.Errorf("DNS shows something else (-want +got):\n%s%v", diff, err)
	}
}

// TestARecordIsPublishedSeenAndTakenAway is a whole life. All other tests are about what may come between.
func TestARecordIsPublishedSeenAndTakenAway(t *testing.T) {
	w := begin(t)
	rec := w.mustPresent()
	want := dcv.Record{FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: "token", Zone: "example.com"}
	if diff := cmp.Diff(want, rec); diff != "" {
		t.Errorf("the record is told in another way (-want +got):\n%s", diff)
	}
	w.wantSeen(rec, dcv.Observation{Visible: true})
	w.wantRecords(ours, theirs)
	w.mustCleanUp(rec)
	w.wantSeen(rec, dcv.Observation{Seen: []string{"TXT somebody else's"}})
	w.wantRecords(theirs)
}

func TestARecordThatIsPresentedAgainOrRemovedAgainStaysAsItIs(t *testing.T) {
	w := begin(t)
	rec := w.mustPresent()
	again, err := w.solver.Present(t.Context(), challenge, w.kept, func(context.Context, dcv.Record) error {
		return errors.New("what stands already is not made, and so not claimed")
	})
	if err != nil || again != rec {
		t.Errorf("presented %+v, and then %+v, %v", rec, again, err)
	}
	w.wantRecords(ours, theirs)
	w.mustCleanUp(rec)
	w.mustCleanUp(rec)
	w.wantRecords(theirs)
}

func TestNothingIsMadeBeforeItIsClaimed(t *testing.T) {
	w, crash := begin(t), errors.New("the API server did not take the claim")
	_, err := w.solver.Present(t.Context(), challenge, nil, func(_ context.Context, rec dcv.Record) error {
		w.wantRecords(theirs)
		if rec.Foreign || rec.FQDN != "_dnsauth.www.example.com" || rec.Zone != "example.com" {
			t.Errorf("claimed is %+v, by which nobody could clean up", rec)
		}
		return crash
	})
	if !errors.Is(err, crash) {
		t.Errorf("got %v", err)
	}
	w.wantRecords(theirs)
}

// TestARecordWhoseAnswerWasLostIsOurs has the server make a record, and the solver never learn of it.
func TestARecordWhoseAnswerWasLostIsOurs(t *testing.T) {
	w := begin(t)
	w.isLost.Store(true)
	if _, err := w.present(challenge); err == nil {
		t.Fatal("nothing was answered")
	}
	w.wantRecords(ours, theirs)
	w.isLost.Store(false)
	rec := w.mustPresent()
	if rec.Foreign {
		t.Error("it was claimed, and is taken for somebody else's")
	}
	w.mustCleanUp(rec)
	w.wantRecords(theirs)
}

// TestARecordThatStoodThereBeforeIsLeft is one that CAS or a person has published with the same value.
func TestARecordThatStoodThereBeforeIsLeft(t *testing.T) {
	w := begin(t, ours)
	for range 2 {
		rec := w.mustPresent()
		if !rec.Foreign {
			t.Fatal("nobody has claimed it, and it is taken for ours")
		}
		w.mustCleanUp(rec)
		w.wantRecords(ours, theirs)
	}
}

// TestARecordThatWasClaimedKeepsItsPlace has nobody who could tell a zone, so that only the claim knows where it is.
func TestARecordThatWasClaimedKeepsItsPlace(t *testing.T) {
	w := begin(t)
	rec := w.mustPresent()
	w.solver.Zones = &dcv.SelfCheck{Nameservers: []string{"127.0.0.1:1"}}
	if again := w.mustPresent(); again != rec {
		t.Errorf("presented %+v, and then %+v", rec, again)
	}
	w.mustCleanUp(rec)
	w.wantRecords(theirs)
}

func TestNothingButAValidationRecordIsPublished(t *testing.T) {
	for title, ch := range map[string]dcv.Challenge{
		"an address":       {RecordName: "_dnsauth.www", RecordType: "A", RecordValue: "192.0.2.1"},
		"a text at a host": {RecordName: "www", RecordType: "TXT", RecordValue: "v=spf1 +all"},
		"another's name":   {RecordName: "_dnsauth.shop.example.com", RecordType: "TXT", RecordValue: "x"},
		"no name yet":      {RecordType: "TXT"},
	} {
		ch.Domain = "www.example.com"
		w := begin(t)
		if _, err := w.present(ch); err == nil || w.kept != nil {
			t.Errorf("%s: claimed is %+v, %v", title, w.kept, err)
		}
		w.wantRecords(theirs)
	}
}

func TestACNAMEAndAValueWithQuotesArePublishedAsTheyAre(t *testing.T) {
	for kind, value := range map[string]string{"CNAME": "token.dcv.example.net", "TXT": `a "token"; with \ signs`} {
		w := begin(t)
		ch := dcv.Challenge{Domain: "shop.example.com", RecordName: "_token.shop", RecordType: kind, RecordValue: value}
		rec, err := w.present(ch)
		if err != nil {
			t.Fatal(err)
		}
		w.wantSeen(rec, dcv.Observation{Visible: true})
		w.mustCleanUp(rec)
		w.wantRecords(theirs)
	}
}

// TestOnlyWhatAPersonHasToMendIsAProblem tells the two kinds of errors apart: the order is held by one, and a person
// reads its text; the other is tried again in silence.
func TestOnlyWhatAPersonHasToMendIsAProblem(t *testing.T) {
	for code, isForPerson := range map[int]bool{dns.RcodeRefused: true, dns.RcodeServerFailure: false} {
		w := begin(t)
		w.server.Refuse(code)
		_, err := w.present(challenge)
		problem, isProblem := errors.AsType[*dcv.Problem](err)
		if err == nil || isProblem != isForPerson {
			t.Errorf("%s: got %v", dns.RcodeToString[code], err)
		}
		if isProblem && !strings.Contains(problem.Message, "let it take updates from") {
			t.Errorf("nobody is told what to do: %s", problem.Message)
		}
		w.server.Refuse(dns.RcodeSuccess)
		w.mustCleanUp(w.mustPresent())
		w.wantRecords(theirs)
	}
}

// TestNobodyClaimsWhatNobodyCanSee asks a server that is gone, and one that cannot tell what it has.
func TestNobodyClaimsWhatNobodyCanSee(t *testing.T) {
	silent := primary.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeServerFailure)) // whoever asked has gone
	}), nil)
	for _, server := range []string{"127.0.0.1:1", silent} {
		w := begin(t)
		w.solver.Server = server
		_, err := w.present(challenge)
		if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem || w.kept != nil {
			t.Errorf("claimed is %+v, %v", w.kept, err)
		}
	}
}
