// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// IssuedBy tells what the certificate comes from.
func IssuedBy(status v1alpha1.OrderStatus) string {
	if status.ReusedOrderID == "" {
		return fmt.Sprintf("CAS order %s is issued", status.OrderID)
	}
	return fmt.Sprintf("the certificate of CAS order %s, which has the key and the names of this request, is "+
		"delivered again, and nothing was ordered. A request with another key orders a new one, and so does every "+
		"request where spec.orders.reuse of the issuer is Disabled", status.ReusedOrderID)
}

// Address returns where the CA looks for a file. It looks there by HTTPS, too.
func Address(v *v1alpha1.OrderValidation) string {
	path := v.Zone
	if path == "" {
		path = v.RecordName
	}
	return "http://" + v.Domain + path
}

// ToPublish tells a person what to do for a manual validation.
func ToPublish(order *v1alpha1.AliyunOrder) string {
	v := order.Status.Validation
	if v.RecordType == dcv.TypeFile {
		return fmt.Sprintf("put a file with the content %q at %s for CAS order %s, without a redirect", v.RecordValue,
			Address(v), order.Status.OrderID)
	}
	name := v.FQDN
	if name == "" {
		name = v.RecordName
	}
	return fmt.Sprintf("create the DNS record %s %s %q for CAS order %s", name, v.RecordType, v.RecordValue,
		order.Status.OrderID)
}
