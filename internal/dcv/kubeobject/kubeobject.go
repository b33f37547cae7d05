// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package kubeobject keeps the one object in the cluster by which a solver lets something else publish: a DNSEndpoint,
// an Ingress or an HTTPRoute. It leaves alone an object that was not made for the challenge, whatever its name.
package kubeobject

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Keeper keeps objects of one kind.
type Keeper struct {
	// Kube reads and writes past any cache.
	Kube client.Client
	Kind schema.GroupVersionKind
	// IsMarked says whether an object bears our mark. An object with the mark of an earlier owner of the same challenge
	// is recognized by its UID instead.
	IsMarked func(object *unstructured.Unstructured) bool
	// Missing says what to install if the cluster does not know the kind, and Forbidden what to set if we may not use
	// it.
	Missing, Forbidden string
}

// New returns an empty object of the kind.
func (k *Keeper) New(namespace, name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(k.Kind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

// Present makes the wanted object exist as it is wanted, and returns the record with its UID. Before creating anything,
// it calls mayCreate. If that returns a Foreign record, Present creates nothing and returns the record.
func (k *Keeper) Present(
	ctx context.Context, wanted *unstructured.Unstructured, rec dcv.Record, prior *dcv.Record,
	mayCreate func(context.Context) (dcv.Record, error),
) (dcv.Record, error) {
	found := k.New(wanted.GetNamespace(), wanted.GetName())
	err := k.Kube.Get(ctx, client.ObjectKeyFromObject(wanted), found)
	switch {
	case apierrors.IsNotFound(err):
		allowed, err := mayCreate(ctx)
		if err != nil || allowed.Foreign {
			return allowed, err
		}
		if err := k.Kube.Create(ctx, wanted); err != nil {
			return dcv.Record{}, k.explain(k.named(wanted), err)
		}
		rec.ProviderID = string(wanted.GetUID())
		return rec, nil
	case err != nil:
		return dcv.Record{}, k.explain(k.named(wanted), err)
	case !k.isOurs(found, prior):
		return dcv.Record{}, &dcv.Problem{Message: fmt.Sprintf("the %s %q in the namespace %q was made by somebody "+
			"else, and has the name of the one to make: delete it",
			k.Kind.Kind, found.GetName(), found.GetNamespace())}
	}
	rec.ProviderID = string(found.GetUID())
	return rec, k.keep(ctx, found, wanted)
}

// CleanUp deletes the object that was made for the record. It returns nil if the object is gone or is not ours.
func (k *Keeper) CleanUp(ctx context.Context, namespace, name string, rec dcv.Record) error {
	found := k.New(namespace, name)
	err := k.Kube.Get(ctx, client.ObjectKeyFromObject(found), found)
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil
	case err != nil:
		return k.explain(k.named(found), err)
	case !k.isOurs(found, &rec):
		return nil
	}
	uid := found.GetUID()
	err = k.Kube.Delete(ctx, found, client.Preconditions{UID: &uid})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // it is gone, and perhaps another one is there
		return nil
	}
	return k.explain(k.named(found), err)
}

// Probe says whether the kind is installed, and may be read.
func (k *Keeper) Probe(ctx context.Context, namespace string) error {
	object := k.New(namespace, "aliyun-issuer-probe")
	err := k.Kube.Get(ctx, client.ObjectKeyFromObject(object), object)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return k.explain(k.named(object), err)
}

// List returns all objects of the kind, in all namespaces.
func (k *Keeper) List(ctx context.Context) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(k.Kind)
	err := k.Kube.List(ctx, list)
	return list.Items, k.explain("list of objects of the kind "+k.Kind.Kind, err)
}

// deniedByWebhook is what the API server writes before the words of an admission webhook.
const deniedByWebhook = "denied the request"

// named is an object in words.
func (k *Keeper) named(object *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %q", k.Kind.Kind, object.GetName())
}

// Makes a Problem of an error that a person has to solve. what names, in words, the object that was not read or
// written.
func (k *Keeper) explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case meta.IsNoMatchError(err):
		return &dcv.Problem{Message: fmt.Sprintf("the cluster does not know the kind %s: %s", k.Kind.Kind, k.Missing)}
	case apierrors.IsForbidden(err) && !strings.Contains(err.Error(), deniedByWebhook):
		return &dcv.Problem{Message: fmt.Sprintf("the controller may not use the kind %s: %s", k.Kind.Kind,
			k.Forbidden)}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err),
		apierrors.IsForbidden(err): // admission webhooks refuse with any of them
		return &dcv.Problem{Message: fmt.Sprintf("the cluster does not take the %s: %v", what, err)}
	default: // not wrapped: whoever calls a Solver has objects of its own, whose conflicts mean something else
		return errors.New("the " + k.Kind.Kind + " could not be written or read: " + err.Error())
	}
}

// Restores what somebody has changed in the object. Leaves alone the fields that the API server fills in.
func (k *Keeper) keep(ctx context.Context, found, wanted *unstructured.Unstructured) error {
	next := found.DeepCopy()
	next.SetLabels(merged(found.GetLabels(), wanted.GetLabels()))
	next.SetAnnotations(merged(found.GetAnnotations(), wanted.GetAnnotations()))
	next.SetOwnerReferences(wanted.GetOwnerReferences())
	if !equality.Semantic.DeepDerivative(wanted.Object["spec"], found.Object["spec"]) {
		next.Object["spec"] = wanted.Object["spec"]
	}
	if equality.Semantic.DeepEqual(found.Object, next.Object) {
		return nil
	}
	return k.explain(k.named(wanted),
		k.Kube.Patch(ctx, next, client.MergeFromWithOptions(found, client.MergeFromWithOptimisticLock{})))
}

func (k *Keeper) isOurs(found *unstructured.Unstructured, rec *dcv.Record) bool {
	return k.IsMarked(found) || rec != nil && rec.ProviderID != "" && rec.ProviderID == string(found.GetUID())
}

func merged(found, wanted map[string]string) map[string]string {
	if len(wanted) == 0 {
		return found
	}
	out := maps.Clone(found)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, wanted)
	return out
}
