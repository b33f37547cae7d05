// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// claims keeps what a Present claims.
type claims struct{ made []dcv.Record }

func (c *claims) claim(_ context.Context, rec dcv.Record) error {
	c.made = append(c.made, rec)
	return nil
}

func (c *claims) last(t *testing.T) *dcv.Record {
	t.Helper()
	if len(c.made) == 0 {
		t.Fatal("nothing was claimed")
	}
	return &c.made[len(c.made)-1]
}

// noClaim is for what must not be written.
func noClaim(t *testing.T) func(context.Context, dcv.Record) error {
	return func(_ context.Context, rec dcv.Record) error {
		t.Helper()
		t.Errorf("%+v was claimed", rec)
		return nil
	}
}

func challenge(value string) dcv.Challenge {
	return dcv.Challenge{Domain: "www.example.com", RecordName: "_dnsauth.www", RecordType: "TXT", RecordValue: value}
}

// ours is what Present returns for a challenge of these tests.
func ours(value, id string) dcv.Record {
	return dcv.Record{FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: value, Zone: "example.com", ProviderID: id}
}

func theirs(value, id string) dcv.Record {
	rec := ours(value, id)
	rec.Foreign = true
	return rec
}

func present(t *testing.T, solver *alidns.Solver, ch dcv.Challenge, prior *dcv.Record,
	claim func(context.Context, dcv.Record) error) dcv.Record {
	t.Helper()
	rec, err := solver.Present(t.Context(), ch, prior, claim)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func cleanUp(t *testing.T, solver *alidns.Solver, rec dcv.Record) {
	t.Helper()
	if err := solver.CleanUp(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
}

func wantRecord(t *testing.T, got, want dcv.Record) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// wantSafe looks for what must be kept in an error, in every way in which it could be printed.
func wantSafe(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
			text := fmt.Sprintf(format, err)
			for _, kept := range []string{keyID, secret, token, url.QueryEscape(token), "Signature=", "SignatureNonce",
				"AccessKeyId="} {
				if strings.Contains(text, kept) {
					t.Errorf("%s contains %q: %s", format, kept, text)
				}
			}
		}
	}
}

// wantProblem fails unless err is a Problem with exactly this text.
func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	wantSafe(t, err)
	problem, ok := errors.AsType[*dcv.Problem](err)
	if !ok || err.Error() != want || problem.Message != want {
		t.Errorf("got  %v\nwant the problem %s", err, want)
	}
}

// wantTrouble fails unless err is exactly this text and no Problem.
func wantTrouble(t *testing.T, err error, want string) {
	t.Helper()
	wantSafe(t, err)
	if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// wantCall is wantTrouble for what a call said. deniedAction is empty where it is not about a permission.
func wantCall(t *testing.T, err error, kind rpc.Kind, deniedAction, want string) {
	t.Helper()
	wantTrouble(t, err, want)
	if call, ok := errors.AsType[*rpc.Error](err); !ok || call.Kind != kind || call.DeniedAction != deniedAction {
		t.Errorf("got %+v, want %s %s", call, kind, deniedAction)
	}
}
