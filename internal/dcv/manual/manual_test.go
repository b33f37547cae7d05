// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package manual_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/manual"
)

// world is a simulator whose DNS knows some zones of other providers.
func world(t *testing.T, zones ...string) (*cassim.Server, *manual.Solver) {
	t.Helper()
	w := cassim.New(cassim.Options{Logf: t.Logf})
	for _, zone := range zones {
		w.AddZone(zone, "")
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w, &manual.Solver{Zones: &dcv.SelfCheck{Nameservers: []string{w.DNSAddr()}}}
}

// offline is a solver whose resolver is not there.
func offline(t *testing.T) (solver *manual.Solver, resolver string) {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resolver = packets.LocalAddr().String()
	if err := packets.Close(); err != nil {
		t.Fatal(err)
	}
	return &manual.Solver{Zones: &dcv.SelfCheck{Nameservers: []string{resolver}}}, resolver
}

func challenge(name string) dcv.Challenge {
	return dcv.Challenge{Domain: "www.example.net", RecordName: name, RecordType: "TXT", RecordValue: "v1"}
}

// present fails the test if the solver claims anything: it creates nothing.
func present(t *testing.T, solver *manual.Solver, ch dcv.Challenge, prior *dcv.Record) (dcv.Record, error) {
	t.Helper()
	return solver.Present(t.Context(), ch, prior, func(_ context.Context, rec dcv.Record) error {
		t.Errorf("%+v was claimed", rec)
		return nil
	})
}

func wantRecord(t *testing.T, got dcv.Record, err error, want dcv.Record) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestThePersonIsToldTheFullNameAndTheZone(t *testing.T) {
	tests := map[string]struct {
		zones      []string
		name       string
		fqdn, zone string
	}{
		"relative": {[]string{"example.net"}, "_dnsauth.www", "_dnsauth.www.example.net",
			"example.net"},
		"relative, of the domain": {[]string{"example.net"}, "_dnsauth", "_dnsauth.example.net",
			"example.net"},
		"in full, upper case, with a dot": {[]string{"example.net"}, "_DNSAUTH.www.EXAMPLE.net.",
			"_dnsauth.www.example.net", "example.net"},
		"in a sub-zone": {[]string{"example.net", "www.example.net"}, "_dnsauth.www",
			"_dnsauth.www.example.net", "www.example.net"},
		"in full, and DNS knows no zone":   {nil, "_dnsauth.www.example.net", "_dnsauth.www.example.net", ""},
		"in full of a parent, and no zone": {nil, "_dnsauth.example.net.", "_dnsauth.example.net", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, solver := world(t, append(test.zones, "net")...)
			got, err := present(t, solver, challenge(test.name), nil)
			wantRecord(t, got, err, dcv.Record{FQDN: test.fqdn, Type: "TXT", Value: "v1", Zone: test.zone,
				Foreign: true})
		})
	}
}

func TestTheNameThatAPersonMayBeTypingDoesNotChange(t *testing.T) {
	w, solver := world(t, "example.net")
	first, err := present(t, solver, challenge("_dnsauth.www"), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.AddZone("www.example.net", "")
	again, err := present(t, solver, challenge("_dnsauth.www"), &first)
	wantRecord(t, again, err, first)
	gone, _ := offline(t)
	again, err = present(t, gone, challenge("_dnsauth.www"), &first)
	wantRecord(t, again, err, first)
	if _, err := present(t, gone, challenge("_dnsauth.www"), nil); err == nil {
		t.Error("without the record of before DNS is needed")
	}
}

func TestAnotherRecordIsLocatedAnew(t *testing.T) {
	_, solver := world(t, "example.net")
	want := dcv.Record{FQDN: "_dnsauth.www.example.net", Type: "TXT", Value: "v1", Zone: "example.net", Foreign: true}
	for name, change := range map[string]func(*dcv.Record){
		"of another value": func(rec *dcv.Record) { rec.Value = "v0" },
		"of another type":  func(rec *dcv.Record) { rec.Type = "CNAME" },
		"not yet located":  func(rec *dcv.Record) { rec.FQDN = "" },
		"ours, elsewhere": func(rec *dcv.Record) {
			rec.Value, rec.FQDN, rec.Foreign = "v0", "_dnsauth.example.org",
				false
		},
		"in a zone no more": func(rec *dcv.Record) { rec.Value, rec.Zone = "v0", "www.example.net" },
	} {
		t.Run(name, func(t *testing.T) {
			prior := want
			change(&prior)
			got, err := present(t, solver, challenge("_dnsauth.www"), &prior)
			wantRecord(t, got, err, want)
		})
	}
}

func TestARelativeNameNeedsDNS(t *testing.T) {
	_, solver := world(t, "net")
	_, err := present(t, solver, challenge("_dnsauth.www"), nil)
	const unregistered = `DNS knows no zone that holds "www.example.net": register the domain and delegate it to ` +
		`name servers, or correct the name`
	if problem, ok := errors.AsType[*dcv.Problem](err); !ok || problem.Message != unregistered {
		t.Errorf("got %v", err)
	}
	gone, resolver := offline(t)
	_, err = present(t, gone, challenge("_dnsauth.www"), nil)
	if want := "no name server answered for SOA www.example.net: " + resolver +
		": read: connection refused"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	got, err := present(t, gone, challenge("_dnsauth.www.example.net"), nil)
	wantRecord(t, got, err, dcv.Record{FQDN: "_dnsauth.www.example.net", Type: "TXT", Value: "v1", Foreign: true})
}

func TestAChallengeThatCASHasNotFilledInIsWaitedFor(t *testing.T) {
	_, solver := world(t, "example.net")
	for name, empty := range map[string]func(*dcv.Challenge){
		"no name":  func(ch *dcv.Challenge) { ch.RecordName = "" },
		"no value": func(ch *dcv.Challenge) { ch.RecordValue = "" },
	} {
		ch := challenge("_dnsauth.www")
		empty(&ch)
		_, err := present(t, solver, ch, nil)
		const want = `the validation record for "www.example.net" is not known yet: CAS has not named it`
		if _, isProblem := errors.AsType[*dcv.Problem](err); isProblem || err == nil || err.Error() != want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWhatAPersonPublishedStays(t *testing.T) {
	w, solver := world(t, "example.net")
	w.AddRecord("example.net", "_dnsauth.www", "TXT", "v1")
	before := w.Records("")
	rec, err := present(t, solver, challenge("_dnsauth.www"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := solver.CleanUp(t.Context(), rec); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, w.Records("")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if calls := w.Requests(); len(calls) > 0 {
		t.Errorf("called %+v", calls)
	}
}
