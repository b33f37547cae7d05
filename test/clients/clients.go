// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package clients is what the tests of our clients share: whose keys they have, what time it is, and what both clients
// of CAS have to do, whatever their verbs are.
package clients

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
)

// Keys must never appear in an error.
var Keys = rpc.Credentials{
	AccessKeyID:     "LTAI5tTESTkeyIdentifier",
	AccessKeySecret: "TESTkeySecretTESTkeySecret",
	SecurityToken:   "CAISTESTsecurityToken+/=",
}

// csrBase64 is what is between the lines of CSR.
const csrBase64 = "MIIBTESTcsr"

// CSR must never appear in an error either.
const CSR = "-----BEGIN CERTIFICATE REQUEST-----\n" + csrBase64 + "\n-----END CERTIFICATE REQUEST-----\n"

// Rate keeps the buckets, which the whole process shares, out of the tests that are not about them.
const Rate = 1e6

// Noon is what time it is for a client of CAS.
var Noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// At makes it another time for a client.
func At(now time.Time) func(*cas.Config) {
	return func(c *cas.Config) { c.Now = func() time.Time { return now } }
}

// New makes a client of CAS for which it is noon.
func New[Client any](t testing.TB, from func(cas.Config) (Client, error), url string,
	change ...func(*cas.Config)) Client {
	t.Helper()
	config := cas.Config{
		Endpoint:    rpc.Endpoint{Region: "cn-hangzhou", URL: url},
		Credentials: rpc.StaticCredentials(Keys),
		Rate:        Rate,
		Timeout:     10 * time.Second,
		Now:         func() time.Time { return Noon },
	}
	for _, f := range change {
		f(&config)
	}
	client, err := from(config)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return client
}

// AsError returns the error of a call, and ends the test if it is another one or none.
func AsError(t testing.TB, err error) *cas.Error {
	t.Helper()
	e, ok := errors.AsType[*cas.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}

// Verb is one call of a client, with the name of its API.
type Verb[Client any] struct {
	Action string
	Call   func(context.Context, Client) (result any, err error)
}

// Tried tries a client of CAS.
type Tried[Client any] struct {
	// From makes one.
	From func(cas.Config) (Client, error)
	// Verbs are all that it can do.
	Verbs []Verb[Client]
	// Secrets are what its calls must keep to themselves beside Keys and CSR.
	Secrets []string
}

// WantKind refuses each verb with a code, and fails unless the code alone says of what kind the error is, and the error
// has what an operator needs.
func (c Tried[Client]) WantKind(t *testing.T, code string, kind cas.Kind) {
	t.Helper()
	for _, status := range []int{400, 403, 404} {
		client := New(t, c.From, answers.Always(t, status, answers.Refusal("cas", code)))
		for _, verb := range c.Verbs {
			_, err := verb.Call(context.Background(), client)
			e := AsError(t, err)
			if e.Kind != kind {
				t.Errorf("%s with %d for %s is %s, want %s", code, status, verb.Action, e.Kind, kind)
			}
			if e.Action != verb.Action || e.Code != code || e.HTTPStatus != status || e.RequestID != "R-1" ||
				e.Message == "" {
				t.Errorf("%s with %d for %s lost what an operator needs: %#v", code, status, verb.Action, *e)
			}
			denied := ""
			if kind == cas.KindPermission {
				denied = "yundun-cert:" + verb.Action
			}
			if e.DeniedAction != denied {
				t.Errorf("%s for %s denies %q, want %q", code, verb.Action, e.DeniedAction, denied)
			}
		}
	}
}
