// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "time"

// SetSkew lets the clock of the services go ahead of the true time, or behind it with less than 0. It shows in the Date header, in
// BuyDate, and in what the gateway makes of timestamps and of the ends of temporary keys. Orders live in true time, which is also what
// Ledger and Request tell.
func (s *Server) SetSkew(ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = ahead
}

// Skew is what SetSkew set.
func (s *Server) Skew() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.skew
}

func (s *Server) gatewayNow() time.Time { return s.opts.GatewayClock.Now().Add(s.skew) }
