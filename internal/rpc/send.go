// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"sync"
	"time"
)

// maxReply is far above any reply of the services: a page of a hundred orders is some 100 KiB.
const maxReply = 4 << 20

// delivery is how a signed request gets to the service.
type delivery struct {
	transport http.RoundTripper
	now       func() time.Time
	// notAfter is the last moment of sending, or zero.
	notAfter time.Time
}

// reply is a complete answer of the service, or of something that stands in for it.
type reply struct {
	response *http.Response
	body     []byte
}

// send goes to the transport directly. An http.Client would follow a redirect, and wrap errors with the URL.
func (d delivery) send(req *http.Request, secrets scrubber) (*reply, *Error) {
	gate := &gate{now: d.now, notAfter: d.notAfter}
	if gate.tooLate() {
		return nil, lateError()
	}
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:      gate.gotConn,
		WroteHeaders: gate.wroteHeaders,
	})
	response, err := d.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		// The gate does not change any more: on failure, net/http waits for the goroutine that writes
		// (persistConn.mapRoundTripError).
		sent, refused := gate.result()
		if refused {
			return nil, lateError()
		}
		return nil, networkError(ctx, err, sent, secrets)
	}
	// An answer can overtake the gate, so it counts as a proof of having been sent by itself.
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	if err != nil {
		return nil, networkError(ctx, fmt.Errorf("the reply broke off: %w", err), true, secrets)
	}
	if len(body) > maxReply {
		return nil, &Error{
			Kind:       KindUndecodable,
			HTTPStatus: response.StatusCode,
			Message:    fmt.Sprintf("the reply is larger than %d bytes", maxReply),
			Sent:       true,
		}
	}
	return &reply{response: response, body: body}, nil
}

// gate watches the one fact that proves whether a request was sent, and closes the connection if the
// request would be sent too late.
type gate struct {
	now      func() time.Time
	notAfter time.Time

	mu   sync.Mutex
	conn net.Conn
	// sent: the header was written on some attempt. refused: it would have been too late.
	sent, refused bool
}

func (g *gate) tooLate() bool {
	return !g.notAfter.IsZero() && g.now().After(g.notAfter)
}

func (g *gate) gotConn(info httptrace.GotConnInfo) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn = info.Conn
}

// wroteHeaders is called by the goroutine that writes, when the header is complete but its last bytes are
// still in the buffer (http.Request.write flushes after the hook). Closing the connection here therefore
// leaves the service with a request that does not end, which it cannot execute.
//
// httptrace asks its users to leave the connection to the transport. It is closed all the same, because it
// serves this call alone, and because to cancel the context would be too late: the writer does not look at it.
func (g *gate) wroteHeaders() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tooLate() {
		g.refused = true
		_ = g.conn.Close()
		return
	}
	g.sent = true
}

// result returns whether the request was sent, and whether it was refused for being late and never sent.
func (g *gate) result() (sent, refused bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sent, g.refused && !g.sent
}

func lateError() *Error {
	return &Error{Kind: KindLate, Message: "not sent: it would have been later than allowed"}
}

// localAddress is the part of "read tcp 10.0.0.1:34567->192.0.2.1:443: …" that differs from call to call.
var localAddress = regexp.MustCompile(`\S+:\d+->`)

// networkError keeps of the cause what is safe: its text after scrubbing, and whether a context ended it.
func networkError(ctx context.Context, err error, sent bool, secrets scrubber) *Error {
	message := localAddress.ReplaceAllString(withoutURL(err).Error(), "")
	failure := &Error{Kind: KindNetwork, Message: secrets.scrub(message)}
	if ctx.Err() != nil {
		failure = contextError(ctx)
	}
	failure.Sent = sent
	return failure
}

func contextError(ctx context.Context) *Error {
	return &Error{Kind: KindNetwork, Message: "the call was given up: " + ctx.Err().Error(), cause: ctx.Err()}
}
