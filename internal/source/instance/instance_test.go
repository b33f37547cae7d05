// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// applied is a session of an Order whose application CAS has taken so long ago.
func applied(request []byte, ago time.Duration) *session {
	order := &v1alpha1.AliyunOrder{Spec: v1alpha1.OrderSpec{Request: request, CommonName: "www.example.com"}}
	order.Status.SubmittedAt = &metav1.Time{Time: noon.Add(-ago)}
	return &session{Source: &Source{Cluster: "ours"}, Ask: source.Ask{Order: order, Now: noon}}
}

// TestWhatStandsOnAnInstanceHasItsPhase reads an instance without a certificate. The status is about the instance, and
// the signing request says whose application it is.
func TestWhatStandsOnAnInstanceHasItsPhase(t *testing.T) {
	key := certs.NewKey(t)
	own, heirs := certs.Request(t, key, "www.example.com", nil, nil), certs.Request(t, key, "www.example.com", nil, nil)
	others := certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil)
	for name, test := range map[string]struct {
		csr    []byte
		status casinstance.Status
		ago    time.Duration
		want   v1alpha1.OrderPhase
	}{
		"under way":                        {own, casinstance.StatusPending, time.Hour, v1alpha1.PhaseAwaitingValidation},
		"under way, of a replaced request": {heirs, casinstance.StatusPending, time.Hour, v1alpha1.PhaseAwaitingValidation},
		"not shown yet":                    {own, casinstance.StatusInactive, time.Minute, v1alpha1.PhaseAwaitingValidation},
		"not shown yet, on one that was given back": {own, casinstance.StatusNormal, time.Minute,
			v1alpha1.PhaseAwaitingValidation},
		"not under way any more":  {own, casinstance.StatusNormal, time.Hour, v1alpha1.PhaseWithdrawnElsewhere},
		"of somebody else":        {others, casinstance.StatusPending, time.Hour, v1alpha1.PhaseWithdrawnElsewhere},
		"of somebody else, young": {others, casinstance.StatusPending, time.Minute, v1alpha1.PhaseWithdrawnElsewhere},
		"nobody's":                {nil, casinstance.StatusInactive, time.Hour, v1alpha1.PhaseWithdrawnElsewhere},
		"ended":                   {own, casinstance.StatusExpired, time.Minute, v1alpha1.PhaseWithdrawnElsewhere},
		"in a new word":           {own, "frozen", time.Hour, v1alpha1.PhaseOther},
	} {
		seen := &casinstance.Detail{CSR: string(test.csr), Instance: casinstance.Instance{Status: test.status}}
		if got := applied(own, test.ago).phase(seen); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// TestAnApplicationThatWasSeenHasEndedOnceItIsNotUnderWay tells apart what does not show yet and what has ended, by the
// records that are told of a pending application only.
func TestAnApplicationThatWasSeenHasEndedOnceItIsNotUnderWay(t *testing.T) {
	own := certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil)
	run := applied(own, time.Minute)
	run.Order.Status.Validations = []v1alpha1.OrderValidation{{Domain: "www.example.com"}}
	seen := &casinstance.Detail{CSR: string(own), Instance: casinstance.Instance{Status: casinstance.StatusNormal}}
	if got := run.phase(seen); got != v1alpha1.PhaseWithdrawnElsewhere {
		t.Errorf("got %s", got)
	}
}

// TestARecordIsNamedInFull has the forms in which CAS tells where a record is (docs/design/cas.md §4.8).
func TestARecordIsNamedInFull(t *testing.T) {
	for name, test := range map[string]struct{ key, root, want string }{
		"relative":                    {"_dnsauth.www", "example.com", "_dnsauth.www.example.com"},
		"the root itself":             {"@", "_dnsauth.example.com", "_dnsauth.example.com"},
		"in full":                     {"_dnsauth.www.example.com", "example.com", "_dnsauth.www.example.com"},
		"with a dot, and in capitals": {"_DNSAuth.www", "Example.com.", "_dnsauth.www.example.com"},
	} {
		got := validations(&casinstance.Detail{Validations: []casinstance.Validation{
			{Domain: "incomplete.example.com"},
			{Domain: "www.example.com", RootDomain: test.root, Key: test.key, Type: "TXT", Value: "v"}}})
		if len(got) != 1 || got[0].RecordName != test.want || got[0].Domain != "www.example.com" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestAFileIsOneForTheOrderWhateverCASCallsIt(t *testing.T) {
	for _, kind := range []string{"HTTP", "FILE", "http"} {
		got := validations(&casinstance.Detail{Validations: []casinstance.Validation{
			{Domain: "incomplete.example.com", RootDomain: "example.com", Key: "fileauth.txt", Type: kind},
			{Domain: "WWW.example.com.", Key: "fileauth.txt", Type: kind, Value: "content"}}})
		want := v1alpha1.OrderValidation{Domain: "www.example.com", RecordType: dcv.TypeFile,
			RecordName: "/.well-known/pki-validation/fileauth.txt", RecordValue: "content"}
		if diff := cmp.Diff([]v1alpha1.OrderValidation{want}, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestOnlyWhatNobodyElseHasWrittenIsWrittenOver(t *testing.T) {
	key := certs.NewKey(t)
	own := certs.Request(t, key, "www.example.com", nil, nil)
	others := string(certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil))
	for name, test := range map[string]struct {
		seen casinstance.Detail
		want bool
	}{
		"nothing":                 {casinstance.Detail{}, false},
		"this Order's":            {casinstance.Detail{CSR: string(own)}, false},
		"another's":               {casinstance.Detail{CSR: others}, true},
		"of this installation":    {casinstance.Detail{CSR: others, Tags: map[string]string{tagCluster: "ours"}}, false},
		"of another installation": {casinstance.Detail{CSR: others, Tags: map[string]string{tagCluster: "theirs"}}, true},
		"what cannot be read":     {casinstance.Detail{CSR: "rubbish"}, true},
	} {
		if got := applied(own, 0).isOthers(&test.seen, nil); got != test.want {
			t.Errorf("%s: it is somebody else's: %t", name, got)
		}
	}
}

func TestWhatInstancesDoNotServeIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		asks csr.Asks
		want string
	}{
		"one name": {csr.Asks{CommonName: "a.example.com", DNSNames: []string{"a.example.com"},
			Key: v1alpha1.KeyAlgorithmRSA2048}, ""},
		"more names than there is room for": {csr.Asks{CommonName: "a.example.com", DNSNames: make([]string, 301),
			Key: v1alpha1.KeyAlgorithmRSA2048}, "a certificate can have 300"},
		"a key without a word": {csr.Asks{CommonName: "a.example.com", DNSNames: []string{"a.example.com"},
			Key: v1alpha1.KeyAlgorithmECDSAP384}, "cannot have the key ECDSAP384"},
	} {
		against := offer{&v1alpha1.Instance{}}.Fits(test.asks)
		isFit := len(against) == 0
		if isFit != (test.want == "") || !isFit && !strings.Contains(against[0], test.want) {
			t.Errorf("%s: %v", name, against)
		}
	}
}
