// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package source is the smallest source that keeps the contract of internal/source, for whoever writes the next one.
// Read this file from its top to its end, then seller.go, which makes its calls, and then source_test.go, in which the
// order machine takes requests through whole lives with it. Under "a new source" CONTRIBUTING.md lists what it takes
// beyond that, so that users can choose it.
//
// It buys from a small CA that has four verbs, bills each order that it takes, and gives every order the reference that
// it was asked for with. internal/source/instance does the same for users, where what is bought has to be chosen first;
// internal/source/plan does it where an order has no reference that could be trusted.
//
// Two members of the API are borrowed, since it has none for a source that nobody can buy from: the source is a product
// code of spec.source.resourcePlan, and its evidence is in status.submission.instance. A real source adds a member of
// its own to each of the two unions, and claims nothing else.
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Product is the product code that is bought here.
const Product = "example-dv"

// goodFor is how long after an intent was written the CA may still execute its order. Each order says so, and the CA
// refuses it afterwards: without such an end nobody could ever know that a lost order has bought nothing.
const goodFor = 5 * time.Minute

// Source is what main.go puts into the registry. It remembers nothing: what has to be known after a crash is in the
// status of the AliyunOrder.
type Source struct{ Remote *access.Remote }

var _ source.Source = (*Source)(nil)

// Sells implements source.Source. A real source asks whether its own member is set.
func (*Source) Sells(spec v1alpha1.Source) bool {
	return spec.ResourcePlan != nil && spec.ResourcePlan.ProductCode == Product
}

// Offer implements source.Source.
func (*Source) Offer(v1alpha1.Source) source.Offer { return offer{} }

// Open implements source.Source. It makes no call: what it returns works in one run for one Order.
func (s *Source) Open(ask source.Ask) (source.Session, error) {
	calls, err := s.reach(ask.Reach, ask.Secrets)
	if err != nil {
		return nil, err
	}
	return &session{Ask: ask, calls: calls}, nil
}

// Checker implements source.Source.
func (s *Source) Checker(_ context.Context, ask source.CheckAsk) (source.Checker, error) {
	calls, err := s.reach(ask.Reach, ask.Secrets)
	if err != nil {
		return nil, err
	}
	return checker{calls}, nil
}

// Forget implements source.Source.
func (*Source) Forget(types.UID) {}

// Indexes implements source.Source. A source that looks for other Orders of its own names the fields here, and makes
// them selectable in the CRD.
func (*Source) Indexes() map[string]client.IndexerFunc { return nil }

// reach asks the operator's policy first: whoever may write an issuer could otherwise have the controller call any
// server, with credentials.
func (s *Source) reach(to access.Reach, secrets access.SecretReader) (*seller, error) {
	login, err := s.Remote.Login(to, to.Endpoint)
	switch {
	case err != nil:
		return nil, err
	case to.Endpoint == nil:
		return nil, &credentials.Problem{Reason: v1alpha1.ReasonEndpointInvalid, Message: fmt.Sprintf("Alibaba Cloud "+
			"does not sell %q: set spec.endpoint.url of the issuer to the address of its CA", Product)}
	}
	return &seller{url: to.Endpoint.URL, keys: secrets.Provider(login)}, nil
}

// ---- What is sold. All of it is known without a call, and is asked before there is an Order.

type offer struct{}

func (offer) Product() string { return Product }

func (offer) Sells(commonName string) bool { return !strings.HasPrefix(commonName, "*.") }

func (offer) NeedsCommonName() bool { return true }

// Fits tells all that speaks against a request at once, in words for whoever wrote the Certificate.
func (o offer) Fits(asks csr.Asks) (against csr.Reasons) {
	if !o.Sells(asks.CommonName) {
		against.Add("%q is for single names, and %q is a wildcard: %s", Product, asks.CommonName,
			csr.Advice(asks.IsBare, "change spec.commonName of the Certificate", "for a single name"))
	}
	if asks.CommonName != "" && len(asks.DNSNames) > 1 {
		against.Add("%q is for one name, %q, and %s are others: %s", Product, asks.CommonName,
			csr.Quoted(asks.DNSNames[1:]),
			csr.Advice(asks.IsBare, "remove them from spec.dnsNames of the Certificate", "without them"))
	}
	return against
}

func (offer) Beside(string, string) (missing string, isPossible bool) { return "", false }

func (offer) Proves(names []string) []string { return names }

func (offer) GoesOn(earlier v1alpha1.Source) bool { return (*Source)(nil).Sells(earlier) }

func (offer) CAIdentities() []string { return nil }

func (offer) TakesRepeated() bool { return true }

// Patience keeps other orders for the name back as long as a lost one may still be executed.
func (offer) Patience() time.Duration { return goodFor }

// Withdrawal tells the machine for how long to wait until an order that is given back is shown as cancelled.
func (offer) Withdrawal() time.Duration { return time.Minute }

var orderID = regexp.MustCompile(`^ex-[0-9]+$`)

func (offer) IsOrderID(text string) bool { return orderID.MatchString(text) }

func (offer) Tag(order *v1alpha1.AliyunOrder) string {
	return ", with the reference " + reference(order)
}

// Words stand in messages of the order machine, and each has its place in a sentence there.
func (offer) Words() source.Words {
	return source.Words{
		Search:    "the CA is asked for an order with its reference",
		Presumed:  "order %s is presumed to be this one. Its certificate will prove it",
		GivenBack: "was cancelled, and is not billed",
		Withdrawn: "was cancelled at the CA by somebody else",
		Undo:      "cancel it",
		Exhausted: "the CA sells no more: ask it why",
		Repeated:  "spec.source.resourcePlan.repeatedRequests",
		Beside:    "spec.source.resourcePlan.additionalNames",
	}
}

// ---- A run. The machine calls what follows with an Order that is locked for it: no two runs work on one Order.

type session struct {
	source.Ask

	calls *seller
}

// reference is what an order is found by at the CA. It is known before the purchase, so that no answer has to bring it.
// It is read from the intent where there is one: an Order may have inherited that from the Order of a request which its
// own has replaced.
func reference(order *v1alpha1.AliyunOrder) string {
	if intent := order.Status.Submission; intent != nil && intent.Instance != nil {
		return intent.Instance.ID
	}
	return string(order.Spec.RequestRef.UID)
}

// Prepare implements source.Buyer. The CA wants to know nothing that is not in the Order.
func (*session) Prepare(context.Context, v1alpha1.GenericIssuer) error { return nil }

// Intend implements source.Buyer. Nothing has to be chosen. What is scarce is reserved here for this process, until
// the intent ends and the Order itself says that it is taken.
func (s *session) Intend(context.Context) (source.Intent, error) {
	return intent{reference(s.Order)}, nil
}

type intent struct{ reference string }

// Note implements source.Intent. It writes down what Recover has to know after a crash.
func (i intent) Note(submission *v1alpha1.OrderSubmission) {
	submission.Instance = &v1alpha1.ChosenInstance{ID: i.reference}
}

func (intent) End() {}

// Buy implements source.Buyer. It is the one place where money is spent, and its outcomes are unlike: only an answer of
// the CA itself that says so proves that nothing was bought. Whatever else comes in place of an answer assumes nothing,
// which is the zero value of the outcome.
func (s *session) Buy(ctx context.Context) source.Purchase {
	submission := s.Order.Status.Submission
	id, err := s.calls.order(ctx, application{
		Reference: submission.Instance.ID, Request: string(s.Order.Spec.Request),
		GoodUntil: submission.StartedAt.Add(goodFor),
	})
	refused, isRefused := errors.AsType[*refusal](err)
	_, isProblem := errors.AsType[*credentials.Problem](err)
	switch {
	case err == nil:
		return source.Purchase{Outcome: source.Accepted, OrderID: id}
	case isRefused && refused.Code == codeRefused:
		return source.Purchase{Outcome: source.NotBought, Refusal: source.Malformed, Err: &credentials.Problem{
			Reason: v1alpha1.ReasonRejected, Message: fmt.Sprintf("%v: correct what it names", err)}}
	case isProblem: // nothing was sent, or the CA does not know the keys
		return source.Purchase{Outcome: source.NotBought, Err: err}
	default:
		return source.Purchase{Outcome: source.Unknown, Err: err}
	}
}

// ---- What is looked for: a lost answer, and what was bought before.

// Recover implements source.Finder. It is asked before the first purchase, too, for the record of an earlier one may be
// lost. That nothing is there proves nothing as long as the lost call may still be executed, by the clock of the CA:
// that is the one which refuses it. Only then the machine may buy again.
func (s *session) Recover(ctx context.Context, isTold bool) (source.Recovery, error) {
	found, err := s.calls.find(ctx, reference(s.Order))
	if err != nil {
		return source.Recovery{}, err
	}
	// A reference can be given by anybody, so that the key is compared. An heir has another signing request with it.
	own := slices.DeleteFunc(found.Orders, func(o described) bool {
		return !csr.SameKey([]byte(o.Request), s.Order.Spec.Request)
	})
	switch {
	case len(own) == 1:
		return source.Recovery{Answer: source.Bought, OrderID: own[0].ID, Basis: v1alpha1.OrderIDByRequest}, nil
	case len(own) > 1 && !isTold:
		return source.Recovery{Answer: source.Ambiguous, Message: fmt.Sprintf("the CA has %d orders with the "+
			"reference %s: cancel all but one there, and annotate this AliyunOrder with its id: %s", len(own),
			reference(s.Order), orders.HowToSay(s.Order))}, nil
	}
	if lost := s.Order.Status.Submission; lost != nil {
		if left := lost.StartedAt.Add(goodFor).Sub(found.Now); left > 0 {
			return source.Recovery{Answer: source.NotYet, After: min(left, time.Minute)}, nil
		}
	}
	return source.Recovery{Answer: source.NothingBought}, nil
}

// Trace implements source.Finder, for an Order that is to be given back. What it finds is withdrawn: less certainty
// than that of Recover would not do. The message is read by people if it is never settled.
func (s *session) Trace(ctx context.Context) (source.Recovery, error) {
	found, err := s.Recover(ctx, false)
	if found.Answer == source.NotYet {
		found.Message = "the call that ordered it may still be executed"
	}
	return found, err
}

// Earlier implements source.Finder. It spares the purchase for a request that was made again with its key. None is
// found where that cannot be told for certain: then a certificate is bought.
func (s *session) Earlier(ctx context.Context, known []source.Known) (*source.Found, error) {
	for _, k := range known {
		if k.Product != Product || !orderID.MatchString(k.ID) {
			continue
		}
		seen, err := s.Observe(ctx, k.ID)
		if err != nil {
			return nil, err
		}
		certificates, err := chain.Usable(s.Order.Spec.Request, []byte(seen.Certificate), s.Order.Spec.DNSNames, s.Now)
		if err == nil && chain.IsYoung(certificates[0].NotBefore, certificates[0].NotAfter, s.Now) {
			return &source.Found{ID: k.ID, Certificates: certificates}, nil
		}
	}
	return nil, nil
}

// ---- What was bought, until its end.

// phases are what the words of the CA mean. One that is missing here is told as PhaseOther, and waited for.
var phases = map[string]v1alpha1.OrderPhase{
	"pending": v1alpha1.PhaseAwaitingValidation, "issued": v1alpha1.PhaseIssued, "refused": v1alpha1.PhaseRefused,
	"cancelled": v1alpha1.PhaseWithdrawnElsewhere,
}

// Observe implements source.Keeper. An order is missing only if the CA itself says so: an error is none.
func (s *session) Observe(ctx context.Context, id string) (*source.Observation, error) {
	order, err := s.calls.describe(ctx, id)
	if refused, ok := errors.AsType[*refusal](err); ok && refused.Code == codeNoSuchOrder {
		return &source.Observation{IsMissing: true}, nil
	}
	if err != nil {
		return nil, err
	}
	seen := &source.Observation{Phase: cmp.Or(phases[order.State], v1alpha1.PhaseOther), Word: order.State,
		Certificate: order.Certificate}
	if order.RecordName != "" { // which solver publishes it, nobody knows here
		seen.Validations = []v1alpha1.OrderValidation{{
			Domain: s.Order.Spec.CommonName, RecordName: apiserver.Bounded(order.RecordName, 255), RecordType: "TXT",
			RecordValue: apiserver.Bounded(order.RecordValue, 1024),
		}}
	}
	return seen, nil
}

// Chain implements source.Keeper. The machine picks the chain, and holds it against the request.
func (*session) Chain(_ context.Context, seen *source.Observation) ([]byte, error) {
	return []byte(seen.Certificate), nil
}

// Withdraw implements source.Keeper. It makes one step, and is called again with what is seen then, until it is done:
// so an answer that is lost costs a look. The machine asks for nothing where the order is issued.
func (s *session) Withdraw(ctx context.Context, id string, seen *source.Observation) (isDone bool, cause string,
	err error) {
	switch seen.Phase {
	case v1alpha1.PhaseWithdrawnElsewhere, v1alpha1.PhaseRefused:
		return true, "", nil
	case v1alpha1.PhaseAwaitingValidation:
		return false, "the CA has not shown yet that it is cancelled", s.calls.cancel(ctx, id)
	default:
		return false, fmt.Sprintf("the CA gives its state as %q", seen.Word), nil
	}
}

// ---- The check of an issuer, which only reads.

type checker struct{ calls *seller }

// Supply implements source.Checker. The CA sells without an end, so that there is nothing to count; but whether it
// takes the keys is found out.
func (c checker) Supply(ctx context.Context) (*source.Shortcoming, error) {
	_, err := c.calls.find(ctx, "nobody")
	return nil, err
}

// Probe implements source.Checker. No verb that reads is left.
func (checker) Probe(context.Context) []error { return nil }
