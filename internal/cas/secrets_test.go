// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// leak stands for a private key in a reply.
const leak = "TESTprivateKey"

// holds reports that the text is anywhere within the value, in fields of any depth, exported or not.
func holds(v reflect.Value, text string, seen map[uintptr]bool) bool {
	switch v.Kind() {
	case reflect.String:
		return strings.Contains(v.String(), text)
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return false
		}
		seen[v.Pointer()] = true
		return holds(v.Elem(), text, seen)
	case reflect.Interface:
		return !v.IsNil() && holds(v.Elem(), text, seen)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if holds(field, text, seen) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return strings.Contains(fmt.Sprintf("%s", v), text)
		}
		for i := range v.Len() {
			if holds(v.Index(i), text, seen) {
				return true
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if holds(key, text, seen) || holds(v.MapIndex(key), text, seen) {
				return true
			}
		}
	}
	return false
}

func TestTheSearchForAKeyFindsIt(t *testing.T) {
	type hidden struct{ inner any }
	for _, value := range []any{
		leak, &hidden{leak}, hidden{[]byte(leak)}, []hidden{{nil}, {leak}}, map[string]any{"k": &hidden{leak}}, errors.New(leak), fmt.Errorf("x: %w", errors.New(leak)),
	} {
		if !holds(reflect.ValueOf(value), leak, map[uintptr]bool{}) {
			t.Errorf("not found in %#v", value)
		}
	}
}

func TestThePrivateKeyOfAReplyIsInNothingThatIsReturned(t *testing.T) {
	bodies := map[string]string{
		"a success":                   `{"RequestId":"R-1","Type":"certificate","Certificate":"c","Cert":"c","PrivateKey":"` + leak + `","Key":"` + leak + `","OrderId":1,"TotalCount":1,"UsedCount":1,"CertificateOrderList":[{"OrderId":1,"PrivateKey":"` + leak + `"}]}`,
		"a success of other types":    `{"RequestId":"R-1","Type":{"PrivateKey":"` + leak + `"},"OrderId":["` + leak + `"],"TotalCount":["` + leak + `"],"CertificateOrderList":"` + leak + `"}`,
		"a success that is cut short": `{"RequestId":"R-1","Type":"certificate","PrivateKey":"` + leak,
		"a success without an id":     `{"RequestId":"R-1","PrivateKey":"` + leak + `"}`,
		"no JSON":                     leak,
	}
	for name, body := range bodies {
		for _, status := range []int{200, 302, 500} {
			client := newClient(t, answering(t, status, body))
			for _, verb := range verbs {
				result, err := verb.call(context.Background(), client)
				if holds(reflect.ValueOf(&result), leak, map[uintptr]bool{}) || holds(reflect.ValueOf(&err), leak, map[uintptr]bool{}) {
					t.Errorf("%s after %s with %d returns the key: %#v, %#v", verb.action, name, status, result, err)
				}
			}
		}
	}
}

// secrets are what a request must keep to itself, in every form that a server could quote.
func secrets(query url.Values) []string {
	list := []string{"Signature=", "SignatureNonce", "http://", "?AccessKeyId"}
	for _, value := range []string{
		testCredentials.AccessKeyID, testCredentials.AccessKeySecret, testCredentials.SecurityToken,
		testContact.Name, testContact.Email, testContact.Phone, testCSR, "MIIBTESTcsr",
		query.Get("Signature"), query.Get("SignatureNonce"),
	} {
		if value != "" {
			list = append(list, value, url.QueryEscape(value), url.PathEscape(value))
		}
	}
	return list
}

func TestNoErrorHoldsASecretWhateverTheServiceQuotes(t *testing.T) {
	quotes := map[string]func(*http.Request) string{
		"the URL":        func(r *http.Request) string { return "cannot serve http://" + r.Host + r.RequestURI },
		"the parameters": func(r *http.Request) string { return fmt.Sprint(r.URL.Query()) },
		"the contact": func(r *http.Request) string {
			q := r.URL.Query()
			return fmt.Sprintf("contact %s <%s>, %s, is not known", q.Get("Username"), q.Get("Email"), q.Get("Phone"))
		},
		"the string to sign": func(r *http.Request) string {
			return "Specified signature is not matched with our calculation. server string to sign is:POST&%2F&" + url.QueryEscape(r.URL.RawQuery)
		},
	}
	codes := []string{"SignatureDoesNotMatch", "IncompleteSignature", "InvalidParameter", "InternalError", "CreateOrderFailed", "prose instead of a code"}
	for name, quote := range quotes {
		for _, code := range codes {
			var sent url.Values
			client := newClient(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
				sent = r.URL.Query()
				body, err := json.Marshal(map[string]string{"RequestId": "R-1", "Code": code, "Message": quote(r)})
				if err != nil {
					t.Error(err)
				}
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write(body)
			}))
			for _, verb := range verbs {
				_, err := verb.call(context.Background(), client)
				for _, secret := range secrets(sent) {
					if holds(reflect.ValueOf(&err), secret, map[uintptr]bool{}) || strings.Contains(err.Error(), secret) {
						t.Errorf("%s after %s with %s: %q is in %#v", verb.action, name, code, secret, err)
					}
				}
			}
		}
	}
}

func TestNoErrorOfTheNetworkHoldsASecret(t *testing.T) {
	var sent atomic.Pointer[http.Request]
	sent.Store(&http.Request{URL: &url.URL{}})
	urls := map[string]string{
		"a lost answer": serving(t, func(w http.ResponseWriter, r *http.Request) {
			sent.Store(r)
			hangUp(t, w)
		}),
		"a refused connection": "http://127.0.0.1:1",
		"an unknown host":      "https://no-such-host.invalid",
	}
	for name, endpoint := range urls {
		client := newClient(t, endpoint)
		for _, verb := range verbs {
			_, err := verb.call(context.Background(), client)
			if err == nil {
				t.Fatalf("%s after %s works", verb.action, name)
			}
			for _, secret := range secrets(sent.Load().URL.Query()) {
				if holds(reflect.ValueOf(&err), secret, map[uintptr]bool{}) || strings.Contains(err.Error(), secret) {
					t.Errorf("%s after %s: %q is in %#v", verb.action, name, secret, err)
				}
			}
		}
	}
}
