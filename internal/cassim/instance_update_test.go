// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestARefusedUpdateWritesNothing(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(cassim.NewInstance{Contact: cassim.DefaultContact})
	good := func() params {
		return params{
			"InstanceId": id, "Csr": newCSR(t, newKey(t), "example.com"), "GenerateCsrMethod": "upload",
			"Domain":       "example.com",
			"KeyAlgorithm": "ECC_256", "ValidationMethod": "DNS", "ContactIdList.1": "86400001",
		}
	}
	before, _ := w.Instance(id)
	csr := func(text string) params { return params{"Csr": text} }
	for name, test := range map[string]struct {
		change params
		code   string
	}{
		"no CSR":                 {params{"Csr": ""}, "MissingParameter"},
		"no PEM":                 {csr("MIIC"), "InvalidParameter.Csr"},
		"a CSR without a CN":     {csr(newCSR(t, newKey(t), "", "example.com")), "InvalidParameter.Csr"},
		"a CSR for another name": {csr(newCSR(t, newKey(t), "www.example.com")), "InvalidParameter.Domain"},
		"a CSR for one name more": {csr(newCSR(t, newKey(t), "example.com", "example.com", "www.example.com")),
			"InvalidParameter.Domain"},
		"another method":         {params{"GenerateCsrMethod": "other"}, "InvalidParameter.GenerateCsrMethod"},
		"a word for another key": {params{"KeyAlgorithm": "RSA_2048"}, "InvalidParameter.KeyAlgorithm"},
		"no such algorithm":      {params{"KeyAlgorithm": "ECC_384"}, "InvalidParameter.KeyAlgorithm"},
		"no such validation":     {params{"ValidationMethod": "FILE"}, "InvalidParameter.ValidationMethod"},
		"no such hosting":        {params{"AutoReissue": "true"}, "InvalidParameter.AutoReissue"},
		"no such contact":        {params{"ContactIdList.1": "1"}, "InvalidParameter.ContactIdList"},
		"no domain":              {params{"Domain": "localhost"}, "InvalidParameter.Domain"},
		"a domain twice":         {params{"Domain": "example.com,example.com"}, "InvalidParameter.Domain"},
		"more names than bought": {
			params{"Domain": "example.com,www.example.com",
				"Csr": newCSR(t, newKey(t), "example.com", "www.example.com")}, "DomainAndProductNotMatch"},
		"a wildcard": {params{"Domain": "*.example.com", "Csr": newCSR(t, newKey(t), "*.example.com")},
			"DomainAndProductNotMatch"},
		"a tag of Alibaba's":       {params{"Tags.1.TagKey": "acs:x", "Tags.1.TagValue": "v"}, "InvalidParameter.Tags"},
		"a tag of V1":              {params{"Tags.1.Key": "k"}, "InvalidParameter.NotInContract"},
		"a parameter of our own":   {params{"ValidateType": "DNS"}, "InvalidParameter.NotInContract"},
		"a contact above the 50th": {params{"ContactIdList.51": "86400001"}, "InvalidParameter.NotInContract"},
		"a ClientToken":            {params{"ClientToken": "x"}, "InvalidParameter.NotInContract"},
		"no instance":              {params{"InstanceId": ""}, "MissingParameter.InstanceId"},
		"another instance":         {params{"InstanceId": "cas-none"}, "NotFound"},
	} {
		given := good()
		maps.Copy(given, test.change)
		_, err := w.do("UpdateInstance", given)
		t.Run(name, func(t *testing.T) { wantCode(t, err, 400, test.code) })
	}
	after, _ := w.Instance(id)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the instance has changed (-before +after):\n%s", diff)
	}
}

func TestWithTheDefaultMethodTheCSRIsIgnored(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(cassim.NewInstance{Contact: cassim.DefaultContact})
	csr := newCSR(t, newKey(t), "example.com")
	w.must("UpdateInstance", params{"InstanceId": id, "Csr": csr, "Domain": "example.com"})
	w.apply(id)
	w.pass(time.Minute)
	w.prove(id)
	got := w.detail(id)
	if got["GenerateCsrMethod"] != "online" || got["Csr"] == csr || got["CertificateStatus"] != "issued" {
		t.Errorf("got %v", got)
	}
	view, _ := w.Instance(id)
	stored := w.must("GetUserCertificateDetail", params{"CertId": view.Applications[0].CertificateID})
	if stored["Key"] != cassim.FakePrivateKey {
		t.Errorf("CAS tells %v as the key that it made", stored["Key"])
	}
}

func TestUploadedWithoutADomainTheCNBecomesIt(t *testing.T) {
	for sans, want := range map[string]string{"compared": "www.example.com",
		"honoured": "www.example.com,example.com"} {
		w := start(t, cassim.Options{Knobs: cassim.Knobs{InstanceKnobs: cassim.InstanceKnobs{InstanceSANs: sans}}})
		id := w.AddInstance(cassim.NewInstance{SingleNames: 2})
		names := strings.Split(want, ",")
		w.must("UpdateInstance", params{"InstanceId": id, "Csr": newCSR(t, newKey(t), names[0], names[1:]...),
			"GenerateCsrMethod": "upload"})
		if got := w.detail(id)["Domain"]; got != want {
			t.Errorf("%s: got %v, want %s", sans, got, want)
		}
	}
}

func TestANewListReplacesTheOldOneAndWhatIsNotGivenStays(t *testing.T) {
	w := start(t, cassim.Options{})
	second := w.AddContact("Second Person", "second@example.com", "13900000000")
	if second != cassim.DefaultContact+1 {
		t.Fatalf("the contact is %d", second)
	}
	id := w.AddInstance(cassim.NewInstance{})
	w.must("UpdateInstance", params{"InstanceId": id, "ContactIdList.1": "86400002", "ContactIdList.2": "86400001",
		"Tags.1.TagKey": "a", "Tags.1.TagValue": "1"})
	w.must("UpdateInstance", params{"InstanceId": id, "CertificateName": "mine", "Tags.1.TagKey": "b",
		"Tags.1.TagValue": "2"})
	got := w.detail(id)
	wantTags := []any{map[string]any{"TagKey": "b", "TagValue": "2"}}
	if diff := cmp.Diff(wantTags, got["Tags"]); diff != "" || got["CertificateName"] != "mine" ||
		len(got["ContactIdList"].([]any)) != 2 {
		t.Errorf("got %v\n%s", got, diff)
	}
	contacts := w.must("ListContact", nil)["ContactList"].([]any)
	if len(contacts) != 2 || strings.Contains(contacts[1].(map[string]any)["Email"].(string), "second@") {
		t.Errorf("the contacts are not masked: %v", contacts)
	}
}

func TestAnApplicationNeedsAllOfItsData(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(cassim.NewInstance{})
	apply := func() error { _, err := w.do("ApplyCertificate", params{"InstanceId": id}); return err }
	wantCode(t, apply(), 400, "MissingParameter")
	w.must("UpdateInstance", params{"InstanceId": id, "Csr": newCSR(t, newKey(t), "example.com"),
		"GenerateCsrMethod": "upload"})
	wantCode(t, apply(), 400, "MissingParameter")
	w.must("UpdateInstance", params{"InstanceId": id, "ContactIdList.1": "86400001"})
	if err := apply(); err != nil {
		t.Error(err)
	}
	ov := w.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, CertificateType: "OV", Spec: "ss.ov.f",
		Contact: cassim.DefaultContact})
	w.update(ov, "example.com")
	_, err := w.do("ApplyCertificate", params{"InstanceId": ov})
	wantCode(t, err, 400, "MissingParameter")
	w.must("UpdateInstance", params{"InstanceId": ov, "CompanyId": "5"})
	w.apply(ov)
}

func TestAPendingInstanceIsProtected(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.applied(cassim.NewInstance{}, "example.com")
	_, err := w.do("UpdateInstance", params{"InstanceId": id, "Domain": "www.example.com"})
	wantCode(t, err, 400, "InvalidStatus.UpdateProtection")
}
