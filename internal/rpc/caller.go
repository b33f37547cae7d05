// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
)

// DefaultTimeout bounds a call from its credentials to the last byte of its reply.
const DefaultTimeout = 15 * time.Second

// Config is what a [Caller] needs to know.
type Config struct {
	Endpoint Endpoint
	// Credentials sign the calls, unless they are Unsigned.
	Credentials CredentialsProvider
	// Unsigned calls carry no signature. Only AssumeRoleWithOIDC of STS takes one, since its token is proof
	// enough (docs/design/cas.md §7.1).
	Unsigned bool
	// Rate is the number of calls a second for each action of the account; the default is [DefaultRate].
	Rate float64
	// Timeout bounds a call of [Caller.Do]; the default is [DefaultTimeout].
	Timeout time.Duration
	// Classify gives the codes of the service itself their kind. Codes for which it returns false, and all
	// if it is nil, are judged by what is common to all services.
	Classify func(code string) (Kind, bool)
	// Now is the clock that Once.NotAfter is compared with; the default is time.Now.
	Now func() time.Time
}

// Caller makes calls to one endpoint. It is cheap to construct, and safe for concurrent use. Connections
// and rates are shared by all Callers of the process.
type Caller struct {
	config       Config
	scheme, host string
	transport    *pooledTransport
}

// New checks the configuration. Its errors are safe to show, and no call can heal them.
func New(config Config) (*Caller, error) {
	if config.Credentials == nil && !config.Unsigned {
		return nil, errors.New("no source of credentials is given")
	}
	scheme, host, err := config.Endpoint.parse()
	if err != nil {
		return nil, err
	}
	transport, err := transports.get(config.Endpoint.CABundle)
	if err != nil {
		return nil, err
	}
	if config.Rate <= 0 {
		config.Rate = DefaultRate
	}
	if config.Timeout <= 0 {
		config.Timeout = DefaultTimeout
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Caller{config: config, scheme: scheme, host: host, transport: transport}, nil
}

// Do makes one call and decodes its reply into resp. Afterwards the request holds the signature and the token, and must
// not be used again, logged or kept. resp holds the raw reply, secrets included. The error is always an [*Error].
func (c *Caller) Do(ctx context.Context, req requests.AcsRequest, resp responses.AcsResponse) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	return c.explain(req, c.call(ctx, req, resp, delivery{transport: c.transport.shared, now: c.config.Now}))
}

// Once says what a call that must not be repeated needs.
type Once struct {
	// NotAfter is the last moment at which the request may be sent. It is compared with the clock after the header has
	// been formed, and before the end of the header leaves: a process that slept in between sends nothing. The zero
	// value means no limit.
	NotAfter time.Time
}

// DoOnce is like [Caller.Do] for calls that cost money when they are made twice: the connection is its own,
// so that net/http has no reason to repeat the request, and the only deadline is that of ctx.
func (c *Caller) DoOnce(ctx context.Context, req requests.AcsRequest, resp responses.AcsResponse, once Once) error {
	return c.explain(req, c.call(
		ctx, req, resp, delivery{transport: c.transport.fresh, now: c.config.Now, notAfter: once.NotAfter}))
}

// explain adds what follows from the request and the service. It returns a plain nil for none, because a nil
// *Error in an error interface would not be nil.
func (c *Caller) explain(req requests.AcsRequest, err *Error) error {
	if err == nil {
		return nil
	}
	err.Action = req.GetActionName()
	if c.config.Classify != nil {
		if kind, known := c.config.Classify(err.Code); known {
			err.Kind = kind
		}
	}
	if err.Kind == KindPermission && err.DeniedAction == "" {
		err.DeniedAction = ramAction(req)
	}
	return err
}

// ramAction is what a policy has to allow for the call: by rule the product and the API's name. CAS is known
// to RAM by an older name of the product (docs/design/cas.md §8).
func ramAction(req requests.AcsRequest) string {
	product := strings.ToLower(req.GetProduct())
	if product == "cas" {
		product = "yundun-cert"
	}
	return product + ":" + req.GetActionName()
}

func (c *Caller) call(ctx context.Context, req requests.AcsRequest, resp responses.AcsResponse, via delivery) *Error {
	if err := checkVerb(req); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	var creds Credentials
	if !c.config.Unsigned {
		var err error
		if creds, err = fetch(ctx, c.config.Credentials); err != nil {
			message := scrubber{}.scrub(fmt.Sprintf("no credentials: %v", err))
			return &Error{Kind: KindCredentialsUnavailable, Message: message,
				cause: &hiddenCause{err: err, message: message}}
		}
	}
	if err := buckets.wait(ctx, c.bucket(creds, req)); err != nil {
		return err
	}
	err := c.send(ctx, req, resp, creds, via)
	if err != nil && (err.Kind == KindCredentialsExpired || err.Kind == KindCredentialsInvalid) && !c.config.Unsigned {
		if meaning := c.config.Credentials.Refused(creds, err); meaning != nil {
			err.cause = &hiddenCause{err: meaning, message: err.Message}
		}
	}
	return err
}

// send signs the request, hands it over, and reads the reply.
func (c *Caller) send(ctx context.Context, req requests.AcsRequest, resp responses.AcsResponse, creds Credentials,
	via delivery) *Error {
	signed, err := c.sign(ctx, req, creds)
	secrets := newScrubber(creds, req)
	if err != nil {
		return &Error{Kind: KindInvalid,
			Message: secrets.scrub(fmt.Sprintf("the request could not be signed: %v", err))}
	}
	reply, failure := via.send(signed, secrets)
	if failure != nil {
		return failure
	}
	return reply.decode(req, resp, secrets)
}

func (c *Caller) bucket(creds Credentials, req requests.AcsRequest) bucketKey {
	caller := creds.Keys()
	if creds.Account != "" {
		caller = Credentials{Account: creds.Account, Realm: creds.Realm}
	}
	return bucketKey{realm: c.config.Endpoint.Realm(), caller: caller, action: req.GetActionName(),
		perSecond: c.config.Rate}
}

// Date returns the service's time when it answered, from the header of a reply, and false if it has none.
func Date(resp responses.AcsResponse) (time.Time, bool) {
	date, err := http.ParseTime(http.Header(resp.GetHttpHeaders()).Get("Date"))
	return date, err == nil
}
