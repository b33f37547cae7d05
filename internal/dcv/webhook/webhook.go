// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package webhook publishes validation records through the DNS01 webhooks that people run for cert-manager's ACME
// issuer.
//
// Such a webhook is an aggregated API: it is called by creating a ChallengePayload, of which nothing is stored, as
// resource solverName of API group groupName. The Solver sends it what cert-manager would send, so that it cannot tell
// the difference. Two limits follow. A webhook publishes TXT records only, since ACME knows no others. And it returns
// no id of a record: a record is ours if we claimed it and it has the exact value of the claim. A record that DNS
// showed before there was a claim is somebody else's and stays.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	whapi "github.com/cert-manager/cert-manager/pkg/acme/webhook/apis/acme/v1alpha1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Lookup tells what DNS shows at a record's name; dcv.SelfCheck is one.
type Lookup interface {
	Check(ctx context.Context, rec dcv.Record) (dcv.Observation, error)
}

// Config is what a Solver needs to know.
type Config struct {
	// REST reaches the API server as the controller. It is copied.
	REST *rest.Config
	// Allowed are the webhooks that may be called, each as groupName/solverName. The operator gives the list, by the
	// chart value webhookSolvers, which also grants the controller the right to call them: whoever may write an issuer
	// could otherwise make it call any aggregated API.
	Allowed []string
	// GroupName and SolverName are those of the webhook, as in cert-manager's own issuers.
	GroupName, SolverName string
	// Config is handed to the webhook unread. It is nil if the webhook needs none.
	Config *apiextensionsv1.JSON
	// ResourceNamespace is where the webhook reads the Secrets that Config names: the issuer's namespace, or the one
	// for cluster resources.
	ResourceNamespace string
	// AllowAmbientCredentials lets the webhook use the credentials of the place where it runs.
	AllowAmbientCredentials bool
	// Zones tells the webhook the zone.
	Zones dcv.ZoneFinder
	// Lookup tells what was there before us. One that asks the zone's own servers is best: a resolver that is asked
	// before the record exists may go on to say that there is none.
	Lookup Lookup
}

// Solver publishes validation records through one webhook. It is safe for concurrent use and holds no state.
type Solver struct {
	config Config
	client rest.Interface
}

var _ dcv.Solver = (*Solver)(nil)

// New checks the configuration; it makes no call. A *dcv.Problem means that the operator has not allowed this webhook;
// any other error, that the configuration can never work.
func New(config Config) (*Solver, error) {
	switch {
	case config.REST == nil || config.Zones == nil || config.Lookup == nil:
		return nil, errors.New("webhook: REST, Zones and Lookup are needed")
	case config.GroupName == "" || config.SolverName == "":
		return nil, errors.New("webhook: groupName and solverName are needed")
	case config.Config != nil && !json.Valid(config.Config.Raw): // the encoder's own error would quote it
		return nil, errors.New("webhook: config is not JSON")
	case !slices.Contains(config.Allowed, config.GroupName+"/"+config.SolverName):
		return nil, notAllowed(config)
	}
	client, err := newClient(config.REST, config.GroupName)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return &Solver{config: config, client: client}, nil
}

// Present implements dcv.Solver. A record of ours that DNS does not show is presented again: by cert-manager's rules, a
// webhook then makes no second record.
func (s *Solver) Present(
	ctx context.Context, ch dcv.Challenge, prior *dcv.Record, claim func(context.Context, dcv.Record) error,
) (dcv.Record, error) {
	ch, prior, err := dcv.Prepare(ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	if ch.RecordType != "TXT" {
		return dcv.Record{}, notTXT(ch)
	}
	isOurs := prior != nil && !prior.Foreign
	rec, err := dcv.Locate(ctx, s.config.Zones, ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	seen, err := s.config.Lookup.Check(ctx, rec)
	switch {
	case err != nil && !isOurs: // without having looked, CleanUp might later remove somebody else's record
		return dcv.Record{}, fmt.Errorf("whether the TXT record %q is there already could not be looked up: %w",
			rec.FQDN, err)
	case err == nil && seen.Visible:
		rec.Foreign = !isOurs
		return rec, nil
	}
	if err := claim(ctx, rec); err != nil {
		return dcv.Record{}, err
	}
	if err := s.call(ctx, whapi.ChallengeActionPresent, rec); err != nil {
		return dcv.Record{}, err
	}
	return rec, nil
}

// CleanUp implements dcv.Solver. The webhook is told the exact value; to remove no other record is up to it.
func (s *Solver) CleanUp(ctx context.Context, rec dcv.Record) error {
	if rec.Foreign || rec.FQDN == "" {
		return nil
	}
	return s.call(ctx, whapi.ChallengeActionCleanUp, rec)
}
