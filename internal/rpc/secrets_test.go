// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// secretsOf are the values that a request must keep to itself, in every form that a server could quote.
func secretsOf() []string {
	secrets := []string{"Signature=", "SignatureNonce"}
	for _, value := range []string{
		testCredentials.AccessKeyID, testCredentials.AccessKeySecret, testCredentials.SecurityToken,
		testCSR, "MIIBTESTcsr", testName, testEmail, testPhone,
	} {
		secrets = append(secrets, value, url.QueryEscape(value), url.PathEscape(value))
	}
	return secrets
}

func checkNoSecret(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range secretsOf() {
		if strings.Contains(text, secret) {
			t.Errorf("%s contains %q: %s", what, secret, text)
		}
	}
}

// checkSafe looks at an error in every way in which it could be printed.
func checkSafe(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
			checkNoSecret(t, format, fmt.Sprintf(format, err))
		}
		if e, ok := errors.AsType[*Error](err); ok {
			checkNoSecret(t, "the fields", fmt.Sprintf("%+v %#v", *e, *e))
			if utf8.RuneCountInString(e.Message) > maxMessage {
				t.Errorf("the message has %d characters", utf8.RuneCountInString(e.Message))
			}
		}
	}
}

func TestAnErrorNeverHoldsASecretWhateverTheServerQuotes(t *testing.T) {
	quotes := map[string]func(*http.Request) string{
		"the URL": func(r *http.Request) string {
			return "bad request http://cas.aliyuncs.com" +
				r.URL.String()
		},
		"the request URI": func(r *http.Request) string { return "cannot serve " + r.RequestURI },
		"the raw query":   func(r *http.Request) string { return r.URL.RawQuery },
		"the parameters":  func(r *http.Request) string { return fmt.Sprint(r.URL.Query()) },
		"a parameter as it was sent": func(r *http.Request) string {
			return "the phone number " + url.QueryEscape(r.URL.Query().Get("Phone")) + " is not one"
		},
		"the parameters, lined": func(r *http.Request) string { return strings.Join(flat(r.URL.Query()), "\n") },
	}
	for name, quote := range quotes {
		for _, code := range []string{"InternalError", "SignatureDoesNotMatch", "IncompleteSignature",
			"Invalid Phone"} {
			t.Run(name+" with "+code, func(t *testing.T) {
				var sent url.Values
				caller := newCaller(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
					sent = r.URL.Query()
					body, err := json.Marshal(
						map[string]string{"RequestId": quote(r), "Code": code, "Message": quote(r)})
					if err != nil {
						t.Error(err)
					}
					w.WriteHeader(http.StatusBadRequest)
					_, _ = w.Write(body)
				}))
				e := failing(t, caller)
				checkSafe(t, e)
				if e.Code == "" && code != "Invalid Phone" {
					t.Error("the code is lost")
				}
				for _, parameter := range []string{"Signature", "SignatureNonce"} {
					if value := sent.Get(parameter); value == "" || strings.Contains(fmt.Sprintf("%#v", e), value) {
						t.Errorf("%s is %q in %#v", parameter, value, e)
					}
				}
			})
		}
	}
}

func TestACodeOrARequestIDThatQuotesASecretIsDropped(t *testing.T) {
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(
			w, `{"RequestId":"id-%[1]s","Code":"Invalid.%[1]s","Message":"no","AccessDeniedDetail":{"AuthAction":"x:%[1]s"}}`,
			testCredentials.AccessKeyID)
	}))
	e := failing(t, caller)
	checkSafe(t, e)
	if e.Code != "" || e.RequestID != "" || e.DeniedAction != "" {
		t.Errorf("got %#v", *e)
	}
}

func flat(values url.Values) []string {
	var list []string
	for name, value := range values {
		list = append(list, name+": "+value[0])
	}
	return list
}

func TestAFailureOfTheNetworkNeverHoldsASecret(t *testing.T) {
	echo := func(conn net.Conn) {
		_, _ = conn.Write([]byte(strings.SplitN(readHeader(conn), "\r\n", 2)[0] + "\r\n\r\n"))
		_ = conn.Close()
	}
	checkSafe(t, failing(t, newCaller(t, listening(t, echo))))
	checkSafe(t, failing(t, newCaller(t, "https://localhost:1")))

	slow := newCaller(t, listening(t, func(conn net.Conn) { readHeader(conn) }),
		func(c *Config) { c.Timeout = 50 * time.Millisecond })
	checkSafe(t, failing(t, slow))
}

func TestTheMessageOfOneCauseIsTheSameFromCallToCall(t *testing.T) {
	var n int
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		id := fmt.Sprintf("5F4A9D1E-0000-4000-8000-%012d", n)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"RequestId":%q,"Code":"InternalError","Message":"try again, %s, nonce %s"}`, id, id,
			r.URL.Query().Get("SignatureNonce"))
	}))
	first, second := failing(t, caller), failing(t, caller)
	if first.Error() != second.Error() {
		t.Errorf("%q and %q", first, second)
	}
	if first.RequestID == second.RequestID {
		t.Errorf("both have the request id %q", first.RequestID)
	}
}

func TestAShortNameIsHiddenWithoutTakingWordsApart(t *testing.T) {
	s := scrubber{secrets: []string{"An"}}
	got := s.scrub("Answer: the contact An, An and (An) is no An")
	want := "Answer: the contact [redacted], [redacted] and ([redacted]) is no [redacted]"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCredentialsDoNotPrint(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "credentials", testCredentials, "in a struct",
		struct{ C Credentials }{testCredentials})
	asJSON, err := json.Marshal(testCredentials)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %v %+v", testCredentials, testCredentials, testCredentials, testCredentials,
		&testCredentials, struct{ C Credentials }{testCredentials})
	checkNoSecret(t, "printed", printed+log.String()+string(asJSON))
}

// quotingError is an error by value, which %#v prints in full wherever it is.
type quotingError struct{ Quote string }

func (e quotingError) Error() string { return e.Quote }

func TestAProviderThatQuotesTheAnswerOfSTSIsScrubbed(t *testing.T) {
	caller := newCaller(t, "http://127.0.0.1:1", func(c *Config) {
		c.Credentials = CredentialsFunc(func(context.Context) (Credentials, error) {
			return Credentials{}, quotingError{"refresh failed: https://sts.aliyuncs.com/?Signature=abc " +
				"LTAI5tTESTkeyIdentifier"}
		})
	})
	e := failing(t, caller)
	checkSafe(t, e)
	if _, ok := errors.AsType[quotingError](e); !ok {
		t.Error("the cause is not found")
	}
	if !strings.Contains(e.Message, "refresh failed") {
		t.Errorf("the message %q has lost its point", e.Message)
	}
}
