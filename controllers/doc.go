// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers wires the reconcilers, which move a CertificateRequest to its certificate. Read this first.
//
//   - Package request lets a CertificateRequest through to an AliyunOrder, and shows in the request what its Order
//     says.
//   - Package order brings Orders to their end: it buys, has the domain validated, takes the chain over, gives back.
//   - Package issuer says whether an issuer can be ordered from.
//
// None of them imports another. A request makes its Order, whose status wakes the request where it has news. An issuer
// wakes what waits for it, and is woken by Orders that were refused what a check can show. What two of them need has a
// room of its own below internal. See docs/design/architecture.md.
package controllers
