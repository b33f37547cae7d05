// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package credentials signs in: it turns what an issuer says about credentials into keys for the next call. It also
// reads the other things that an issuer keeps in Secrets.
//
// Secrets are read by name, when a call needs them, past every cache: a rotated key is used by the next call, the
// controller needs no verb but get, and what is deleted is gone. What was read is remembered only for orders that still
// have to be given back, in memory and until these orders have ended (held.go): a namespace that is deleted loses its
// Secrets and its orders in no particular order.
//
// What STS or the metadata server gives is temporary, and kept in memory until shortly before its end (sessions.go).
// It is renewed ahead of that, by one caller at a time, and at once after the service has refused it. A renewal that
// fails hurts nobody as long as the old keys are good.
//
// The keys come with the id of their account, which calls are counted under (identity.go).
package credentials
