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

// TestAHundredRequestsInOneZoneCallItsAPIFourTimesEach makes them at once, and lets cert-manager approve them, beside records of others with the same
// names, from an API that throttles: a call above its rates is refused, and counts.
func TestAHundredRequestsInOneZoneCallItsAPIFourTimesEach(t *testing.T) {
	t.Parallel()
	const requests = 100
	account := cassim.DefaultAccount()
	account.Packages[cassim.DefaultProduct] = requests
	simulator := cassim.New(cassim.Options{Accounts: []cassim.Account{account}, Knobs: cassim.Knobs{Throttling: cassim.On}})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	w := worldOf(t, newCluster(t), simulator, keepNothing) // the plan is for these, and for nothing else
	w.startManager()
	names := make([]string, requests)
	for i := range names {
		names[i] = w.domain(fmt.Sprintf("w%d", i))
		simulator.AddRecord(cassim.DefaultZone, "_dnsauth."+strings.TrimSuffix(names[i], "."+cassim.DefaultZone), "TXT", "somebody else's")
	}
	before := simulator.Records(cassim.DefaultZone)
	for i := range names {
		w.Create(w.newRequest(fmt.Sprintf("w%d", i)))
	}
	w.until("all are issued, and nothing is left to remove", &v1alpha1.AliyunOrderList{}, func() bool {
		done := 0
		for _, order := range w.Orders() {
			if v := order.Status.Validation; len(order.Status.Certificate) > 0 && v != nil && v.CleanedUpAt != nil {
				done++
			}
		}
		return done == requests
	})
	if diff := cmp.Diff(before, simulator.Records(cassim.DefaultZone)); diff != "" {
		t.Errorf("the zone is not as it was (-before +after):\n%s", diff)
	}
	dns, all := 0, simulator.Calls()
	for action, n := range all {
		if strings.HasSuffix(action, "DomainRecord") || strings.HasPrefix(action, "DescribeDomain") || strings.HasPrefix(action, "DescribeSubDomain") {
			dns += n
		}
	}
	t.Logf("calls: %v", all)
	if dns > 4*requests+1 { // with one to see whether the issuer's credentials serve
		t.Errorf("%d calls for %d requests, want at most 4 each", dns, requests)
	}
	if billed := len(simulator.Ledger()); billed != requests {
		t.Errorf("%d orders were billed for %d requests", billed, requests)
	}
}
