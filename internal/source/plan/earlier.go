// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// maxReuseLooks bounds how many orders are described to find one that can be delivered again: two seconds' calls, and
// far more than the young certificates that a name has at a time. The youngest are looked at first.
const maxReuseLooks = 20

// Earlier returns the first issued order of the account whose certificate serves the request, or nil. It tries the
// orders that are known to have the key, then the others of the listing, the youngest first. It leaves out known orders
// of another product, since whoever has changed the product wants another certificate, and known orders that the
// listing says have ended, since they may be revoked. A known order that the listing still has under way is tried: the
// listing may be behind.
func (s *session) Earlier(ctx context.Context, known []source.Known) (*source.Found, error) {
	own := map[cas.OrderID]bool{}
	for _, k := range known {
		if id, isID := cas.ParseOrderID(k.ID); isID {
			own[id] = k.Product == s.spec.ProductCode
		}
	}
	all, err := s.listAll(ctx)
	if err != nil {
		return nil, err
	}
	var issued []cas.ListItem
	for _, item := range all.items {
		_, isOwn := own[item.OrderID]
		switch {
		case isOwn && item.Status != cas.ListIssued && item.Status != cas.ListChecking:
			delete(own, item.OrderID)
		case !isOwn && item.Status == cas.ListIssued && s.mayServe(item):
			issued = append(issued, item)
		}
	}
	slices.SortStableFunc(issued, func(a, b cas.ListItem) int { return b.NotAfter.Compare(a.NotAfter) })
	maps.DeleteFunc(own, func(_ cas.OrderID, isSame bool) bool { return !isSame })
	ids := slices.Sorted(maps.Keys(own))
	for _, item := range issued {
		ids = append(ids, item.OrderID)
	}
	for _, id := range ids[:min(len(ids), maxReuseLooks)] {
		if found, err := s.serves(ctx, id); found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// serves describes an order, and returns it if its certificate can be delivered again.
func (s *session) serves(ctx context.Context, id cas.OrderID) (*source.Found, error) {
	described, err := s.calls.Describe(ctx, id)
	switch {
	case cas.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case described.State != cas.StateCertificate:
		return nil, nil
	}
	bundle, err := s.Chain(ctx, s.observation(described))
	if err != nil {
		return nil, err
	}
	certificates, err := chain.Usable(s.Order.Spec.Request, bundle, s.Order.Spec.DNSNames, s.Now)
	if err != nil || !chain.IsYoung(certificates[0].NotBefore, certificates[0].NotAfter, s.Now) {
		return nil, nil //nolint:nilerr // a certificate that cannot be used serves nobody
	}
	return &source.Found{ID: string(id), Stored: s.stored(described), Certificates: certificates}, nil
}

// Says whether an issued order in a listing may have a certificate to deliver again. A missing date or domain excludes
// nothing, nor does a product in words that this version does not know.
func (s *session) mayServe(item cas.ListItem) bool {
	isOld := !item.NotBefore.IsZero() && !item.NotAfter.IsZero() && !chain.IsYoung(item.NotBefore, item.NotAfter, s.Now)
	isExcluded := slices.Contains(s.Order.Status.ExcludedOrderIDs, string(item.OrderID))
	return item.OrderID != "" && !isOld && !isExcluded && !IsOther(item.ProductCode, s.spec) &&
		mayBe(item, s.Order.Spec.CommonName, time.Time{})
}
