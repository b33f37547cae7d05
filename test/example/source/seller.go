// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// seller makes the calls. The client of a real one has a room of its own, as internal/cas/instance, which knows nothing
// of Kubernetes, and signs calls instead of sending the secret along.
type seller struct {
	url  string
	keys rpc.CredentialsProvider
}

// application is what an order is asked for with.
type application struct {
	Reference string
	Request   string
	GoodUntil time.Time
}

// described is an order as the CA tells it.
type described struct {
	ID, Reference, Request  string
	State                   string
	RecordName, RecordValue string
	Certificate             string
}

// found are the orders with a reference, at a time by the clock of the CA.
type found struct {
	Now    time.Time
	Orders []described
}

// refusal is an answer of the CA itself. A proxy in the way answers with a status, too, but not with a code.
type refusal struct{ Code, Message string }

func (r *refusal) Error() string { return fmt.Sprintf("the CA answers %s: %s", r.Code, r.Message) }

// The codes that something follows from.
const (
	codeRefused     = "Refused"
	codeNoSuchOrder = "NoSuchOrder"
	codeUnknownKeys = "UnknownKeys"
)

// order asks once. An answer without an id that can be written down says as little as none.
func (s *seller) order(ctx context.Context, application application) (id string, err error) {
	answer := described{}
	err = s.call(ctx, http.MethodPost, "/orders", application, &answer)
	if err == nil && !orderID.MatchString(answer.ID) {
		err = errors.New("the CA answers without the id of an order")
	}
	return answer.ID, err
}

func (s *seller) find(ctx context.Context, reference string) (found, error) {
	answer := found{}
	err := s.call(ctx, http.MethodGet, "/orders?reference="+url.QueryEscape(reference), nil, &answer)
	return answer, err
}

func (s *seller) describe(ctx context.Context, id string) (described, error) {
	answer := described{}
	err := s.call(ctx, http.MethodGet, "/orders/"+url.PathEscape(id), nil, &answer)
	return answer, err
}

func (s *seller) cancel(ctx context.Context, id string) error {
	return s.call(ctx, http.MethodPost, "/orders/"+url.PathEscape(id)+"/cancel", nil, &described{})
}

// once sends nothing a second time: to follow a redirect would be to order again, elsewhere.
var once = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// callBound is less than source.BuyBound, which a purchase may take, and which the process waits for at its end.
const callBound = 10 * time.Second

// call makes one call. Its error is a *refusal of the CA, a *credentials.Problem that a person has to mend, or one of
// which nothing is known.
func (s *seller) call(ctx context.Context, method, path string, ask, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	keys, err := s.keys.Credentials(ctx)
	if err != nil {
		return err
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.SetBasicAuth(keys.AccessKeyID, keys.AccessKeySecret)
	reply, err := once.Do(request)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // it is without the URL, which may hold a secret
	}
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		err = failed.Err // it is without our port, which would rewrite a condition at each call
	}
	if err != nil {
		return fmt.Errorf("the CA did not answer: %w", err)
	}
	defer func() { _ = reply.Body.Close() }() // it is read, or of no use
	text, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("the answer of the CA ended early: %w", err)
	}
	if reply.StatusCode == http.StatusOK {
		return json.Unmarshal(text, answer)
	}
	refused := &refusal{}
	if json.Unmarshal(text, refused) != nil || refused.Code == "" {
		return fmt.Errorf("the CA answers with HTTP %d", reply.StatusCode)
	}
	if refused.Code == codeUnknownKeys {
		return &credentials.Problem{Reason: v1alpha1.ReasonCredentialsRefused,
			Message: "the CA does not know the keys of the issuer: put valid ones into its Secret"}
	}
	return refused
}
