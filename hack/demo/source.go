// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// source is what a demo orders from.
type source struct {
	issuer, certificate string // samples
	ledger              string // where the simulator tells what was used up
	// fit buys what the simulator has not had from the first, and makes the samples fit that.
	fit func(*demo, context.Context, *v1alpha1.AliyunIssuer, *cmapi.Certificate) error
	// bill shows what was used up, and returns an error if that is more than the certificates that came.
	bill func(*demo, context.Context) error
	// more is what follows the first certificate.
	more []step
}

var sources = map[string]source{
	"plan": {
		issuer: "issuer.yaml", certificate: "certificate.yaml", ledger: "/-/ledger", bill: (*demo).billPlan,
	},
	"instance": {
		issuer: "issuer-instance.yaml", certificate: "certificate-instance.yaml", fit: (*demo).fitInstances,
		ledger: "/-/instances", bill: (*demo).billInstances,
		more: []step{
			{"Wait until cert-manager renews the certificate", (*demo).renew},
			{"Look at what came out", (*demo).inspect},
		},
	},
}

// sourceOf returns the source of a name.
func sourceOf(name string) (source, error) {
	found, isKnown := sources[name]
	if !isKnown {
		return source{}, fmt.Errorf("there is no demo of the source %q: set SOURCE to one of %s", name,
			strings.Join(slices.Sorted(maps.Keys(sources)), ", "))
	}
	return found, nil
}

// used reads what was used up.
func (d *demo) used(ctx context.Context, into any) error {
	answer, err := d.get(ctx, d.source.ledger)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}
