// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

// The fields by which Orders are found, in the cache and past it alike: the CRD makes them selectable.
const (
	FieldBaseName = "spec.baseName"
	FieldOrderID  = "status.orderID"
	FieldRecord   = "status.validation.fqdn"
	FieldZone     = "status.validation.zone"
)
