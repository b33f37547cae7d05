// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dnsendpoint_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
)

const name = "aliyun-order-1-0"

// cluster counts what is written, and refuses what it is told to.
type cluster struct {
	client.Client
	writes []string
	refuse map[string]error
}

func newCluster(t *testing.T, objects ...*unstructured.Unstructured) *cluster {
	t.Helper()
	c := &cluster{refuse: map[string]error{}}
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(dnsendpoint.Kind, &unstructured.Unstructured{})
	list := dnsendpoint.Kind
	list.Kind += "List"
	scheme.AddKnownTypeWithName(list, &unstructured.UnstructuredList{})
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, object := range objects {
		builder = builder.WithObjects(object)
	}
	write := func(verb string, do func() error) error {
		c.writes = append(c.writes, verb)
		if err := c.refuse[verb]; err != nil {
			return err
		}
		return do()
	}
	c.Client = builder.WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, kube client.WithWatch, key client.ObjectKey, o client.Object,
			opts ...client.GetOption) error {
			if err := c.refuse["get"]; err != nil {
				return err
			}
			return kube.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, kube client.WithWatch, list client.ObjectList,
			opts ...client.ListOption) error {
			if err := c.refuse["list"]; err != nil {
				return err
			}
			return kube.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, kube client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if o.GetUID() == "" {
				o.SetUID("made-by-the-cluster")
			}
			return write("create", func() error { return kube.Create(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, kube client.WithWatch, o client.Object, patch client.Patch,
			opts ...client.PatchOption) error {
			return write("patch", func() error { return kube.Patch(ctx, o, patch, opts...) })
		},
		Delete: func(ctx context.Context, kube client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return write("delete", func() error { return kube.Delete(ctx, o, opts...) })
		},
	}).Build()
	return c
}

type zones struct{}

func (zones) FindZone(context.Context, string) (string, error) { return "example.com", nil }

func newSolver(c *cluster, order types.UID) *dnsendpoint.Solver {
	return dnsendpoint.New(dnsendpoint.Config{
		Kube: c, Namespace: "team", Name: name, Zones: zones{}, Labels: map[string]string{"external-dns": "public"},
		Owner: metav1.OwnerReference{APIVersion: "certmanager.aliyun.com/v1alpha1", Kind: "AliyunOrder", Name: "www",
			UID: order, Controller: new(true)},
	})
}

var challenge = dcv.Challenge{Domain: "www.example.com", RecordName: "_dnsauth.www", RecordType: "TXT",
	RecordValue: "the-value"}

// asking is a DNSEndpoint of somebody.
func asking(namespace, name, kind, target string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{
		Object: map[string]any{"spec": map[string]any{"endpoints": []any{map[string]any{
			"dnsName": "_DNSAUTH.www.example.com.", "recordType": kind, "targets": []any{target},
		}}}}}
	object.SetGroupVersionKind(dnsendpoint.Kind)
	object.SetNamespace(namespace)
	object.SetName(name)
	object.SetUID("somebody-elses")
	return object
}

func unclaimed(context.Context, dcv.Record) error { return nil }

func get(t *testing.T, c *cluster) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(dnsendpoint.Kind)
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: name}, object); err != nil {
		t.Fatal(err)
	}
	return object
}

func (c *cluster) wantWrites(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, c.writes); diff != "" {
		t.Errorf("the writes differ (-want +got):\n%s", diff)
	}
	c.writes = nil
}

func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	problem, isProblem := errors.AsType[*dcv.Problem](err)
	if !isProblem || !strings.Contains(problem.Message, want) {
		t.Errorf("got %v, want a problem with %q", err, want)
	}
}

func TestADNSEndpointIsMadeOnceAndPutRight(t *testing.T) {
	c := newCluster(t)
	solver := newSolver(c, "order")
	rec, err := solver.Present(t.Context(), challenge, nil, unclaimed)
	if err != nil || rec.FQDN != "_dnsauth.www.example.com" || rec.ProviderID == "" || rec.Foreign {
		t.Fatalf("got %+v, %v", rec, err)
	}
	c.wantWrites(t, "create")
	again, err := solver.Present(t.Context(), challenge, &rec, unclaimed)
	if err != nil || again != rec {
		t.Errorf("got %+v, %v", again, err)
	}
	c.wantWrites(t)
	changed := get(t, c)
	changed.SetLabels(map[string]string{"theirs": "stays"})
	changed.Object["spec"] = map[string]any{"endpoints": []any{}}
	if err := c.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	if _, err := solver.Present(t.Context(), challenge, &rec, unclaimed); err != nil {
		t.Fatal(err)
	}
	c.wantWrites(t, "patch")
	now := get(t, c)
	if list, _, _ := unstructured.NestedSlice(now.Object, "spec", "endpoints"); len(list) != 1 {
		t.Errorf("it asks for %v", list)
	}
	if want := map[string]string{"theirs": "stays", "external-dns": "public"}; !cmp.Equal(want, now.GetLabels()) {
		t.Errorf("labels are %v", now.GetLabels())
	}
	if err := solver.CleanUp(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	c.wantWrites(t, "delete")
	if err := solver.CleanUp(t.Context(), rec); err != nil {
		t.Errorf("what is gone is no success: %v", err)
	}
	c.wantWrites(t)
}

// TestAnHeirTakesOverWhatItsPredecessorMade expects the heir to recognize the DNSEndpoint by its UID and to become its
// owner.
func TestAnHeirTakesOverWhatItsPredecessorMade(t *testing.T) {
	c := newCluster(t)
	rec, err := newSolver(c, "old").Present(t.Context(), challenge, nil, unclaimed)
	if err != nil {
		t.Fatal(err)
	}
	heir := newSolver(c, "heir")
	_, err = heir.Present(t.Context(), challenge, nil, unclaimed)
	wantProblem(t, err, "was made by somebody else")
	if _, err := heir.Present(t.Context(), challenge, &rec, unclaimed); err != nil {
		t.Fatal(err)
	}
	if owner := metav1.GetControllerOf(get(t, c)); owner == nil || owner.UID != "heir" {
		t.Errorf("the owner is %+v", owner)
	}
	c.wantWrites(t, "create", "patch")
	if err := newSolver(c, "old").CleanUp(
		t.Context(), dcv.Record{FQDN: rec.FQDN, Type: "TXT", Value: rec.Value, ProviderID: "another"}); err != nil {
		t.Fatal(err)
	}
	c.wantWrites(t) // it is the heir's now
}

func TestOthersForTheSameName(t *testing.T) {
	claim := func(context.Context, dcv.Record) error { return errors.New("it was claimed") }
	same := newCluster(t, asking("elsewhere", "theirs", "TXT", "the-value"))
	rec, err := newSolver(same, "order").Present(t.Context(), challenge, nil, claim)
	if err != nil || !rec.Foreign {
		t.Errorf("the very same record: %+v, %v", rec, err)
	}
	if err := newSolver(same, "order").CleanUp(t.Context(), rec); err != nil {
		t.Error(err)
	}
	same.wantWrites(t)

	other := newCluster(t, asking("elsewhere", "theirs", "TXT", "another-value"))
	_, err = newSolver(other, "order").Present(t.Context(), challenge, nil, claim)
	wantProblem(t, err, "a DNSEndpoint of another namespace asks for another TXT record")
	if strings.Contains(err.Error(), "theirs") || strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("a tenant is told what another has: %v", err)
	}
	other.wantWrites(t)
	own := newCluster(t, asking("team", "mine", "TXT", "another-value"))
	_, err = newSolver(own, "order").Present(t.Context(), challenge, nil, claim)
	wantProblem(t, err, `the DNSEndpoint "mine" asks for another TXT record`)

	mail := newCluster(t, asking("elsewhere", "theirs", "MX", "10 mail.example.com"), malformed())
	if _, err := newSolver(mail, "order").Present(t.Context(), challenge, nil, unclaimed); err != nil {
		t.Errorf("another type: %v", err)
	}
	mail.wantWrites(t, "create")
}

func malformed() *unstructured.Unstructured {
	object := asking("elsewhere", "malformed", "TXT", "x")
	object.Object["spec"] = map[string]any{"endpoints": []any{"what", map[string]any{"dnsName": int64(1)}}}
	return object
}

func TestSomebodyElsesObjectOfOurNameStays(t *testing.T) {
	c := newCluster(t, asking("team", name, "A", "127.0.0.1"))
	solver := newSolver(c, "order")
	_, err := solver.Present(t.Context(), challenge, nil, unclaimed)
	wantProblem(t, err, "was made by somebody else, and has the name of the one to make: delete it")
	if err := solver.CleanUp(t.Context(), dcv.Record{FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: "the-value",
		ProviderID: "ours"}); err != nil {
		t.Fatal(err)
	}
	c.wantWrites(t)
}

func TestWhatTheClusterSaysIsExplained(t *testing.T) {
	resource := dnsendpoint.Kind.GroupVersion().WithResource("dnsendpoints").GroupResource()
	forbidden := apierrors.NewForbidden(resource, name, errors.New("RBAC"))
	denied := apierrors.NewForbidden(resource, name, errors.New("a webhook"))
	denied.ErrStatus.Message = `admission webhook "policy.example.com" denied the request: no TXT records here`
	invalid := &apierrors.StatusError{
		ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity,
			Reason: metav1.StatusReasonInvalid, Message: "spec is wrong"}}
	for _, test := range []struct {
		verb string
		err  error
		want string
	}{
		{"get", &meta.NoKindMatchError{GroupKind: dnsendpoint.Kind.GroupKind()}, "the cluster does not know the " +
			"kind DNSEndpoint: install the CRD of ExternalDNS"},
		{"get", forbidden, "the controller may not use the kind DNSEndpoint: set the chart value solvers.dnsEndpoint"},
		{"create", denied, "no TXT records here"},
		{"create", invalid, "spec is wrong"},
		{"list", forbidden, "the controller may not use the kind DNSEndpoint: set the chart value solvers.dnsEndpoint"},
		{"list", denied, "no TXT records here"},
		{"list", invalid, "spec is wrong"},
		{"list", apierrors.NewBadRequest("limit is wrong"), "limit is wrong"},
	} {
		c := newCluster(t)
		c.refuse[test.verb] = test.err
		_, err := newSolver(c, "order").Present(t.Context(), challenge, nil, unclaimed)
		wantProblem(t, err, test.want)
	}
	c := newCluster(t)
	c.refuse["create"] = apierrors.NewConflict(resource, name, errors.New("somebody was faster"))
	_, err := newSolver(c, "order").Present(t.Context(), challenge, nil, unclaimed)
	if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem || apierrors.IsConflict(err) {
		t.Errorf("got %v, want an error that passes and is no conflict of the caller's own objects", err)
	}
}

func TestAProbeOnlyReads(t *testing.T) {
	c := newCluster(t)
	if err := newSolver(c, "").Probe(t.Context()); err != nil {
		t.Error(err)
	}
	c.refuse["get"] = &meta.NoKindMatchError{GroupKind: dnsendpoint.Kind.GroupKind()}
	wantProblem(t, newSolver(c, "").Probe(t.Context()), "install the CRD")
	c.wantWrites(t)
}
