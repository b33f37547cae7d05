// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package book tells who owns what at CAS: which Order holds an id, and which purchase is in doubt. It remembers
// nothing that would have to survive a restart: it reads the Orders themselves, by the name or id that is asked for,
// and past the cache wherever money depends on the answer. What it keeps in memory are claims. See
// docs/design/0009-one-book-for-each-account.md.
package book
