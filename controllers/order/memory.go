// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// memory is what a process keeps of Orders beside their status. Nothing may need it to be safe:
// docs/design/architecture.md says what a restart loses of each.
type memory struct {
	*outside

	// known is the UID of each Order that this process has met, by its name.
	known   sync.Map
	pace    pace
	efforts efforts
	zones   zoneRefusals
	// These are by the UID of an Order. unsent holds an intent that may be written although no call followed; accepted
	// holds an id that CAS gave, and that the API server has not taken yet; throttled is since when CAS has throttled
	// every call.
	unsent, accepted, throttled sync.Map
}

// met takes down that the process begins to work on an Order, so that what it remembers can go with it.
func (r *memory) met(ctx context.Context, order *v1alpha1.AliyunOrder) {
	if before, ok := r.known.Swap(client.ObjectKeyFromObject(order), order.UID); ok && before != order.UID {
		r.forget(ctx, before.(types.UID))
	}
	if controllerutil.ContainsFinalizer(order, v1alpha1.OrderFinalizer) {
		r.Remote.Secrets.Hold(order.UID, needs(order))
	} else {
		r.Remote.Secrets.Drop(order.UID) // a cache that is behind may have shown it as unfinished once more
	}
}

// gone forgets an Order that does not exist any more.
func (r *memory) gone(ctx context.Context, key types.NamespacedName) {
	if uid, ok := r.known.LoadAndDelete(key); ok {
		r.forget(ctx, uid.(types.UID))
	}
}

// Drops what the process remembers of an Order that is finished or gone: first of all the keys that its calls were
// signed with. Logs an id that could never be written, because nobody will hear of it otherwise.
func (r *memory) forget(ctx context.Context, order types.UID) {
	r.Remote.Secrets.Drop(order)
	r.pace.forget(order)
	r.efforts.forget(order)
	r.zones.forget(order, r.Remote.Clock.Now())
	r.unsent.Delete(order)
	r.Sources.Forget(order)
	r.throttled.Delete(order)
	if id, ok := r.accepted.LoadAndDelete(order); ok {
		log.FromContext(ctx).Error(errors.New("the AliyunOrder is gone, and never had the id of its order"),
			"an order is paid for, and nobody knows it: cancel and delete it in the console of CAS", "orderID", id)
	}
}

// Returns the Secrets that are needed to give an Order back and to clean up after it.
func needs(order *v1alpha1.AliyunOrder) credentials.Needs {
	found := credentials.Needs{Namespace: order.Spec.SecretNamespace}
	keysOf := func(from *v1alpha1.Credentials) {
		if from != nil && from.AccessKeySecretRef != nil {
			found.AccessKeys = append(found.AccessKeys, *from.AccessKeySecretRef)
		}
	}
	keysOf(&order.Spec.Credentials)
	for _, chosen := range order.Spec.Solvers {
		switch dns := chosen.Solver.DNS; {
		case dns == nil:
		case dns.Alidns != nil:
			keysOf(dns.Alidns.Credentials)
		case dns.RFC2136 != nil && dns.RFC2136.TSIGSecretSecretRef != nil:
			found.Values = append(found.Values, *dns.RFC2136.TSIGSecretSecretRef)
		}
	}
	return found
}
