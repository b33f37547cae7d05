// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// World is what exists before any controller runs: a namespace of one test, and a simulator of CAS.
type World struct {
	T         *testing.T
	Namespace string
	// Client is the user's.
	Client    client.WithWatch
	Simulator *cassim.Server
}

// NewWorld starts a simulator and makes a namespace with the Secret of its default key. At the end it fails the test if
// anybody has called a verb that ends what somebody has paid for.
func NewWorld(t *testing.T, options cassim.Options) *World {
	t.Helper()
	w := &World{T: t, Simulator: cassim.New(options)}
	if err := w.Simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Simulator.Close)
	t.Cleanup(func() {
		if err := w.Simulator.EndingHarm(); err != nil {
			t.Error(err)
		}
	})
	w.Client = Client(t)
	w.Namespace = Namespace(t, w.Client)
	w.Create(gen.Secret(w.Namespace, cassim.DefaultKeyID, cassim.DefaultKeySecret))
	return w
}

// Client is a user's with all permissions.
func Client(t *testing.T) client.WithWatch {
	t.Helper()
	kube, err := client.NewWithWatch(config, client.Options{Scheme: Scheme(), Mapper: kinds})
	if err != nil {
		t.Fatal(err)
	}
	return kube
}

// Namespace makes a namespace of its own for a test.
func Namespace(t *testing.T, kube client.Client) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := kube.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// Create makes an object as a user does.
func (w *World) Create(object client.Object) {
	w.T.Helper()
	if err := w.Client.Create(w.T.Context(), object); err != nil {
		w.T.Fatal(err)
	}
}

// Decide approves or denies a request, as an approver does.
func (w *World) Decide(name string, decision cmapi.CertificateRequestConditionType) {
	w.T.Helper()
	request := w.Request(name)
	now := metav1.Now()
	request.Status.Conditions = append(request.Status.Conditions, cmapi.CertificateRequestCondition{
		Type: decision, Status: cmmeta.ConditionTrue, Reason: "test", Message: "decided by the test",
		LastTransitionTime: &now,
	})
	if err := w.Client.Status().Update(w.T.Context(), request); err != nil {
		w.T.Fatal(err)
	}
}

// Request reads a request.
func (w *World) Request(name string) *cmapi.CertificateRequest {
	w.T.Helper()
	request := &cmapi.CertificateRequest{}
	if err := w.Client.Get(w.T.Context(), client.ObjectKey{Namespace: w.Namespace, Name: name}, request); err != nil {
		w.T.Fatal(err)
	}
	return request
}

// Orders lists the Orders of the namespace.
func (w *World) Orders() []v1alpha1.AliyunOrder {
	w.T.Helper()
	list := &v1alpha1.AliyunOrderList{}
	if err := w.Client.List(w.T.Context(), list, client.InNamespace(w.Namespace)); err != nil {
		w.T.Fatal(err)
	}
	return list.Items
}

// ClientAs is the client of a user or of a ServiceAccount, with its permissions.
func ClientAs(t *testing.T, user string) client.Client {
	t.Helper()
	as := rest.CopyConfig(config)
	as.Impersonate.UserName = user
	kube, err := client.New(as, client.Options{Scheme: Scheme(), Mapper: kinds})
	if err != nil {
		t.Fatal(err)
	}
	return kube
}
