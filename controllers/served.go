// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ServedClient reads past any cache, for an installation that serves listed namespaces: what is listed of all
// namespaces is listed of these, since no others may be looked at.
type ServedClient struct {
	client.Client
	// Namespaces are those that are served; empty stands for all.
	Namespaces []string
}

// List implements client.Reader.
func (c *ServedClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	wanted := (&client.ListOptions{}).ApplyOptions(opts)
	if len(c.Namespaces) == 0 || wanted.Namespace != "" {
		return c.Client.List(ctx, list, opts...)
	}
	wanted.Limit, wanted.Continue = 0, "" // a page of one namespace is no page of all
	var all []runtime.Object
	for _, namespace := range c.Namespaces {
		if err := c.Client.List(ctx, list, wanted, client.InNamespace(namespace)); err != nil {
			return err
		}
		some, err := meta.ExtractList(list.DeepCopyObject())
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	return meta.SetList(list, all)
}
