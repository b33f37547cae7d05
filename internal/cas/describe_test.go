// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
)

func TestAnOrderIsWhatCASTellsOfIt(t *testing.T) {
	tests := map[string]struct {
		body string
		want cas.Order
	}{
		"waits for a DNS record": {
			`{"RequestId":"R-1","Type":"domain_verify","ValidateType":"DNS","RecordDomain":"_dnsauth","RecordType":"TXT","RecordValue":"20260302abc"}`,
			cas.Order{
				State: cas.StateDomainVerify, ValidateType: cas.ValidateDNS, RequestID: "R-1",
				Record: &cas.Record{Domain: "_dnsauth", Type: "TXT", Value: "20260302abc"},
			},
		},
		"waits for a DNS record that is not known yet": {
			`{"RequestId":"R-1","Type":"domain_verify","ValidateType":"DNS","RecordDomain":null,"RecordType":"TXT","RecordValue":""}`,
			cas.Order{State: cas.StateDomainVerify, ValidateType: cas.ValidateDNS, RequestID: "R-1"},
		},
		"waits for a DNS record of which the value is missing": {
			`{"RequestId":"R-1","Type":"domain_verify","ValidateType":"DNS","RecordDomain":"_dnsauth","RecordType":"TXT"}`,
			cas.Order{State: cas.StateDomainVerify, ValidateType: cas.ValidateDNS, RequestID: "R-1"},
		},
		"waits for a DNS record of which the name is missing": {
			`{"RequestId":"R-1","Type":"domain_verify","ValidateType":"DNS","RecordDomain":"","RecordType":"TXT","RecordValue":"x"}`,
			cas.Order{State: cas.StateDomainVerify, ValidateType: cas.ValidateDNS, RequestID: "R-1"},
		},
		"waits for a file": {
			`{"RequestId":"R-1","Type":"domain_verify","ValidateType":"FILE","Domain":"www.example.com","Uri":"/.well-known/pki-validation/fileauth.txt","Content":"2026"}`,
			cas.Order{
				State: cas.StateDomainVerify, ValidateType: cas.ValidateFile, RequestID: "R-1",
				File: &cas.File{Domain: "www.example.com", URI: "/.well-known/pki-validation/fileauth.txt",
					Content: "2026"},
			},
		},
		"waits for a file that is not known yet": {
			`{"RequestId":"R-1","Type":"domain_verify","ValidateType":"FILE","Domain":"www.example.com","Uri":"/.well-known/x","Content":null}`,
			cas.Order{State: cas.StateDomainVerify, ValidateType: cas.ValidateFile, RequestID: "R-1"},
		},
		"is reviewed": {`{"RequestId":"R-1","Type":"process"}`, cas.Order{State: cas.StateProcess, RequestID: "R-1"}},
		"has failed": {`{"RequestId":"R-1","Type":"verify_fail"}`,
			cas.Order{State: cas.StateVerifyFail, RequestID: "R-1"}},
		"was withdrawn": {
			`{"RequestId":"R-1","Type":"payed"}`, cas.Order{State: cas.StatePayed, RequestID: "R-1"},
		},
		"is unknown to CAS": {`{"RequestId":"R-1","Type":"unknow"}`,
			cas.Order{State: cas.StateUnknow, RequestID: "R-1"}},
		"is issued": {
			`{"RequestId":"R-1","Type":"certificate","Certificate":"-----BEGIN CERTIFICATE-----\nx\n-----END ` +
				`CERTIFICATE-----\n","PrivateKey":"k","CertId":"7"}`,
			cas.Order{State: cas.StateCertificate, RequestID: "R-1", Certificate: "-----BEGIN " +
				"CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", CertID: "7"},
		},
		"is issued, with a certificate id beyond 2^53": {
			`{"RequestId":"R-1","Type":"certificate","Certificate":"c","CertId":9007199254740993}`,
			cas.Order{State: cas.StateCertificate, RequestID: "R-1", Certificate: "c", CertID: "9007199254740993"},
		},
		"is in a state that nobody has heard of": {
			`{"RequestId":"R-1","Type":"quantum_verify","New":{"Field":[1]}}`,
			cas.Order{State: "quantum_verify", RequestID: "R-1"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, answers.Always(t, 200, test.body)).Describe(context.Background(), testOrder)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReplyWithoutAStateIsAnError(t *testing.T) {
	for _, body := range []string{``, `{}`, `<html>`, `{"RequestId":"R-1"}`, `{"RequestId":"R-1","Type":null}`,
		`{"RequestId":"R-1","Type":{}}`} {
		got, err := newClient(t, answers.Always(t, 200, body)).Describe(context.Background(), testOrder)
		if got != nil || cas.KindOf(err) != cas.KindUndecodable || !cas.IsTransient(err) || cas.IsNotSent(err) {
			t.Errorf("%s: got %+v and %v", body, got, err)
		}
	}
}

func TestAnOrderThatDoesNotExistIsNotFound(t *testing.T) {
	client := newClient(t, answers.Always(t, 404, answers.Refusal("cas", "NotFoundOrder")))
	_, err := client.Describe(context.Background(), testOrder)
	if !cas.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}
