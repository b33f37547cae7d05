// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

var contact = cas.Contact{Name: contactName, Email: contactEmail, Phone: contactPhone}

func fromSecret() *v1alpha1.IssuerSpec {
	return &v1alpha1.IssuerSpec{ContactSecretRef: &v1alpha1.SecretReference{Name: "contact"}}
}

func TestAContactInTheIssuerNeedsNoSecret(t *testing.T) {
	c := start()
	got, err := c.store().Contact(t.Context(), "team", &v1alpha1.IssuerSpec{
		Contact: &v1alpha1.Contact{Name: contactName, Email: contactEmail, Phone: contactPhone},
	})
	if err != nil || got != contact {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(c.reads) > 0 {
		t.Errorf("read %q", c.reads)
	}
}

func TestAnIssuerThatNamesNoContactHasNone(t *testing.T) {
	c := start()
	got, err := c.store().Contact(t.Context(), "team", &v1alpha1.IssuerSpec{})
	if err != nil || got != (cas.Contact{}) || len(c.reads) > 0 {
		t.Errorf("got %+v, %v, and read %q", got, err, c.reads)
	}
}

func TestAContactIsReadFromTheSecretInTheNamespaceOfTheIssuer(t *testing.T) {
	c := start(
		secretOf("team", "contact", "name", contactName+"\n", "email", " "+contactEmail+"\n", "phone", contactPhone+
			"\r\n"),
		secretOf("other", "contact", "name", "Li Si", "email", "li.si@example.com", "phone", "1"))
	got, err := c.store().Contact(t.Context(), "team", fromSecret())
	if err != nil || got != contact {
		t.Errorf("got %d, %d and %d bytes, %v", len(got.Name), len(got.Email), len(got.Phone), err)
	}
	if want := []string{"team/contact"}; !slices.Equal(c.reads, want) {
		t.Errorf("read %q, want %q", c.reads, want)
	}
}

func TestAContactSecretThatCannotBeUsedSaysWhatToDo(t *testing.T) {
	const at = `the Secret "contact" in the namespace "team" `
	full := func(change ...string) []string {
		return append([]string{"name", contactName, "email", contactEmail, "phone", contactPhone}, change...)
	}
	tests := map[string]struct {
		pairs   []string
		message string
	}{
		"no name":        {[]string{"email", contactEmail, "phone", contactPhone}, at + `has no key "name": add it`},
		"no email":       {[]string{"name", contactName, "phone", contactPhone}, at + `has no key "email": add it`},
		"no phone":       {[]string{"name", contactName, "email", contactEmail}, at + `has no key "phone": add it`},
		"a blank name":   {full("name", " "), at + `has an empty value for "name": fill it in`},
		"a blank email":  {full("email", "\n"), at + `has an empty value for "email": fill it in`},
		"an empty phone": {full("phone", ""), at + `has an empty value for "phone": fill it in`},
		"two lines": {full("name", contactName+"\n"+contactEmail), at + `has line breaks or control characters ` +
			`in the value for "name": remove them`},
		"too long": {full("email", strings.Repeat("a", 255-len(contactEmail))+contactEmail),
			at + `has more than 254 bytes for "email": shorten it`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := start(secretOf("team", "contact", test.pairs...)).store().Contact(
				t.Context(), "team", fromSecret())
			wantProblem(t, err, "SecretInvalid", test.message)
			if got != (cas.Contact{}) {
				t.Error("half of the contact is returned")
			}
		})
	}
}

func TestAContactSecretThatCannotBeReadIsAProblemUnlessItMayPass(t *testing.T) {
	c := start()
	_, err := c.store().Contact(t.Context(), "team", fromSecret())
	wantProblem(t, err, "SecretNotFound", `the Secret "contact" does not exist in the namespace "team": create it`)
	c.refuse = forbidden
	_, err = c.store().Contact(t.Context(), "team", fromSecret())
	wantProblem(t, err, "SecretForbidden",
		`the controller may not read the Secret "contact" in the namespace "team": grant it that: kubectl create `+
			`rolebinding cas-reads-secrets -n team --clusterrole=cas-secrets --serviceaccount=system:aliyun-issuer`)
	c.refuse = errors.New("connection refused")
	_, err = c.store().Contact(t.Context(), "team", fromSecret())
	if _, isProblem := errors.AsType[*credentials.Problem](err); isProblem || !errors.Is(err, c.refuse) {
		t.Errorf("got %v", err)
	}
}
