// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"
	"sync"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// FuzzWhatNamesAnOrderMayHave builds well-formed requests of any names, so that all of the rules about names are
// reached. CAS binds an order to its common name: other names pass only if some brands add them, and the issuer has
// opted in.
func FuzzWhatNamesAnOrderMayHave(f *testing.F) {
	for _, seed := range certs.AnyNames {
		f.Add(seed.CommonName, seed.SANs, seed.Second, uint8(7), true)
		f.Add(seed.CommonName, seed.SANs, seed.Second, uint8(15), false)
	}
	var once sync.Once
	var sign func(commonName, sans, second string) []byte
	f.Fuzz(func(t *testing.T, commonName, sans, second string, options uint8, isSingle bool) {
		once.Do(func() { sign = certs.AnySigner(t) })
		request := sign(commonName, sans, second)
		if request == nil {
			return
		}
		asks, against := csr.Preflight(gen.Certified(request), nil, true)
		if against != nil {
			return
		}
		plan := &v1alpha1.ResourcePlan{ProductCode: "any", DomainType: v1alpha1.DomainTypeWildcard}
		if isSingle {
			plan.DomainType = v1alpha1.DomainTypeSingle
		}
		for i, name := range []v1alpha1.AdditionalName{v1alpha1.AdditionalNameWWW, v1alpha1.AdditionalNameApex,
			v1alpha1.AdditionalNameWildcardBase} {
			if options&(1<<i) != 0 {
				plan.AdditionalNames = append(plan.AdditionalNames, name)
			}
		}
		if Fits(asks, plan) == nil {
			checkFits(t, asks, plan)
		}
	})
}

func checkFits(t *testing.T, asks csr.Asks, plan *v1alpha1.ResourcePlan) {
	t.Helper()
	base, isWildcard := strings.CutPrefix(asks.CommonName, "*.")
	if isWildcard != (plan.DomainType == v1alpha1.DomainTypeWildcard) {
		t.Errorf("%q passes for a product of %s names", asks.CommonName, plan.DomainType)
	}
	apex, isWWW := strings.CutPrefix(asks.CommonName, "www.")
	allowed := map[string]bool{asks.CommonName: true}
	for _, opted := range plan.AdditionalNames {
		switch {
		case opted == v1alpha1.AdditionalNameWildcardBase && isWildcard:
			allowed[base] = true
		case opted == v1alpha1.AdditionalNameWWW && !isWildcard:
			allowed["www."+asks.CommonName] = true
		case opted == v1alpha1.AdditionalNameApex && isWWW:
			allowed[apex] = true
		}
	}
	for _, name := range asks.DNSNames {
		if !allowed[name] {
			t.Errorf("%q passes with %q, and %v was opted for", asks.CommonName, name, plan.AdditionalNames)
		}
	}
}
