// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	kuberest "k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Remote is the world outside of the cluster, as the reconcilers reach it.
type Remote struct {
	Secrets   *credentials.Store
	SelfCheck *dcv.SelfCheck
	FileCheck *httpfile.SelfCheck
	Clock     clock.PassiveClock
	// Kube reads and writes what solvers make in the cluster, past any cache.
	Kube client.Client
	// Backend is the Service through which files are served; without a name none are.
	Backend httpfile.Backend
	// API reaches the API server, which hands calls of webhooks on, and Webhooks are those that may be called, each as
	// groupName/solverName.
	API      *kuberest.Config
	Webhooks []string
	// Rate is the number of calls a second for each API and account; the default is [rpc.DefaultRate].
	Rate float64
}

// cas returns a client for the site that an issuer, or the copy of it in an Order, names. Its error heals only when
// the issuer is edited.
func (r *Remote) cas(region v1alpha1.Region, endpoint *v1alpha1.Endpoint, keys rpc.CredentialsFunc) (*cas.Client, error) {
	return cas.New(cas.Config{Endpoint: rpcEndpoint(region, endpoint), Credentials: keys, Now: r.Clock.Now, Rate: r.Rate})
}

func rpcEndpoint(region v1alpha1.Region, endpoint *v1alpha1.Endpoint) rpc.Endpoint {
	if endpoint == nil {
		return rpc.Endpoint{Region: string(region)}
	}
	return rpc.Endpoint{Region: string(region), URL: endpoint.URL, CABundle: endpoint.CABundle}
}
