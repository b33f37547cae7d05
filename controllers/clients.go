// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

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
	// Policy is what issuers are allowed.
	Policy Policy
	// Rate is the number of calls a second for each API and account; the default is [rpc.DefaultRate].
	Rate float64
}

// reach is how an issuer, or the copy of it in an Order, reaches its account.
type reach struct {
	v1alpha1.Access
	// kind is that of the issuer, and namespace is where its Secrets are.
	kind, namespace string
}

func reachOfOrder(order *v1alpha1.AliyunOrder) reach {
	return reach{Access: order.Spec.Access, kind: order.Spec.IssuerRef.Kind, namespace: order.Spec.SecretNamespace}
}

// as is the same with other credentials, if there are any.
func (to reach) as(from *v1alpha1.Credentials) reach {
	if from != nil {
		to.Credentials = *from
	}
	return to
}

// login is how the issuer signs in for calls to an endpoint; nil is one of Alibaba Cloud's own. Its error heals only when
// the issuer is edited, or the operator allows more.
func (r *Remote) login(to reach, endpoint *v1alpha1.Endpoint) (credentials.Login, error) {
	for _, called := range []*v1alpha1.Endpoint{to.STSEndpoint, endpoint} {
		if err := r.Policy.allows(to.kind, to.Credentials, called); err != nil {
			return credentials.Login{}, err
		}
	}
	return credentials.Login{
		Credentials: to.Credentials, Namespace: to.namespace, MayUseOwn: r.Policy.mayUseOwn(to.kind), STS: rpcEndpoint(to.Region, to.STSEndpoint),
	}, nil
}

// cas returns a client for the account. Its error heals only when the issuer is edited, or the operator allows more.
func (r *Remote) cas(to reach, secrets secretReader) (*cas.Client, error) {
	login, err := r.login(to, to.Endpoint)
	if err != nil {
		return nil, err
	}
	client, err := cas.New(cas.Config{
		Endpoint: rpcEndpoint(to.Region, to.Endpoint), Credentials: secrets.Provider(login), Now: r.Clock.Now, Rate: r.Rate, Timeout: to.callTimeout(),
	})
	return client, endpointInvalid(err)
}

// callTimeout is zero for the default.
func (to reach) callTimeout() time.Duration {
	if to.CallTimeout == nil {
		return 0
	}
	return to.CallTimeout.Duration
}

func endpointInvalid(err error) error {
	if err == nil {
		return nil
	}
	return &credentials.Problem{Reason: v1alpha1.ReasonEndpointInvalid, Message: fmt.Sprintf("the endpoint cannot be used: %v: correct it in the issuer", err)}
}

func rpcEndpoint(region v1alpha1.Region, endpoint *v1alpha1.Endpoint) rpc.Endpoint {
	if endpoint == nil {
		return rpc.Endpoint{Region: string(region)}
	}
	return rpc.Endpoint{Region: string(region), URL: endpoint.URL, CABundle: endpoint.CABundle}
}
