// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

// The fields by which Orders are found, in the cache and past it alike: the CRD makes them selectable.
const (
	FieldBaseName = "spec.baseName"
	FieldOrderID  = "status.orderID"
)

// The indexes by which Orders are found in the cache alone, since an Order has several of each: the full names of its
// validation records, and the zones in which it has something to publish.
const (
	IndexRecord = "validations.fqdn"
	IndexZone   = "validations.zone"
)
