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
	set, key := newBuckets(), bucketKey{caller: Credentials{Account: "a"}, action: "x", perSecond: 10}
	for i := range 15 {
		delay, _ := set.reserve(key, noon)
		// A call whose turn is more than a second away takes none, and leaves it to later calls.
		if want := min(time.Duration(i), 11) * 100 * time.Millisecond; delay != want {
			t.Errorf("call %d waits %v, want %v", i, delay, want)
		}
	}
}

func TestABucketIsThatOfOneAccountAndOneAction(t *testing.T) {
	set := newBuckets()
	for _, key := range []bucketKey{
		{caller: Credentials{Account: "a"}, action: "x", perSecond: 10},
		{caller: Credentials{Account: "a"}, action: "y", perSecond: 10},
		{caller: Credentials{Account: "b"}, action: "x", perSecond: 10},
	} {
		if delay, _ := set.reserve(key, noon); delay != 0 {
			t.Errorf("the first call of %v waits %v", key, delay)
		}
	}
}

func TestAWaitOfMoreThanASecondIsAnErrorAndTakesNoTurn(t *testing.T) {
	set, key := newBuckets(), bucketKey{caller: Credentials{Account: "a"}, action: "x", perSecond: 0.5}
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
	set, key := newBuckets(), bucketKey{caller: Credentials{Account: "a"}, action: "x", perSecond: 2}
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
		set.reserve(bucketKey{caller: Credentials{Account: account}, perSecond: 10}, noon)
	}
	set.reserve(bucketKey{caller: Credentials{Account: "d"}, perSecond: 10}, noon.Add(2*bucketLifetime))
	if len(set.entries) != 1 {
		t.Errorf("%d buckets are left, want that of d", len(set.entries))
	}
}

func TestAllCallersOfAnAccountShareItsRate(t *testing.T) {
	url, served := counting(t)
	account := rand.Text()
	ofAccount := func() Credentials {
		return Credentials{AccessKeyID: rand.Text(), AccessKeySecret: "s", Account: account, Realm: AlibabaCloud}
	}
	if err := slow(t, url, ofAccount()).Do(context.Background(), newRequest(), newReply()); err != nil {
		t.Fatal(err)
	}
	e := failing(t, slow(t, url, ofAccount()))
	if !IsThrottled(e) || e.RetryAfter == 0 || served.Load() != 1 {
		t.Errorf("got %#v after %d calls were served", *e, served.Load())
	}
}

// TestNobodyTakesTheRateOfOthersByWhatTheyCanChoose has somebody call with what they can know of others, or can make
// up.
func TestNobodyTakesTheRateOfOthersByWhatTheyCanChoose(t *testing.T) {
	const secret = "the secret of the honest"
	id, account := rand.Text(), rand.Text()
	proven := Credentials{AccessKeyID: id, AccessKeySecret: secret, Account: account, Realm: AlibabaCloud}
	unproven := Credentials{AccessKeyID: id, AccessKeySecret: secret}
	for name, test := range map[string]struct {
		honest, other Credentials
		elsewhere     bool
	}{
		"an account that another STS has told": {
			proven, Credentials{AccessKeyID: "theirs", AccessKeySecret: "s", Account: account,
				Realm: "https://sts.evil.example"}, false},
		"the same account at another server": {proven, proven, true},
		"the id of a key":                    {unproven, Credentials{AccessKeyID: id, AccessKeySecret: "guess"}, false},
		"the id of a key as the account": {
			unproven, Credentials{AccessKeyID: "theirs", AccessKeySecret: "s", Account: id, Realm: AlibabaCloud},
			false},
		"the same key at another server": {unproven, unproven, true},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := counting(t)
			theirs := url
			if test.elsewhere {
				theirs, _ = counting(t)
			}
			for _, caller := range []*Caller{slow(t, theirs, test.other), slow(t, url, test.honest)} {
				if err := caller.Do(context.Background(), newRequest(), newReply()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func counting(t *testing.T) (url string, served *atomic.Int32) {
	t.Helper()
	served = &atomic.Int32{}
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	}), served
}

// slow has a rate at which a second call comes too early by far.
func slow(t *testing.T, url string, keys Credentials) *Caller {
	t.Helper()
	return newCaller(t, url, func(c *Config) { c.Rate, c.Credentials = 0.1, StaticCredentials(keys) })
}
