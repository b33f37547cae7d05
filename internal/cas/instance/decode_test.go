// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

// Returns a client of a service whose detail has these fields, beside those that it must have.
func telling(t *testing.T, fields string) *instance.Client {
	t.Helper()
	return newClient(
		t, answers.Always(t, 200, `{"RequestId":"R-1","InstanceId":"`+string(testInstance)+`","Status":"pending"`+fields+
			`}`))
}

func TestACertificateIDIsReadToItsLastDigitWhateverItsType(t *testing.T) {
	for literal, want := range map[string]string{
		`21730000`: "21730000", `"21730000"`: "21730000", `8589934592`: "8589934592",
		`9007199254740993`:    "9007199254740993",
		`9223372036854775807`: "9223372036854775807", `0`: "", `""`: "", `null`: "", `"0"`: "",
	} {
		got, err := telling(t, `,"CertificateId":`+literal).Describe(context.Background(), testInstance)
		if err != nil || got.CertificateID != want {
			t.Errorf("%s: got %+v, %v", literal, got, err)
		}
	}
	for _, literal := range []string{`-1`, `1.5`, `1e9`, `"x"`, `[1]`, `{"a":1}`, `true`} {
		if _, err := telling(t, `,"CertificateId":`+literal).Describe(context.Background(), testInstance); cas.KindOf(
			err) != cas.KindUndecodable {
			t.Errorf("%s: got %v", literal, err)
		}
	}
}

func TestATimeIsInSecondsOrMilliseconds(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for literal, want := range map[string]time.Time{
		`1772452800`: at, `1772452800000`: at, `"1772452800"`: at, `"1772452800000"`: at,
		`1772452800123`: at.Add(123 * time.Millisecond),
		`999999999999`:  time.Unix(999999999999, 0).UTC(), `1000000000000`: time.UnixMilli(1000000000000).UTC(),
		`0`: {}, `-1`: {}, `null`: {}, `""`: {}, `"soon"`: {},
	} {
		got, err := telling(t, `,"CertificateNotAfter":`+literal+`,"InstanceEndTime":`+literal).Describe(
			context.Background(), testInstance)
		if err != nil || !got.CertificateNotAfter.Equal(want) || !got.TermEnd.Equal(want) {
			t.Errorf("%s: got %+v, %v, want %v", literal, got, err, want)
		}
	}
}

func TestRecordsAreReadHoweverLittleOfThemThereIs(t *testing.T) {
	whole := `{"Domain":"a.example.com","RootDomain":"example.com","ValidationKey":"_dnsauth.a","ValidationType":"TXT","ValidationValue":"v","Cname":"","CnameKey":""}`
	tests := map[string]struct {
		fields   string
		complete []bool
	}{
		"no list":       {``, nil},
		"null":          {`,"DomainValidationList":null`, nil},
		"an empty list": {`,"DomainValidationList":[]`, nil},
		"one":           {`,"DomainValidationList":[` + whole + `]`, []bool{true}},
		"one without a value": {`,"DomainValidationList":[` + strings.Replace(whole, `"v"`, `""`, 1) + `]`,
			[]bool{false}},
		"one whose value is null": {`,"DomainValidationList":[` + strings.Replace(whole, `"v"`, `null`, 1) + `,` +
			whole + `]`, []bool{false, true}},
		"one that lacks its key": {`,"DomainValidationList":[{"Domain":"a.example.com","ValidationValue":"v"}]`,
			[]bool{false}},
		"one that is an empty object": {`,"DomainValidationList":[{}]`, []bool{false}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := telling(t, test.fields).Describe(context.Background(), testInstance)
			if err != nil {
				t.Fatal(err)
			}
			var complete []bool
			for _, v := range got.Validations {
				complete = append(complete, v.IsComplete())
			}
			if diff := cmp.Diff(test.complete, complete); diff != "" {
				t.Errorf("complete (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADetailIsReadWhole(t *testing.T) {
	got, err := telling(t, `,"CertificateName":"n","CertificateStatus":"willExpire","PendingResult":"issued","CertificateId":7,"CertIdentifier":"7-cn-hangzhou",
		"Domain":"Example.com, *.example.com","Spec":"alibaba.dv.m","Brand":"Alibaba","CertificateType":"DV","InstanceType":"BUY","FullDomainCount":1,
		"WildcardDomainCount":"2","KeyAlgorithm":"ECC_256","AutoReissue":"enable","ResourceGroupId":"rg-1","OrderStartTime":1772452800000,"Csr":"c",
		"GenerateCsrMethod":"upload","ValidationMethod":"DNS","ContactIdList":[2,"1"],"CompanyId":9007199254740993,"Tags":[{"TagKey":"k","TagValue":"v"}],
		"UpgradeStatus":"none","City":"x","AverageWaitingTime":"300","SomethingNew":{"a":[1]}`).Describe(context.Background(), testInstance)
	if err != nil {
		t.Fatal(err)
	}
	want := &instance.Detail{
		Instance: instance.Instance{
			ID: testInstance, Name: "n", Status: "pending", CertificateStatus: "willExpire", PendingResult: "issued",
			CertificateID:  "7",
			CertIdentifier: "7-cn-hangzhou", Names: []string{"example.com", "*.example.com"}, Spec: "alibaba.dv.m",
			Brand:           "Alibaba",
			CertificateType: "DV", Type: "BUY", SingleNames: 1, WildcardNames: 2, KeyAlgorithm: "ECC_256",
			AutoReissue:     true,
			ResourceGroupID: "rg-1", BoughtAt: clients.Noon,
		},
		CSR: "c", ValidationMethod: "DNS", ContactIDs: []string{"2", "1"}, CompanyID: "9007199254740993",
		Tags: map[string]string{"k": "v"}, UpgradeStatus: "none", RequestID: "R-1", Date: got.Date,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Date.IsZero() {
		t.Error("the date is lost")
	}
}

func TestAnotherInstanceOrNoneIsNoAnswer(t *testing.T) {
	for _, body := range []string{
		`{}`, ``, `null`, `{"RequestId":"R-1"}`, `{"RequestId":"R-1","InstanceId":"cas_dv-cn-0123456789a"}`,
		`{"RequestId":"R-1","Status":""}`,
		`{"RequestId":"R-1","InstanceId":"cas-another","Status":"normal"}`,
		`{"RequestId":"R-1","InstanceId":"cas_dv-cn-0123456789a","Status":"normal","FullDomainCount":-1}`,
	} {
		client := newClient(t, answers.Always(t, 200, body))
		if got, err := client.Describe(context.Background(), testInstance); cas.KindOf(err) != cas.KindUndecodable {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
}

func TestNoPageIsMadeUp(t *testing.T) {
	item := `{"InstanceId":"i-1","Status":"inactive"}`
	for body, want := range map[string]int{
		`"TotalCount":0,"InstanceList":[]`: 0, `"TotalCount":"1","InstanceList":[` + item + `]`: 1, `"TotalCount":0`: 0,
		`"TotalCount":0,"InstanceList":null`: 0,
		`"TotalCount":1,"InstanceList":[]`:   -1, `"InstanceList":[]`: -1, `"TotalCount":null,"InstanceList":null`: -1,
		`"TotalCount":-1,"InstanceList":[]`:                                        -1,
		`"TotalCount":2,"InstanceList":[` + item + `,{"Status":"inactive"}]`:       -1,
		`"TotalCount":1,"InstanceList":[{"InstanceId":"i-1"}]`:                     -1,
		`"TotalCount":1,"InstanceList":"x"`:                                        -1,
		`"TotalCount":1,"InstanceList":[{"InstanceId":"i 1","Status":"inactive"}]`: -1,
	} {
		page, err := newClient(t, answers.Always(t, 200, `{"RequestId":"R-1",`+body+`}`)).List(context.Background(),
			instance.Query{})
		if want < 0 && cas.KindOf(err) != cas.KindUndecodable || want >= 0 && (err != nil || len(page.Items) != want) {
			t.Errorf("%s: got %+v, %v", body, page, err)
		}
	}
}

func TestTheWordsOfATask(t *testing.T) {
	for word, want := range map[string]instance.TaskStatus{
		"success": instance.TaskSuccess, "COMPLETED": instance.TaskSuccess, "processing": instance.TaskProcessing,
		"PENDING": instance.TaskProcessing,
		"failed":  instance.TaskFailed, "FAILED": instance.TaskFailed, "done": "done", "": "",
	} {
		client := newClient(t, answers.Always(t, 200, fmt.Sprintf(`{"RequestId":"R-1","TaskStatus":%q,"TaskMessage":`+
			`"ask zhang.san@example.com\nfor help"}`, word)))
		got, err := client.Task(context.Background(), testInstance)
		if err != nil || got.Status != want || got.Message != "ask [redacted] for help" {
			t.Errorf("%q: got %+v, %v", word, got, err)
		}
	}
}

func TestOnlyAnIssuedInstanceHasACertificate(t *testing.T) {
	for fields, want := range map[string]bool{
		``: false, `,"CertificateStatus":"issued"`: false, `,"CertificateId":7`: false,
		`,"CertificateStatus":"issued","CertificateId":0`:  false,
		`,"CertificateStatus":"issued","CertificateId":7`:  true,
		`,"CertificateStatus":"revoked","CertificateId":7`: true,
	} {
		got, err := telling(t, fields).Describe(context.Background(), testInstance)
		if err != nil || got.HasCertificate() != want {
			t.Errorf("%s: got %+v, %v", fields, got, err)
		}
	}
}

func TestARequestIsTheSameByWhatItsTextEncodes(t *testing.T) {
	der := []byte(strings.Repeat("some bytes of a request ", 9))
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	oneLine := strings.ReplaceAll(strings.TrimSpace(text), "\n", "")
	oneLine = strings.Replace(strings.Replace(oneLine, "REQUEST-----", "REQUEST-----\n", 1), "-----END", "\n-----END",
		1)
	for name, test := range map[string]struct {
		text string
		der  []byte
		want bool
	}{
		"as it was sent":      {text, der, true},
		"with CRLF":           {strings.ReplaceAll(text, "\n", "\r\n"), der, true},
		"in one line":         {oneLine, der, true},
		"with the older word": {strings.ReplaceAll(text, "CERTIFICATE", "NEW CERTIFICATE"), der, true},
		"of other bytes":      {text, append([]byte{0}, der...), false},
		"cut short":           {text[:len(text)/2], der, false},
		"no PEM":              {"", nil, false},
		"another kind of PEM": {strings.ReplaceAll(text, " REQUEST", ""), der, false},
		"an empty request":    {"-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n", nil, false},
	} {
		if got := instance.SameRequest(test.text, test.der); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
