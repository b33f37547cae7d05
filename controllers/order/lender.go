// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"cmp"
	"context"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
)

// Makes the next step of a release with the order's own credentials or, if these are gone for good, with those of a
// lender. If nobody lends any, says in gone that they are gone.
func (r *releasing) tryEither(ctx context.Context, run *orderRun) (cause, gone string, err error) {
	cause, err = r.tryRelease(ctx, run, access.OfOrder(run.order))
	if gone = r.lost(ctx, run.order, err); gone == "" {
		return cause, "", err
	}
	lender, failure := r.lender(ctx, run.order)
	if lender == nil {
		return cause, gone, cmp.Or(failure, err)
	}
	cause, err = r.tryRelease(ctx, run, *lender)
	return cause, "", err
}

// Returns how to reach the order's account through an AliyunClusterIssuer that lends its credentials to orders whose
// own are gone, or nil. Asks for the issuer's account again, although its last check has found it: an operator may have
// put keys of another account into its Secret since. Lends for nothing but an id that CAS itself has answered with: any
// other may be somebody else's order.
func (r *releasing) lender(ctx context.Context, order *v1alpha1.AliyunOrder) (*access.Reach, error) {
	// Listed namespaces have no cluster issuers.
	if r.isListed || order.Status.OrderIDBasis != v1alpha1.OrderIDByAnswer {
		return nil, nil
	}
	issuers := &v1alpha1.AliyunClusterIssuerList{}
	if err := r.List(ctx, issuers); err != nil {
		return nil, err
	}
	for i := range issuers.Items {
		issuer := &issuers.Items[i]
		if issuer.Spec.Releases != v1alpha1.ReleasesAccount ||
			book.AccountOfOrder(order).To(book.AccountOfIssuer(issuer)) != book.SameAccount {
			continue
		}
		to := access.OfIssuer(issuer, r.clusterResourceNamespace)
		if account, err := r.accountOf(ctx, to, r.Remote.Secrets); err == nil && account == order.Status.AccountID {
			log.FromContext(ctx).Info("the credentials of another issuer are used to give the order back", "issuer",
				issuer.Name, "orderID", order.Status.OrderID)
			return &to, nil
		}
	}
	return nil, nil
}
