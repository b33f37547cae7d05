// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package cas is the client of Alibaba Cloud Certificate Management Service (API version 2020-04-07) with
// types and errors of our own; no type of the SDK appears in its API.
//
// It speaks the verbs that Alibaba files under V1.0: orders are made from a resource plan that was bought
// before. Orders of the V2.0 kind, which are made from subscription instances, have verbs of their own and
// will get a client of their own beside this one. The controllers declare the interface that both fulfil:
// submit, find, describe, withdraw.
//
// Three things set this client apart from one that was generated:
//
//   - [Client.Submit] has three outcomes instead of an error, because ordering costs money and has no
//     idempotency key. Only what is proved not to have bought anything is called [NotBought].
//   - Every error has one [Kind], given by one table of codes. Statuses of HTTP say little: nearly all
//     business errors are sent as 400, internal ones included (CAS contract §8).
//   - The private key that a reply may hold is dropped where the reply is decoded. Nothing that this
//     package returns holds a secret or personal data.
//
// Facts about the service that comments cite as "CAS contract" are collected under docs/design.
package cas
