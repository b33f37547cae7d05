// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// accountOf is the account that the order's credentials belong to now, or empty where nobody can tell.
func (r *OrderReconciler) accountOf(ctx context.Context, run *orderRun, secrets secretReader) (string, error) {
	login, err := r.Remote.login(reachOfOrder(run.order), nil)
	if err != nil {
		return "", err
	}
	keys, err := secrets.Provider(login).Credentials(ctx)
	return keys.Account, err
}

// inOtherAccount returns a problem if the credentials are of another account now than the order. What CAS does not know
// then, or does not list, says nothing about the order: to believe it would lose what is paid for, or buy it again.
func (r *OrderReconciler) inOtherAccount(ctx context.Context, run *orderRun, secrets secretReader) error {
	made := run.order.Status.AccountID
	if made == "" {
		return nil
	}
	now, err := r.accountOf(ctx, run, secrets)
	if err != nil || now == "" || now == made {
		return err
	}
	return &credentials.Problem{Reason: v1alpha1.ReasonAccountChanged, Message: fmt.Sprintf(
		"the order for %q was submitted in the account %s, and the credentials are of the account %s now: give the issuer credentials of %s again until the order has ended",
		run.order.Spec.CommonName, made, now, made)}
}
