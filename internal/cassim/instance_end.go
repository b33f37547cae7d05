// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// endingVerbs end what somebody has paid for, or what a server still uses. No issuer may call them. Those of instances
// are here, so that their effect can be seen; those of plans and of private CAs are unknown to the simulator.
var endingVerbs = []string{
	"RefundInstance", "DeleteInstance", "RevokeCertificate", "CancelCertificateForPackageRequest",
	"DeleteUserCertificate", "DeletePCACert", "RevokeWHClientCertificate", "CreateRevokeClientCertificate",
}

// EndingHarm tells of every call of a verb that ends what somebody has paid for, or what a server still uses, whatever
// came of it. It is nil if there was none.
func (s *Server) EndingHarm() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var harm []error
	for _, r := range s.requests {
		if slices.Contains(endingVerbs, r.Action) {
			harm = append(harm, fmt.Errorf("%s was called with %v", r.Action, r.Params))
		}
	}
	return errors.Join(harm...)
}

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
