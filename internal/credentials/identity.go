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
	// identityTimeout is how long a call waits for the id of its account: it can be made without.
	identityTimeout = 3 * time.Second
	// identityPause is how long nobody asks again where STS could not tell.
	identityPause = 5 * time.Minute
	// identityLifetime is how long an id is kept that nobody uses: longer than any session.
	identityLifetime = 24 * time.Hour
)

// identities remembers whose keys are: an AccessKey belongs to one account for ever. The zero value is empty. It is
// safe for concurrent use.
type identities struct {
	mutex sync.Mutex
	known map[identityKey]*identity
}

// identityKey has all of the keys: with an AccessKey id alone, which is no secret, somebody else could claim to be of
// the account, or let its id be unknown.
type identityKey struct {
	endpoint string
	keys     rpc.Credentials
}

type identity struct {
	account  string
	asked    time.Time // when STS could not tell
	isAsking bool
	lastUsed time.Time
}

// account is the id of the account that the keys belong to, or empty: while another call asks for it, and where STS
// cannot be reached.
func (i *identities) account(ctx context.Context, store *Store, endpoint rpc.Endpoint, keys rpc.Credentials) string {
	key := identityKey{endpoint.URL, keys}
	account, mayAsk := i.look(key, store.now())
	if !mayAsk {
		return account
	}
	bounded, cancel := context.WithTimeout(ctx, identityTimeout)
	defer cancel()
	told, err := store.sts(endpoint).CallerIdentity(bounded, keys)
	i.mutex.Lock()
	defer i.mutex.Unlock()
	e := i.of(key)
	e.isAsking = false
	if err == nil {
		e.account = told.Account
	} else if ctx.Err() == nil { // a call that has ended says nothing about STS
		e.asked = store.now()
	}
	return e.account
}

// look returns what is known, and lets one caller at a time find out what is not.
func (i *identities) look(key identityKey, now time.Time) (account string, mayAsk bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	for known, e := range i.known {
		if now.Sub(e.lastUsed) > identityLifetime {
			delete(i.known, known)
		}
	}
	e := i.of(key)
	e.lastUsed = now
	mayAsk = e.account == "" && !e.isAsking && (e.asked.IsZero() || now.Sub(e.asked) >= identityPause)
	e.isAsking = e.isAsking || mayAsk
	return e.account, mayAsk
}

// learn takes down what STS has told.
func (i *identities) learn(endpoint rpc.Endpoint, keys rpc.Credentials, told sts.Identity, now time.Time) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	keys.Account = ""
	e := i.of(identityKey{endpoint.URL, keys})
	e.account, e.lastUsed = told.Account, now
}

func (i *identities) of(key identityKey) *identity {
	if i.known == nil {
		i.known = map[identityKey]*identity{}
	}
	if i.known[key] == nil {
		i.known[key] = &identity{}
	}
	return i.known[key]
}
