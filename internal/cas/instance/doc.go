// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package instance is the client for the subscription instances of Alibaba Cloud Certificate Management Service, the
// part of its API (version 2020-04-07) that is filed under V2.0.
//
// A purchase, which this package knows nothing of, makes an instance. Certificates follow one another on it: a CSR is
// written on the instance ([Client.Update]) and applied for ([Client.Apply]), its names are validated, and it is
// issued. All of an instance is one place that everybody in the account can write to, and none of the verbs has an
// idempotency key. So:
//
//   - [Client.Update], [Client.Apply] and [Client.Cancel] have three outcomes instead of an error, as ordering has in
//     package cas. Only what is proved not to have been done is called [NotDone].
//   - Whose application is under way shows in the CSR alone, which [SameRequest] compares.
//   - That an instance is [StatusNormal] does not mean that it has issued: see [Instance.HasCertificate].
//   - [Instance.PendingResult] and [Task.Message] are for people. Nothing may branch on them.
//
// Errors are those of package cas. The private key that a reply may hold is dropped where the reply is decoded, and so
// is personal data. There are no verbs here that give an instance back, or revoke.
package instance
