// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// probesAtOnce is how many servers a check asks side by side.
const probesAtOnce = 8

// prober is a solver that can say, with one read call, whether it could work.
type prober interface {
	Probe(ctx context.Context) error
}

// probe is one question of a check, asked once for all solvers that would ask the same.
type probe struct {
	prober
	// solver is the number of the first of these solvers.
	solver int
	asks   v1alpha1.Solver
	err    error
}

// checkSolvers tells what is wrong with the solvers. What a person has to mend goes before what may pass, and the first
// solver before the others.
func (r *Reconciler) checkSolvers(ctx context.Context, spec *v1alpha1.IssuerSpec, to access.Reach) finding {
	probes, invalid := r.probes(spec, to)
	if invalid != nil {
		return *invalid
	}
	askAll(ctx, probes)
	found := good("the solvers can be used")
	for _, p := range probes {
		if p.err == nil {
			continue
		}
		reason, message := verdict.Explain(p.err)
		problem := bad(reason, fmt.Sprintf("solver %d: %s", p.solver, message))
		if !slices.Contains(passing, reason) {
			return problem
		}
		if found.status == metav1.ConditionTrue {
			found = problem
		}
	}
	return found
}

// Returns the questions to ask, each once, or what is wrong with a solver by its configuration alone.
func (r *Reconciler) probes(spec *v1alpha1.IssuerSpec, to access.Reach) ([]*probe, *finding) {
	var probes []*probe
	for i, solver := range spec.Solvers {
		if solver.IsNone() {
			continue
		}
		use := access.Use{Solver: solver, Reach: to, Secrets: r.Remote.Secrets}
		present, err := r.Remote.Solver(use)
		if err == nil {
			err = r.Remote.MayRoute(use)
		}
		if problem, ok := errors.AsType[*credentials.Problem](err); ok {
			return nil, new(bad(problem.Reason, fmt.Sprintf("solver %d: %s", i, problem.Message)))
		}
		if err != nil {
			return nil, new(bad(v1alpha1.ReasonSolverInvalid, fmt.Sprintf("solver %d cannot be used: %v", i, err)))
		}
		asks := asked(solver)
		isKnown := slices.ContainsFunc(probes, func(p *probe) bool { return equality.Semantic.DeepEqual(p.asks, asks) })
		if can, ok := present.(prober); ok && !isKnown {
			probes = append(probes, &probe{prober: can, solver: i, asks: asks})
		}
	}
	return probes, nil
}

// asked is that part of a solver which its probe depends on: the server, and what is shown to it.
func asked(solver v1alpha1.Solver) v1alpha1.Solver {
	switch dns, file := solver.DNS, solver.File; {
	case file != nil && file.Ingress != nil:
		return v1alpha1.Solver{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}}
	case file != nil && file.GatewayHTTPRoute != nil:
		return v1alpha1.Solver{File: &v1alpha1.FileSolver{GatewayHTTPRoute: &v1alpha1.HTTPRouteSolver{}}}
	case dns != nil && dns.DNSEndpoint != nil:
		return v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}}
	case dns != nil && dns.Webhook != nil:
		called := &v1alpha1.WebhookSolver{GroupName: dns.Webhook.GroupName, SolverName: dns.Webhook.SolverName}
		return v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{Webhook: called}}
	case dns != nil:
		return v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{Alidns: dns.Alidns, RFC2136: dns.RFC2136}}
	default:
		return v1alpha1.Solver{}
	}
}

// askAll returns when each probe has its answer, or at the end of ctx.
func askAll(ctx context.Context, probes []*probe) {
	var asking sync.WaitGroup
	defer asking.Wait()
	free := make(chan struct{}, probesAtOnce)
	for _, p := range probes {
		free <- struct{}{}
		if ctx.Err() != nil {
			p.err = errors.New("the check ended before it was asked, since others did not answer")
			<-free
			continue
		}
		asking.Go(func() {
			defer func() { <-free }()
			p.err = p.ask(ctx)
		})
	}
}

// Probes, and turns a panic into an error, as controller-runtime does with a panic of a run: in a goroutine of its own,
// a panic would end the process, and with it the runs of all orders.
func (p *probe) ask(ctx context.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			log.FromContext(ctx).Error(fmt.Errorf("panic: %v", cause), "a probe of a solver failed", "solver", p.solver,
				"stack", string(debug.Stack()))
			err = errors.New("the probe failed, and the log of the controller says how")
		}
	}()
	return p.Probe(ctx)
}
