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
}

// CredentialsFunc returns the credentials to sign the next call with. It is called once for each call, from
// many goroutines, before anything else happens: its failure has [KindCredentialsUnavailable] and counts
// as not sent.
type CredentialsFunc func(ctx context.Context) (Credentials, error)

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
func StaticCredentials(c Credentials) CredentialsFunc {
	return func(context.Context) (Credentials, error) { return c, nil }
}

// fetch calls the function under recover: providers of the SDK panic when a metadata or STS reply lacks a
// field (CAS contract §7.1).
func (f CredentialsFunc) fetch(ctx context.Context) (creds Credentials, err error) {
	defer func() {
		if recover() != nil {
			creds, err = Credentials{}, fmt.Errorf("the credential provider panicked")
		}
	}()
	creds, err = f(ctx)
	if err == nil && (creds.AccessKeyID == "" || creds.AccessKeySecret == "") {
		err = fmt.Errorf("the AccessKey id or the AccessKey secret is empty")
	}
	return creds, err
}
