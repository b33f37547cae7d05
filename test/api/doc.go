// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package api holds the kinds to what their documentation promises, on a real API server.
package api
