// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "time"

// The verbs of this file must never be called by an issuer: they are here so that a test can tell that they were not.

const refundPeriod = 7 * 24 * time.Hour

// refundInstance is RefundInstance, for an instance that has issued nothing.
func (s *Server) refundInstance(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "InstanceId")
	switch {
	case refused != nil:
		return nil, refused
	case i.open() != nil || len(i.issued()) > 0 || isDead(s.status(i)):
		return nil, badRequest("CouldNotRefund.NotSupport", "The instance cannot be refunded.")
	case s.now().After(i.boughtAt.Add(refundPeriod)):
		return nil, badRequest("CouldNotRefund.OverTime", "The instance cannot be refunded any more.")
	}
	i.forced = InstanceRefund
	return reply{}, nil
}

// deleteInstance is DeleteInstance, for an instance that is refunded.
func (s *Server) deleteInstance(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "InstanceId")
	if refused != nil {
		return nil, refused
	}
	if s.status(i) != InstanceRefund {
		return nil, badRequest("InvalidStatus.DeleteProtection", "The instance cannot be deleted in its status.")
	}
	i.vanished = true
	return reply{}, nil
}

// revokeCertificate is RevokeCertificate. Without an id it means what the knob revokeDefault says.
func (s *Server) revokeCertificate(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "InstanceId")
	if refused != nil {
		return nil, refused
	}
	id, issued := c.arg("CertificateId"), i.issued()
	if id == "" && s.knobs.RevokeDefault == RevokeNamedOnly {
		return nil, badRequest("MissingParameter", "CertificateId is mandatory.")
	}
	revoked := 0
	for n, a := range issued {
		isMeant := a.cert.id == id || id == "" && (s.knobs.RevokeDefault == RevokeAll || n == len(issued)-1)
		if isMeant && a.revokedAt.IsZero() {
			a.revokedAt = s.now()
			revoked++
		}
	}
	if revoked == 0 {
		return nil, notSupported()
	}
	return reply{}, nil
}
