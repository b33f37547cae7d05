// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "time"

// SetSkew sets the clock of the services ahead of the true time, or behind it if ahead is negative. It shows in the
// Date header, in BuyDate, and in how the gateway judges timestamps and the ends of temporary keys. Orders live in true
// time, which Ledger and Request tell, too.
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
