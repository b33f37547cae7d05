// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Lag lets the cache of the reconcilers be one round behind the API server, even after a restart, since an informer
// lists what a replica of the API server remembers. What reconcilers read past the cache is up to date. Lag is called
// once, after New.
func (e *Env) Lag() {
	e.lag = &lag{client: e.Client}
	e.counted = e.counting(interceptor.NewClient(e.Client, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object,
			opts ...client.GetOption) error {
			for _, list := range e.lag.past {
				if kindOf(list) == kindOf(o) {
					return pickFrom(list.DeepCopyObject().(client.ObjectList), key, o)
				}
			}
			return c.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, into client.ObjectList, opts ...client.ListOption) error {
			for _, list := range e.lag.past {
				if kindOf(list) == kindOf(into) {
					return e.pickAll(list.DeepCopyObject().(client.ObjectList), into,
						(&client.ListOptions{}).ApplyOptions(opts))
				}
			}
			return c.List(ctx, into, opts...)
		},
	}))
	e.Restart()
}

// lag is what the cache has. The zero value of past is a cache that is up to date.
type lag struct {
	client        client.Client
	past, present []client.ObjectList
}

// turn is called at the beginning of a round.
func (l *lag) turn(ctx context.Context) error {
	l.past, l.present = l.present, nil
	for _, list := range []client.ObjectList{&cmapi.CertificateRequestList{}, &v1alpha1.AliyunOrderList{},
		&v1alpha1.AliyunIssuerList{}} {
		if err := l.client.List(ctx, list); err != nil {
			return err
		}
		l.present = append(l.present, list)
	}
	return nil
}
