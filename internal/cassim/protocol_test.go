// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

var aPackage = map[string]string{"Action": "DescribePackageState"}

func TestTheGatewayRefusesWhatTheProtocolForbids(t *testing.T) {
	w := start(t, cassim.Options{})
	at := func(d time.Duration) map[string]string {
		return map[string]string{"Timestamp": time.Now().UTC().Add(d).Format("2006-01-02T15:04:05Z")}
	}
	tests := map[string]struct {
		change map[string]string
		status int
		code   string
	}{
		"a good request":            {nil, 200, ""},
		"a clock 14 minutes behind": {at(-14 * time.Minute), 200, ""},
		"a clock 14 minutes ahead":  {at(14 * time.Minute), 200, ""},
		"a clock 16 minutes behind": {at(-16 * time.Minute), 400, "InvalidTimeStamp.Expired"},
		"a clock 16 minutes ahead":  {at(16 * time.Minute), 400, "InvalidTimeStamp.Expired"},
		"a timestamp in another form": {map[string]string{"Timestamp": "2026-11-23 12:00:00"}, 400,
			"InvalidTimeStamp.Format"},
		"XML": {map[string]string{"Format": "XML"}, 400, "InvalidParameter.Format"},
		"another signature method": {map[string]string{"SignatureMethod": "HMAC-SHA256"}, 400,
			"InvalidParameter.SignatureMethod"},
		"another signature version": {map[string]string{"SignatureVersion": "2.0"}, 400,
			"InvalidParameter.SignatureVersion"},
		"another signature type": {map[string]string{"SignatureType": "BEARERTOKEN"}, 400,
			"InvalidParameter.SignatureType"},
		"no signature type": {map[string]string{"SignatureType": "-"}, 200, ""},
		"another version":   {map[string]string{"Version": "2018-08-13"}, 400, "NoSuchVersion"},
		"another action": {map[string]string{"Action": "DescribeEverything"}, 404,
			"InvalidAction.NotFound"},
		"an action of the other service": {map[string]string{"Version": "2015-01-09"}, 404, "InvalidAction.NotFound"},
		"another key": {map[string]string{"AccessKeyId": "nobody"}, 404,
			"InvalidAccessKeyId.NotFound"},
		"a token for a permanent key": {map[string]string{"SecurityToken": "t"}, 400,
			"InvalidSecurityToken.MismatchWithAccessKey"},
		"a parameter of our own": {map[string]string{"ProductCodes": "x"}, 400, "InvalidParameter.NotInContract"},
		"no action":              {map[string]string{"Action": "-"}, 400, "MissingParameter.Action"},
		"no version":             {map[string]string{"Version": "-"}, 400, "MissingParameter.Version"},
		"no format":              {map[string]string{"Format": "-"}, 400, "MissingParameter.Format"},
		"no timestamp":           {map[string]string{"Timestamp": "-"}, 400, "MissingParameter.Timestamp"},
		"no signature method":    {map[string]string{"SignatureMethod": "-"}, 400, "MissingParameter.SignatureMethod"},
		"no signature version": {map[string]string{"SignatureVersion": "-"}, 400,
			"MissingParameter.SignatureVersion"},
		"no nonce":  {map[string]string{"SignatureNonce": "-"}, 400, "MissingParameter.SignatureNonce"},
		"no key":    {map[string]string{"AccessKeyId": "-"}, 400, "MissingParameter.AccessKeyId"},
		"no region": {map[string]string{"RegionId": "-"}, 400, "MissingParameter.RegionId"},
	}
	for name, test := range tests {
		status, answer := w.post(signed(aPackage, test.change), "")
		code, _ := answer["Code"].(string)
		if status != test.status || code != test.code || answer["RequestId"] == "" {
			t.Errorf("%s: HTTP %d, %v", name, status, answer)
		}
		if code != "" && (answer["Message"] == "" || answer["HostId"] == "" || answer["Recommend"] == "") {
			t.Errorf("%s: the error is not complete: %v", name, answer)
		}
	}
}

func TestTheShapeOfARequestIsChecked(t *testing.T) {
	w := start(t, cassim.Options{})
	const form = "application/x-www-form-urlencoded"
	target := func() string { return w.URL() + "/?" + signed(aPackage, nil).Encode() }
	tests := map[string]struct {
		method, target, contentType, body, code string
	}{
		"GET":            {http.MethodGet, target(), form, "", "UnsupportedHTTPMethod"},
		"JSON":           {http.MethodPost, target(), "application/json", "", "InvalidContentType"},
		"with a charset": {http.MethodPost, target(), form + "; charset=UTF-8", "", ""},
		"a parameter twice": {http.MethodPost, target() + "&Action=DescribePackageState", form, "",
			"InvalidParameter.Repeated"},
		"a parameter in the body": {http.MethodPost, target(), form, "Action=DescribePackageState",
			"InvalidParameter.Repeated"},
		"an unsigned body": {http.MethodPost, target(), form, "ProductCode=" + cassim.DefaultProduct,
			"SignatureDoesNotMatch"},
		"a bad query": {http.MethodPost, w.URL() + "/?a=%zz", form, "", "InvalidParameter"},
		"a bad body":  {http.MethodPost, target(), form, "a=%zz", "InvalidParameter"},
	}
	for name, test := range tests {
		_, answer := w.send(test.method, test.target, test.contentType, test.body)
		if code, _ := answer["Code"].(string); code != test.code {
			t.Errorf("%s: %v", name, answer)
		}
	}

	values := signed(map[string]string{"Action": "DescribePackageState", "ProductCode": cassim.DefaultProduct}, nil)
	body := url.Values{"ProductCode": values["ProductCode"]}
	values.Del("ProductCode")
	if status, answer := w.post(values, body.Encode()); status != 200 ||
		answer["ProductCode"] != cassim.DefaultProduct {
		t.Errorf("a signed body: HTTP %d, %v", status, answer)
	}
}

func TestANonceIsGoodForOneRequest(t *testing.T) {
	w := start(t, cassim.Options{})
	values := signed(aPackage, nil)
	if status, answer := w.post(values, ""); status != 200 {
		t.Fatalf("HTTP %d, %v", status, answer)
	}
	if status, answer := w.post(values, ""); status != 400 || answer["Code"] != "SignatureNonceUsed" {
		t.Errorf("the same request again: HTTP %d, %v", status, answer)
	}
}

func TestAWrongSecretIsToldWithTheStringToSign(t *testing.T) {
	w := start(t, cassim.Options{})
	client, _ := w.clients(cassim.DefaultKeyID, "another-secret", "")
	_, err := client.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
	wantCode(t, err, 400, "SignatureDoesNotMatch")
	var refused *sdkerrors.ServerError
	if errors.As(err, &refused); !strings.Contains(refused.Message(), "POST&%2F&AccessKeyId") {
		t.Errorf("the message is %q", refused.Message())
	}
	// The SDK concludes this from comparing our string to sign with its own: so the two are equal, byte by byte.
	if !strings.HasPrefix(refused.Recommend(), "InvalidAccessKeySecret") {
		t.Errorf("the SDK recommends %q", refused.Recommend())
	}
}

func TestTheSignatureCoversEveryCharacter(t *testing.T) {
	w := start(t, cassim.Options{})
	req := w.application("example.com")
	req.Username = "a b+c*d~e%f&g=h/i 证书 é\t-_.!'()@:"
	req.QueryParams["Tags.1.Key"], req.QueryParams["Tags.1.Value"] = "k~*+ é", "值"
	id := w.create(req)
	order, _ := w.Order(id)
	if order.Tags["k~*+ é"] != "值" {
		t.Errorf("the tags are %v", order.Tags)
	}
}

func TestTemporaryKeysNeedTheirTokenAndEnd(t *testing.T) {
	gateway := clocktesting.NewFakePassiveClock(time.Now())
	key := cassim.Key{ID: "STS.one", Secret: "s", SecurityToken: "token", ExpiresAt: gateway.Now().Add(time.Minute)}
	w := start(t, cassim.Options{GatewayClock: gateway, Accounts: []cassim.Account{{
		Keys: []cassim.Key{key}, Packages: map[string]int{cassim.DefaultProduct: 1},
	}}})
	ask := func(token string) error {
		client, _ := w.clients(key.ID, key.Secret, token)
		_, err := client.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
		return err
	}
	if err := ask("token"); err != nil {
		t.Error(err)
	}
	wantCode(t, ask(""), 400, "MissingSecurityToken")
	wantCode(t, ask("another"), 400, "InvalidSecurityToken.MismatchWithAccessKey")
	gateway.SetTime(key.ExpiresAt.Add(-time.Nanosecond))
	if err := ask("token"); err != nil {
		t.Error(err)
	}
	gateway.SetTime(key.ExpiresAt)
	wantCode(t, ask("token"), 400, "InvalidSecurityToken.Expired")
}

func TestKeysAreDisabledRotatedAndRestricted(t *testing.T) {
	w := start(t, cassim.Options{})
	ask := func() error {
		_, err := w.cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
		return err
	}
	w.SetKeyDisabled(cassim.DefaultKeyID, true)
	wantCode(t, ask(), 400, "InvalidAccessKeyId.Inactive")
	w.SetKeyDisabled(cassim.DefaultKeyID, false)
	if err := ask(); err != nil {
		t.Error(err)
	}
	w.DenyAction(cassim.DefaultKeyID, "DescribePackageState")
	wantDenied(t, ask(), "yundun-cert:DescribePackageState")
	w.DenyAction(cassim.DefaultKeyID, "DescribeDomains")
	_, err := w.dns.DescribeDomains(alidns.CreateDescribeDomainsRequest())
	wantDenied(t, err, "alidns:DescribeDomains")
	w.AllowAction(cassim.DefaultKeyID, "DescribePackageState")
	if err := ask(); err != nil {
		t.Error(err)
	}
	w.RotateKey(cassim.DefaultKeyID, cassim.Key{ID: "second", Secret: "s2", Denied: []string{"DescribePackageState"}})
	wantCode(t, ask(), 404, "InvalidAccessKeyId.NotFound")
	w.cas, _ = w.clients("second", "s2", "")
	wantDenied(t, ask(), "yundun-cert:DescribePackageState")
}

func wantDenied(t *testing.T, err error, action string) {
	t.Helper()
	wantCode(t, err, 403, "Forbidden.RAM")
	var refused *sdkerrors.ServerError
	if !errors.As(err, &refused) || refused.AccessDeniedDetail()["AuthAction"] != action {
		t.Errorf("the detail is not about %s: %v", action, err)
	}
}

func TestEachVerbNamesTheParameterThatItMisses(t *testing.T) {
	w := start(t, cassim.Options{})
	required := map[string]map[string][]string{
		"2020-04-07": {
			"CreateCertificateWithCsrRequest": {"Csr", "Username", "Email", "Phone", "ValidateType"},
			"DescribeCertificateState":        {"OrderId"},
			"CancelOrderRequest":              {"OrderId"},
			"DeleteCertificateRequest":        {"OrderId"},
			"GetUserCertificateDetail":        {"CertId"},
		},
		"2015-01-09": {
			"AddDomainRecord":          {"DomainName", "RR", "Type", "Value"},
			"UpdateDomainRecord":       {"RecordId", "RR", "Type", "Value"},
			"DeleteDomainRecord":       {"RecordId"},
			"DescribeDomainRecords":    {"DomainName"},
			"DescribeSubDomainRecords": {"SubDomain"},
			"DescribeDomainRecordInfo": {"RecordId"},
			"DescribeDomainInfo":       {"DomainName"},
			"GetMainDomainName":        {"InputString"},
		},
	}
	for version, actions := range required {
		for action, names := range actions {
			for _, missing := range names {
				params := map[string]string{"Action": action}
				for _, name := range names {
					params[name] = "1"
				}
				params[missing] = "-"
				status, answer := w.post(signed(params, map[string]string{missing: "-", "Version": version}), "")
				if status != 400 || answer["Code"] != "MissingParameter."+missing {
					t.Errorf("%s without %s: HTTP %d, %v", action, missing, status, answer)
				}
			}
		}
	}
}

func TestRatesAreLimitedForEachAccountAndVerb(t *testing.T) {
	packages := map[string]int{cassim.DefaultProduct: 100}
	w := start(t, cassim.Options{Knobs: cassim.Knobs{Throttling: cassim.On}, Accounts: []cassim.Account{
		{Keys: []cassim.Key{{ID: cassim.DefaultKeyID, Secret: cassim.DefaultKeySecret}}, Packages: packages},
		{Keys: []cassim.Key{{ID: "other", Secret: "s"}}, Packages: packages},
	}})
	// Requests that are signed before the first is sent, so that signing does not slow them down to the allowed rate.
	const burst = 40
	requests := make([]url.Values, burst)
	csr := newCSR(t, newKey(t), "example.com")
	for i := range requests {
		requests[i] = signed(map[string]string{
			"Action": "CreateCertificateWithCsrRequest", "Csr": csr, "Username": "u", "Email": "e", "Phone": "p",
			"ValidateType": "DNS",
		}, nil)
	}
	accepted, throttled := 0, 0
	for _, values := range requests {
		switch status, answer := w.post(values, ""); {
		case status == 200:
			accepted++
		case status == 400 && answer["Code"] == "Throttling.User":
			throttled++
		default:
			t.Errorf("HTTP %d, %v", status, answer)
		}
	}
	if accepted < 10 || throttled == 0 || len(w.Ledger()) != accepted {
		t.Errorf("%d accepted, %d throttled, %d billed", accepted, throttled, len(w.Ledger()))
	}
	if _, err := w.cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest()); err != nil {
		t.Errorf("another verb: %v", err)
	}
	w.cas, _ = w.clients("other", "s", "")
	if _, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com")); err != nil {
		t.Errorf("another account: %v", err)
	}
}

func TestRequestsAreRememberedWithoutSecrets(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.order("example.com")
	w.describe(id)
	req := sdkcas.CreateDescribeCertificateStateRequest()
	req.OrderId = requests.NewInteger(1)
	if _, err := w.cas.DescribeCertificateState(req); codeOf(err) != "NotFoundOrder" {
		t.Fatal(err)
	}
	all := w.Requests()
	if len(all) != 3 || w.Calls()["DescribeCertificateState"] != 2 ||
		w.Calls()["CreateCertificateWithCsrRequest"] != 1 {
		t.Fatalf("%d requests, %v", len(all), w.Calls())
	}
	if all[0].OrderID != id || all[0].Code != "" || !all[0].Executed || !all[0].At.Equal(began) ||
		all[0].AccountID != "1000000000000001" {
		t.Errorf("the create is %+v", all[0])
	}
	if all[2].Code != "NotFoundOrder" || !all[2].Executed || all[2].OrderID != "1" {
		t.Errorf("the last is %+v", all[2])
	}
	for _, r := range all {
		for name, value := range r.Params {
			if strings.HasPrefix(name, "Signature") || name == "SecurityToken" ||
				strings.Contains(value, cassim.DefaultKeySecret) {
				t.Errorf("%s is remembered", name)
			}
		}
	}
	if all[0].Params["Csr"] == "" || all[0].Params["Action"] == "" {
		t.Error("the parameters are not remembered")
	}
}

func TestTheDateIsThatOfTheServices(t *testing.T) {
	w := start(t, cassim.Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/?"+signed(aPackage, nil).Encode(),
		nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("Date"); got != began.Format(http.TimeFormat) {
		t.Errorf("the Date is %q", got)
	}
}
