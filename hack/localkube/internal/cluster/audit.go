// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"errors"
	"os"
)

// auditPolicyText logs every write with its bodies and every read without, and never what a Secret, a
// ConfigMap or a token holds. Of events it logs that they were written. Health checks are left out.
const auditPolicyText = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi*"]
- level: Metadata
  resources:
  - group: ""
    resources: [events, secrets, configmaps, serviceaccounts/token]
  - group: events.k8s.io
  - group: authentication.k8s.io
- level: RequestResponse
  verbs: [create, update, patch, delete, deletecollection]
- level: Metadata
`

func (c *Cluster) auditPolicy() string { return c.path("audit-policy.yaml") }

// auditEnabled tells whether the API server runs, or is to be started, with an audit log.
func (c *Cluster) auditEnabled() bool {
	_, err := os.Stat(c.auditPolicy())
	return err == nil
}

// setAudit decides about the audit log of an API server that does not run yet. One that runs without cannot
// begin to write one.
func (c *Cluster) setAudit(wanted bool) error {
	if c.anyRuns(apiServer) {
		if wanted && !c.auditEnabled() {
			return errors.New(apiServer + " runs without an audit log: `localkube down` first")
		}
		return nil
	}
	if wanted {
		return os.WriteFile(c.auditPolicy(), []byte(auditPolicyText), 0o644)
	}
	return os.RemoveAll(c.auditPolicy())
}
