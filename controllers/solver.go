// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
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

// chooseSolver returns the solver whose selector says most about the common name, or nil if none is for the request.
func chooseSolver(solvers []v1alpha1.Solver, asks signingRequest) *v1alpha1.Solver {
	var chosen *v1alpha1.Solver
	most := 0
	for i := range solvers {
		if isFile(solvers[i]) && needsDNS(asks) != "" {
			continue
		}
		if n := specificity(solvers[i].Selector, asks.commonName); n > most {
			chosen, most = &solvers[i], n
		}
	}
	return chosen
}

// needsDNS says why a file cannot validate the request, or "" if it can: CAs take no file for a wildcard, and add no other
// names to a certificate that a file validated (CAS contract §1, §4).
func needsDNS(asks signingRequest) string {
	switch {
	case strings.HasPrefix(asks.commonName, "*."):
		return "no CA takes a file for a wildcard"
	case len(asks.dnsNames) > 1:
		return fmt.Sprintf("CAs add %q only to what was validated by DNS", asks.dnsNames[1])
	default:
		return ""
	}
}

// specificity is 0 where the selector does not match the name, and the higher the more it says about it.
func specificity(selector *v1alpha1.SolverSelector, name string) int {
	if selector == nil {
		return 1
	}
	if slices.Contains(selector.DNSNames, name) {
		return 1000
	}
	longest := 0
	for _, zone := range selector.DNSZones {
		if dcv.Within(strings.TrimPrefix(name, "*."), zone) {
			longest = max(longest, 1+len(zone)) // at most 254
		}
	}
	return longest
}

// secretReader reads what Secrets hold now, or held last where something must be cleaned up.
type secretReader interface {
	Provider(login credentials.Login) rpc.CredentialsProvider
	Value(namespace string, ref v1alpha1.SecretKeyReference) func(context.Context) (string, error)
}

// solverUse is a solver, and for whom it works.
type solverUse struct {
	v1alpha1.Solver
	// reach is that of the issuer, whose credentials it uses if it has none of its own.
	reach
	secrets secretReader
	// order is whose record is published; nil where the solver is only checked.
	order *v1alpha1.AliyunOrder
}

func orderSolver(run *orderRun, secrets secretReader) solverUse {
	return solverUse{Solver: run.order.Spec.Solver, reach: reachOfOrder(run.order), secrets: secrets, order: run.order}
}

// isOfCluster says whether operators wrote the solver: others must not use the identities of what publishes for them.
func (use solverUse) isOfCluster() bool { return use.kind == v1alpha1.AliyunClusterIssuerKind }

// home is the namespace of the Order, or of the issuer where there is none.
func (use solverUse) home() string {
	if use.order == nil {
		return use.namespace
	}
	return use.order.Namespace
}

// objectName is the name of what a solver makes in the cluster. It stays the same when another Order goes on with what
// was ordered.
func (use solverUse) objectName() string {
	if use.order == nil {
		return ""
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(realm(use.order.Spec.Access) + " " + use.order.Spec.BaseName)) // it never fails
	return fmt.Sprintf("aliyun-order-%s-%08x", use.order.Status.OrderID, hash.Sum32())
}

// owner lets what is made go with its Order.
func (use solverUse) owner() metav1.OwnerReference {
	if use.order == nil {
		return metav1.OwnerReference{}
	}
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "AliyunOrder", Name: use.order.Name, UID: use.order.UID,
		Controller: new(true), BlockOwnerDeletion: new(false),
	}
}

// solver returns what publishes the proof of control. Its error heals only when the issuer is edited.
func (r *Remote) solver(use solverUse) (dcv.Solver, error) {
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

func (r *Remote) dnsSolver(use solverUse) (dcv.Solver, error) {
	switch dns := use.DNS; {
	case dns.Alidns != nil:
		return r.alidnsSolver(use, dns.Alidns)
	case dns.DNSEndpoint != nil:
		return dnsendpoint.New(dnsendpoint.Config{
			Kube: r.Kube, Namespace: use.home(), Name: use.objectName(), Owner: use.owner(), Labels: dns.DNSEndpoint.Labels, Annotations: dns.DNSEndpoint.Annotations,
			Zones: r.SelfCheck,
		}), nil
	case dns.RFC2136 != nil:
		if err := r.Policy.allowsNameserver(use.kind, dns.RFC2136.Nameserver); err != nil {
			return nil, err
		}
		config := rfc2136.Config{Nameserver: dns.RFC2136.Nameserver, KeyName: dns.RFC2136.TSIGKeyName, Algorithm: string(dns.RFC2136.TSIGAlgorithm)}
		if ref := dns.RFC2136.TSIGSecretSecretRef; ref != nil {
			config.Secret = use.secrets.Value(use.namespace, *ref)
		}
		return rfc2136.New(config)
	case dns.Webhook != nil:
		return webhook.New(webhook.Config{
			REST: r.API, Allowed: r.Webhooks, GroupName: dns.Webhook.GroupName, SolverName: dns.Webhook.SolverName, Config: dns.Webhook.Config,
			ResourceNamespace: use.namespace, AllowAmbientCredentials: use.isOfCluster(), Zones: r.SelfCheck, Lookup: r.SelfCheck,
		})
	case dns.Manual != nil:
		return &manual.Solver{Zones: r.SelfCheck}, nil
	default:
		return nil, fmt.Errorf("the DNS solver has no member that this version knows")
	}
}

func (r *Remote) alidnsSolver(use solverUse, from *v1alpha1.AlidnsSolver) (dcv.Solver, error) {
	to := use.as(from.Credentials)
	login, err := r.login(to, from.Endpoint)
	if err != nil {
		return nil, err
	}
	return alidns.New(alidns.Config{Endpoint: rpcEndpoint("", from.Endpoint), Credentials: use.secrets.Provider(login), Timeout: to.callTimeout()})
}

func (r *Remote) fileSolver(use solverUse) (dcv.Solver, error) {
	config := httpfile.Config{Kube: r.Kube, Backend: r.Backend, Name: use.objectName()}
	if use.order != nil {
		config.OrderUID, config.Order = string(use.order.UID), client.ObjectKeyFromObject(use.order).String()
	}
	switch file := use.File; {
	case file.Ingress != nil:
		config.Labels, config.Annotations, config.IngressClassName = file.Ingress.Labels, file.Ingress.Annotations, file.Ingress.IngressClassName
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

// check looks for what a solver published.
func (r *Remote) check(ctx context.Context, record dcv.Record) (dcv.Observation, error) {
	if record.Type == dcv.TypeFile {
		return r.FileCheck.Check(ctx, record)
	}
	return r.SelfCheck.Check(ctx, record)
}

// isManual says that a person publishes the proof; isNone, that nobody has to; isFile, that it is no DNS record.
func isManual(order *v1alpha1.AliyunOrder) bool {
	solver := order.Spec.Solver
	return solver.DNS != nil && solver.DNS.Manual != nil || solver.File != nil && solver.File.Manual != nil
}

func isNone(solver v1alpha1.Solver) bool { return solver.DNS != nil && solver.DNS.None != nil }

func isFile(solver v1alpha1.Solver) bool { return solver.File != nil }

func validateType(solver v1alpha1.Solver) cas.ValidateType {
	if isFile(solver) {
		return cas.ValidateFile
	}
	return cas.ValidateDNS
}
