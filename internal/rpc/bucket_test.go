// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func newBuckets() *bucketSet { return &bucketSet{entries: map[bucketKey]*bucket{}} }

func TestABucketSpreadsCallsOverTheSecond(t *testing.T) {
	set, key := newBuckets(), bucketKey{account: "a", action: "x", perSecond: 10}
	for i := range 15 {
		delay, _ := set.reserve(key, noon)
		// Those whose turn is more than a second away take none, and leave it to those who come later.
		if want := min(time.Duration(i), 11) * 100 * time.Millisecond; delay != want {
			t.Errorf("call %d waits %v, want %v", i, delay, want)
		}
	}
}

func TestABucketIsThatOfOneAccountAndOneAction(t *testing.T) {
	set := newBuckets()
	for _, key := range []bucketKey{
		{account: "a", action: "x", perSecond: 10},
		{account: "a", action: "y", perSecond: 10},
		{account: "b", action: "x", perSecond: 10},
	} {
		if delay, _ := set.reserve(key, noon); delay != 0 {
			t.Errorf("the first call of %v waits %v", key, delay)
		}
	}
}

func TestAWaitOfMoreThanASecondIsAnErrorAndTakesNoTurn(t *testing.T) {
	set, key := newBuckets(), bucketKey{account: "a", action: "x", perSecond: 0.5}
	if err := set.wait(context.Background(), key); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err := set.wait(context.Background(), key)
		if err == nil || err.Kind != KindThrottled || err.Sent {
			t.Fatalf("got %v", err)
		}
		if err.RetryAfter <= time.Second || err.RetryAfter > 2*time.Second {
			t.Errorf("retry after %v, want at most the two seconds of one turn", err.RetryAfter)
		}
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	set, key := newBuckets(), bucketKey{account: "a", action: "x", perSecond: 2}
	if err := set.wait(context.Background(), key); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := set.wait(ctx, key)
	if err == nil || err.Kind != KindNetwork || !errors.Is(err, context.DeadlineExceeded) || err.Sent {
		t.Errorf("got %v", err)
	}
	if delay, _ := set.reserve(key, time.Now()); delay > 500*time.Millisecond {
		t.Errorf("the turn was not given back: the next is %v away", delay)
	}
}

func TestBucketsThatNobodyUsesAreForgotten(t *testing.T) {
	set := newBuckets()
	for _, account := range []string{"a", "b", "c"} {
		set.reserve(bucketKey{account: account, perSecond: 10}, noon)
	}
	set.reserve(bucketKey{account: "d", perSecond: 10}, noon.Add(2*bucketLifetime))
	if len(set.entries) != 1 {
		t.Errorf("%d buckets are left, want that of d", len(set.entries))
	}
}

func TestAllCallersOfAnAccountShareItsRate(t *testing.T) {
	var served atomic.Int32
	url := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	})
	account := rand.Text()
	limited := func(c *Config) {
		c.Rate = 0.1
		c.Credentials = StaticCredentials(Credentials{AccessKeyID: rand.Text(), AccessKeySecret: "s", Account: account})
	}
	if err := newCaller(t, url, limited).Do(context.Background(), newRequest(), newReply()); err != nil {
		t.Fatal(err)
	}
	e := failing(t, newCaller(t, url, limited))
	if !IsThrottled(e) || e.RetryAfter == 0 || served.Load() != 1 {
		t.Errorf("got %#v after %d calls were served", *e, served.Load())
	}
}
