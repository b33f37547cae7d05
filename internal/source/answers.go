// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/x509"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Observation is how an order stands.
type Observation struct {
	// IsMissing says that the account has no such order. Nothing else is known then.
	IsMissing bool
	Phase     v1alpha1.OrderPhase
	// Word is the state in the words of CAS, for people.
	Word string
	// Told quotes what else CAS says of the order, for people: nothing may branch on it. It may be empty.
	Told string
	// Changed are what somebody else has changed on what the order was made from, in words for people. The order goes
	// on nevertheless.
	Changed []string
	// TermEnd is when what the order was made from ends, and its certificate at the latest. It is zero if nothing ends.
	TermEnd time.Time
	// Validations are what has to be published, or none until CAS tells it.
	Validations []v1alpha1.OrderValidation
	// Certificate is the PEM text that the answer has once the order is issued. Issuers may be missing, which
	// Keeper.Chain adds.
	Certificate string
	// Stored names the certificate once the order is issued.
	Stored Stored
}

// Stored names a certificate in the store of CAS. The id may be empty, and then the identifier is, too.
type Stored struct{ ID, Identifier string }

// Outcome is what a purchase came to. The zero value is the one that assumes nothing.
type Outcome int

const (
	// Unknown: something may have been bought, or not, or may still be.
	Unknown Outcome = iota
	// NotBought: it is proved that nothing was bought.
	NotBought
	// Accepted: it was bought.
	Accepted
)

// Refusal is why a source has bought nothing, if that decides how the order goes on.
type Refusal int

const (
	// NotRefused: it may be tried again.
	NotRefused Refusal = iota
	// Exhausted: there is nothing left to buy from.
	Exhausted
	// Malformed: what is asked for can never be bought.
	Malformed
)

// Purchase is the result of one attempt to buy.
type Purchase struct {
	Outcome Outcome
	// OrderID is set if, and only if, it was accepted.
	OrderID string
	// Err says why it was not accepted.
	Err     error
	Refusal Refusal
}

// Shortage is the error of Buyer.Intend if nothing is left to buy from. It says what to do about that.
type Shortage struct{ Message string }

func (s *Shortage) Error() string { return s.Message }

// Known is an order that is known to be for the name and the key.
type Known struct{ ID, Product string }

// Found is an order whose certificate serves the request.
type Found struct {
	ID     string
	Stored Stored
	// Certificates are the chain, the leaf first.
	Certificates []*x509.Certificate
}

// Answer is what is known of a submission whose answer was lost.
type Answer int

const (
	// NotYet: it is too early to tell.
	NotYet Answer = iota
	// Bought: an order was bought by it.
	Bought
	// NothingBought: it has bought nothing, and never will.
	NothingBought
	// Ambiguous: a person has to tell, or another AliyunOrder has to be settled first.
	Ambiguous
)

// Recovery is the answer to a doubt.
type Recovery struct {
	Answer Answer
	// OrderID and Basis say what was bought, and why that is believed.
	OrderID string
	Basis   v1alpha1.OrderIDBasis
	// After is when to ask again, if it is NotYet or Ambiguous.
	After time.Duration
	// Message is what people read if it is Ambiguous: what is known, and what to do.
	Message string
}
