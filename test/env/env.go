// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/controllers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// Env is what one test works with.
type Env struct {
	T         *testing.T
	Namespace string
	// Client is the user's: what it writes is not counted.
	Client    client.Client
	Simulator *cassim.Server
	Clock     *clocktesting.FakePassiveClock

	requests    *controllers.CertificateRequestReconciler
	orders      *controllers.OrderReconciler
	issuers     []*controllers.IssuerReconciler
	Submissions *controllers.Submissions
	recorder    *events.FakeRecorder
	counted     client.Client

	mutex  sync.Mutex
	writes map[string]int
	// writesToRequest is Writes when a request was written last.
	writesToRequest int
}

// New starts a simulator and makes a namespace with the Secret of its default key.
func New(t *testing.T, options cassim.Options) *Env {
	t.Helper()
	e := &Env{T: t, Clock: clocktesting.NewFakePassiveClock(time.Now()), writes: map[string]int{}}
	options.Clock = e.Clock
	e.Simulator = cassim.New(options)
	if err := e.Simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Simulator.Close)
	plain, err := client.NewWithWatch(config, client.Options{Scheme: Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	e.Client, e.counted = plain, e.counting(plain)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	e.Create(namespace)
	e.Namespace = namespace.Name
	e.Create(gen.Secret(e.Namespace, cassim.DefaultKeyID, cassim.DefaultKeySecret))
	e.Restart()
	return e
}

// Restart forgets everything that a process keeps in memory.
func (e *Env) Restart() {
	e.recorder = events.NewFakeRecorder(10000)
	e.Submissions = &controllers.Submissions{}
	remote := &controllers.Remote{
		Secrets:   &credentials.Store{Reader: e.Client},
		SelfCheck: &dcv.SelfCheck{Nameservers: []string{e.Simulator.DNSAddr()}},
		Clock:     e.Clock,
	}
	fresh := &controllers.FreshOrders{}
	e.requests = &controllers.CertificateRequestReconciler{
		Client: e.counted, Recorder: e.recorder, Clock: e.Clock, Fresh: fresh, ClusterResourceNamespace: e.Namespace,
	}
	e.orders = &controllers.OrderReconciler{
		Client: e.counted, APIReader: e.Client, Recorder: e.recorder, Remote: remote, Submissions: e.Submissions, Fresh: fresh,
	}
	e.issuers = nil
	for _, kind := range []string{v1alpha1.AliyunIssuerKind, v1alpha1.AliyunClusterIssuerKind} {
		e.issuers = append(e.issuers, &controllers.IssuerReconciler{
			Client: e.counted, Recorder: e.recorder, Remote: remote, Kind: kind, ClusterResourceNamespace: e.Namespace,
		})
	}
}

// counting counts the writes of the reconcilers, by kind.
func (e *Env) counting(plain client.WithWatch) client.Client {
	count := func(object runtime.Object) {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		e.writes[fmt.Sprintf("%T", object)]++
	}
	return interceptor.NewClient(plain, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			count(o)
			return c.Create(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			count(o)
			return c.Patch(ctx, o, patch, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			count(o)
			return c.SubResource(sub).Patch(ctx, o, patch, opts...)
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			count(&cmapi.CertificateRequest{})
			e.writesToRequest = e.Writes()
			return c.SubResource(sub).Apply(ctx, o, opts...)
		},
	})
}

// Writes is how often the reconcilers have written requests and orders.
func (e *Env) Writes() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.writes["*v1.CertificateRequest"] + e.writes["*v1alpha1.AliyunOrder"]
}

// WritesUntilTold is Writes up to the last one to a request, which tells it how it ended.
func (e *Env) WritesUntilTold() int { return e.writesToRequest }

// Create makes an object as a user does.
func (e *Env) Create(object client.Object) {
	e.T.Helper()
	if err := e.Client.Create(e.T.Context(), object); err != nil {
		e.T.Fatal(err)
	}
}

// Decide approves or denies a request, as an approver does.
func (e *Env) Decide(name string, decision cmapi.CertificateRequestConditionType) {
	e.T.Helper()
	request := e.Request(name)
	now := metav1.Now()
	request.Status.Conditions = append(request.Status.Conditions, cmapi.CertificateRequestCondition{
		Type: decision, Status: cmmeta.ConditionTrue, Reason: "test", Message: "decided by the test", LastTransitionTime: &now,
	})
	if err := e.Client.Status().Update(e.T.Context(), request); err != nil {
		e.T.Fatal(err)
	}
}

// Request reads a request.
func (e *Env) Request(name string) *cmapi.CertificateRequest {
	e.T.Helper()
	request := &cmapi.CertificateRequest{}
	if err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: name}, request); err != nil {
		e.T.Fatal(err)
	}
	return request
}

// Orders lists the Orders of the namespace.
func (e *Env) Orders() []v1alpha1.AliyunOrder {
	e.T.Helper()
	list := &v1alpha1.AliyunOrderList{}
	if err := e.Client.List(e.T.Context(), list, client.InNamespace(e.Namespace)); err != nil {
		e.T.Fatal(err)
	}
	return list.Items
}

// Events are all that were told since the last Restart, as "type reason note".
func (e *Env) Events() []string {
	var all []string
	for {
		select {
		case event := <-e.recorder.Events:
			all = append(all, event)
		default:
			return all
		}
	}
}
