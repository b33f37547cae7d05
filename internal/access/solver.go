// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/manual"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/rfc2136"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/webhook"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// SecretReader reads what Secrets hold now ([credentials.Store]), or, to clean up, what they held last
// ([credentials.Last]).
type SecretReader interface {
	Provider(login credentials.Login) rpc.CredentialsProvider
	Value(namespace string, ref v1alpha1.SecretKeyReference) func(context.Context) (string, error)
}

// Use is a solver, and for whom it works.
type Use struct {
	v1alpha1.Solver
	// Reach is that of the issuer. A solver without credentials of its own uses the issuer's.
	Reach
	Secrets SecretReader
	// Order is whose record is published; nil where the solver is only checked.
	Order *v1alpha1.AliyunOrder
	// Names are those of the Order's that the solver is to prove.
	Names []string
	// Domain is that of the validation which is published, and empty before there is one.
	Domain string
}

// Says whether an operator wrote the solver. Only an operator's solver may use the ambient credentials of a webhook, or
// be routed without regard to Policy.
func (use Use) isOfCluster() bool { return use.Kind == v1alpha1.AliyunClusterIssuerKind }

// home is the namespace of the Order, or of the issuer where there is none.
func (use Use) home() string {
	if use.Order == nil {
		return use.Namespace
	}
	return use.Order.Namespace
}

// objectName is the name of what a solver makes in the cluster for one validation. It stays the same when another Order
// takes over the CAS order.
func (use Use) objectName() string {
	if use.Order == nil {
		return ""
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(Realm(use.Order.Spec.Access) + " " + use.Domain)) // it never fails
	return fmt.Sprintf("aliyun-order-%s-%08x", nameOf(use.Order.Status.OrderID), hash.Sum32())
}

// readableID is how much of an id people find in a name: with what stands around it, a name has 63 characters at most.
const readableID = 24

// nameOf is the id of an order in the name of an object. Digits are good as they are. Any other id is spelled as names
// are, and a hash tells ids apart that are spelled alike then.
func nameOf(id string) string {
	if len(id) <= readableID && strings.Trim(id, "0123456789") == "" {
		return id
	}
	spelled := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(id))
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf("%.*s-%x", readableID, spelled, sum[:8])
}

// Returns the owner reference by which an object in the cluster is deleted with its Order.
func (use Use) owner() metav1.OwnerReference {
	if use.Order == nil {
		return metav1.OwnerReference{}
	}
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "AliyunOrder", Name: use.Order.Name, UID: use.Order.UID,
		Controller: new(true), BlockOwnerDeletion: new(false),
	}
}

// Solver returns what publishes the proof of control. Its error heals only when the issuer is edited.
func (r *Remote) Solver(use Use) (dcv.Solver, error) {
	switch {
	case use.File != nil:
		return r.fileSolver(use)
	case use.DNS == nil:
		return nil, fmt.Errorf("the solver has no member that this version knows")
	}
	solver, err := r.dnsSolver(use)
	if err == nil && use.DNS.CNAMEStrategy == v1alpha1.CNAMEFollow {
		return &dcv.FollowSolver{Solver: solver, SelfCheck: r.SelfCheck}, nil
	}
	return solver, err
}

func (r *Remote) dnsSolver(use Use) (dcv.Solver, error) {
	switch dns := use.DNS; {
	case dns.Alidns != nil:
		return r.alidnsSolver(use, dns.Alidns)
	case dns.DNSEndpoint != nil:
		return dnsendpoint.New(dnsendpoint.Config{
			Kube: r.Kube, Namespace: use.home(), Name: use.objectName(), Owner: use.owner(),
			Labels: dns.DNSEndpoint.Labels, Annotations: dns.DNSEndpoint.Annotations,
			Zones: r.SelfCheck,
		}), nil
	case dns.RFC2136 != nil:
		if err := r.Policy.allowsNameserver(use.Kind, dns.RFC2136.Nameserver); err != nil {
			return nil, err
		}
		config := rfc2136.Config{Nameserver: dns.RFC2136.Nameserver, KeyName: dns.RFC2136.TSIGKeyName,
			Algorithm: string(dns.RFC2136.TSIGAlgorithm)}
		if ref := dns.RFC2136.TSIGSecretSecretRef; ref != nil {
			config.Secret = use.Secrets.Value(use.Namespace, *ref)
		}
		return rfc2136.New(config)
	case dns.Webhook != nil:
		return webhook.New(webhook.Config{
			REST: r.API, Allowed: r.Webhooks, GroupName: dns.Webhook.GroupName, SolverName: dns.Webhook.SolverName,
			Config:            dns.Webhook.Config,
			ResourceNamespace: use.Namespace, AllowAmbientCredentials: use.isOfCluster(), Zones: r.SelfCheck,
			Lookup: r.SelfCheck,
		})
	case dns.Manual != nil:
		return &manual.Solver{Zones: r.SelfCheck}, nil
	default:
		return nil, fmt.Errorf("the DNS solver has no member that this version knows")
	}
}

func (r *Remote) alidnsSolver(use Use, from *v1alpha1.AlidnsSolver) (dcv.Solver, error) {
	to := use.As(from.Credentials)
	login, err := r.Login(to, from.Endpoint)
	if err != nil {
		return nil, err
	}
	return alidns.New(alidns.Config{Endpoint: Endpoint("", from.Endpoint), Credentials: use.Secrets.Provider(login),
		Timeout: to.callTimeout()})
}

func (r *Remote) fileSolver(use Use) (dcv.Solver, error) {
	config := httpfile.Config{Kube: r.Kube, Backend: r.Backend, Name: use.objectName(), Beside: use.files()}
	if use.Order != nil {
		config.OrderUID, config.Order = string(use.Order.UID), client.ObjectKeyFromObject(use.Order).String()
	}
	switch file := use.File; {
	case file.Ingress != nil:
		config.Labels, config.Annotations, config.IngressClassName = file.Ingress.Labels, file.Ingress.Annotations,
			file.Ingress.IngressClassName
		return httpfile.NewIngress(config), nil
	case file.GatewayHTTPRoute != nil:
		config.Labels, config.Annotations = file.GatewayHTTPRoute.Labels, file.GatewayHTTPRoute.Annotations
		for i := range file.GatewayHTTPRoute.ParentRefs {
			ref, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&file.GatewayHTTPRoute.ParentRefs[i])
			if err != nil {
				return nil, err
			}
			config.ParentRefs = append(config.ParentRefs, ref)
		}
		return httpfile.NewHTTPRoute(config), nil
	case file.Manual != nil:
		return httpfile.Manual{}, nil
	default:
		return nil, fmt.Errorf("the file solver has no member that this version knows")
	}
}

// Check looks for what a solver published.
func (r *Remote) Check(ctx context.Context, use Use, record dcv.Record) (dcv.Observation, error) {
	if record.Type == dcv.TypeFile {
		return r.FileCheck.Check(ctx, record, use.files())
	}
	return r.SelfCheck.Check(ctx, record)
}
