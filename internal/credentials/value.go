// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"errors"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Value returns a function that reads one value of a Secret, anew for each use. Its errors are like those of
// [Store.Provider].
func (s *Store) Value(namespace string, ref v1alpha1.SecretKeyReference) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		secret, err := s.secret(ctx, namespace, ref.Name)
		if err != nil {
			return "", err
		}
		text, err := value(secret, ref.Key, maxKeyLength)
		if err == nil {
			s.values.remember(reference[v1alpha1.SecretKeyReference]{namespace, ref}, text)
		}
		return text, err
	}
}

// Last reads as a Store does, and falls back to what was read last where a Secret has been deleted since, as long as
// somebody holds it. It is for giving back and cleaning up, and for nothing that costs money, which must end with the
// Secret.
type Last struct{ *Store }

// Provider is like [Store.Provider].
func (l Last) Provider(login Login) rpc.CredentialsProvider {
	return &provider{store: l.Store, login: login, last: true}
}

// Value is like [Store.Value].
func (l Last) Value(namespace string, ref v1alpha1.SecretKeyReference) func(context.Context) (string, error) {
	current := l.Store.Value(namespace, ref)
	return func(ctx context.Context) (string, error) {
		text, err := current(ctx)
		if problem, ok := errors.AsType[*Problem](err); ok && problem.Reason == v1alpha1.ReasonSecretNotFound {
			if last, ok := l.values.recall(reference[v1alpha1.SecretKeyReference]{namespace, ref}); ok {
				return last, nil
			}
		}
		return text, err
	}
}
