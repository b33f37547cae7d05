// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

func TestAnOrderIsAcceptedWithItsIDToTheLastDigit(t *testing.T) {
	for literal, want := range map[string]cas.OrderID{
		`98987582437920968`:     "98987582437920968", // beyond 2^53, where floats have gaps
		`"98987582437920968"`:   "98987582437920968",
		`9007199254740993`:      "9007199254740993",
		`9223372036854775807`:   "9223372036854775807",
		`"9223372036854775807"`: "9223372036854775807",
		`1`:                     "1",
	} {
		client := newClient(t, answers.Always(t, 200, `{"RequestId":"R-1","OrderId":`+literal+`}`))
		got := client.Submit(context.Background(), newApplication())
		if got != (cas.Submission{Outcome: cas.Accepted, OrderID: want, RequestID: "R-1"}) {
			t.Errorf("%s: got %+v", literal, got)
		}
	}
}

func TestASuccessWithoutAnIDSaysNothing(t *testing.T) {
	bodies := []string{
		``, `{}`, `null`, `[]`, `"x"`, `<html>Sign in to the network</html>`, `{"RequestId":"R-1","OrderId":98987`,
		`{"RequestId":"R-1"}`, `{"OrderId":98987582437920968}`, `{"RequestId":"R-1","orderid":98987582437920968}`,
		`{"RequestId":"R-1","Code":"InvalidParameter","Message":"no"}`,
	}
	for _, literal := range []string{
		`null`, `""`, `0`, `"0"`, `-1`, `+1`, `007`, `"007"`, `1.0`, `1e17`, `"1e17"`, `9.8987582437920968e16`,
		`9.8987582437920968E+16`,
		`98987582437920968000`, `" 1"`, `"１"`, `true`, `[98987582437920968]`, `{"x":1}`,
	} {
		bodies = append(bodies, `{"RequestId":"R-1","OrderId":`+literal+`}`)
	}
	for _, body := range bodies {
		got := newClient(t, answers.Always(t, 200, body)).Submit(context.Background(), newApplication())
		if got.Outcome != cas.Unknown || got.OrderID != "" || cas.KindOf(got.Err) != cas.KindUndecodable {
			t.Errorf("%s: got %+v", body, got)
		}
	}
}

func TestOnlyACodeOfTheListProvesThatNothingWasBought(t *testing.T) {
	for _, known := range knownCodes {
		for _, status := range []int{400, 403, 404, 429, 500, 503} {
			want := cas.Unknown
			if known.provesRejection {
				want = cas.NotBought
			}
			client := newClient(t, answers.Always(t, status, answers.Refusal("cas", known.code)))
			got := client.Submit(context.Background(), newApplication())
			if got.Outcome != want || got.OrderID != "" || got.RequestID != "R-1" || got.Err == nil {
				t.Errorf("%s with %d: got %+v, want %s", known.code, status, got, want)
			}
		}
	}
}

func TestAStatusAloneProvesNothing(t *testing.T) {
	for _, status := range []int{201, 202, 204, 400, 401, 403, 404, 405, 407, 408, 409, 411, 413, 414, 429, 431, 499,
		500, 501, 502, 503, 504, 999} {
		for _, body := range []string{"", "{}", "<html>no</html>", `{"Code":"InvalidParameter"}`,
			`{"Code":"Throttling"}`, `{"RequestId":"R-1","Message":"Throttling"}`} {
			got := newClient(t, answers.Always(t, status, body)).Submit(context.Background(), newApplication())
			if got.Outcome != cas.Unknown || got.Err == nil {
				t.Errorf("%d with %q: got %+v", status, body, got)
			}
		}
	}
}

func TestARedirectIsNeverFollowedAndSaysNothing(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var served atomic.Int32
		elsewhere := answers.Never(t)
		url := answers.By(t, func(w http.ResponseWriter, r *http.Request) {
			served.Add(1)
			if referer := r.Header.Get("Referer"); referer != "" {
				t.Errorf("the Referer %s was sent", referer)
			}
			w.Header().Set("Location", elsewhere+r.URL.String())
			w.WriteHeader(status)
		})
		got := newClient(t, url).Submit(context.Background(), newApplication())
		if got.Outcome != cas.Unknown || cas.KindOf(got.Err) != cas.KindRedirect || served.Load() != 1 {
			t.Errorf("%d: got %+v after %d requests", status, got, served.Load())
		}
	}
}

func TestAnOrderWhoseAnswerIsLostIsUnknownAndNotSentAgain(t *testing.T) {
	var served atomic.Int32
	url := answers.By(t, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		answers.HangUp(t, w)
	})
	client := newClient(t, url)
	got := client.Submit(context.Background(), newApplication())
	if got.Outcome != cas.Unknown || cas.KindOf(got.Err) != cas.KindNetwork || cas.IsNotSent(got.Err) ||
		served.Load() != 1 {
		t.Errorf("got %+v after %d requests", got, served.Load())
	}
}

func TestAnOrderHasAConnectionOfItsOwn(t *testing.T) {
	remotes := map[string]string{}
	url := answers.By(t, func(w http.ResponseWriter, r *http.Request) {
		action := r.URL.Query().Get("Action")
		if before, ok := remotes[r.RemoteAddr]; ok {
			t.Errorf("%s uses the connection of %s", action, before)
		}
		remotes[r.RemoteAddr] = action
		_, _ = fmt.Fprint(w, `{"RequestId":"R-1","OrderId":1,"Type":"process"}`)
	})
	client := newClient(t, url)
	if _, err := client.Describe(context.Background(), testOrder); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := client.Submit(context.Background(), newApplication()); got.Err != nil {
			t.Fatal(got.Err)
		}
	}
	if len(remotes) != 3 {
		t.Errorf("%d connections", len(remotes))
	}
}

func TestAConnectionThatIsRefusedProvesThatNothingWasBought(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	_ = listener.Close()
	got := newClient(t, url).Submit(context.Background(), newApplication())
	if got.Outcome != cas.NotBought || cas.KindOf(got.Err) != cas.KindNetwork || !cas.IsNotSent(got.Err) {
		t.Errorf("got %+v", got)
	}
}

func TestAnOrderGoesOnWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	url := answers.By(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		_, _ = fmt.Fprint(w, `{"RequestId":"R-1","OrderId":1}`)
	})
	if got := newClient(t, url).Submit(ctx, newApplication()); got.Outcome != cas.Accepted || got.OrderID != "1" {
		t.Errorf("got %+v", got)
	}
}

func TestAnOrderIsNotBegunWhenItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got := newClient(t, answers.Never(t)).Submit(ctx, newApplication())
	if got.Outcome != cas.NotBought || !cas.IsNotSent(got.Err) || !errors.Is(got.Err, context.Canceled) {
		t.Errorf("got %+v", got)
	}
}

func TestAnOrderHasADeadlineOfItsOwn(t *testing.T) {
	var deadline time.Time
	began := time.Now()
	client := newClient(t, answers.Always(t, 200, `{"RequestId":"R-1","OrderId":1}`), func(c *cas.Config) {
		c.Credentials = rpc.CredentialsFunc(func(ctx context.Context) (rpc.Credentials, error) {
			deadline, _ = ctx.Deadline()
			return clients.Keys, nil
		})
	})
	for name, timeout := range map[string]time.Duration{"a shorter one": time.Second, "a longer one": time.Hour} {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		if got := client.Submit(ctx, newApplication()); got.Err != nil {
			t.Fatal(got.Err)
		}
		cancel()
		if left := deadline.Sub(began); left < cas.SubmitTimeout || left > cas.SubmitTimeout+time.Minute {
			t.Errorf("within a context with %s, it has %v", name, left)
		}
	}
}

func TestAnOrderIsSentUpToTheEndOfItsWindow(t *testing.T) {
	end := clients.Noon.Add(cas.SubmitWindow)
	client := newClient(t, answers.Always(t, 200, `{"RequestId":"R-1","OrderId":1}`), clients.At(end))
	got := client.Submit(context.Background(), newApplication())
	if got.Outcome != cas.Accepted {
		t.Errorf("at its end: got %+v", got)
	}
	client = newClient(t, answers.Never(t), clients.At(end.Add(time.Nanosecond)))
	got = client.Submit(context.Background(), newApplication())
	if got.Outcome != cas.NotBought || cas.KindOf(got.Err) != cas.KindLate || !cas.IsNotSent(got.Err) {
		t.Errorf("after it: got %+v", got)
	}
}

func TestAnOutcomeHasAName(t *testing.T) {
	var zero cas.Submission
	if got := fmt.Sprint(zero.Outcome, " ", cas.NotBought, " ", cas.Accepted); got != "Unknown NotBought Accepted" {
		t.Errorf("got %q", got)
	}
}
