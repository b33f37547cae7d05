// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

var tsig = v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: "secret"}

func TestAValueIsReadEachTimeWithoutTheSpaceAroundIt(t *testing.T) {
	c := start(secretOf("team", "tsig", "secret", " the-key\n", "other", "x"),
		secretOf("other", "tsig", "secret", "another"))
	store := c.store()
	for range 2 {
		if got, err := store.Value("team", tsig)(t.Context()); err != nil || got != "the-key" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	_, err := store.Value("team", v1alpha1.SecretKeyReference{SecretReference: tsig.SecretReference, Key: "missing"})(
		t.Context())
	wantProblem(t, err, "SecretInvalid", `the Secret "tsig" in the namespace "team" has no key "missing": add it`)
}

// TestTheLastValueIsThereOnceItsSecretIsGone lets a record be removed from a namespace that is being deleted.
func TestTheLastValueIsThereOnceItsSecretIsGone(t *testing.T) {
	c := start(secretOf("team", "tsig", "secret", "the-key"))
	store := c.store()
	store.Hold("order", credentials.Needs{Namespace: "team", Values: []v1alpha1.SecretKeyReference{tsig}})
	last := credentials.Last{Store: store}
	if got, err := last.Value("team", tsig)(t.Context()); err != nil || got != "the-key" {
		t.Fatalf("got %q, %v", got, err)
	}
	c.refuse = forbidden
	if got, err := last.Value("team", tsig)(t.Context()); err == nil || got != "" {
		t.Errorf("a Secret that may no longer be read gives %q, %v", got, err)
	}
	c.refuse = notFound
	if got, err := last.Value("team", tsig)(t.Context()); err != nil || got != "the-key" {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := store.Value("team", tsig)(t.Context())
	wantProblem(t, err, "SecretNotFound", `the Secret "tsig" does not exist in the namespace "team": create it`)
	for namespace, ref := range map[string]v1alpha1.SecretKeyReference{
		"other": tsig,
		"team":  {SecretReference: tsig.SecretReference, Key: "other"},
	} {
		_, err := last.Value(namespace, ref)(t.Context())
		wantProblem(t, err, "SecretNotFound", `the Secret "tsig" does not exist in the namespace "`+namespace+
			`": create it`)
	}
	store.Drop("order")
	_, err = last.Value("team", tsig)(t.Context())
	wantProblem(t, err, "SecretNotFound", `the Secret "tsig" does not exist in the namespace "team": create it`)
}
