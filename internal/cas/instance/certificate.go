// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import "context"

// Certificate returns what the store of CAS holds under the CertificateID of an instance: PEM, the leaf and its
// issuers. Right after the issue it may be missing, which is an error for which cas.IsTransient holds.
func (c *Client) Certificate(ctx context.Context, certificateID string) (pem string, err error) {
	return c.store.Certificate(ctx, certificateID)
}
