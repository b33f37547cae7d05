// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"fmt"
	"log/slog"
)

// Credentials are one consistent set of keys. They print as "[redacted]" everywhere.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	// SecurityToken is set for temporary credentials of STS only.
	SecurityToken string
	// Account is the id of the main account, as STS has told it. Calls are counted under it: all of its users, roles
	// and sessions share one rate (docs/design/cas.md §9). It is empty if STS could not tell: then calls are counted
	// for these keys alone.
	Account string
	// Realm is that of the STS that has told the account ([Endpoint.Realm]).
	Realm string
}

// Keys are the credentials without what was told about them, to compare them with others.
func (c Credentials) Keys() Credentials {
	c.Account, c.Realm = "", ""
	return c
}

// CredentialsProvider has the credentials to sign the next call with. It is used from many goroutines.
type CredentialsProvider interface {
	// Credentials is called once for each call, before anything else happens: its failure has
	// [KindCredentialsUnavailable] and counts as not sent.
	Credentials(ctx context.Context) (Credentials, error)
	// Refused tells the provider that the service did not accept what Credentials returned, so that it forgets these.
	// why is of [KindCredentialsExpired] or [KindCredentialsInvalid]. Refused returns what that means to people, which
	// errors.As finds in the call's error, or nil.
	Refused(refused Credentials, why *Error) error
}

// CredentialsFunc is a provider that remembers nothing.
type CredentialsFunc func(ctx context.Context) (Credentials, error)

// Credentials implements CredentialsProvider.
func (f CredentialsFunc) Credentials(ctx context.Context) (Credentials, error) { return f(ctx) }

// Refused implements CredentialsProvider.
func (CredentialsFunc) Refused(Credentials, *Error) error { return nil }

const redacted = "[redacted]"

// String hides the keys from %v and %s.
func (Credentials) String() string { return redacted }

// GoString hides the keys from %#v.
func (Credentials) GoString() string { return redacted }

// LogValue hides the keys from slog, whose handlers may format by reflection.
func (Credentials) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the keys from loggers that encode structures as JSON.
func (Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// StaticCredentials always returns the same credentials.
func StaticCredentials(c Credentials) CredentialsProvider {
	return CredentialsFunc(func(context.Context) (Credentials, error) { return c, nil })
}

// fetch asks the provider under recover: providers of the SDK panic when a metadata or STS reply lacks a
// field (docs/design/cas.md §7.2).
func fetch(ctx context.Context, from CredentialsProvider) (creds Credentials, err error) {
	defer func() {
		if recover() != nil {
			creds, err = Credentials{}, fmt.Errorf("the credential provider panicked")
		}
	}()
	creds, err = from.Credentials(ctx)
	if err == nil && (creds.AccessKeyID == "" || creds.AccessKeySecret == "") {
		err = fmt.Errorf("the AccessKey id or the AccessKey secret is empty")
	}
	return creds, err
}
