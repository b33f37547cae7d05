// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

// business returns the parameters of a request but those that every request has.
func business(r *http.Request) url.Values {
	query := r.URL.Query()
	for _, common := range []string{
		"AccessKeyId", "Format", "RegionId", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce",
		"SignatureType", "SignatureVersion", "Timestamp", "Version",
	} {
		query.Del(common)
	}
	return query
}

func TestEachVerbSendsItsParametersAndNoOthers(t *testing.T) {
	list := func(query cas.ListQuery) func(context.Context, *cas.Client) (any, error) {
		return func(ctx context.Context, c *cas.Client) (any, error) { return c.List(ctx, query) }
	}
	tests := map[string]struct {
		call func(context.Context, *cas.Client) (any, error)
		want url.Values
	}{
		"submit": {
			func(ctx context.Context, c *cas.Client) (any, error) {
				app := newApplication()
				app.Tags = map[string]string{"b": "2", "a": "", "证书": "值 &="}
				got := c.Submit(ctx, app)
				return got, got.Err
			},
			url.Values{
				"Action": {"CreateCertificateWithCsrRequest"}, "Csr": {clients.CSR}, "ProductCode": {testProduct},
				"ValidateType": {"DNS"},
				"Username":     {testContact.Name}, "Email": {testContact.Email}, "Phone": {testContact.Phone},
				"Tags.1.Key": {"a"}, "Tags.1.Value": {""}, "Tags.2.Key": {"b"}, "Tags.2.Value": {"2"},
				"Tags.3.Key": {"证书"}, "Tags.3.Value": {"值 &="},
			},
		},
		"describe": {verbs[1].Call, url.Values{"Action": {"DescribeCertificateState"}, "OrderId": {string(testOrder)}}},
		"list": {list(cas.ListQuery{}), url.Values{
			"Action": {"ListUserCertificateOrder"}, "OrderType": {"CPACK"}, "CurrentPage": {"1"}, "ShowSize": {"50"},
		}},
		"list with a selection": {
			list(cas.ListQuery{Keyword: "example.com", Status: cas.ListChecking, Page: 3, Size: 20}), url.Values{
				"Action": {"ListUserCertificateOrder"}, "OrderType": {"CPACK"}, "CurrentPage": {"3"},
				"ShowSize": {"20"},
				"Keyword":  {"example.com"}, "Status": {"CHECKING"},
			}},
		"package":     {verbs[3].Call, url.Values{"Action": {"DescribePackageState"}, "ProductCode": {testProduct}}},
		"cancel":      {verbs[4].Call, url.Values{"Action": {"CancelOrderRequest"}, "OrderId": {string(testOrder)}}},
		"certificate": {verbs[6].Call, url.Values{"Action": {"GetUserCertificateDetail"}, "CertId": {"7"}}},
		"delete": {
			verbs[5].Call, url.Values{"Action": {"DeleteCertificateRequest"}, "OrderId": {string(testOrder)}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			client := newClient(t, answers.By(t, func(w http.ResponseWriter, r *http.Request) {
				got = r
				_, _ = fmt.Fprint(
					w, `{"RequestId":"R-1","OrderId":1,"Type":"process","TotalCount":0,"UsedCount":0,"Cert":"c"}`)
			}))
			if _, err := test.call(context.Background(), client); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, business(got)); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
			if got.Method != http.MethodPost || got.URL.Query().Get("Version") != "2020-04-07" ||
				got.URL.Query().Get("RegionId") != "cn-hangzhou" {
				t.Errorf("%s with %v", got.Method, got.URL.Query())
			}
		})
	}
}

func manyTags(n int) map[string]string {
	tags := map[string]string{}
	for i := range n {
		tags["k"+strconv.Itoa(i)] = "v"
	}
	return tags
}

func TestAnApplicationThatCanNotSucceedIsNotSent(t *testing.T) {
	tests := map[string]func(*cas.Application){
		"no CSR":                       func(a *cas.Application) { a.CSR = "" },
		"no product":                   func(a *cas.Application) { a.ProductCode = "" },
		"no validation":                func(a *cas.Application) { a.ValidateType = "" },
		"a validation of no such type": func(a *cas.Application) { a.ValidateType = "HTTP" },
		"no name":                      func(a *cas.Application) { a.Contact.Name = "" },
		"no email address":             func(a *cas.Application) { a.Contact.Email = "" },
		"no phone number":              func(a *cas.Application) { a.Contact.Phone = "" },
		"no intent":                    func(a *cas.Application) { a.StartedAt = time.Time{} },
		"too many tags":                func(a *cas.Application) { a.Tags = manyTags(21) },
		"a tag without a key":          func(a *cas.Application) { a.Tags = map[string]string{"": "v"} },
		"a long key of a tag": func(a *cas.Application) {
			a.Tags = map[string]string{strings.Repeat("é", 129): "v"}
		},
		"a key of Alibaba's":    func(a *cas.Application) { a.Tags = map[string]string{"aliyun-x": "v"} },
		"a key of the system's": func(a *cas.Application) { a.Tags = map[string]string{"acs:x": "v"} },
		"a URL as a key": func(a *cas.Application) {
			a.Tags = map[string]string{"see https://example.com": "v"}
		},
		"a URL as a value": func(a *cas.Application) { a.Tags = map[string]string{"k": "see http://example.com"} },
	}
	client := newClient(t, answers.Never(t))
	for name, spoil := range tests {
		app := newApplication()
		spoil(&app)
		got := client.Submit(context.Background(), app)
		e := clients.AsError(t, got.Err)
		if got.Outcome != cas.NotBought || e.Kind != cas.KindInvalid || e.Sent || e.Message == "" ||
			e.Action != "CreateCertificateWithCsrRequest" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestAnApplicationAtItsLimitsIsSent(t *testing.T) {
	client := newClient(t, answers.Always(t, 200, `{"RequestId":"R-1","OrderId":1}`))
	for name, change := range map[string]func(*cas.Application){
		"no tags":           func(a *cas.Application) { a.Tags = nil },
		"as many as can be": func(a *cas.Application) { a.Tags = manyTags(20) },
		"the longest key":   func(a *cas.Application) { a.Tags = map[string]string{strings.Repeat("é", 128): ""} },
		"file validation":   func(a *cas.Application) { a.ValidateType = cas.ValidateFile },
	} {
		app := newApplication()
		change(&app)
		if got := client.Submit(context.Background(), app); got.Outcome != cas.Accepted {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestAContactDoesNotPrint(t *testing.T) {
	app := newApplication()
	asJSON, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %v %s %x", app, app, app, &app, app.Contact, app.Contact) + string(
		asJSON) + app.Contact.LogValue().String()
	for _, part := range []string{testContact.Name, testContact.Email, testContact.Phone} {
		if strings.Contains(printed, part) || strings.Contains(printed, fmt.Sprintf("%x", part)) {
			t.Errorf("%q is in %s", part, printed)
		}
	}
}
