// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers moves a CertificateRequest to its certificate. Read this first.
//
// The CertificateRequest reconciler has gates and a mirror. A request that is denied, finished, not approved, or that
// CAS could never serve ends at a gate, with a message that says what to do. One that passes gets an AliyunOrder, and
// from then on the request shows what its order says. It never edits or deletes Orders.
//
// The Order reconciler is a machine of phases: finalize, guard, inherit, submit, observe, validate, issue. Each reads facts (is
// there an id? an intent? what does CAS say? is there a chain?) and never a remembered step; the first that does not
// say proceed ends the run. So a run can begin anywhere: after a crash, on another replica, or twice.
//
// An order costs money and CAS has no idempotency key, hence the rules of phase submit: the intent is written before
// the call under the object's resourceVersion, so that of two replicas one loses with a conflict; the id is written
// before anything else after it; an intent without an id is never submitted again, and only proof that nothing was
// bought removes it. See order_submit.go. What belongs to whom at CAS (ids, doubts, the use of a plan) is asked of the
// book, under a claim on the name: see book.go and docs/design/0009.
//
// What is bought is counted before that, in the status of the issuer, which outlives the Orders that a loop deletes:
// budget.go says what is too much, and order_budget.go reads and writes the count. See docs/design/0008-budgets.md.
//
// An order that ends without a certificate is given back first (order_finalize.go) and fails second: cert-manager
// answers a failed request with a new one, which costs again.
//
// Status is written once, at the end of a run, but for three facts that may not be lost to a crash: the intent, the
// order id, and the claim on a DNS record that is about to be made. Events follow the write, on transitions only.
// When CAS is asked next is kept in memory: it is no fact, and a restart may well ask at once.
package controllers
