// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"regexp"
	"strings"
)

// documentedHost matches the endpoints that Alibaba Cloud documents for CAS
// (https://alibabacloud.com/help/en/ssl-certificate/developer-reference/endpoints), STS
// (https://alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-endpoint) and Alibaba Cloud DNS
// (https://help.aliyun.com/en/dns/api-alidns-2015-01-09-endpoint). CAS and STS have regional ones, whose form is
// documented (https://www.alibabacloud.com/help/en/openapi/endpoints). The second label must be a region id: customers
// choose names below aliyuncs.com, too, such as <bucket>.oss-<region>, <name>.<region>.alb and <name>.rds.
var documentedHost = regexp.MustCompile(
	`^(cas|sts|alidns|(cas|sts)(-vpc)?\.(ap|cn|eu|me|na|us)(-[a-z0-9]+)+)\.aliyuncs\.com$`)

// IsDocumentedHost says whether a host, without a port, is an endpoint of CAS, STS or Alibaba Cloud DNS that Alibaba
// Cloud documents: nobody but Alibaba Cloud answers there.
func IsDocumentedHost(host string) bool {
	return documentedHost.MatchString(strings.ToLower(host))
}
