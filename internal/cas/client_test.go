// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

func TestACallIsNotSentWithoutCredentials(t *testing.T) {
	gone := errors.New("the Secret is gone")
	client := newClient(t, answers.Never(t), func(c *cas.Config) {
		c.Credentials = rpc.CredentialsFunc(
			func(context.Context) (rpc.Credentials, error) { return rpc.Credentials{}, gone })
	})
	for _, verb := range verbs {
		result, err := verb.Call(context.Background(), client)
		e := clients.AsError(t, err)
		if e.Kind != cas.KindCredentialsUnavailable || !cas.IsCredentials(err) || !cas.IsNotSent(err) ||
			!errors.Is(err, gone) || !strings.Contains(e.Message, gone.Error()) {
			t.Errorf("%s: got %#v", verb.Action, *e)
		}
		if submission, ok := result.(cas.Submission); ok && submission.Outcome != cas.NotBought {
			t.Errorf("the order is %s", submission.Outcome)
		}
	}
}

func TestACallIsNotSentWhenItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	client := newClient(t, answers.Never(t))
	for _, verb := range verbs {
		if _, err := verb.Call(ctx, client); !cas.IsNotSent(err) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", verb.Action, err)
		}
	}
}

func TestEveryCallButAnOrderEndsWithItsContext(t *testing.T) {
	for _, verb := range verbs[1:] {
		ctx, cancel := context.WithCancel(context.Background())
		release := make(chan struct{})
		url := answers.By(t, func(http.ResponseWriter, *http.Request) {
			cancel()
			<-release
		})
		_, err := verb.Call(ctx, newClient(t, url))
		close(release)
		if !errors.Is(err, context.Canceled) || cas.IsNotSent(err) || !cas.IsTransient(err) {
			t.Errorf("%s: got %v", verb.Action, err)
		}
	}
}

func TestNoCallFollowsARedirect(t *testing.T) {
	elsewhere := answers.Never(t)
	client := newClient(t, answers.By(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	}))
	for _, verb := range verbs {
		if _, err := verb.Call(context.Background(), client); cas.KindOf(err) != cas.KindRedirect {
			t.Errorf("%s: got %v", verb.Action, err)
		}
	}
}

func TestNoCallIsSentForWhatIsNoOrderID(t *testing.T) {
	client := newClient(t, answers.Never(t))
	for _, id := range []cas.OrderID{"", "0", "01", "-1", "1e3", "1.0", " 1", "x", "１", "98987582437920968000",
		"1&Action=CancelOrderRequest"} {
		_, err := client.Describe(context.Background(), id)
		for _, err := range []error{err, client.Cancel(context.Background(), id),
			client.Delete(context.Background(), id)} {
			if cas.KindOf(err) != cas.KindInvalid || !cas.IsNotSent(err) {
				t.Errorf("%q: got %v", id, err)
			}
		}
	}
}

func TestAWithdrawalThatDoesNotWorkIsAnError(t *testing.T) {
	calls := map[string]func(*cas.Client) error{
		"cancel": func(c *cas.Client) error { return c.Cancel(context.Background(), testOrder) },
		"delete": func(c *cas.Client) error { return c.Delete(context.Background(), testOrder) },
	}
	for name, call := range calls {
		if err := call(newClient(t, answers.Always(t, 200, `{"RequestId":"R-1"}`))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		refusing := answers.Always(t, 403, answers.Refusal("cas", "OrderStateError"))
		if err := call(newClient(t, refusing)); !cas.IsWrongState(err) {
			t.Errorf("%s in another state: got %v", name, err)
		}
		for _, body := range []string{``, `{}`, `<html>`} {
			if err := call(newClient(t, answers.Always(t, 200, body))); cas.KindOf(err) != cas.KindUndecodable {
				t.Errorf("%s answered with %q: got %v", name, body, err)
			}
		}
	}
}

// limited gives a client its account and a rate at which a second call comes too early by far.
func limited(account string) func(*cas.Config) {
	keys := clients.Keys
	keys.Account = account
	return func(c *cas.Config) { c.Credentials, c.Rate = rpc.StaticCredentials(keys), 0.1 }
}

func TestTheClientsOfAnAccountShareItsRate(t *testing.T) {
	var served atomic.Int32
	url := answers.By(t, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = fmt.Fprint(w, `{"RequestId":"R-1","OrderId":1,"Type":"process"}`)
	})
	ctx, account := context.Background(), rand.Text()
	if got := newClient(t, url, limited(account)).Submit(ctx, newApplication()); got.Err != nil {
		t.Fatal(got.Err)
	}
	got := newClient(t, url, limited(account)).Submit(ctx, newApplication())
	if e := clients.AsError(t, got.Err); got.Outcome != cas.NotBought || !cas.IsThrottled(e) || e.Sent ||
		e.RetryAfter <= time.Second || e.RetryAfter > 10*time.Second {
		t.Errorf("the second order: got %#v", *e)
	}
	if _, err := newClient(t, url, limited(account)).Describe(ctx, testOrder); err != nil {
		t.Errorf("another verb: %v", err)
	}
	if got := newClient(t, url, limited(rand.Text())).Submit(ctx, newApplication()); got.Err != nil {
		t.Errorf("another account: %v", got.Err)
	}
	if n := served.Load(); n != 3 {
		t.Errorf("%d calls were served", n)
	}
}

func TestAnAccountWithoutANameIsThatOfItsKey(t *testing.T) {
	url, account := answers.Always(t, 200, `{"RequestId":"R-1","Type":"process"}`), rand.Text()
	describe := func(key string) error {
		_, err := newClient(t, url, limited(""), func(c *cas.Config) {
			c.Credentials = rpc.StaticCredentials(rpc.Credentials{AccessKeyID: account + key, AccessKeySecret: "s"})
		}).Describe(context.Background(), testOrder)
		return err
	}
	if err := describe("a"); err != nil {
		t.Fatal(err)
	}
	if err := describe("a"); !cas.IsThrottled(err) {
		t.Errorf("the same key: got %v", err)
	}
	if err := describe("b"); err != nil {
		t.Errorf("another key: %v", err)
	}
}

func TestManyOrdersAtOnceDoNotMixTheirAnswers(t *testing.T) {
	const orders = 50
	var nonces sync.Map
	client := newClient(t, answers.By(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if _, seen := nonces.LoadOrStore(query.Get("SignatureNonce"), true); seen {
			t.Error("a nonce is used again")
		}
		if query.Get("Csr") != query.Get("Tags.1.Value") {
			t.Errorf("the tags of %s are in the request of %s", query.Get("Tags.1.Value"), query.Get("Csr"))
		}
		_, _ = fmt.Fprintf(w, `{"RequestId":"R-%[1]s","OrderId":98987582437920%[1]s}`, query.Get("Csr"))
	}))
	var group sync.WaitGroup
	for i := range orders {
		group.Go(func() {
			app := newApplication()
			app.CSR = fmt.Sprintf("%03d", i)
			app.Tags = map[string]string{"csr": app.CSR}
			got := client.Submit(context.Background(), app)
			want := cas.Submission{Outcome: cas.Accepted, OrderID: cas.OrderID("98987582437920" + app.CSR),
				RequestID: "R-" + app.CSR}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	group.Wait()
}

func TestASiteIsKnownByItsRegionOnlyOrGiven(t *testing.T) {
	tests := map[string]struct {
		endpoint rpc.Endpoint
		problem  string
	}{
		"China":                {rpc.Endpoint{Region: "cn-hangzhou"}, ""},
		"international":        {rpc.Endpoint{Region: "ap-southeast-1"}, ""},
		"another region":       {rpc.Endpoint{Region: "cn-shanghai"}, "use cn-hangzhou or ap-southeast-1"},
		"no region":            {rpc.Endpoint{}, "use cn-hangzhou or ap-southeast-1"},
		"another region, with": {rpc.Endpoint{Region: "eu-central-1", URL: "https://cas.example.com"}, ""},
		"plain text":           {rpc.Endpoint{Region: "cn-hangzhou", URL: "http://cas.aliyuncs.com"}, "must be https"},
	}
	for name, test := range tests {
		_, err := cas.New(cas.Config{Endpoint: test.endpoint, Credentials: rpc.StaticCredentials(clients.Keys)})
		if (err == nil) != (test.problem == "") || (err != nil && !strings.Contains(err.Error(), test.problem)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := cas.New(cas.Config{Endpoint: rpc.Endpoint{Region: "cn-hangzhou"}}); err == nil {
		t.Error("a client without credentials")
	}
}
