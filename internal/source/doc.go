// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package source is the contract of those who sell certificates. Each way of buying fulfils it in a room of its own
// below this one, as solvers fulfil that of package dcv. The order machine buys through it, and knows no verb, no state
// word, no listing and no quota of CAS. See docs/design/0014-a-contract-for-sources.md.
//
// A Source makes an Offer of what an issuer's spec says, without a call, and a Session for one run of one Order, which
// calls. What a source has to write down before it buys, it writes into a member of its own of the Order's status.
package source
