// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestWhateverTheIDOfAnOrderItsObjectHasANameOfItsOwn wants names of at most 63 characters, which a label can have too.
func TestWhateverTheIDOfAnOrderItsObjectHasANameOfItsOwn(t *testing.T) {
	alike, digits := strings.Repeat("a", 63), strings.Repeat("1", 63)
	owners := map[string]string{}
	for _, test := range []struct{ id, want string }{
		{"7", "aliyun-order-7-71610318"},
		{"98987582437920968", "aliyun-order-98987582437920968-71610318"},
		{"9223372036854775807", "aliyun-order-9223372036854775807-71610318"},
		{"cas_dv-cn-0123456789a", "aliyun-order-cas-dv-cn-0123456789a-9769cf85bfb7653b-71610318"},
		{id: "cas-dv-cn-0123456789a"}, // from here on spelled as the one before
		{id: "CAS_DV-cn-0123456789a"},
		{id: "cas.dv-cn-0123456789a"},
		{id: "cas-dv-cn-0123456789a-9769cf85bfb7653b"},
		{id: "a"},
		{id: "A"},
		{id: "_"},
		{id: "-._"},
		{id: alike + "a"}, // alike where they are readable
		{id: alike + "b"},
		{id: digits + "1"},
		{id: digits + "2"},
	} {
		use := Use{Domain: "example.com",
			Order: &v1alpha1.AliyunOrder{Status: v1alpha1.OrderStatus{OrderID: test.id}}}
		name := use.objectName()
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			t.Errorf("%q is named %q: %v", test.id, name, problems)
		}
		if other, isTaken := owners[name]; isTaken {
			t.Errorf("%q and %q are both named %q", test.id, other, name)
		}
		owners[name] = test.id
		if test.want != "" && name != test.want {
			t.Errorf("%q is named %q, not %q", test.id, name, test.want)
		}
	}
}

func TestEachValidationOfAnOrderHasAnObjectOfItsOwn(t *testing.T) {
	use, names := Use{Order: &v1alpha1.AliyunOrder{Status: v1alpha1.OrderStatus{OrderID: "7"}}}, map[string]bool{}
	for _, use.Domain = range []string{"example.com", "www.example.com", "*.example.com", "example.org"} {
		names[use.objectName()] = true
	}
	if len(names) != 4 {
		t.Errorf("they are named %v", names)
	}
}
