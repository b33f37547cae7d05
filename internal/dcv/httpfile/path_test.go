// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package httpfile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

func TestARegisteredDomainAndItsWWWAskForEachOther(t *testing.T) {
	for domain, want := range map[string][]string{
		"example.com":              {"example.com", "www.example.com"},
		"www.example.com":          {"www.example.com", "example.com"},
		"example.com.cn":           {"example.com.cn", "www.example.com.cn"},
		"shop.example.com":         {"shop.example.com"},
		"www.shop.example.com":     {"www.shop.example.com"},
		"www.com":                  {"www.com", "www.www.com"},
		"com":                      {"com"},
		"example.com.":             {"example.com."},
		"bücher.example":           {"bücher.example", "www.bücher.example"},
		"xn--bcher-kva.example.cn": {"xn--bcher-kva.example.cn"},
	} {
		if got := Hosts(domain); !slices.Equal(got, want) {
			t.Errorf("Hosts(%q) = %q, want %q", domain, got, want)
		}
	}
}

func TestAHostHasOneFileAtAPath(t *testing.T) {
	file := func(host, at string) dcv.Record {
		return dcv.Record{FQDN: host, Type: dcv.TypeFile, Zone: at, Value: "of " + host}
	}
	apex, www := file("example.com", "/a"), file("www.example.com", "/a")
	both := []string{"example.com", "www.example.com"}
	for name, test := range map[string]struct {
		rec    dcv.Record
		beside []dcv.Record
		want   []string
	}{
		"alone":                        {apex, nil, both},
		"beside itself":                {apex, []dcv.Record{apex}, both},
		"beside that of its www":       {apex, []dcv.Record{apex, www}, []string{"example.com"}},
		"beside that of its domain":    {www, []dcv.Record{apex, www}, []string{"www.example.com"}},
		"beside one at another path":   {apex, []dcv.Record{file("www.example.com", "/b")}, both},
		"beside one of another domain": {apex, []dcv.Record{file("shop.example.com", "/a")}, both},
	} {
		if got := hostsOf(test.rec, test.beside); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	for host, want := range map[string]bool{"example.com": true, "www.example.com": false} {
		if got := Serves(apex, []dcv.Record{apex, www}, host, "/a"); got != want {
			t.Errorf("the file of the domain is served at %s: %t", host, got)
		}
	}
	if Serves(apex, nil, "example.com", "/b") {
		t.Error("it is served at another path")
	}
}

func TestAFileIsWhereCASNamesIt(t *testing.T) {
	want := dcv.Record{FQDN: "www.example.com", Type: dcv.TypeFile, Value: "content",
		Zone: "/.well-known/pki-validation/fileauth.txt"}
	for _, uri := range []string{
		"/.well-known/pki-validation/fileauth.txt", ".well-known/pki-validation/fileauth.txt",
		"http://www.example.com/.well-known/pki-validation/fileauth.txt",
		"https://WWW.example.com:443/.well-known/pki-validation/fileauth.txt",
	} {
		got, err := Locate(dcv.Challenge{Domain: "WWW.Example.com.", RecordName: uri, RecordType: dcv.TypeFile,
			RecordValue: "content"})
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", uri, got, err)
		}
	}
}

func TestAFileElsewhereIsNotServed(t *testing.T) {
	for _, uri := range []string{
		"/", "/fileauth.txt", "/.well-known/acme-challenge/x", "/.well-known/pki-validation/",
		"/.well-known/pki-validation/../../etc/passwd",
		"/.well-known/pki-validation/%2e%2e/x", "/.well-known/pki-validation/a//b", "/.well-known/pki-validation/a?b=c",
		"/.well-known/pki-validation/a b",
		"/.well-known/pki-validation/(.*)", "http://elsewhere.example.com/.well-known/pki-validation/x",
		"//elsewhere.example.com/.well-known/pki-validation/x",
		"/.well-known/pki-validation/%zz",
	} {
		_, err := Locate(dcv.Challenge{Domain: "www.example.com", RecordName: uri, RecordType: dcv.TypeFile,
			RecordValue: "content"})
		if problem, ok := errors.AsType[*dcv.Problem](err); !ok ||
			!strings.Contains(problem.Message, "which is not a file below /.well-known/pki-validation/") {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestWhatNoFileCanProveIsSaid(t *testing.T) {
	const uri = "/.well-known/pki-validation/fileauth.txt"
	for want, ch := range map[string]dcv.Challenge{
		"use a DNS solver": {Domain: "www.example.com", RecordName: "_dnsauth", RecordType: "TXT", RecordValue: "v"},
		"no CA takes a file for the wildcard \"*.example.com\"": {Domain: "*.example.com", RecordName: uri,
			RecordType: dcv.TypeFile, RecordValue: "v"},
		"CAS has not named it": {Domain: "www.example.com", RecordType: dcv.TypeFile},
	} {
		if _, err := Locate(ch); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", ch, err, want)
		}
	}
}

func TestAPersonIsTakenToAnyPath(t *testing.T) {
	rec, err := Manual{}.Present(
		t.Context(), dcv.Challenge{Domain: "www.example.com", RecordName: "verify.html", RecordType: dcv.TypeFile,
			RecordValue: "v"}, nil, nil)
	if want := (dcv.Record{FQDN: "www.example.com", Type: dcv.TypeFile, Value: "v", Zone: "/verify.html",
		Foreign: true}); err != nil || rec != want {
		t.Errorf("%+v, %v", rec, err)
	}
	if _, err := (Manual{}).Present(t.Context(), dcv.Challenge{Domain: "www.example.com"}, nil, nil); err == nil {
		t.Error("a person is sent to put an empty file there")
	}
}
