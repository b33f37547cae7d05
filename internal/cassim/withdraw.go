// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "net/http"

// cancelOrder is CancelOrderRequest: the order waits for another application, and its certificate stays reserved.
func (s *Server) cancelOrder(c *call) (reply, *refusal) {
	o, refused := s.findOrder(c)
	if refused != nil {
		return nil, refused
	}
	if !o.isUnfinished() {
		return nil, refuse(http.StatusForbidden, "OrderStateError", "The order cannot be cancelled in its state.")
	}
	if o.cancelledAt.IsZero() && !o.steering.ignoresCancel {
		o.cancelledAt = s.now().Add(s.opts.CancelDelay)
	}
	s.advance(o)
	return reply{}, nil
}

// deleteOrder is DeleteCertificateRequest: the order is gone, and the plan has its certificate back.
func (s *Server) deleteOrder(c *call) (reply, *refusal) {
	o, refused := s.findOrder(c)
	if refused != nil {
		return nil, refused
	}
	if o.state != StateVerifyFail && o.state != StatePayed {
		return nil, refuse(http.StatusForbidden, "OrderStateError", "The order cannot be deleted in its state.")
	}
	o.released = true
	if p := o.account.packages[o.product]; p != nil {
		p.reserved--
		if s.knobs.UsedCount == UsedFalls {
			p.used--
		}
	}
	return reply{}, nil
}
