// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package order brings AliyunOrders to their end.
//
// Its reconciler is a machine of phases: wrapUp, guard, inherit, submit, observe, validate, issue. Each reads
// facts (is there an id? an intent? what does CAS say? is there a chain?) and never a remembered step; the first that
// does not say proceed ends the run. So a run can begin anywhere: after a crash, on another replica, or twice. wrapUp
// comes first because an Order that ends must not buy: on the way to a certificate it has nothing to do.
//
// Each phase is a type of its own that names what it needs, and embeds the steps that it shares with others: New, in
// setup.go, hands these out. What one run knows of its order is in orderRun, which no two runs share.
//
// An order costs money and CAS has no idempotency key, hence the rules of phase submit: the intent is written before
// the call under the object's resourceVersion, so that of two replicas one loses with a conflict; the id is written
// before anything else after it; an intent without an id is never submitted again, and only proof that nothing was
// bought removes it. See submit.go and docs/design/0012-the-purchase-protocol.md. What belongs to whom at CAS
// (ids and doubts) is asked of the book, under a claim on the name: see packages book and source, and
// docs/design/0009-one-book-for-each-account.md.
//
// What is bought is counted before that, in the status of the issuer, which outlives the Orders that a loop deletes:
// package budget says what is too much, and budget.go reads and writes the count.
//
// An order that ends without a certificate is given back first (wrap_up.go) and fails second: cert-manager
// answers a failed request with a new one, which costs again.
//
// Status is written at the end of a run. Within it is written what a crash must not lose: the intent, the id, the claim
// on a record that is about to be made, the claim of an heir and what it copies, the beginning of a release, and the
// end of a clean-up. Four writes go to another Order: the claim of its heir; a late answer, to its heir; the loss of an
// id of which this Order has the stronger proof; and a record that is left to it. A source may also take evidence of
// its own out of other Orders. Events follow the write, on transitions only. What a process keeps in memory is not
// needed to be safe: docs/design/architecture.md lists it, with what a restart loses of each.
package order
