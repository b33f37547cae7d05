// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import "testing"

func TestEveryProductCodeOfAKnownBrandHasItsIdentities(t *testing.T) {
	for code, want := range map[string]string{
		"digicert-free-1-free": "digicert.com", "symantec-dv-1-starter": "digicert.com",
		"geotrust-dv-w-starter":    "digicert.com",
		"globalsign-dv-1-personal": "globalsign.com", "GlobalSign-ov-w-advanced": "globalsign.com",
		"cfca-ev-w-advanced": "", "digicertish-dv": "", "": "",
	} {
		got := CAIdentities(code)
		if want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0] != want) {
			t.Errorf("%q: got %q", code, got)
		}
	}
}
