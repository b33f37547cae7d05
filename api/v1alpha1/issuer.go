// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// IsPaused says that nothing is ordered from the issuer, until somebody removes that.
func (s *IssuerSpec) IsPaused() bool { return s.Orders != nil && s.Orders.Paused }
