// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
)

// maxPages bounds the listing of an account: a hundred instances are on each.
const maxPages = 50

// listed reads all instances of an account that may be selected. Those that change meanwhile may be missing, which
// makes an order wait and never buys anything: whoever acts on an instance looks at it first.
func listed(ctx context.Context, calls *casinstance.Client, by *v1alpha1.InstanceSelector) ([]casinstance.Instance,
	error) {
	query := casinstance.Query{Type: string(by.Type), ResourceGroupID: by.ResourceGroupID}
	known := map[casinstance.ID]bool{}
	var all []casinstance.Instance
	for query.Page = 1; query.Page <= maxPages; query.Page++ {
		page, err := calls.List(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, seen := range page.Items {
			if !known[seen.ID] && mayBeSelected(by, &seen) {
				all = append(all, seen)
			}
			known[seen.ID] = true
		}
		if query.Page*casinstance.MaxPageSize >= page.Total {
			break
		}
	}
	for _, id := range by.IDs { // a list may be behind
		if !known[casinstance.ID(id)] {
			all = append(all, casinstance.Instance{ID: casinstance.ID(id)})
		}
	}
	return all, nil
}

// selected are the instances that the issuer selects, as far as a list tells. They are read once in a session.
func (s *session) selected(ctx context.Context) (all []casinstance.Instance, err error) {
	if s.all == nil {
		s.all, err = listed(ctx, s.calls, &s.spec.Selector)
	}
	return s.all, err
}

// mayBeSelected compares all but the tags, which a list does not have.
func mayBeSelected(by *v1alpha1.InstanceSelector, seen *casinstance.Instance) bool {
	has := func(wanted []string, value string) bool {
		isIt := func(w string) bool { return strings.EqualFold(w, value) }
		return len(wanted) == 0 || slices.ContainsFunc(wanted, isIt)
	}
	return (len(by.IDs) == 0 || slices.Contains(by.IDs, string(seen.ID))) &&
		(by.Type == "" || string(by.Type) == seen.Type) &&
		(by.ResourceGroupID == "" || by.ResourceGroupID == seen.ResourceGroupID) &&
		has(by.CertificateTypes, seen.CertificateType) && has(by.Brands, seen.Brand) && has(by.Specs, seen.Spec) &&
		strings.HasPrefix(seen.Name, by.NamePrefix)
}

// selects compares all of an instance.
func selects(by *v1alpha1.InstanceSelector, seen *casinstance.Detail) bool {
	return mayBeSelected(by, &seen.Instance) && !slices.ContainsFunc(by.Tags, func(tag v1alpha1.InstanceTag) bool {
		value, isThere := seen.Tags[tag.Key]
		return !isThere || value != tag.Value
	})
}

// appliedBy returns the other Orders that have applied with an instance, past the cache: whoever does not see that it
// is taken would write over an application.
func (s *session) appliedBy(ctx context.Context, id string) ([]v1alpha1.AliyunOrder, error) {
	others := &v1alpha1.AliyunOrderList{}
	if err := s.APIReader.List(ctx, others, client.MatchingFields{fieldInstance: id}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(others.Items, func(o v1alpha1.AliyunOrder) bool { return o.UID == s.Order.UID }), nil
}
