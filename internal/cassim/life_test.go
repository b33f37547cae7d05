// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestAnOrderIsValidatedReviewedAndIssued(t *testing.T) {
	w := start(t, cassim.Options{RecordDelay: 2 * time.Second, DCVDelay: time.Minute, CADelay: 10 * time.Minute})
	key := newKey(t)
	req := w.application("shop.example.com")
	req.Csr = newCSR(t, key, "shop.example.com")
	id := w.create(req)

	if got := w.describe(id); got.Type != "domain_verify" || got.RecordDomain != "" || got.RecordValue != "" {
		t.Errorf("right after the create: %+v", got)
	}
	w.pass(2 * time.Second)
	told := w.describe(id)
	if told.RecordDomain != "_dnsauth.shop" || told.RecordType != "TXT" || len(told.RecordValue) != 64 ||
		told.ValidateType != "DNS" {
		t.Errorf("the record is told as %q %q %q", told.RecordDomain, told.RecordType, told.RecordValue)
	}

	add := alidns.CreateAddDomainRecordRequest()
	add.DomainName, add.RR, add.Type, add.Value = "example.com", told.RecordDomain, told.RecordType, told.RecordValue
	if _, err := w.dns.AddDomainRecord(add); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute - time.Second)
	w.wantState(id, "domain_verify")
	w.pass(time.Second)
	w.wantState(id, "process")
	w.pass(10*time.Minute - time.Second)
	w.wantState(id, "process")
	w.pass(time.Second)
	issued := w.describe(id)
	if issued.Type != "certificate" || issued.PrivateKey != "" || issued.RecordValue != "" {
		t.Fatalf("got %+v", issued)
	}

	certs := chain(t, issued.Certificate)
	if len(certs) != 2 {
		t.Fatalf("%d certificates", len(certs))
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(w.RootPEM())
	intermediates.AddCert(certs[1])
	_, err := certs[0].Verify(x509.VerifyOptions{
		DNSName: "shop.example.com", Roots: roots, Intermediates: intermediates, CurrentTime: w.clock.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		t.Error(err)
	}
	if !key.PublicKey.Equal(certs[0].PublicKey) {
		t.Error("the certificate is for another key")
	}
	if !slices.Equal(certs[0].DNSNames, []string{"shop.example.com", "www.shop.example.com"}) ||
		certs[0].Subject.CommonName != "shop.example.com" {
		t.Errorf("it is for %v", certs[0].DNSNames)
	}
	if !certs[0].NotBefore.Equal(w.clock.Now()) || certs[0].NotAfter.Sub(certs[0].NotBefore) != 200*24*time.Hour {
		t.Errorf("it is valid from %v to %v", certs[0].NotBefore, certs[0].NotAfter)
	}

	ledger := w.Ledger()
	if len(ledger) != 1 || ledger[0].OrderID != id || ledger[0].State != "certificate" || ledger[0].Released {
		t.Errorf("the ledger has %+v", ledger)
	}
	want := map[string]int{"CreateCertificateWithCsrRequest": 1, "DescribeCertificateState": 6}
	if diff := cmp.Diff(want, w.CallsFor(id)); diff != "" {
		t.Errorf("calls for the order (-want +got):\n%s", diff)
	}
}
