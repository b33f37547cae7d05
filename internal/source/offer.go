// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
)

// Offer is what a source sells by the spec of an issuer. It makes no call.
type Offer interface {
	// Product names what is bought in budgets, in records and in the log.
	Product() string
	// Sells says whether a common name is of the kind that the product is for.
	Sells(commonName string) bool
	// NeedsCommonName says whether a request without a common name is refused.
	NeedsCommonName() bool
	// Fits says what speaks against a request.
	Fits(asks csr.Asks) csr.Reasons
	// Beside says whether an order for the common name can ask for another name, too, and in missing which opt-in the
	// issuer's spec still lacks for that.
	Beside(name, commonName string) (missing string, isPossible bool)
	// Proves returns those of the names of an order, the common name first, whose control has to be proved. The CA adds
	// the others by itself.
	Proves(names []string) []string
	// GoesOn says whether an order that was made by an earlier spec serves this one, too.
	GoesOn(earlier v1alpha1.Source) bool
	// CAIdentities returns the identities in CAA records that authorise the CA, the usual one first, or none if they
	// are not known.
	CAIdentities() []string
	// TakesRepeated says whether the CA takes a signing request that an earlier order had.
	TakesRepeated() bool
	// Patience is for how long after a submission whose answer was lost its order may still come to light. For so long,
	// it also stops Orders for the name that only perhaps buy in the same account.
	Patience() time.Duration
	// Withdrawal is how long CAS may take to carry out that an order is given back.
	Withdrawal() time.Duration
	// IsOrderID says whether a text can be the id of an order.
	IsOrderID(text string) bool
	// Tag tells by which tag people find the order of an AliyunOrder in the console, or is empty.
	Tag(order *v1alpha1.AliyunOrder) string
	Words() Words
}

// Words are what a source calls things, for messages to people.
type Words struct {
	// Search says what is done about an answer that was lost.
	Search string
	// Presumed says why an id is believed that is not from the answer of CAS. The id is its only argument.
	Presumed string
	// GivenBack is what has become of an order that was given back: it follows the order's name.
	GivenBack string
	// Withdrawn is what has become of an order in PhaseWithdrawnElsewhere: it follows the order's name.
	Withdrawn string
	// Available says that something can be bought in an account.
	Available string
	// Undo is what a person does in the console of CAS to an order that could not be given back.
	Undo string
	// Exhausted is what to do about a supply that has nothing left.
	Exhausted string
	// Repeated and Beside are the fields of the issuer's spec that let a signing request be repeated, and more than one
	// name be asked for; empty where there is none.
	Repeated, Beside string
}
