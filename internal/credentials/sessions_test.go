// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

// numbered are the keys of the n-th session.
func numbered(n int) rpc.Credentials {
	return rpc.Credentials{AccessKeyID: "STS." + strconv.Itoa(n), AccessKeySecret: "secret " + strconv.Itoa(n),
		SecurityToken: "token " + strconv.Itoa(n)}
}

// bank is a source whose sessions are numbered, and the sessions kept of it, with a clock that only the test moves.
type bank struct {
	sessions
	t     *testing.T
	clock *clocktesting.FakePassiveClock
	// length is that of the sessions that the source gives.
	length time.Duration
	// before is what happens before the source answers, if it is set; an error is its answer.
	before func(context.Context) error

	fetches atomic.Int32
	refused atomic.Int32 // how many of them after a refusal
}

func newBank(t *testing.T) *bank {
	return &bank{t: t, clock: clocktesting.NewFakePassiveClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)),
		length: time.Hour}
}

func (b *bank) fetch(ctx context.Context, wasRefused bool) (sts.Session, error) {
	n := b.fetches.Add(1)
	if wasRefused {
		b.refused.Add(1)
	}
	if b.before != nil {
		if err := b.before(ctx); err != nil {
			return sts.Session{}, err
		}
	}
	return sts.Session{Keys: numbered(int(n)), Expires: b.clock.Now().Add(b.length)}, nil
}

func (b *bank) ask(ctx context.Context, key sessionKey) (rpc.Credentials, error) {
	return b.get(ctx, b.clock.Now, key, b)
}

func (b *bank) pass(d time.Duration) { b.clock.SetTime(b.clock.Now().Add(d)) }

// Asks for keys, and wants those of the n-th session, after so many fetches in all.
func (b *bank) want(n, fetches int) {
	b.t.Helper()
	keys, err := b.ask(b.t.Context(), sessionKey{})
	if err != nil || keys != numbered(n) {
		b.t.Errorf("got %s, %v, want session %d", keys.AccessKeyID, err, n)
	}
	b.wantFetches(fetches)
}

func (b *bank) wantError(want error, fetches int) {
	b.t.Helper()
	keys, err := b.ask(b.t.Context(), sessionKey{})
	if !errors.Is(err, want) || keys != (rpc.Credentials{}) {
		b.t.Errorf("got %s, %v, want %v", keys.AccessKeyID, err, want)
	}
	b.wantFetches(fetches)
}

func (b *bank) wantFetches(want int) {
	b.t.Helper()
	if got := int(b.fetches.Load()); got != want {
		b.t.Errorf("fetched %d times, want %d", got, want)
	}
}

// crowd begins 200 calls, and returns what each has got so far.
func (b *bank) crowd(ctx context.Context) (done *sync.WaitGroup, results func() map[string]int) {
	var mutex sync.Mutex
	got := map[string]int{}
	done = &sync.WaitGroup{}
	for range 200 {
		done.Go(func() {
			keys, err := b.ask(ctx, sessionKey{})
			text := keys.AccessKeyID
			if err != nil {
				text += err.Error()
			}
			mutex.Lock()
			defer mutex.Unlock()
			got[text]++
		})
	}
	return done, func() map[string]int {
		mutex.Lock()
		defer mutex.Unlock()
		return got
	}
}

func wantAll(t *testing.T, got map[string]int, want string) {
	t.Helper()
	if len(got) != 1 || got[want] != 200 {
		t.Errorf("got %v, want %q for all", got, want)
	}
}

// blocked makes the source wait until it is told what to answer.
func (b *bank) blocked() (answer chan error) {
	answer = make(chan error)
	b.before = func(ctx context.Context) error {
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return answer
}

var errSource = errors.New("the source fails")

func fails(context.Context) error { return errSource }

func TestKeysAreRenewedFiveMinutesBeforeTheirEnd(t *testing.T) {
	b := newBank(t)
	b.want(1, 1)
	b.pass(55*time.Minute - time.Nanosecond)
	b.want(1, 1)
	b.pass(time.Nanosecond)
	b.want(2, 2)
	b.pass(55*time.Minute - time.Nanosecond)
	b.want(2, 2)
}

func TestNobodyWaitsForARenewalWhileTheKeysAreGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.want(1, 1)
		b.pass(56 * time.Minute)
		answer := b.blocked()
		var renewer sync.WaitGroup
		renewer.Go(func() {
			if keys, err := b.ask(t.Context(), sessionKey{}); err != nil || keys != numbered(2) {
				t.Errorf("who renews gets %s, %v", keys.AccessKeyID, err)
			}
		})
		synctest.Wait()
		crowd, got := b.crowd(t.Context())
		crowd.Wait()
		wantAll(t, got(), "STS.1")
		b.wantFetches(2)
		answer <- nil
		renewer.Wait()
		b.want(2, 2)
	})
}

func TestAllWaitForOneRenewalWhereNoKeysAreGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		answer := b.blocked()
		for n, prepare := range []func(){
			func() {},
			func() { b.pass(59*time.Minute + 30*time.Second) },
			func() { b.pass(renewPause); b.refuse(numbered(2)) },
		} {
			prepare()
			crowd, got := b.crowd(t.Context())
			synctest.Wait()
			if len(got()) > 0 {
				t.Errorf("somebody got %v", got())
			}
			answer <- nil
			crowd.Wait()
			wantAll(t, got(), numbered(n+1).AccessKeyID)
			b.wantFetches(n + 1)
		}
	})
}

func TestAFailedRenewalHurtsNobodyUntilHalfAMinuteBeforeTheEnd(t *testing.T) {
	b := newBank(t)
	b.want(1, 1)
	b.before = fails
	b.pass(55 * time.Minute)
	b.want(1, 2)
	b.pass(renewPause - time.Nanosecond)
	b.want(1, 2)
	b.pass(time.Nanosecond)
	b.want(1, 3)
	b.pass(4*time.Minute + 20*time.Second - time.Nanosecond)
	b.want(1, 4)
	b.pass(time.Nanosecond)
	b.wantError(errSource, 4)
	b.pass(renewPause)
	b.wantError(errSource, 5)
	b.before = nil
	b.wantError(errSource, 5)
	b.pass(renewPause)
	b.want(6, 6)
}

func TestACrowdDoesNotRepeatAFailure(t *testing.T) {
	b := newBank(t)
	b.before = fails
	for n := 1; n <= 3; n++ {
		crowd, got := b.crowd(t.Context())
		crowd.Wait()
		wantAll(t, got(), errSource.Error())
		b.wantFetches(n)
		b.pass(renewPause - time.Nanosecond)
		b.wantError(errSource, n)
		b.pass(time.Nanosecond)
	}
}

func TestTheContextOfAWaiterEndsItsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		answer := b.blocked()
		first, gotFirst := b.crowd(t.Context()) // one of them renews
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		second, gotSecond := b.crowd(ctx)
		synctest.Wait()
		cancel()
		second.Wait()
		wantAll(t, gotSecond(), context.Canceled.Error())
		if len(gotFirst()) > 0 {
			t.Errorf("the others got %v", gotFirst())
		}
		answer <- nil
		first.Wait()
		wantAll(t, gotFirst(), "STS.1")
		b.wantFetches(1)
	})
}

func TestACallerThatHasGoneSpoilsNothingForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		answer := b.blocked()
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := b.ask(ctx, sessionKey{})
			gone <- err
		}()
		synctest.Wait()
		crowd, got := b.crowd(t.Context())
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone gets %v", err)
		}
		answer <- nil // to the next of them, at once
		crowd.Wait()
		wantAll(t, got(), "STS.2")
		b.wantFetches(2)

		b.pass(56 * time.Minute)
		ended, end := context.WithCancel(t.Context())
		end()
		if keys, err := b.ask(ended, sessionKey{}); err != nil || keys != numbered(2) {
			t.Errorf("with good keys, who has gone gets %s, %v", keys.AccessKeyID, err)
		}
		b.before = nil
		b.want(4, 4)
	})
}

func TestRefusedKeysAreRenewedAtOnceButNotMoreThanOnceInTenSeconds(t *testing.T) {
	b := newBank(t)
	b.want(1, 1)
	b.pass(renewPause)
	b.refuse(numbered(1))
	b.want(2, 2)
	b.refuse(numbered(1)) // by a call that took long
	b.want(2, 2)
	b.refuse(numbered(2))
	b.want(2, 2)
	b.pass(renewPause - time.Nanosecond)
	b.want(2, 2)
	b.pass(time.Nanosecond)
	b.want(3, 3)
	if got := b.refused.Load(); got != 2 {
		t.Errorf("the source was told of %d refusals", got)
	}
	b.pass(time.Minute)
	b.refuse(numbered(3))
	b.before = fails
	b.wantError(errSource, 4)
}

func TestAWrongCopyOfAnIDEndsNoSession(t *testing.T) {
	b := newBank(t)
	b.want(1, 1)
	b.pass(renewPause)
	for _, change := range []func(*rpc.Credentials){
		func(k *rpc.Credentials) { k.AccessKeySecret = "guess" },
		func(k *rpc.Credentials) { k.SecurityToken = "" },
	} {
		guess := numbered(1)
		change(&guess)
		b.refuse(guess)
		b.want(1, 1)
	}
	known := numbered(1)
	known.Account = "1000000000000001" // found out later than the keys
	b.refuse(known)
	b.want(2, 2)
}

func TestRotatedKeysAssumeARoleAnewAtOnce(t *testing.T) {
	b := newBank(t)
	for n := 1; n <= 3; n++ {
		key := sessionKey{from: "role", basis: rpc.Credentials{AccessKeyID: "id", AccessKeySecret: strconv.Itoa(n)}}
		for range 2 {
			if keys, err := b.ask(t.Context(), key); err != nil || keys != numbered(n) {
				t.Errorf("got %s, %v, want session %d", keys.AccessKeyID, err, n)
			}
		}
		b.wantFetches(n)
	}
	before := sessionKey{from: "role", basis: rpc.Credentials{AccessKeyID: "id", AccessKeySecret: "1"}}
	if keys, err := b.ask(t.Context(), before); err != nil || keys != numbered(1) {
		t.Errorf("a call that has read the old keys got %s, %v", keys.AccessKeyID, err)
	}
	b.wantFetches(3)
}

func TestKeysPastTheirEndAreTriedUntilTheNextRenewal(t *testing.T) {
	b := newBank(t)
	b.length = -time.Hour // the clocks differ
	b.want(1, 1)
	b.pass(renewPause - time.Nanosecond)
	b.want(1, 1)
	b.pass(time.Nanosecond)
	b.want(2, 2)
	b.pass(renewPause)
	b.before = fails
	b.wantError(errSource, 3)
}

func TestASessionThatNobodyUsesIsForgotten(t *testing.T) {
	b := newBank(t)
	b.length = 12 * time.Hour
	for _, from := range []string{"a", "b"} {
		if _, err := b.ask(t.Context(), sessionKey{from: from}); err != nil {
			t.Fatal(err)
		}
	}
	b.want(3, 3)
	for range 3 {
		b.pass(sessionLifetime)
		b.want(3, 3)
	}
	if len(b.entries) != 1 {
		t.Errorf("%d are kept", len(b.entries))
	}
	b.pass(sessionLifetime + time.Nanosecond)
	b.want(4, 4)
}

func TestASourceThatPanicsHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		answer := make(chan bool)
		b.before = func(context.Context) error {
			if <-answer {
				panic("the source panics")
			}
			return nil
		}
		panicked := make(chan any)
		go func() {
			defer func() { panicked <- recover() }()
			_, _ = b.ask(t.Context(), sessionKey{})
		}()
		synctest.Wait()
		crowd, got := b.crowd(t.Context())
		synctest.Wait()
		answer <- true
		if <-panicked == nil {
			t.Error("the panic is hidden")
		}
		answer <- false
		crowd.Wait()
		wantAll(t, got(), "STS.2")
	})
}
