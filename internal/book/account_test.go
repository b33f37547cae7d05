// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
)

func TestAnAccountIsItsServersAndItsID(t *testing.T) {
	at := func(cas, sts, bundle string) v1alpha1.Access {
		access := v1alpha1.Access{Region: "cn-hangzhou"}
		if cas != "" {
			access.Endpoint = &v1alpha1.Endpoint{URL: cas}
		}
		if sts != "" {
			access.STSEndpoint = &v1alpha1.Endpoint{URL: sts, CABundle: []byte(bundle)}
		}
		return access
	}
	of := func(by v1alpha1.Access, id, issuer string) Account {
		return Account{realm: access.Realm(by), id: id, issuer: issuer}
	}
	plain := at("", "", "")
	const vpc, theirs = "https://cas-vpc.cn-hangzhou.aliyuncs.com", "https://fake.alb.aliyuncs.com"
	for name, test := range map[string]struct {
		a, b Account
		want Kinship
	}{
		"two issuers of one account":                 {of(plain, "1", "a"), of(plain, "1", "b"), SameAccount},
		"two issuers of two accounts":                {of(plain, "1", "a"), of(plain, "2", "b"), OtherAccount},
		"one issuer, two accounts":                   {of(plain, "1", "a"), of(plain, "2", "a"), OtherAccount},
		"one issuer, once without an answer of STS":  {of(plain, "1", "a"), of(plain, "", "a"), SameAccount},
		"two issuers, once without an answer of STS": {of(plain, "1", "a"), of(plain, "", "b"), PerhapsSameAccount},
		"one account by two documented addresses": {of(plain, "1", "a"), of(at(vpc, "", ""), "1", "b"),
			SameAccount},
		"an STS of somebody's own that claims the id": {of(plain, "1", "a"), of(at("", theirs, ""), "1", "b"),
			OtherAccount},
		"a documented address with somebody's own CA": {
			of(plain, "1", "a"), of(at("", "https://sts.cn-hangzhou.aliyuncs.com", "CA"), "1", "b"), OtherAccount},
		"a CAS of somebody's own": {of(plain, "1", "a"), of(at(theirs, "", ""), "1", "b"), OtherAccount},
		"two sites": {of(plain, "1", "a"), of(v1alpha1.Access{Region: "ap-southeast-1"}, "1", "b"),
			OtherAccount},
		"two issuers of one gateway and one account": {of(at(theirs, theirs, ""), "1", "a"),
			of(at(theirs, theirs, ""), "1", "b"), SameAccount},
		"two issuers whose accounts nobody knows": {of(plain, "", "a"), of(plain, "", "b"), PerhapsSameAccount},
		"a gateway without and with somebody's own CA": {of(at("", theirs, ""), "1", "a"),
			of(at("", theirs, "CA"), "1", "b"), OtherAccount},
	} {
		if got := test.a.To(test.b); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
		if back := test.b.To(test.a); back != test.want {
			t.Errorf("%s, the other way round: got %v, want %v", name, back, test.want)
		}
	}
}
