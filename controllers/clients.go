// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	"k8s.io/utils/clock"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/manual"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Remote is the world outside of the cluster, as the reconcilers reach it.
type Remote struct {
	Secrets   *credentials.Store
	SelfCheck *dcv.SelfCheck
	Clock     clock.PassiveClock
	// Rate is the number of calls a second for each API and account; the default is [rpc.DefaultRate].
	Rate float64
}

// cas returns a client for the site that an issuer, or the copy of it in an Order, names. Its error heals only when
// the issuer is edited.
func (r *Remote) cas(region v1alpha1.Region, endpoint *v1alpha1.Endpoint, keys rpc.CredentialsFunc) (*cas.Client, error) {
	return cas.New(cas.Config{Endpoint: rpcEndpoint(region, endpoint), Credentials: keys, Now: r.Clock.Now, Rate: r.Rate})
}

// solver returns what publishes the validation record. Its error heals only when the issuer is edited.
func (r *Remote) solver(solver v1alpha1.Solver, keys rpc.CredentialsFunc) (dcv.Solver, error) {
	switch {
	case solver.DNS == nil:
		return nil, fmt.Errorf("the solver has no member that this version knows")
	case solver.DNS.Alidns != nil:
		return r.alidns(solver.DNS.Alidns, keys)
	case solver.DNS.Manual != nil:
		return &manual.Solver{Zones: r.SelfCheck}, nil
	default:
		return nil, fmt.Errorf("the DNS solver has no member that this version knows")
	}
}

func (r *Remote) alidns(solver *v1alpha1.AlidnsSolver, keys rpc.CredentialsFunc) (*alidns.Solver, error) {
	return alidns.New(alidns.Config{Endpoint: rpcEndpoint("", solver.Endpoint), Credentials: keys})
}

func rpcEndpoint(region v1alpha1.Region, endpoint *v1alpha1.Endpoint) rpc.Endpoint {
	if endpoint == nil {
		return rpc.Endpoint{Region: string(region)}
	}
	return rpc.Endpoint{Region: string(region), URL: endpoint.URL, CABundle: endpoint.CABundle}
}
