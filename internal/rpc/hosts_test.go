// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import "testing"

func TestOnlyEndpointsThatAreDocumentedAreTakenForAlibabaClouds(t *testing.T) {
	tests := map[string]bool{
		"cas.aliyuncs.com":                           true,
		"cas.ap-southeast-1.aliyuncs.com":            true,
		"cas-vpc.cn-hangzhou.aliyuncs.com":           true,
		"cas-vpc.ap-southeast-1.aliyuncs.com":        true,
		"sts.aliyuncs.com":                           true,
		"sts.cn-hangzhou.aliyuncs.com":               true,
		"sts.me-central-1.aliyuncs.com":              true,
		"sts-vpc.cn-shanghai-finance-1.aliyuncs.com": true,
		"alidns.aliyuncs.com":                        true,
		"CAS.Aliyuncs.com":                           true,

		"":                                   false,
		"aliyuncs.com":                       false,
		"ecs.aliyuncs.com":                   false,
		"cas.example.com":                    false,
		"cas.aliyuncs.com.example.com":       false,
		"casXaliyuncs.com":                   false,
		"cas.aliyuncs.com:443":               false,
		"cas.aliyuncs.com.":                  false,
		"cas.aliyuncs.com\n":                 false,
		"evil.cas.aliyuncs.com":              false,
		"evil.sts.cn-hangzhou.aliyuncs.com":  false,
		"xxx.alb.aliyuncs.com":               false,
		"cas.alb.aliyuncs.com":               false,
		"alb-1.cn-hangzhou.alb.aliyuncs.com": false,
		"cas.cn-hangzhou.alb.aliyuncs.com":   false,
		"cas.cn-hangzhou.fc.aliyuncs.com":    false,
		"sts.oss-cn-hangzhou.aliyuncs.com":   false,
		"sts.oss-accelerate.aliyuncs.com":    false,
		"sts.rds.aliyuncs.com":               false,
		"sts.cn-.aliyuncs.com":               false,
		"sts.vpc-proxy.aliyuncs.com":         false,
		"alidns.cn-hangzhou.aliyuncs.com":    false,
	}
	for host, want := range tests {
		if got := IsDocumentedHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
