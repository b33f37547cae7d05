// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package cas is the client of Alibaba Cloud Certificate Management Service (API version 2020-04-07) with
// types and errors of our own; no type of the SDK appears in its API.
//
// It speaks the verbs that Alibaba files under V1.0: orders are made from a resource plan that was bought
// before. Package instance below speaks those of V2.0, by which certificates are applied for on subscription
// instances; it has the configuration, the kinds of errors and the proofs of this package.
//
// Three things set this client apart from one that was generated:
//
//   - [Client.Submit] has three outcomes instead of an error, because ordering costs money and has no
//     idempotency key. Only what is proved not to have bought anything is called [NotBought].
//   - Every error has one [Kind], given by one table of codes. Statuses of HTTP say little: nearly all
//     business errors are sent as 400, internal ones included (docs/design/cas.md §2.3).
//   - The private key that a reply may hold is dropped where the reply is decoded. Nothing that this
//     package returns holds a secret or personal data.
//
// docs/design/cas.md has the facts about the service that the comments rest on.
package cas
