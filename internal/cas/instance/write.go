// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const (
	// WriteTimeout bounds a write, whatever becomes of the caller's context.
	WriteTimeout = cas.SubmitTimeout
	// WriteWindow is how long after it was intended a write may still be sent. A later one could meet an instance that
	// others have written to since.
	WriteWindow = cas.SubmitWindow
)

// Outcome is what a write came to. The zero value assumes nothing.
type Outcome int

const (
	// Unknown: it may have been done, or not, or may still be done within 15 minutes. Only a look at the instance can
	// tell.
	Unknown Outcome = iota
	// NotDone: it is proved that nothing was done.
	NotDone
	// Done: CAS says that it did it.
	Done
)

// String returns the name of the outcome.
func (o Outcome) String() string {
	switch o {
	case Done:
		return "Done"
	case NotDone:
		return "NotDone"
	default:
		return "Unknown"
	}
}

// Change is the result of one attempt to write.
type Change struct {
	Outcome Outcome
	// RequestID is the service's name for the call, if it answered.
	RequestID string
	// Err says why it is not Done, and is nil if it is.
	Err error
}

// Makes a call that changes an instance, at most once: the request is never repeated, and is not sent later than
// WriteWindow after it was intended. Once begun, the call ends only with its answer or after WriteTimeout, even if ctx
// is cancelled.
func (c *Client) write(ctx context.Context, req *request, id ID, intendedAt time.Time) Change {
	problem := ""
	switch _, ok := ParseID(string(id)); {
	case !ok:
		problem = notAnID
	case intendedAt.IsZero():
		problem = "no intent to write was recorded"
	}
	if problem != "" {
		return refuse(req, problem)
	}
	req.set("InstanceId", string(id))
	// If the context has ended already, the call ends before it is sent: a process that has lost the lease leaves the
	// write to its successor.
	if ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, WriteTimeout)
	defer cancel()
	resp := newReply()
	err := c.caller.DoOnce(ctx, req, &resp, rpc.Once{NotAfter: intendedAt.Add(WriteWindow)})
	if e, ok := errors.AsType[*cas.Error](err); ok {
		return Change{Outcome: outcomeOf(e), RequestID: e.RequestID, Err: e}
	}
	return Change{Outcome: Done, RequestID: resp.RequestID}
}

// Returns the result of a write that is not sent.
func refuse(req *request, problem string) Change {
	return Change{Outcome: NotDone, Err: invalid(req.GetActionName(), problem)}
}

// rejections are codes that prove that nothing was done, beside those of package cas. The list is as closed as theirs.
//
// OperationDenied.StatusNotSupport is on none: it is also the answer to a second copy of a call whose first copy was
// executed, or to an application that CAS has already submitted by itself.
var rejections = map[string]map[string]bool{
	// CAS refuses the content for what it is, so it accepted no earlier copy of the same call.
	"UpdateInstance": {"DomainAndProductNotMatch": true},
}

// outcomeOf returns NotDone only on proof.
func outcomeOf(e *cas.Error) Outcome {
	if cas.IsRejected(e) || e.RequestID != "" && rejections[e.Action][e.Code] {
		return NotDone
	}
	return Unknown
}
