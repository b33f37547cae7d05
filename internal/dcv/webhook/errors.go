// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"errors"
	"fmt"

	whapi "github.com/cert-manager/cert-manager/pkg/acme/webhook/apis/acme/v1alpha1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

func (s *Solver) name() string {
	return fmt.Sprintf("the DNS webhook %q of API group %q", s.config.SolverName, s.config.GroupName)
}

func (s *Solver) apiService() string { return version + "." + s.config.GroupName }

// Makes a Problem of an error that a person has to solve. Does not wrap the API server's errors: a Solver's caller
// calls that server, too, and would take the webhook's conflict or refusal for one of its own calls.
func (s *Solver) explain(err error) error {
	var status apierrors.APIStatus
	switch {
	case apierrors.IsForbidden(err):
		return &dcv.Problem{Message: fmt.Sprintf("the controller has no right to call %s: "+
			"add both to the chart value webhookSolvers, which grants the verb \"create\"", s.name())}
	case apierrors.IsNotFound(err):
		return &dcv.Problem{Message: fmt.Sprintf("the API server does not know %s: install the webhook, whose "+
			"APIService is %q, or correct groupName and solverName", s.name(), s.apiService())}
	case apierrors.IsServiceUnavailable(err):
		return &dcv.Problem{Message: fmt.Sprintf("the API server cannot reach %s: see why the APIService %q is not "+
			"available, and whether the webhook's Pods run", s.name(), s.apiService())}
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer in time: %w", s.name(), context.DeadlineExceeded)
	case errors.As(err, &status):
		return fmt.Errorf("%s could not be called: %s", s.name(), s.legible(err.Error()))
	default:
		return fmt.Errorf("%s could not be called: %w", s.name(), err)
	}
}

// Makes a Problem of a webhook's own "no". A webhook has no codes that tell what heals by waiting, so a person gets to
// read every refusal.
func (s *Solver) refused(action whapi.ChallengeAction, rec dcv.Record, result *metav1.Status) error {
	did, reason := "publish", ""
	if action == whapi.ChallengeActionCleanUp {
		did = "remove"
	}
	if result != nil {
		reason = s.legible(result.Message)
	}
	if reason == "" {
		reason = "it gives no reason; its log may"
	}
	return &dcv.Problem{Message: fmt.Sprintf("%s did not %s the TXT record %q in zone %q; mend what it says, in the "+
		"solver's config or at the DNS provider: %s",
		s.name(), did, rec.FQDN, rec.Zone, reason)}
}

func notAllowed(config Config) error {
	return &dcv.Problem{Message: fmt.Sprintf("the controller is not allowed to call the DNS webhook %q of API group "+
		"%q: an operator has to add both to the chart value webhookSolvers", config.SolverName, config.GroupName)}
}

func notTXT(ch dcv.Challenge) error {
	return &dcv.Problem{Message: fmt.Sprintf("CAS asks for a record of type %q for %q, and cert-manager's DNS "+
		"webhooks publish TXT records only: "+
		"use the solver dns.alidns, dns.rfc2136, dns.dnsEndpoint or dns.manual", ch.RecordType, ch.Domain)}
}
