// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package plan sells from resource plans of CAS (V1), by the contract of package source: which names and keys a product
// is for, and by which CA; what was bought, by listings and by what the plan has lost; and how it is given back.
package plan
