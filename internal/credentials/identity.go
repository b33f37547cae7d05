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
	// identityTimeout bounds one question to STS for the id of an account. It is short, since calls can be made without
	// the id.
	identityTimeout = 3 * time.Second
	// identityPause is how long STS is not asked again after it could not tell.
	identityPause = 5 * time.Minute
	// identityLifetime is how long an unused id is kept: longer than any session.
	identityLifetime = 24 * time.Hour
)

// identities remembers which account keys belong to, as STS has told: they belong to it for ever. The ARN of a role
// that an issuer names proves nothing. The zero value is empty. It is safe for concurrent use.
type identities struct {
	mutex sync.Mutex
	known map[identityKey]*identity
}

// identityKey holds all of the keys. An AccessKey id alone is no secret: with it, somebody else could pass for the
// account, or keep the account of the id unknown.
type identityKey struct {
	// where names the STS: if one cannot tell, another still may.
	where string
	keys  rpc.Credentials
}

// identity is what is kept of keys. The mutex of identities guards all of it but the turn.
type identity struct {
	account  string
	asked    time.Time // when STS could not tell
	lastUsed time.Time
	// turn is held by the goroutine that asks.
	turn chan struct{}
}

// isSettled tells whether there is nothing to ask now.
func (e *identity) isSettled(now time.Time) bool {
	return e.account != "" || !e.asked.IsZero() && now.Sub(e.asked) < identityPause
}

// Returns the id of the account that the keys belong to, or "" if STS does not tell. While one goroutine asks, the
// others wait: without the id, orders of one account would take each other for strangers.
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

func (i *identities) look(endpoint rpc.Endpoint, keys rpc.Credentials,
	now time.Time) (e *identity, account string, isSettled bool) {
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

// Returns the entry of the keys, and marks it as used now. Drops the entries that nobody has used for identityLifetime.
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
