// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package rpc is the Alibaba Cloud SDK made safe: the one place that deals with the traps of
// alibaba-cloud-sdk-go v1 (docs/design/cas.md §10). The clients of CAS and of Alibaba Cloud DNS are built on it.
//
// Two thirds of the SDK are used: its request types with their signature, and its decoder of successful
// replies. Its HTTP client is not used at all, because that is where nearly every trap lies. It speaks
// plain HTTP by default, takes no context, races when shared, follows redirects with the signed URL as
// Referer, reads NO_PROXY as regular expressions, answers a transport failure with an error that quotes
// the signed URL, and prints URL and reply when the environment says DEBUG=sdk. Package rpc hands the
// signed request to net/http itself, so that none of this can happen. What remains of the SDK runs on a
// client of its own for each call and under recover.
//
// What a caller may rely on:
//
//   - One call is one signed request. Nothing is sent again by this package; net/http repeats a request
//     only on a reused connection that broke before a byte was written.
//   - [Error.Sent] is a fact and no guess: false means that the header of the request never left this
//     process, whatever the error looks like.
//   - [Error] holds no URL, signature, token, AccessKey id, or contact data, in any of its fields.
//   - A reply is a success only if it is a JSON object with a RequestId, as all are (docs/design/cas.md §2.2):
//     an empty body or {} is an error, never a list without elements.
//   - The endpoint is always given. The SDK's own table of endpoints is not consulted, since it sends
//     regions that it does not know to the China site (docs/design/cas.md §2.5).
package rpc
