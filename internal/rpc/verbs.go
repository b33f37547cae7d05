// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// verbs are all that this process can ask of each service, whoever asks. The list is closed here, where every call
// leaves the process, because nothing may end what somebody has paid for or what a server still uses: neither
// RefundInstance, DeleteInstance and RevokeCertificate are on it, nor CancelCertificateForPackageRequest, which
// revokes, nor DeleteUserCertificate. DeleteCertificateRequest is, since it gives back only what was not issued.
var verbs = map[string][]string{
	"cas": {
		"ApplyCertificate", "CancelOrderRequest", "CancelPendingCertificate", "CreateCertificateWithCsrRequest",
		"DeleteCertificateRequest", "DescribeCertificateState", "DescribePackageState", "GetInstanceDetail",
		"GetTaskAttribute", "GetUserCertificateDetail", "ListInstances", "ListUserCertificateOrder", "UpdateInstance",
	},
	"alidns": {"AddDomainRecord", "DeleteDomainRecord", "DescribeDomains", "DescribeSubDomainRecords"},
	"sts":    {"AssumeRole", "AssumeRoleWithOIDC", "GetCallerIdentity"},
}

// checkVerb refuses a verb that is not on the list.
func checkVerb(req requests.AcsRequest) *Error {
	if slices.Contains(verbs[strings.ToLower(req.GetProduct())], req.GetActionName()) {
		return nil
	}
	return &Error{Kind: KindInvalid,
		Message: fmt.Sprintf("not sent: %s of %s is no verb of this controller", req.GetActionName(), req.GetProduct())}
}
