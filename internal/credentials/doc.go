// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package credentials reads what an issuer keeps in Secrets: its keys, and the contact of its orders.
//
// Secrets are read by name, when a call needs them, past every cache: a rotated key is used by the next call, the
// controller needs no verb but get, and what is deleted is gone. Only the keys of orders that still have to be given
// back are remembered, in memory, since a namespace loses its Secrets and its orders in no particular order.
package credentials
