// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package cassim simulates what the controller needs of Alibaba Cloud: the order API of CAS, the records API of
// Alibaba Cloud DNS, the DNS servers of its zones, and a certificate authority that looks records up before it signs.
//
// It is the oracle of the tests, written from the CAS contract and never from our own client: it imports nothing of
// ours. It is strict where Alibaba Cloud is (signature, time stamp, nonce, parameters), and what the contract calls
// unknown is a knob (knobs.go). What it has executed is billed in a ledger, whether or not the caller heard of it.
//
// Orders move by the clock alone: a state is computed when somebody asks. Requests are signed in real time, so time
// stamps are compared with the real clock, whatever clock the orders live by.
package cassim
