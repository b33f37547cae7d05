// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// order buys a certificate and returns what CAS asks to see for it.
func (w *world) order(domain string) (id string, ch dcv.Challenge) {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(
		rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: domain}}, key)
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := cas.New(cas.Config{Endpoint: rpc.Endpoint{Region: "cn-hangzhou", URL: w.URL()},
		Credentials: credentials, Rate: 1e6})
	if err != nil {
		w.t.Fatal(err)
	}
	bought := client.Submit(w.t.Context(), cas.Application{
		CSR:         string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})),
		ProductCode: cassim.DefaultProduct, ValidateType: cas.ValidateDNS, StartedAt: time.Now(),
		Contact: cas.Contact{Name: "Zhang San", Email: "zhang.san@example.com", Phone: "13800000000"},
	})
	if bought.Err != nil {
		w.t.Fatal(bought.Err)
	}
	described, err := client.Describe(w.t.Context(), bought.OrderID)
	if err != nil {
		w.t.Fatal(err)
	}
	w.wantCalls("CreateCertificateWithCsrRequest", "DescribeCertificateState")
	return string(bought.OrderID), dcv.Challenge{
		Domain: domain, RecordName: described.Record.Domain, RecordType: described.Record.Type,
		RecordValue: described.Record.Value,
	}
}

// TestTheAuthorityFindsTheRecordHoweverCASNamesIt takes orders through all the ways in which CAS may name a record. One
// of them has two meanings: "_dnsauth" for www.example.com may be below www.example.com or below example.com. It is
// taken as docs/design/cas.md §3.4 takes it, relative to the zone that holds the name; an authority that means the
// other one does not find it.
func TestTheAuthorityFindsTheRecordHoweverCASNamesIt(t *testing.T) {
	for _, zones := range [][]string{{"example.com"}, {"example.com", "www.example.com"}} {
		for _, domain := range []string{"example.com", "www.example.com"} {
			for _, kind := range []string{cassim.RecordTXT, cassim.RecordCNAME} {
				for _, label := range []string{cassim.LabelAtName, cassim.LabelAtZone} {
					for _, form := range []string{cassim.RecordRelative, cassim.RecordPrefix, cassim.RecordFQDN,
						cassim.RecordFQDNDot, cassim.RecordUpper} {
						knobs := cassim.Knobs{RecordDomain: form, RecordLabel: label, RecordType: kind}
						t.Run(fmt.Sprintf("%s at %s, %s of %s in %s", form, label, kind, domain, zones),
							func(t *testing.T) {
								live(t, startWith(t, cassim.Options{Knobs: knobs}, zones...), domain, zones)
							})
					}
				}
			}
		}
	}
}

func live(t *testing.T, w *world, domain string, zones []string) {
	t.Helper()
	id, ch := w.order(domain)
	order, _ := w.Order(id)
	want := order.RecordFQDN
	if ch.RecordName == "_dnsauth" {
		want = "_dnsauth.example.com"
		if slices.Contains(zones, domain) {
			want = "_dnsauth." + domain
		}
	}
	solver := w.solver()
	rec := present(t, solver, ch, nil, new(claims).claim)
	if rec.FQDN != want {
		t.Errorf("%q was written at %q, want %q", ch.RecordName, rec.FQDN, want)
	}
	order, _ = w.Order(id)
	if isFound := !order.ValidatedAt.IsZero(); isFound != (rec.FQDN == order.RecordFQDN) {
		t.Errorf("%q was written at %q, the authority looks at %q, and that it found it is %t", ch.RecordName, rec.FQDN,
			order.RecordFQDN, isFound)
	}
	cleanUp(t, solver, rec)
	w.wantRecords()
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord", "DeleteDomainRecord")
}

func TestARecordThatCASWroteByItselfIsItsOwn(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Now())
	w := startWith(t, cassim.Options{Clock: clock, DCVDelay: time.Minute, Knobs: cassim.Knobs{AutomaticDNS: cassim.On}},
		"example.com")
	id, ch := w.order("www.example.com")
	written := w.Records("")
	if len(written) != 1 {
		t.Fatalf("CAS wrote %+v", written)
	}
	solver := w.solver()
	rec := present(t, solver, ch, nil, noClaim(t))
	wantRecord(t, rec, theirs(ch.RecordValue, written[0].ID))
	cleanUp(t, solver, rec)
	clock.SetTime(clock.Now().Add(time.Hour))
	w.wantRecords(written...)
	if order, _ := w.Order(id); order.ValidatedAt.IsZero() {
		t.Error("the authority does not see it")
	}
}
