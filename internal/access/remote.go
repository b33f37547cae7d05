// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package access is how an issuer, or the copy of it in an Order, reaches what is outside of the cluster: its account,
// and what its solvers publish with, as far as the operator of the installation lets it.
package access

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
	// API reaches the API server, which passes calls on to DNS webhooks. Webhooks are the ones that may be called, each
	// as groupName/solverName.
	API      *kuberest.Config
	Webhooks []string
	// Policy is what issuers are allowed.
	Policy Policy
	// Rate is the number of calls a second for each API and account; the default is [rpc.DefaultRate].
	Rate float64
}

// Reach is how an issuer, or the copy of it in an Order, reaches its account.
type Reach struct {
	v1alpha1.Access
	// Kind is that of the issuer, and namespace is where its Secrets are.
	Kind, Namespace string
}

// OfOrder returns how an Order reaches its account, by the copy of its issuer.
func OfOrder(order *v1alpha1.AliyunOrder) Reach {
	return Reach{Access: order.Spec.Access, Kind: order.Spec.IssuerRef.Kind, Namespace: order.Spec.SecretNamespace}
}

// OfIssuer returns how an issuer reaches its account. The Secrets of an AliyunClusterIssuer are in
// clusterResourceNamespace, and those of an AliyunIssuer in its own namespace and nowhere else.
func OfIssuer(issuer v1alpha1.GenericIssuer, clusterResourceNamespace string) Reach {
	to := Reach{Access: issuer.GetSpec().Access, Kind: issuer.IssuerKind(), Namespace: issuer.GetNamespace()}
	if to.Kind == v1alpha1.AliyunClusterIssuerKind {
		to.Namespace = clusterResourceNamespace
	}
	return to
}

// As returns the same reach with other credentials, if from is not nil.
func (to Reach) As(from *v1alpha1.Credentials) Reach {
	if from != nil {
		to.Credentials = *from
	}
	return to
}

// Login returns how the issuer signs in for calls to an endpoint; nil stands for one of Alibaba Cloud's own. Its error
// heals only when the issuer is edited, or the operator allows more.
func (r *Remote) Login(to Reach, endpoint *v1alpha1.Endpoint) (credentials.Login, error) {
	for _, called := range []*v1alpha1.Endpoint{to.STSEndpoint, endpoint} {
		if err := r.Policy.allows(to.Kind, to.Credentials, called); err != nil {
			return credentials.Login{}, err
		}
	}
	return credentials.Login{
		Credentials: to.Credentials, Namespace: to.Namespace, MayUseOwn: r.Policy.mayUseOwn(to.Kind),
		STS: Endpoint(to.Region, to.STSEndpoint),
	}, nil
}

// ClientOf returns a client of CAS for the account, of the kind that open makes. Its error heals only when the issuer
// is edited, or the operator allows more.
func ClientOf[C any](r *Remote, to Reach, secrets SecretReader, open func(cas.Config) (*C, error)) (*C, error) {
	login, err := r.Login(to, to.Endpoint)
	if err != nil {
		return nil, err
	}
	client, err := open(cas.Config{
		Endpoint: Endpoint(to.Region, to.Endpoint), Credentials: secrets.Provider(login), Now: r.Clock.Now,
		Rate: r.Rate, Timeout: to.callTimeout(),
	})
	return client, endpointInvalid(err)
}

// callTimeout is zero for the default.
func (to Reach) callTimeout() time.Duration {
	if to.CallTimeout == nil {
		return 0
	}
	return to.CallTimeout.Duration
}

func endpointInvalid(err error) error {
	if err == nil {
		return nil
	}
	return &credentials.Problem{Reason: v1alpha1.ReasonEndpointInvalid, Message: fmt.Sprintf("the endpoint cannot "+
		"be used: %v: correct it in the issuer", err)}
}

// Endpoint converts an endpoint of an issuer into one for clients; nil stands for the documented one of the region.
func Endpoint(region v1alpha1.Region, endpoint *v1alpha1.Endpoint) rpc.Endpoint {
	if endpoint == nil {
		return rpc.Endpoint{Region: string(region)}
	}
	return rpc.Endpoint{Region: string(region), URL: endpoint.URL, CABundle: endpoint.CABundle}
}

// Realm returns a text that is the same for the same site, reached by the same servers of CAS and STS.
func Realm(to v1alpha1.Access) string {
	return fmt.Sprint(to.Region, " ", Endpoint(to.Region, to.Endpoint).Realm(), " ",
		Endpoint(to.Region, to.STSEndpoint).Realm())
}
