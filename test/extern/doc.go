// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package extern takes orders to their certificates with what other people run beside the issuer: ExternalDNS, BIND and
// a router. `make e2e-extern` runs its tests, which have the build tag extern.
package extern
