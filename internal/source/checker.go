// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
)

// CheckAsk says which issuer is checked, and by which credentials.
type CheckAsk struct {
	Issuer  v1alpha1.GenericIssuer
	Reach   access.Reach
	Secrets access.SecretReader
}

// Checker asks, by calls that only read, what a check of an issuer has to know.
type Checker interface {
	// Supply asks how much is left, and puts that into the issuer's status. It returns a shortcoming if nothing can be
	// bought until a person has acted, and an error if a call has failed.
	Supply(ctx context.Context) (*Shortcoming, error)
	// Probe tries the other verbs that read, whatever they find, and returns what they were answered with.
	Probe(ctx context.Context) []error
}

// Shortcoming says why nothing can be bought, and what to do.
type Shortcoming struct{ Reason, Message string }
