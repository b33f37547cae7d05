// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// judged has every kind of error that Alibaba Cloud can come to, and what users read of it.
var judged = map[cas.Kind]struct{ reason, advice string }{
	cas.KindThrottled:   {"CASUnavailable", "it is tried again without further action"},
	cas.KindTransient:   {"CASUnavailable", "it is tried again without further action"},
	cas.KindNetwork:     {"CASUnavailable", "it is tried again without further action"},
	cas.KindUndecodable: {"CASUnavailable", "it is tried again without further action"},
	cas.KindRedirect: {"EndpointInvalid", "set the endpoint to the address that answers by itself, " +
		"and look for a proxy in the way"},
	cas.KindLate: {"CASUnavailable", "it is tried again without further action"},
	cas.KindClock: {"ClockSkew", "set the clock of the controller's node; up to 15 minutes " +
		"are tolerated"},
	cas.KindNonceUsed:              {"CASUnavailable", "it is tried again without further action"},
	cas.KindCredentialsUnavailable: {"CASUnavailable", "it is tried again without further action"},
	cas.KindCredentialsExpired:     {"CredentialsRefused", "the session is renewed without further action"},
	cas.KindCredentialsInvalid:     {"CredentialsRefused", "put valid ones in their place"},
	cas.KindPermission: {"PermissionDenied", "allow yundun-cert:DescribeCertificateState to the RAM " +
		"user or role in a RAM policy"},
	cas.KindAccount: {"AccountBlocked", "settle it with Alibaba Cloud: verification, risk control or balance of " +
		"the account"},
	cas.KindInvalid:  {"Rejected", "correct what CAS names"},
	cas.KindNotFound: {"OrderNotFound", "check that the credentials are of the account that made the order"},
	cas.KindOther:    {"CASUnavailable", "it is tried again without further action"},
	cas.KindNoPackage: {"NoPackage", "buy a resource plan for the product code, or correct " +
		"spec.source.resourcePlan.productCode of the issuer"},
	cas.KindExhausted: {"QuotaExhausted", "buy more certificates for the product code, or delete orders that " +
		"nobody needs"},
	cas.KindWrongState: {"CASUnavailable", "it is tried again without further action"},
	cas.KindRefused:    {"Rejected", "correct what CAS names"},
}

func callError(kind cas.Kind) *cas.Error {
	err := &cas.Error{Action: "DescribeCertificateState", Kind: kind, Code: "Some.Code", HTTPStatus: 400,
		RequestID: "7B7B", Message: "Something is wrong.", Sent: true}
	if kind == cas.KindPermission {
		err.DeniedAction = "yundun-cert:DescribeCertificateState"
	}
	return err
}

// refusedKeys is what a call comes to whose keys cannot be had. Nothing is sent.
func refusedKeys(t *testing.T, why error) error {
	t.Helper()
	client, err := cas.New(cas.Config{
		Endpoint: rpc.Endpoint{Region: "cn-hangzhou"},
		Credentials: rpc.CredentialsFunc(
			func(context.Context) (rpc.Credentials, error) { return rpc.Credentials{}, why }),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Describe(t.Context(), "1")
	if cas.KindOf(err) != cas.KindCredentialsUnavailable {
		t.Fatalf("got %v", err)
	}
	return err
}

func TestEachKindOfErrorHasItsReasonAndItsAdvice(t *testing.T) {
	for kind, want := range judged {
		t.Run(string(kind), func(t *testing.T) {
			reason, message := Explain(callError(kind))
			compare.Same(t, reason, want.reason)
			compare.Same(t, message, "DescribeCertificateState: Some.Code (HTTP 400): Something is wrong: "+want.advice)
			reason, message = Explain(fmt.Errorf("the zone: %w", callError(kind)))
			compare.Same(t, reason, want.reason)
			compare.Same(t, message, "the zone: DescribeCertificateState: Some.Code (HTTP 400): Something is wrong: "+
				want.advice)
		})
	}
	for kind := range verdicts {
		if _, ok := judged[kind]; !ok {
			t.Errorf("nothing is said of %s", kind)
		}
	}
}

func TestProblemsSpeakForThemselves(t *testing.T) {
	secret := &credentials.Problem{Reason: "SecretInvalid", Message: `the Secret "aliyun" in the namespace "team" ` +
		`has no key "accessKeyID": add it`}
	record := &dcv.Problem{Message: "the record is locked: unlock it in Alibaba Cloud DNS"}
	unread := errors.New("read the Secret: connection refused")
	tests := map[string]struct {
		err             error
		reason, message string
	}{
		"of a Secret":               {secret, "SecretInvalid", secret.Message},
		"of a Secret, while called": {refusedKeys(t, secret), "SecretInvalid", secret.Message},
		"of a record":               {record, "PresentFailed", record.Message},
		"of a record, wrapped":      {fmt.Errorf("solver 0: %w", record), "PresentFailed", record.Message},
		"of keys, which may pass": {refusedKeys(t, unread), "CASUnavailable", "DescribeCertificateState: no " +
			"credentials: read the Secret: connection refused: it is tried again without further action"},
		"of anything else": {errors.New("broken."), "CASUnavailable",
			"broken: it is tried again without further action"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			reason, message := Explain(test.err)
			compare.Same(t, []string{reason, message}, []string{test.reason, test.message})
		})
	}
}

func TestAdviceIsNeverEmptyAndEndsWithoutAFullStop(t *testing.T) {
	for kind, v := range verdicts {
		if v.reason == "" || v.advice == "" || strings.HasSuffix(v.advice, ".") ||
			v.reason == v1alpha1.ReasonCASUnavailable {
			t.Errorf("%s: %+v", kind, v)
		}
	}
}
