// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"errors"
	"strings"
	"sync"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// maxKeyLength bounds a key or a token. STS tokens have some hundred characters and no documented length.
const maxKeyLength = 8192

// Store reads Secrets. It is safe for concurrent use.
type Store struct {
	// Reader reads past the cache: the manager's API reader.
	Reader client.Reader

	mutex      sync.Mutex
	remembered map[reference]rpc.Credentials
	values     map[valueReference]string
}

type reference struct {
	namespace string
	ref       v1alpha1.AccessKeySecretRef
}

// Keys returns what signs the calls of an issuer whose Secrets are in the namespace. The Secret is read anew for
// each call. Errors are a *Problem, or one of the API server that may pass.
func (s *Store) Keys(namespace string, from v1alpha1.Credentials) rpc.CredentialsFunc {
	return func(ctx context.Context) (rpc.Credentials, error) {
		keys, err := s.read(ctx, namespace, *from.AccessKeySecretRef)
		if err == nil {
			s.remember(namespace, *from.AccessKeySecretRef, keys)
		}
		return keys, err
	}
}

// LastKeys is like Keys, and falls back to the keys that were read last if the Secret has been deleted since. It is
// for giving orders back, and for nothing that costs money: a deleted Secret must end those.
func (s *Store) LastKeys(namespace string, from v1alpha1.Credentials) rpc.CredentialsFunc {
	current := s.Keys(namespace, from)
	return func(ctx context.Context) (rpc.Credentials, error) {
		keys, err := current(ctx)
		if problem, ok := errors.AsType[*Problem](err); ok && problem.Reason == v1alpha1.ReasonSecretNotFound {
			if last, ok := s.recall(namespace, *from.AccessKeySecretRef); ok {
				return last, nil
			}
		}
		return keys, err
	}
}

func (s *Store) read(ctx context.Context, namespace string, ref v1alpha1.AccessKeySecretRef) (rpc.Credentials, error) {
	secret, err := s.secret(ctx, namespace, ref.Name)
	if err != nil {
		return rpc.Credentials{}, err
	}
	var keys rpc.Credentials
	if keys.AccessKeyID, err = value(secret, ref.AccessKeyIDKey, maxKeyLength); err != nil {
		return rpc.Credentials{}, err
	}
	if keys.AccessKeySecret, err = value(secret, ref.AccessKeySecretKey, maxKeyLength); err != nil {
		return rpc.Credentials{}, err
	}
	if ref.SecurityTokenKey != "" {
		if keys.SecurityToken, err = value(secret, ref.SecurityTokenKey, maxKeyLength); err != nil {
			return rpc.Credentials{}, err
		}
	}
	return keys, nil
}

// Version changes when the Secret does, and is empty while it cannot be read. It costs nothing at Alibaba Cloud.
func (s *Store) Version(ctx context.Context, namespace, name string) string {
	secret, err := s.secret(ctx, namespace, name)
	if err != nil {
		return ""
	}
	return string(secret.UID) + "/" + secret.ResourceVersion
}

func (s *Store) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if err := s.Reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret); err != nil {
		return nil, unreadable(err, namespace, name)
	}
	return secret, nil
}

// value trims the white space that pasting and files bring along, and refuses what is left of it.
func value(secret *corev1.Secret, key string, limit int) (string, error) {
	raw, found := secret.Data[key]
	text := strings.TrimSpace(string(raw))
	switch {
	case !found:
		return "", invalid(secret.Namespace, secret.Name, "has no key %q: add it", key)
	case text == "":
		return "", invalid(secret.Namespace, secret.Name, "has an empty value for %q: fill it in", key)
	case len(text) > limit:
		return "", invalid(secret.Namespace, secret.Name, "has more than %d bytes for %q: shorten it", limit, key)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", invalid(secret.Namespace, secret.Name, "has line breaks or control characters in the value for %q: remove them", key)
	}
	return text, nil
}

func (s *Store) remember(namespace string, ref v1alpha1.AccessKeySecretRef, keys rpc.Credentials) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.remembered == nil {
		s.remembered = map[reference]rpc.Credentials{}
	}
	s.remembered[reference{namespace, ref}] = keys
}

func (s *Store) recall(namespace string, ref v1alpha1.AccessKeySecretRef) (rpc.Credentials, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	keys, ok := s.remembered[reference{namespace, ref}]
	return keys, ok
}
