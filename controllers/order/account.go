// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// outside is how the sources, and the accounts behind them, are reached.
type outside struct {
	Remote  *access.Remote
	Sources source.Registry
}

// Returns the account that credentials belong to now, or empty if nobody can tell.
func (r *outside) accountOf(ctx context.Context, by access.Reach, secrets access.SecretReader) (string, error) {
	login, err := r.Remote.Login(by, nil)
	if err != nil {
		return "", err
	}
	keys, err := secrets.Provider(login).Credentials(ctx)
	return keys.Account, err
}

// Returns a problem if the credentials are of another account now than the order. That another account does not know
// the order, or does not list it, says nothing about the order: to believe it would lose what is paid for, or buy it
// again.
func (r *outside) inOtherAccount(ctx context.Context, run *orderRun, by access.Reach,
	secrets access.SecretReader) error {
	made := run.order.Status.AccountID
	if made == "" {
		return nil
	}
	now, err := r.accountOf(ctx, by, secrets)
	if err != nil || now == "" || now == made {
		return err
	}
	return &credentials.Problem{Reason: v1alpha1.ReasonAccountChanged, Message: fmt.Sprintf(
		"the order for %q was submitted in the account %s, and the credentials are of the account %s now: give the "+
			"issuer credentials of %s again until the order has ended",
		run.order.Spec.CommonName, made, now, made)}
}
