// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"crypto/x509"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestAnInstanceIsAppliedWithValidatedAndIssued(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: time.Minute, CADelay: 10 * time.Minute})
	id := w.AddInstance(cassim.NewInstance{Contact: cassim.DefaultContact})
	fresh := w.detail(id)
	for _, absent := range []string{"CertificateStatus", "CertificateId", "DomainValidationList", "Csr",
		"InstanceEndTime", "CompanyId"} {
		if _, ok := fresh[absent]; ok {
			t.Errorf("a new instance tells %s: %v", absent, fresh[absent])
		}
	}
	if fresh["Status"] != "inactive" || fresh["Spec"] != "ss.dv.t" || fresh["InstanceType"] != "TEST" {
		t.Errorf("got %v", fresh)
	}
	key := newKey(t)
	csr := newCSR(t, key, "shop.example.com", "shop.example.com")
	w.must("UpdateInstance", params{"InstanceId": id, "Csr": csr, "GenerateCsrMethod": "upload",
		"Domain": "shop.example.com"})
	if _, err := w.do("GetTaskAttribute", params{"TaskId": id}); codeOf(err) != "NotFound" {
		t.Errorf("the task before the application: %v", err)
	}
	w.apply(id)
	w.wantStatus(id, "inactive")
	if got := w.must("GetTaskAttribute", params{"TaskId": id})["TaskStatus"]; got != "processing" {
		t.Errorf("the task is %v", got)
	}
	w.pass(3 * time.Second)
	w.wantStatus(id, "pending")
	if got := w.must(
		"GetTaskAttribute", params{"TaskId": id, "TaskType": "ApplyCertificate"})["TaskStatus"]; got != "success" {
		t.Errorf("the task is %v", got)
	}
	w.pass(5 * time.Second)
	pending := w.detail(id)
	entries, _ := pending["DomainValidationList"].([]any)
	if len(entries) != 1 || pending["Csr"] != csr || pending["PendingResult"] != "pending" {
		t.Fatalf("got %v", pending)
	}
	entry, _ := entries[0].(map[string]any)
	if entry["RootDomain"] != "example.com" || entry["ValidationKey"] != "_dnsauth.shop" ||
		entry["ValidationType"] != "TXT" {
		t.Errorf("the record is %v", entry)
	}
	value, _ := entry["ValidationValue"].(string)
	w.AddRecord("example.com", "_dnsauth.shop", "TXT", value)
	w.pass(11*time.Minute - time.Second)
	w.wantStatus(id, "pending")
	w.pass(time.Second)

	done := w.detail(id)
	if done["Status"] != "normal" || done["CertificateStatus"] != "issued" || done["DomainValidationList"] != nil ||
		done["PendingResult"] != "issued" {
		t.Fatalf("got %v", done)
	}
	number, _ := done["CertificateId"].(json.Number)
	stored := w.must("GetUserCertificateDetail", params{"CertId": number.String(), "CertFilter": "false"})
	text, _ := stored["Cert"].(string)
	certs := chain(t, text)
	if len(certs) != 2 || stored["Key"] != nil || stored["InstanceId"] != id {
		t.Fatalf("got %v", stored)
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(w.RootPEM())
	intermediates.AddCert(certs[1])
	if _, err := certs[0].Verify(
		x509.VerifyOptions{DNSName: "shop.example.com", Roots: roots, Intermediates: intermediates,
			CurrentTime: w.clock.Now()}); err != nil {
		t.Error(err)
	}
	if !key.PublicKey.Equal(certs[0].PublicKey) {
		t.Error("the certificate is for another key")
	}
	if detail := w.must("GetCertificateDetail", params{"CertificateId": number.String()}); detail["Csr"] != csr ||
		detail["InstanceId"] != id {
		t.Errorf("got %v", detail)
	}
	list := w.must("ListCertificates", params{"InstanceId": id})
	if items, _ := list["CertificateList"].([]any); len(items) != 1 ||
		items[0].(map[string]any)["CertificateId"] != number.String() {
		t.Errorf("got %v", list)
	}
	applications := w.Applications()
	if len(applications) != 1 || applications[0].State != "issued" || applications[0].Foreign ||
		applications[0].By != applications[0].CSRBy {
		t.Errorf("the ledger has %+v", applications)
	}
	if err := w.InstanceHarm(); err != nil {
		t.Error(err)
	}
}

func TestAllNamesMustBeValidated(t *testing.T) {
	w := start(t, cassim.Options{
		DCVDelay: time.Minute, Knobs: cassim.Knobs{InstanceKnobs: cassim.InstanceKnobs{InstanceDNS: cassim.Off}}})
	names := []string{"example.com", "*.example.com", "deep.shop.example.com"}
	id := w.applied(cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m", Brand: "Alibaba",
		SingleNames: 2, WildcardNames: 1}, names...)
	view, _ := w.Instance(id)
	records := view.Applications[0].Records
	if len(records) != 3 || records[0].FQDN != records[1].FQDN || records[0].Value == records[1].Value {
		t.Fatalf("the records are %+v", records)
	}
	for n, r := range records {
		w.pass(time.Hour)
		w.wantStatus(id, "pending")
		w.AddRecord("example.com", strings.TrimSuffix(r.FQDN, ".example.com"), r.Type, r.Value)
		w.pass(30 * time.Second)
		if n < 2 {
			w.pass(time.Hour)
		}
		w.wantStatus(id, "pending")
	}
	w.pass(30 * time.Second)
	w.wantStatus(id, "normal")
	view, _ = w.Instance(id)
	leaf := chain(t, view.Applications[0].Certificate)[0]
	if diff := cmp.Diff(slices.Sorted(slices.Values(leaf.DNSNames)),
		[]string{"*.example.com", "deep.shop.example.com", "example.com", "www.example.com"}); diff != "" {
		t.Error(diff)
	}
}

func TestACancelledApplicationLeavesAnInstanceThatIsNormalAndHasIssuedNothing(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(cassim.NewInstance{})
	w.update(id, "example.com")
	cancel := func() error { _, err := w.do("CancelPendingCertificate", params{"InstanceId": id}); return err }
	wantCode(t, cancel(), 400, "OperationDenied.StatusNotSupport")
	w.apply(id)
	w.pass(10 * time.Second)
	wantCode(t, cancel(), 400, "OperationDenied.StatusNotSupport")
	w.pass(10 * time.Second)
	if err := cancel(); err != nil {
		t.Fatal(err)
	}
	w.prove(id)
	w.pass(3*time.Minute - time.Second)
	w.wantStatus(id, "pending")
	w.pass(time.Second)
	got := w.detail(id)
	if got["Status"] != "normal" || got["CertificateStatus"] != nil || got["CertificateId"] != nil {
		t.Errorf("got %v", got)
	}
	wantCode(t, cancel(), 400, "OperationDenied.StatusNotSupport")
	w.update(id, "www.example.com")
	w.apply(id)
	w.pass(time.Minute)
	w.wantStatus(id, "pending")
	if err := w.InstanceHarm(); err != nil {
		t.Error(err)
	}
}

func TestAnApplyWhoseReplyIsLostIsInTheLedger(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(cassim.NewInstance{})
	w.update(id, "example.com")
	w.Inject(cassim.Fault{Action: "ApplyCertificate", Kind: cassim.DropReply, Executed: true})
	if _, err := w.do("ApplyCertificate", params{"InstanceId": id}); err == nil || codeOf(err) == "" {
		t.Errorf("got %v", err)
	}
	if got := w.Applications(); len(got) != 1 || got[0].InstanceID != id {
		t.Errorf("got %+v", got)
	}
	_, err := w.do("ApplyCertificate", params{"InstanceId": id})
	wantCode(t, err, 400, "OperationDenied.StatusNotSupport")
}
