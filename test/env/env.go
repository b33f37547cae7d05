// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/issuer"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/order"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/request"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source/plan"
)

// Cluster is what the reconcilers call their cluster, but for those that are beside others.
const Cluster = "the-cluster-of-the-tests"

// Env is a World in which the reconcilers are run step by step.
type Env struct {
	*World
	Clock *clocktesting.FakePassiveClock
	// BeforeWrite is called with each object that a reconciler is about to write. Nil does nothing.
	BeforeWrite func(object any)
	// BeforeList is called with each list that a reconciler is about to read, from the cache or past it, and with what
	// selects from it. Nil does nothing.
	BeforeList func(list client.ObjectList, wanted client.ListOptions)
	// Configure changes what the reconcilers reach beside CAS, at every Restart. Nil changes nothing.
	Configure func(remote *access.Remote)
	// Sources adds who else sells, and is asked before those that the product has, at every Restart. Nil adds nobody.
	Sources func(remote *access.Remote) source.Registry
	// CheckBound is how long a check of an issuer may take, from the next Restart on. Zero is the default.
	CheckBound time.Duration
	// BeforeCall is called with each good call that arrives at the simulator. Nil does nothing.
	BeforeCall func(cassim.Request)
	// Points are where a run can be interrupted.
	Points Points
	gate   gate
	// indexes are those of the cache, by which the reconcilers find Orders.
	indexes map[string]client.IndexerFunc
	// namespaces are those of this Env.
	namespaces []string

	// cluster is what the reconcilers call their cluster.
	cluster string
	// beside are the other installations on the account, by the ids of their AccessKeys.
	beside map[string]*Env

	requests    *request.Reconciler
	orders      *order.Reconciler
	issuers     []*issuer.Reconciler
	Submissions *order.Submissions
	recorder    *events.FakeRecorder
	counted     client.Client
	logged      *lockedBuffer
	lag         *lag
	told        []string

	mutex  sync.Mutex
	writes map[string]int
	// writesToRequest is what Writes was after the last write to a request.
	writesToRequest int
}

// New makes a World whose simulator and reconcilers share a clock that only the test moves.
func New(t *testing.T, options cassim.Options) *Env {
	t.Helper()
	e := &Env{Clock: clocktesting.NewFakePassiveClock(time.Now()), cluster: Cluster, beside: map[string]*Env{}}
	options.Clock = e.Clock
	options.OnRequest = func(r cassim.Request) bool { return e.callerOf(r).arrives(r) }
	options.OnExecuted = func(r cassim.Request) bool { return e.callerOf(r).answers(r) }
	e.World = NewWorld(t, options)
	e.open()
	return e
}

// open lets the reconcilers begin to serve the namespace.
func (e *Env) open() {
	e.writes, e.logged = map[string]int{}, &lockedBuffer{}
	e.namespaces = []string{e.Namespace}
	e.alone()
	e.counted = e.counting(e.Client)
	e.Restart()
}

// Passes the points before a call is executed, which is dropped if told so.
func (e *Env) arrives(r cassim.Request) (drop bool) {
	e.passGate(r.Action)
	if e.BeforeCall != nil {
		e.BeforeCall(r)
	}
	return e.Points.Arrives(r.Action)
}

// Passes the points after a call was executed, which is not answered if told so.
func (e *Env) answers(r cassim.Request) (drop bool) {
	drop = e.Points.Answers()
	e.passGate("answer to " + r.Action)
	return drop
}

// AddNamespace makes another namespace, which the reconcilers serve, too.
func (e *Env) AddNamespace() string {
	e.T.Helper()
	name := Namespace(e.T, e.Client)
	e.namespaces = append(e.namespaces, name)
	return name
}

// Restart forgets everything that a process keeps in memory. A run that is held ends first.
func (e *Env) Restart() {
	e.LetGo()
	if e.recorder != nil {
		e.Events()
	}
	e.Points.restart()
	e.recorder = events.NewFakeRecorder(10000)
	e.Submissions = &order.Submissions{}
	remote := &access.Remote{
		Secrets:   &credentials.Store{Reader: e.Client, Tokens: e.Client, Now: e.Clock.Now, STSRate: math.MaxFloat64},
		Policy:    access.Policy{OwnIdentityForClusterIssuers: true, EndpointHosts: []string{"127.0.0.1"}},
		SelfCheck: &dcv.SelfCheck{Nameservers: []string{e.Simulator.DNSAddr()}},
		FileCheck: &httpfile.SelfCheck{},
		Clock:     e.Clock,
		Rate:      math.MaxFloat64, // no limit: hours pass in a second
		Kube:      e.counted,
		API:       config,
	}
	if e.Configure != nil {
		e.Configure(remote)
	}
	fresh := &orders.Fresh{}
	sources := source.Registry{
		&plan.Source{Kube: e.counted, APIReader: e.uncached(), Remote: remote, Cluster: e.cluster},
		&instance.Source{APIReader: e.uncached(), Remote: remote, Cluster: e.cluster},
	}
	if e.Sources != nil {
		sources = append(e.Sources(remote), sources...)
	}
	e.indexes = order.AllIndexes(sources)
	e.requests = &request.Reconciler{
		Client: e.counted, APIReader: e.uncached(), Recorder: e.recorder, Clock: e.Clock, Fresh: fresh,
		Sources:                  sources,
		ClusterResourceNamespace: e.Namespace,
	}
	e.orders = order.New(order.Config{
		Client: e.counted, APIReader: e.uncached(), Recorder: e.recorder, Remote: remote, Submissions: e.Submissions,
		Sources: sources, Fresh: fresh,
		ClusterResourceNamespace: e.Namespace,
	})
	e.issuers = nil
	for _, kind := range []string{v1alpha1.AliyunIssuerKind, v1alpha1.AliyunClusterIssuerKind} {
		e.issuers = append(e.issuers, &issuer.Reconciler{
			Client: e.counted, Recorder: e.recorder, Remote: remote, Sources: sources, Kind: kind,
			ClusterResourceNamespace: e.Namespace,
			CheckBound:               cmp.Or(e.CheckBound, issuer.DefaultCheckBound),
		})
	}
}

// Returns the client by which reconcilers read past their cache.
func (e *Env) uncached() client.Reader {
	return interceptor.NewClient(e.Client, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object,
			opts ...client.GetOption) error {
			defer e.passGate(fmt.Sprintf("read %T", o))
			return c.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			defer e.passGate(fmt.Sprintf("read %T", list))
			e.beforeList(list, opts)
			if field := onlyCached(opts); field != "" {
				return fmt.Errorf("the API server does not select by %s", field)
			}
			return c.List(ctx, list, opts...)
		},
	})
}

func (e *Env) beforeList(list client.ObjectList, opts []client.ListOption) {
	if e.BeforeList != nil {
		e.BeforeList(list, *(&client.ListOptions{}).ApplyOptions(opts))
	}
}

// counting counts the writes of the reconcilers by kind, and makes each of them a point.
func (e *Env) counting(plain client.WithWatch) client.Client {
	write := func(verb string, object any, do func() error) error {
		point := fmt.Sprintf("%s %T", verb, object)
		e.passGate(point)
		defer e.passGate("made: " + point)
		if e.BeforeWrite != nil {
			e.BeforeWrite(object)
		}
		return e.Points.write(point, func() error {
			e.mutex.Lock()
			e.writes[fmt.Sprintf("%T", object)]++
			if _, isRequest := object.(*cmapi.CertificateRequest); isRequest {
				e.writesToRequest = e.writes["*v1.CertificateRequest"] + e.writes["*v1alpha1.AliyunOrder"]
			}
			e.mutex.Unlock()
			return do()
		})
	}
	return interceptor.NewClient(plain, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			e.beforeList(list, opts)
			return c.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return write("create", o, func() error { return c.Create(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return write("delete", o, func() error { return c.Delete(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch,
			opts ...client.PatchOption) error {
			return write("patch", o, func() error { return c.Patch(ctx, o, patch, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch,
			opts ...client.SubResourcePatchOption) error {
			return write("patch "+sub+" of", o,
				func() error { return c.SubResource(sub).Patch(ctx, o, patch, opts...) })
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration,
			opts ...client.SubResourceApplyOption) error {
			return write("apply "+sub+" of", &cmapi.CertificateRequest{},
				func() error { return c.SubResource(sub).Apply(ctx, o, opts...) })
		},
	})
}

// Writes is how often the reconcilers have written requests and orders.
func (e *Env) Writes() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.writes["*v1.CertificateRequest"] + e.writes["*v1alpha1.AliyunOrder"]
}

// WritesUntilTold is how often the reconcilers had written once they had told a request how it ended.
func (e *Env) WritesUntilTold() int { return e.writesToRequest }

// Events are all that were told so far, as "type reason note".
func (e *Env) Events() []string {
	for {
		select {
		case event := <-e.recorder.Events:
			e.told = append(e.told, event)
		default:
			return e.told
		}
	}
}

// Logs are all that the reconcilers have logged, at every level.
func (e *Env) Logs() string { return e.logged.String() }

// lockedBuffer takes lines from several goroutines.
type lockedBuffer struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}
