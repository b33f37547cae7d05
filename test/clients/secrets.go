// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
)

// Leak stands for a private key, or for somebody's address, in a reply.
const Leak = "TESTprivateKey"

// Holds reports that the text is anywhere within the value, in fields of any depth, exported or not.
func Holds(value any, text string) bool {
	return holds(reflect.ValueOf(value), text, map[uintptr]bool{})
}

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

// WantNoLeak answers each verb with each of the bodies, which quote Leak, and fails if what the client returns has it
// in it.
func (c Tried[Client]) WantNoLeak(t *testing.T, bodies map[string]string) {
	t.Helper()
	for name, body := range bodies {
		for _, status := range []int{200, 302, 500} {
			client := New(t, c.From, answers.Always(t, status, body))
			for _, verb := range c.Verbs {
				result, err := verb.Call(context.Background(), client)
				if Holds(&result, Leak) || Holds(&err, Leak) {
					t.Errorf("%s after %s with %d returns the key: %#v, %#v", verb.Action, name, status, result, err)
				}
			}
		}
	}
}

// Quotes are what a service may say of a request in the message of a refusal. They are called by what they quote.
type Quotes map[string]func(*http.Request) string

// commonQuotes are what a service may say of any request.
var commonQuotes = Quotes{
	"the URL":        func(r *http.Request) string { return "cannot serve http://" + r.Host + r.RequestURI },
	"the parameters": func(r *http.Request) string { return fmt.Sprint(r.URL.Query()) },
	"the string to sign": func(r *http.Request) string {
		return "Specified signature is not matched with our calculation. server string to sign is:POST&%2F&" +
			url.QueryEscape(r.URL.RawQuery)
	},
}

// WantNoSecretQuoted refuses each verb with each of the codes and each quote, and fails if an error has a secret in it.
func (c Tried[Client]) WantNoSecretQuoted(t *testing.T, codes []string, own Quotes) {
	t.Helper()
	for _, quotes := range []Quotes{commonQuotes, own} {
		for name, quote := range quotes {
			for _, code := range codes {
				var sent atomic.Pointer[http.Request]
				service := answers.By(t, func(w http.ResponseWriter, r *http.Request) {
					sent.Store(r)
					body, err := json.Marshal(map[string]string{"RequestId": "R-1", "Code": code, "Message": quote(r)})
					if err != nil {
						t.Error(err)
					}
					w.WriteHeader(http.StatusBadRequest)
					_, _ = w.Write(body)
				})
				c.wantNoSecret(t, name+" with "+code, service, &sent)
			}
		}
	}
}

// WantNoSecretWithoutAnAnswer fails if an error of the network has a secret in it.
func (c Tried[Client]) WantNoSecretWithoutAnAnswer(t *testing.T) {
	t.Helper()
	var sent atomic.Pointer[http.Request]
	sent.Store(&http.Request{URL: &url.URL{}})
	for name, service := range map[string]string{
		"a lost answer": answers.By(t, func(w http.ResponseWriter, r *http.Request) {
			sent.Store(r)
			answers.HangUp(t, w)
		}),
		"a refused connection": "http://127.0.0.1:1",
		"an unknown host":      "https://no-such-host.invalid",
	} {
		c.wantNoSecret(t, name, service, &sent)
	}
}

// wantNoSecret looks for the secrets of the request that was sent last in the error of each verb.
func (c Tried[Client]) wantNoSecret(t *testing.T, after, service string, sent *atomic.Pointer[http.Request]) {
	t.Helper()
	client := New(t, c.From, service)
	for _, verb := range c.Verbs {
		_, err := verb.Call(context.Background(), client)
		if err == nil {
			t.Fatalf("%s after %s works", verb.Action, after)
		}
		for _, secret := range c.secretsOf(sent.Load().URL.Query()) {
			if Holds(&err, secret) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s after %s: %q is in %#v", verb.Action, after, secret, err)
			}
		}
	}
}

// secretsOf are what a request must keep to itself, in every form that a server could quote.
func (c Tried[Client]) secretsOf(query url.Values) []string {
	list := []string{"Signature=", "SignatureNonce", "http://", "?AccessKeyId"}
	for _, value := range append([]string{
		Keys.AccessKeyID, Keys.AccessKeySecret, Keys.SecurityToken, CSR, csrBase64,
		query.Get("Signature"), query.Get("SignatureNonce"),
	}, c.Secrets...) {
		if value != "" {
			list = append(list, value, url.QueryEscape(value), url.PathEscape(value))
		}
	}
	return list
}
