// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"context"
	"errors"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const (
	// SubmitTimeout bounds a submission, whatever becomes of the caller's context.
	SubmitTimeout = 20 * time.Second
	// SubmitWindow is how long after Application.StartedAt the order may still be sent. The wait before an
	// unanswered order is judged counts from StartedAt, and must begin when nothing can be sent any more.
	SubmitWindow = 30 * time.Second
)

// Outcome is what a submission came to. The zero value is the one that assumes nothing.
type Outcome int

const (
	// Unknown: an order may have been made and charged, or not, or may still be made within 15 minutes.
	// Only a look at the service can tell.
	Unknown Outcome = iota
	// NotBought: it is proved that no order was made.
	NotBought
	// Accepted: the order was made, and charged.
	Accepted
)

// String returns the name of the outcome.
func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "Accepted"
	case NotBought:
		return "NotBought"
	default:
		return "Unknown"
	}
}

// Submission is the result of one attempt to order.
type Submission struct {
	Outcome Outcome
	// OrderID is set if, and only if, the order was accepted.
	OrderID OrderID
	// RequestID is the service's name for the call, if it answered.
	RequestID string
	// Err says why the order was not accepted, and is nil if it was.
	Err error
}

type submitResponse struct {
	*responses.BaseResponse
	RequestID string `json:"RequestId"`
	OrderID   string `json:"OrderId"`
}

// Submit orders a certificate, at most once: the request is never repeated, and not sent at all later than
// SubmitWindow after its StartedAt. Once begun it does not end when ctx is cancelled, only when SubmitTimeout
// is over, because an order whose answer nobody hears is the costliest thing that can happen.
//
// CreateCertificateWithCsrRequest has no parameter that would make it idempotent (docs/design/cas.md §3.1).
func (c *Client) Submit(ctx context.Context, app Application) Submission {
	req := sdkcas.CreateCreateCertificateWithCsrRequestRequest()
	if problem := app.fill(req); problem != "" {
		return Submission{Outcome: NotBought, Err: invalid(req.GetActionName(), problem)}
	}
	// With a context that has ended already, the call ends before it is sent: whoever has lost the lease
	// leaves the order to its successor.
	if ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, SubmitTimeout)
	defer cancel()
	resp := &submitResponse{BaseResponse: &responses.BaseResponse{}}
	err := c.caller.DoOnce(ctx, req, resp, rpc.Once{NotAfter: app.StartedAt.Add(SubmitWindow)})
	if e, ok := errors.AsType[*Error](err); ok {
		return Submission{Outcome: outcomeOf(e), RequestID: e.RequestID, Err: e}
	}
	id, ok := ParseOrderID(resp.OrderID)
	if !ok {
		return Submission{
			Outcome:   Unknown,
			RequestID: resp.RequestID,
			Err:       undecodable(req.GetActionName(), resp.RequestID, "success without an order id"),
		}
	}
	return Submission{Outcome: Accepted, OrderID: id, RequestID: resp.RequestID}
}
