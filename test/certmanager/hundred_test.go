// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// TestAHundredRequestsInOneZoneCallItsAPIFiveTimesEach makes them at once, and lets cert-manager approve them, beside
// records of others with the same names, from an API that throttles: a call above its rates is refused, and counts.
func TestAHundredRequestsInOneZoneCallItsAPIFiveTimesEach(t *testing.T) {
	t.Parallel()
	const requests = 100
	account := cassim.DefaultAccount()
	account.Packages[cassim.DefaultProduct] = requests
	simulator := cassim.New(
		cassim.Options{Accounts: []cassim.Account{account}, Knobs: cassim.Knobs{Throttling: cassim.On}})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	w := worldOf(t, newCluster(t), simulator, keepNothing) // the plan is for these, and for nothing else
	address := freeAddress()
	w.startManagerAmong(nil, "--metrics-bind-address="+address)
	names := make([]string, requests)
	for i := range names {
		names[i] = w.domain(fmt.Sprintf("w%d", i))
		simulator.AddRecord(cassim.DefaultZone, "_dnsauth."+strings.TrimSuffix(names[i], "."+cassim.DefaultZone), "TXT",
			"somebody else's")
	}
	before := simulator.Records(cassim.DefaultZone)
	for i := range names {
		w.Create(w.newRequest(fmt.Sprintf("w%d", i)))
	}
	w.until("all are issued, and nothing is left to remove", &v1alpha1.AliyunOrderList{}, func() bool {
		done := 0
		for _, order := range w.Orders() {
			v := order.Status.Validations
			if len(order.Status.Certificate) > 0 && len(v) > 0 && v[0].CleanedUpAt != nil {
				done++
			}
		}
		return done == requests
	})
	counted := scrape(t, address)
	runs := func(controller string) int {
		return int(counted.Sum("controller_runtime_reconcile_total", map[string]string{"controller": controller}))
	}
	patches := int(counted.Sum("rest_client_requests_total", map[string]string{"method": "PATCH"}))
	conflicts := int(counted.Sum("rest_client_requests_total", map[string]string{"code": "409"}))
	t.Logf("runs of the reconcilers: %d for requests, %d for Orders, %d for issuers; patches: %d, of which %d "+
		"met a conflict",
		runs("certificaterequest"), runs("aliyunorder"), runs("aliyunissuer"), patches, conflicts)
	if runs("certificaterequest") > 10*requests || runs("aliyunorder") > 6*requests || conflicts*20 > patches {
		t.Error("the reconcilers run, or meet conflicts, far more often than they have something to do")
	}
	if diff := cmp.Diff(before, simulator.Records(cassim.DefaultZone)); diff != "" {
		t.Errorf("the zone is not as it was (-before +after):\n%s", diff)
	}
	dns, all := 0, simulator.Calls()
	for action, n := range all {
		if strings.HasSuffix(action, "DomainRecord") || strings.HasPrefix(action, "DescribeDomain") ||
			strings.HasPrefix(action, "DescribeSubDomain") {
			dns += n
		}
	}
	t.Logf("calls: %v", all)
	// each sees with one call whether the issuer's credentials serve
	checks := all["ListUserCertificateOrder"] - requests
	if dns > 5*requests+checks || checks < 1 {
		t.Errorf("%d calls for %d requests and %d checks of their issuer, want at most 5 for each request", dns,
			requests, checks)
	}
	if billed := len(simulator.Ledger()); billed != requests {
		t.Errorf("%d orders were billed for %d requests", billed, requests)
	}
}
