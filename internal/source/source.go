// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// BuyBound is how long a process waits at its end for a purchase. One that takes more calls than one may be cut off,
// and is looked for by the next process.
const BuyBound = cas.SubmitTimeout

// MaxAttempts is how many submissions are made that nothing shows to have bought anything: then a person has to say so.
const MaxAttempts = 2

// Source is one way of buying certificates.
type Source interface {
	// Sells says whether the spec of an issuer names this source.
	Sells(spec v1alpha1.Source) bool
	// Offer returns what it sells by that spec. It makes no call.
	Offer(spec v1alpha1.Source) Offer
	// Open begins a run. It makes no call. Its error heals only when the issuer is edited, or the operator allows more.
	Open(ask Ask) (Session, error)
	// Checker returns what a check of an issuer asks. Its error says what keeps calls from being made.
	Checker(ctx context.Context, ask CheckAsk) (Checker, error)
	// Forget drops what is remembered of an Order that is finished or gone.
	Forget(order types.UID)
	// Indexes are those by which its Orders are found in the cache, beside the ones for Orders of every source.
	Indexes() map[string]client.IndexerFunc
}

// Ask says for whom a session is, and by which credentials.
type Ask struct {
	// Order is worked on throughout the run. A session writes only its own member of the submission into it, and ids
	// that turned out not to be the Order's (ExcludedOrderIDs).
	Order *v1alpha1.AliyunOrder
	// RequestedAt is when the request was made, or zero if that is not known.
	RequestedAt time.Time
	// Now is the time of the run.
	Now     time.Time
	Reach   access.Reach
	Secrets access.SecretReader
}

// Session is a source at work for one Order in one run.
type Session interface {
	Buyer
	Finder
	Keeper
}

// Buyer spends money.
type Buyer interface {
	// Prepare reads what a purchase needs beside the Order, such as the contact, from the issuer as it is now.
	Prepare(ctx context.Context, issuer v1alpha1.GenericIssuer) error
	// Intend chooses what is about to be bought. It returns nil if the purchase has to wait for somebody else's call,
	// and a *Shortage if nothing is left. The caller ends the intent once the answer is written.
	Intend(ctx context.Context) (Intent, error)
	// Buy buys, at most once, what was intended and written down. It does not end with ctx.
	Buy(ctx context.Context) Purchase
}

// Intent is a purchase that is about to be made.
type Intent interface {
	// Note puts into the submission what the purchase is looked for with, should its answer be lost. It is called again
	// once that is written, and then takes out what has ceased to be evidence meanwhile.
	Note(*v1alpha1.OrderSubmission)
	End()
}

// Finder looks for what was bought.
type Finder interface {
	// Earlier returns an issued order of the account whose certificate serves the Order, or nil. It prefers known,
	// which are the orders of other Orders for the same name and key.
	Earlier(ctx context.Context, known []Known) (*Found, error)
	// Recover finds out what became of a submission whose answer was lost. Before the first submission, it finds out
	// whether there was one that nobody has a record of. isTold says that a person has looked, and found none.
	Recover(ctx context.Context, isTold bool) (Recovery, error)
	// Trace looks for the order of a lost answer, to give it back. If it answers Bought, that is certain enough to
	// withdraw the order; if Ambiguous, the message says why it is not.
	Trace(ctx context.Context) (Recovery, error)
}

// Keeper follows what was bought to its end.
type Keeper interface {
	// Observe asks how an order stands.
	Observe(ctx context.Context, id string) (*Observation, error)
	// Chain returns the certificate of an issued order with as many of its issuers as can be had, in PEM and in any
	// order.
	Chain(ctx context.Context, seen *Observation) ([]byte, error)
	// Withdraw makes the next step to give an order back, by how it was observed to stand. Until that is done, cause
	// says what is left to do, or why nothing can be done.
	Withdraw(ctx context.Context, id string, seen *Observation) (isDone bool, cause string, err error)
}
