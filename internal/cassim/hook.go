// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"maps"
	"net/http"
)

// Hook is called in the midst of a call, which waits for it. It may call the methods of Server; other calls may come in
// between. If it returns true, the connection is closed without a reply, and nothing more happens to the call.
type Hook func(Request) (drop bool)

// Calls a hook. Does not return if the hook wants no reply.
func (s *Server) passHook(hook Hook, c *call) {
	if hook == nil || !hook(s.requestOf(c)) {
		return
	}
	s.mu.Lock()
	s.requests[c.index].Fault = DropReply
	s.mu.Unlock()
	panic(http.ErrAbortHandler) // closes the connection without a word
}

func (s *Server) requestOf(c *call) Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[c.index]
	r.Params = maps.Clone(r.Params)
	return r
}
