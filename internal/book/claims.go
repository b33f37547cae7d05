// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import "sync"

// Claims are the names, or ids, that somebody in this process is working on. What is found out under a claim stays true
// until the claim is given up, because nobody else in this process can change it, and the leader's lease keeps other
// processes out. The zero value is ready to use.
type Claims struct {
	mutex sync.Mutex
	names map[string]bool
}

// Take reserves a name or an id in an account, from the first look at what was bought for it until an intent or an
// order id is written. It returns false if somebody else has it: the caller should come back later, not block a worker.
func (c *Claims) Take(of Account, baseName string) (release func(), isFree bool) {
	key := of.Key() + " " + baseName
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.names[key] {
		return nil, false
	}
	if c.names == nil {
		c.names = map[string]bool{}
	}
	c.names[key] = true
	return func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.names, key)
	}, true
}
