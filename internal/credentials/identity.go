// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"sync"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

const (
	// identityTimeout is how long STS has for the id of an account: calls can be made without.
	identityTimeout = 3 * time.Second
	// identityPause is how long nobody asks again where STS could not tell.
	identityPause = 5 * time.Minute
	// identityLifetime is how long an id is kept that nobody uses: longer than any session.
	identityLifetime = 24 * time.Hour
)

// identities remembers whose keys are, as STS has told: keys belong to one account for ever. What an issuer says itself,
// by the ARN of a role, proves nothing. The zero value is empty. It is safe for concurrent use.
type identities struct {
	mutex sync.Mutex
	known map[identityKey]*identity
}

// identityKey has all of the keys: with an AccessKey id alone, which is no secret, somebody else could claim to be of
// the account, or let its id be unknown.
type identityKey struct {
	// where is STS: one that cannot tell says nothing about another.
	where string
	keys  rpc.Credentials
}

// identity is what is kept of keys. The mutex of identities guards all of it but the turn.
type identity struct {
	account  string
	asked    time.Time // when STS could not tell
	lastUsed time.Time
	// turn is held by the one who asks.
	turn chan struct{}
}

// isSettled tells whether there is nothing to ask now.
func (e *identity) isSettled(now time.Time) bool {
	return e.account != "" || !e.asked.IsZero() && now.Sub(e.asked) < identityPause
}

// account is the id of the account that the keys belong to, or empty where STS cannot be reached. While somebody else asks
// for it, all wait: to go on without would let orders of one account take each other for strangers.
func (i *identities) account(ctx context.Context, store *Store, endpoint rpc.Endpoint, keys rpc.Credentials) string {
	e, account, isSettled := i.look(endpoint, keys, store.now())
	if isSettled {
		return account
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return ""
	}
	if _, account, isSettled := i.look(endpoint, keys, store.now()); isSettled {
		return account
	}
	bounded, cancel := context.WithTimeout(ctx, identityTimeout)
	defer cancel()
	told, err := store.sts(endpoint).CallerIdentity(bounded, keys)
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if err == nil {
		e.account = told.Account
	} else if ctx.Err() == nil { // a call that has ended says nothing about STS
		e.asked = store.now()
	}
	return e.account
}

func (i *identities) look(endpoint rpc.Endpoint, keys rpc.Credentials, now time.Time) (e *identity, account string, isSettled bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	e = i.of(endpoint, keys, now)
	return e, e.account, e.isSettled(now)
}

// learn takes down what STS has told.
func (i *identities) learn(endpoint rpc.Endpoint, keys rpc.Credentials, told sts.Identity, now time.Time) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.of(endpoint, keys, now).account = told.Account
}

// of is the entry for keys, used now. It drops those that nobody uses.
func (i *identities) of(endpoint rpc.Endpoint, keys rpc.Credentials, now time.Time) *identity {
	for known, e := range i.known {
		if now.Sub(e.lastUsed) > identityLifetime {
			delete(i.known, known)
		}
	}
	if i.known == nil {
		i.known = map[identityKey]*identity{}
	}
	key := identityKey{endpoint.Region + " " + endpoint.URL + " " + endpoint.Realm(), keys.Keys()}
	if i.known[key] == nil {
		i.known[key] = &identity{turn: make(chan struct{}, 1)}
	}
	i.known[key].lastUsed = now
	return i.known[key]
}
