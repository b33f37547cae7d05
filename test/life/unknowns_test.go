// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// ends are what may become of a request. The list says for each value of each unknown which of them it is.
const (
	issued = cmapi.CertificateRequestReasonIssued
	held   = cmapi.CertificateRequestReasonPending
)

// TestALifeEndsWellWhateverNobodyKnows takes an order through its life at each value of each knob. What is not listed
// ends with a certificate.
func TestALifeEndsWellWhateverNobodyKnows(t *testing.T) {
	otherwise := map[string]string{
		"freeQuota=noPackage": held, "freeQuota=refused": held,
		// The answer does not differ from one that means the record of the zone. The order waits and shows where its
		// record stands.
		"recordDomain=prefix": held,
	}
	for _, unknown := range cassim.AllKnobs() {
		if unknown.Instances {
			continue // an order from a resource plan does not meet it
		}
		for _, value := range unknown.Values {
			title := unknown.Knob + "=" + value
			t.Run(title, func(t *testing.T) {
				var knobs cassim.Knobs
				if err := knobs.Set(unknown.Knob, value); err != nil {
					t.Fatal(err)
				}
				e := ordered(t, cassim.Options{Knobs: knobs, DCVDelay: 20 * time.Second, CADelay: time.Minute})
				want := otherwise[title]
				if want == "" {
					want = issued
				}
				if want == held {
					e.Pass(time.Hour)
				} else {
					e.Until(time.Hour, func() bool { return reason(e) == want })
				}
				if got := reason(e); got != want {
					t.Errorf("the request is %s, want %s: %s", got, want, said(e))
				}
				if n := len(e.Simulator.Ledger()); n > 1 {
					t.Errorf("%d orders were billed", n)
				}
				e.Pass(time.Minute)
				if records := e.Simulator.Records("example.com"); want != held && len(records) != 0 &&
					unknown.Knob != "automaticDNS" {
					t.Errorf("records were left behind: %v", records)
				}
			})
		}
	}
}

func reason(e *env.Env) string { return cmutil.CertificateRequestReadyReason(e.Request("www")) }

// TestEveryUnknownIsOnThePageForThoseWithAnAccount compares the knobs with docs/design/unknowns.md.
func TestEveryUnknownIsOnThePageForThoseWithAnAccount(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "design", "unknowns.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, unknown := range cassim.AllKnobs() {
		if !strings.Contains(string(page), "`"+unknown.Knob+"`") {
			t.Errorf("docs/design/unknowns.md does not name the knob %s", unknown.Knob)
		}
	}
}
