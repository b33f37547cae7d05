// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package cassim simulates Alibaba Cloud Certificate Management Service (CAS), Alibaba Cloud DNS (Alidns) and the
// Security Token Service (STS): their RPC protocol, their verbs, the money that an order costs, the certificate
// authority behind them and the DNS that it looks at. It is the oracle of the tests, so it is written from
// docs/design/cas.md alone and shares no code with the clients that it judges.
//
// # Time
//
// No timer moves an order. Whoever asks anything (a verb, a DNS query, a method of Server) first makes the simulation
// catch up with Options.Clock:
//
//   - A CA watches on its own, whether or not somebody asks for the state. So an order whose record is in a zone of the
//     simulator is validated DCVDelay after the record came to be visible (or after the order named it, if that is
//     later), even if
//     the first question comes hours afterwards; and what a record is worth is settled before it is removed. With
//     Options.Resolver the simulator can only know what it sees: there the delay counts from the first look that finds
//     the record.
//   - CADelay counts from the validation.
//
// The gateway in front has a clock of its own, Options.GatewayClock: SDKs sign with the machine's time, also in a test
// that lets days pass. Rates are counted in the machine's time.
//
// # Identities
//
// A key is of the account, of one of its users, or of a session of a role. Sessions come from AssumeRole, from
// AssumeRoleWithOIDC, whose tokens are verified with the keys of their issuer, and from the metadata server of an ECS
// instance. They live by the clock of the gateway, and are accepted where permanent keys are. Their key ids, secrets
// and tokens are in replies only.
//
// SDKs force TLS and an endpoint of Alibaba Cloud on their requests to STS, and the address 100.100.100.200 on those to
// the metadata server. So a process that is to be simulated for gets ProxyURL as its HTTPS_PROXY and HTTP_PROXY, and
// TLSRootPEM as its roots; what it asks then carries the real names, which Request.Host tells.
//
// # Instances
//
// What is bought of CAS V2.0 are instances, with which certificates are applied for one after the other: AddInstance
// buys one, and the verbs of instances write on it and apply. The authority, the DNS and the store of certificates are
// those of orders. An instance is one place that everybody writes to, so what must hold afterwards is in Applications,
// which is the ledger of what was submitted and with whose CSR, and in InstanceHarm. A person in the console is
// WriteInConsole, ApplyInConsole and CancelInConsole.
//
// # Faults
//
// What goes wrong on the way of a call is a Fault, which Inject arms and Lift takes back. What is wrong with one order,
// or with every listing, is steered by methods of Server. What others do on the same account is AddForeignOrder. A test
// that wants to be there at the moment when a call arrives, or has been executed and not been answered, sets
// Options.OnRequest and Options.OnExecuted. All but the last two can be done from another process, too, under /-/ of
// the same address.
//
// # Unknowns
//
// Where nobody knows how the service behaves (docs/design/cas.md §12) there is a knob (see Knobs), whose zero value is
// what is documented or else most likely. Unknowns lists them, so that a test can run a life at each value of each.
package cassim
