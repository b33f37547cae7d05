// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"bytes"
	"encoding/pem"
)

// SameRequest reports whether a PEM text encodes the certificate signing request with this DER. It does not compare
// texts: CAS may give one back in other lines, or with another first line.
func SameRequest(text string, der []byte) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return false
	}
	return len(der) > 0 && bytes.Equal(block.Bytes, der)
}
