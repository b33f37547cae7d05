// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto"
	"slices"
	"strconv"
	"time"
)

func notSupported() *refusal {
	return badRequest("OperationDenied.StatusNotSupport", "The status of the instance does not support the operation.")
}

// applyCertificate is ApplyCertificate. It tells no id of what it began.
func (s *Server) applyCertificate(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "InstanceId")
	if refused != nil {
		return nil, refused
	}
	open := i.open()
	switch {
	case open != nil && s.knobs.ApplyReplay == ReplayIgnored:
		return reply{}, nil
	case open != nil && s.knobs.ApplyReplay == ReplayRefused:
		return nil, notSupported()
	}
	if refused := s.checkApplicable(i); refused != nil {
		return nil, refused
	}
	if missing := i.form.missing(i.CertificateType); missing != "" {
		return nil, badRequest("MissingParameter", "%s is missing on the instance.", missing)
	}
	if open != nil {
		open.state, open.endedAt = applicationReplaced, s.now()
	}
	s.submit(i, c.key.principal(), false, s.now())
	return reply{}, nil
}

// checkApplicable looks at the status, and at what the instance has issued already.
func (s *Server) checkApplicable(i *subscription) *refusal {
	status, issued := s.status(i), i.issued()
	if isDead(status) || status == InstancePending && i.open() == nil {
		return notSupported()
	}
	isSettled := status == InstanceNormal || status == InstanceWillExpire
	if isSettled && s.knobs.UpdateOnNormal == UpdateWithoutApply {
		return notSupported()
	}
	if len(issued) == 0 {
		return s.checkReuse(i)
	}
	window, isLimited := limit(s.knobs.ReapplyOnNormal)
	tooEarly := isLimited && s.now().Before(issued[len(issued)-1].cert.notAfter.Add(-window))
	if s.knobs.ReapplyOnNormal == Never || tooEarly {
		return notSupported()
	}
	if most, err := strconv.Atoi(s.knobs.ReapplyLimit); err == nil && len(issued) >= most {
		return badRequest(s.knobs.ReapplyLimitCode, "The instance has no certificate left.")
	}
	return s.checkReuse(i)
}

// checkReuse refuses a CSR or a key that an earlier application had (knob instanceCSRReuse).
func (s *Server) checkReuse(i *subscription) *refusal {
	if i.form.csr == nil {
		return nil
	}
	isReused := slices.ContainsFunc(s.instances.applications, func(a *application) bool {
		key, isKey := a.csr.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		switch s.knobs.InstanceCSRReuse {
		case ReuseRefused:
			return a.fingerprint == fingerprint(i.form.csr.Raw)
		case ReuseOfKeyRefused:
			return isKey && key.Equal(i.form.csr.PublicKey)
		}
		return false
	})
	if isReused {
		return badRequest("ParamRepeat", "The CSR or its key was used in another application.")
	}
	return nil
}

// taskAttribute is GetTaskAttribute: what became of the submission, not of the certificate. The task has the id of the
// instance.
func (s *Server) taskAttribute(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "TaskId")
	if refused != nil {
		return nil, refused
	}
	a := i.last()
	if a == nil {
		if s.knobs.TaskBefore == TaskMissing {
			return nil, badRequest("NotFound", "The task is not found.")
		}
		return reply{"TaskStatus": "", "TaskMessage": ""}, nil
	}
	words := taskWords[s.knobs.TaskWords]
	switch {
	case a.state == applicationSubmitted:
		return reply{"TaskStatus": words.processing, "TaskMessage": ""}, nil
	case a.state == applicationRefused, a.state == applicationFailed && s.knobs.FailedTask == "failed":
		return reply{"TaskStatus": words.failed, "TaskMessage": a.failReason}, nil
	}
	return reply{"TaskStatus": words.success, "TaskMessage": ""}, nil
}

// taskWords are the vocabularies of TaskStatus, by the value of the knob.
var taskWords = map[string]struct{ success, processing, failed string }{
	"success":   {"success", "processing", "failed"},
	"COMPLETED": {"COMPLETED", "PENDING", "FAILED"},
	"other":     {"done", "running", "rejected"},
}

// cancelPending is CancelPendingCertificate. It answers at once; the instance stays pending for a while.
func (s *Server) cancelPending(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "InstanceId")
	if refused != nil {
		return nil, refused
	}
	a := i.open()
	if a == nil || a.state != applicationPending || s.now().Before(a.pendingAt.Add(duration(s.knobs.CancelTooEarly))) {
		return nil, notSupported()
	}
	c.harmsForeign = a.foreignCSR || a.csrBy != c.key.principal() // the CSR tells whose it is, whoever submitted it
	s.cancel(a)
	return reply{}, nil
}

func (s *Server) cancel(a *application) {
	if a.cancelAt.IsZero() && !a.instance.steering.ignoresCancel {
		a.cancelledAt = s.now()
		a.cancelAt = s.now().Add(duration(s.knobs.CancelDelay)).Add(s.opts.CancelDelay)
	}
	s.progress(a)
}

// duration reads a knob that is a duration and nothing else.
func duration(value string) time.Duration {
	d, _ := time.ParseDuration(value)
	return d
}
