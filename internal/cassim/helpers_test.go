// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/utils"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// world is a simulator with a clock that only the test moves, and the real SDK in front of it.
type world struct {
	*cassim.Server
	t     *testing.T
	clock *clocktesting.FakePassiveClock
	cas   *sdkcas.Client
	dns   *alidns.Client
}

var began = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func start(t *testing.T, opts cassim.Options) *world {
	t.Helper()
	w := &world{t: t, clock: clocktesting.NewFakePassiveClock(began)}
	opts.Clock = w.clock
	opts.Logf = t.Logf
	w.Server = cassim.New(opts)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.cas, w.dns = w.clients(cassim.DefaultKeyID, cassim.DefaultKeySecret, "")
	if opts.Accounts != nil && len(opts.Accounts[0].Keys) > 0 {
		key := opts.Accounts[0].Keys[0]
		w.cas, w.dns = w.clients(key.ID, key.Secret, key.SecurityToken)
	}
	return w
}

func (w *world) clients(id, secret, token string) (*sdkcas.Client, *alidns.Client) {
	w.t.Helper()
	var provider credentials.CredentialsProvider = credentials.NewStaticAKCredentialsProvider(id, secret)
	if token != "" {
		provider = credentials.NewStaticSTSCredentialsProvider(id, secret, token)
	}
	config := func() *sdk.Config { return sdk.NewConfig().WithScheme("HTTP") }
	cas, err := sdkcas.NewClientWithOptions("cn-hangzhou", config(), provider)
	if err != nil {
		w.t.Fatal(err)
	}
	dns, err := alidns.NewClientWithOptions("cn-hangzhou", config(), provider)
	if err != nil {
		w.t.Fatal(err)
	}
	cas.Domain, dns.Domain = strings.TrimPrefix(w.URL(), "http://"), strings.TrimPrefix(w.URL(), "http://")
	return cas, dns
}

func (w *world) pass(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newCSR(t *testing.T, key crypto.Signer, cn string, sans ...string) string {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: cn}, DNSNames: sans}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// application is a good one for the domain, with a key of its own.
func (w *world) application(domain string) *sdkcas.CreateCertificateWithCsrRequestRequest {
	w.t.Helper()
	req := sdkcas.CreateCreateCertificateWithCsrRequestRequest()
	req.Csr = newCSR(w.t, newKey(w.t), domain)
	req.Username, req.Email, req.Phone = "Test Person", "person@example.com", "13800000000"
	req.ValidateType, req.ProductCode = "DNS", cassim.DefaultProduct
	return req
}

// create makes an order and returns its id as the simulator has it.
func (w *world) create(req *sdkcas.CreateCertificateWithCsrRequestRequest) string {
	w.t.Helper()
	resp, err := w.cas.CreateCertificateWithCsrRequest(req)
	if err != nil {
		w.t.Fatal(err)
	}
	orders := w.Orders()
	last := orders[len(orders)-1]
	if string(requests.NewInteger64(resp.OrderId)) != last.OrderID {
		w.t.Fatalf("the reply names the order %d, the ledger %s", resp.OrderId, last.OrderID)
	}
	return last.OrderID
}

func (w *world) order(domain string) string {
	w.t.Helper()
	return w.create(w.application(domain))
}

func (w *world) describe(id string) *sdkcas.DescribeCertificateStateResponse {
	w.t.Helper()
	req := sdkcas.CreateDescribeCertificateStateRequest()
	req.OrderId = requests.Integer(id)
	resp, err := w.cas.DescribeCertificateState(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func (w *world) wantState(id, want string) {
	w.t.Helper()
	if got := w.describe(id).Type; got != want {
		w.t.Fatalf("the order is in state %q, not %q", got, want)
	}
}

// publish adds the record of an order where the CA looks, as a person does.
func (w *world) publish(id string) (recordID string) {
	w.t.Helper()
	view, ok := w.Order(id)
	if !ok {
		w.t.Fatalf("there is no order %s", id)
	}
	return w.AddRecord(cassim.DefaultZone, strings.TrimSuffix(view.RecordFQDN, "."+cassim.DefaultZone), view.RecordType,
		view.RecordValue)
}

func codeOf(err error) string {
	if refused, ok := errors.AsType[*sdkerrors.ServerError](err); ok {
		return refused.ErrorCode()
	}
	if err == nil {
		return ""
	}
	return "no reply: " + err.Error()
}

func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var refused *sdkerrors.ServerError
	if !errors.As(err, &refused) || refused.ErrorCode() != code || refused.HttpStatus() != status {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

// chain decodes PEM certificates.
func chain(t *testing.T, text string) []*x509.Certificate {
	t.Helper()
	var certs []*x509.Certificate
	for rest := []byte(text); ; {
		block, more := pem.Decode(rest)
		if block == nil {
			return certs
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certs, rest = append(certs, cert), more
	}
}

// signed returns parameters of a request that is signed as the SDK signs: with its own functions, not with the
// simulator's.
func signed(params map[string]string, change map[string]string) url.Values {
	all := map[string]string{
		"Version": "2020-04-07", "Format": "JSON", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
		"SignatureType":  "",
		"SignatureNonce": utils.GetNonce(), "Timestamp": utils.GetTimeInFormatISO8601(),
		"AccessKeyId": cassim.DefaultKeyID, "RegionId": "cn-hangzhou",
	}
	maps.Copy(all, params)
	for name, value := range change {
		if all[name] = value; value == "-" {
			delete(all, name)
		}
	}
	text := utils.GetUrlFormedMap(all)
	text = strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(text)
	values := url.Values{"Signature": {utils.ShaHmac1("POST&%2F&"+url.QueryEscape(text), cassim.DefaultKeySecret+"&")}}
	for name, value := range all {
		values.Set(name, value)
	}
	return values
}

// post sends parameters in the query, and returns the status and the decoded answer.
func (w *world) post(query url.Values, body string) (int, map[string]any) {
	w.t.Helper()
	return w.send(http.MethodPost, w.URL()+"/?"+query.Encode(), "application/x-www-form-urlencoded", body)
}

func (w *world) send(method, target, contentType, body string) (int, map[string]any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		w.t.Fatalf("HTTP %d: %v", resp.StatusCode, err)
	}
	return resp.StatusCode, answer
}
