// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import "testing"

func TestAClaimHasOneHolder(t *testing.T) {
	c := &Claims{}
	mine := Account{realm: "r", id: "1"}
	release, isFree := c.Take(mine, "example.com")
	if !isFree {
		t.Fatal("nobody had it")
	}
	if _, isFree := c.Take(mine, "example.com"); isFree {
		t.Error("two have it")
	}
	if _, isFree := c.Take(Account{realm: "r", id: "2"}, "example.com"); !isFree {
		t.Error("another account waits")
	}
	release()
	if _, isFree := c.Take(mine, "example.com"); !isFree {
		t.Error("it was not given up")
	}
}
