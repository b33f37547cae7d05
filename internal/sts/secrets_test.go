// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

// leak stands for the keys in a reply.
const leak = "TESTsessionSecret"

// sessionReply is what STS answers, with one field of the credentials changed. A value of "-" removes it.
func sessionReply(field, value string) string {
	fields := map[string]string{"AccessKeyId": "STS.NTTESTTESTTEST" + leak, "AccessKeySecret": leak,
		"SecurityToken": leak, "Expiration": "2026-11-23T12:00:00Z"}
	if fields[field] = value; value == "-" {
		delete(fields, field)
	}
	delete(fields, "")
	text, _ := json.Marshal(map[string]any{"RequestId": "R-1", "Credentials": fields})
	return string(text)
}

func TestAReplyWithoutAWholeSessionIsAnErrorThatQuotesNothing(t *testing.T) {
	replies := map[string]string{
		"no credentials":            `{"RequestId":"R-1"}`,
		"null credentials":          `{"RequestId":"R-1","Credentials":null}`,
		"empty credentials":         `{"RequestId":"R-1","Credentials":{}}`,
		"a list of credentials":     `{"RequestId":"R-1","Credentials":["` + leak + `"]}`,
		"credentials that are text": `{"RequestId":"R-1","Credentials":"` + leak + `"}`,
		"another end":               sessionReply("Expiration", "23 Nov 2026, with "+leak),
		"an end that is a number":   strings.Replace(sessionReply("", ""), `"2026-11-23T12:00:00Z"`, "1795435200", 1),
		"no request id":             strings.Replace(sessionReply("", ""), "RequestId", "Request", 1),
		"cut short":                 sessionReply("", "")[:len(sessionReply("", ""))-3],
		"HTML":                      "<html><body>" + leak + "</body></html>",
		"nothing":                   "",
		"an empty object":           "{}",
		"null":                      "null",
	}
	for _, field := range []string{"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"} {
		replies["no "+field] = sessionReply(field, "-")
		replies["an empty "+field] = sessionReply(field, "")
	}
	for name, body := range replies {
		client := newClient(answers.Always(t, http.StatusOK, body))
		for _, verb := range sessionVerbs {
			got, err := verb.call(t.Context(), client)
			if err == nil || got != (sts.Session{}) {
				t.Errorf("%s: %s returns a session, %v", name, verb.action, err)
			}
			if kind := rpc.KindOf(err); kind != "" && kind != rpc.KindUndecodable {
				t.Errorf("%s: %s returns an error of the kind %s", name, verb.action, kind)
			}
			wantHides(t, err, leak)
		}
	}
}

func TestASessionIsReadButNotPrinted(t *testing.T) {
	client := newClient(answers.Always(t, http.StatusOK, sessionReply("", "")))
	for _, verb := range sessionVerbs {
		got, err := verb.call(t.Context(), client)
		session, _ := got.(sts.Session)
		if keys := session.Keys; err != nil || keys.AccessKeySecret != leak || keys.SecurityToken != leak ||
			session.Expires.Unix() != 1795435200 {
			t.Errorf("%s: got %v, %v", verb.action, session, err)
		}
		wantHides(t, got, leak)
	}
}

func TestNoErrorHoldsASecretWhateverSTSQuotes(t *testing.T) {
	quotes := map[string]func(*http.Request, url.Values) string{
		"the URL": func(r *http.Request, form url.Values) string {
			return "cannot serve http://" + r.Host + r.RequestURI
		},
		"the parameters": func(r *http.Request, form url.Values) string { return fmt.Sprint(r.URL.Query(), form) },
		"the form":       func(r *http.Request, form url.Values) string { return "bad form " + form.Encode() },
		"the token": func(r *http.Request, form url.Values) string {
			return "the token " + form.Get("OIDCToken") +
				" is bad"
		},
		"the external id": func(r *http.Request, form url.Values) string {
			return "not " + r.URL.Query().Get("ExternalId") + form.Get("ExternalId")
		},
		"the key": func(r *http.Request, _ url.Values) string {
			return "no key " + r.URL.Query().Get("AccessKeyId")
		},
		"the token of the session": func(r *http.Request, _ url.Values) string {
			return "stale: " + r.URL.Query().Get("SecurityToken")
		},
	}
	for name, quote := range quotes {
		for _, code := range []string{"AuthenticationFail.OIDCToken.Invalid", "NoPermission",
			"InvalidSecurityToken.Expired", "SignatureDoesNotMatch", "InternalError", "a secret"} {
			client := newClient(answers.By(t, func(w http.ResponseWriter, r *http.Request) {
				sent, _ := io.ReadAll(r.Body)
				form, _ := url.ParseQuery(string(sent))
				said := code
				if said == "a secret" {
					said = r.URL.Query().Get("AccessKeyId") + form.Get("OIDCToken")
				}
				body, _ := json.Marshal(map[string]string{"RequestId": "R-1", "Code": said, "Message": quote(r, form)})
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write(body)
			}))
			for _, verb := range verbs {
				_, err := verb.call(t.Context(), client)
				if err == nil {
					t.Errorf("%s after %s works", verb.action, name)
				}
				wantHides(t, err, verb.secrets...)
			}
		}
	}
}

func TestSecretsAreInNoURLButTheSignedOne(t *testing.T) {
	client := newClient(answers.By(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.RequestURI, testToken) || strings.Contains(r.RequestURI, clients.Keys.AccessKeySecret) {
			t.Errorf("%s has a secret in its URL", r.URL.Query().Get("Action"))
		}
		_, _ = io.WriteString(w, sessionReply("", ""))
	}))
	for _, verb := range verbs {
		if _, err := verb.call(t.Context(), client); err != nil {
			t.Errorf("%s: %v", verb.action, err)
		}
	}
}

func TestNoErrorOfTheNetworkHoldsASecret(t *testing.T) {
	for name, endpoint := range map[string]string{
		"a lost answer": answers.By(t, func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler) // closes the connection without a word
		}),
		"a redirect": answers.By(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example.com/?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
		}),
		"a refused connection": "http://127.0.0.1:1",
		"an unknown host":      "https://no-such-host.invalid",
	} {
		for _, verb := range verbs {
			_, err := verb.call(t.Context(), newClient(endpoint))
			if kind := rpc.KindOf(err); kind != rpc.KindNetwork && kind != rpc.KindRedirect {
				t.Errorf("%s after %s: got %v", verb.action, name, err)
			}
			wantHides(t, err, verb.secrets...)
		}
	}
}
