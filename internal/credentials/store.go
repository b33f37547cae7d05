// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

// maxKeyLength bounds a key or a token. STS tokens have some hundred characters and no documented length.
const maxKeyLength = 8192

// Store reads Secrets, and keeps what STS gives for them. It is safe for concurrent use.
type Store struct {
	// Reader reads past the cache: the manager's API reader.
	Reader client.Reader
	// Tokens requests tokens of ServiceAccounts.
	Tokens client.SubResourceClientConstructor
	// Self and SecretReaderRole, as ClusterRole/name or Role/name, are for the commands that say what to grant. Both
	// may be empty.
	Self             Self
	SecretReaderRole string
	// STSRate is the number of calls a second to each API of STS; the default is that of package sts.
	STSRate float64
	// Now is the clock; the default is time.Now.
	Now func() time.Time

	sessions   sessions
	identities identities
	refusals   refusals

	keys   held[v1alpha1.AccessKeySecretRef, rpc.Credentials]
	values held[v1alpha1.SecretKeyReference, string]
}

// Reads the keys in a Secret. If the Secret has been deleted and last is set, returns the keys that were remembered of
// it. That is for giving orders back, and for nothing that costs money, which must end with the Secret.
func (s *Store) accessKey(ctx context.Context, namespace string, ref v1alpha1.AccessKeySecretRef,
	last bool) (rpc.Credentials, error) {
	keys, err := s.read(ctx, namespace, ref)
	if err == nil {
		s.keys.remember(reference[v1alpha1.AccessKeySecretRef]{namespace, ref}, keys)
		return keys, nil
	}
	if problem, ok := errors.AsType[*Problem](err); last && ok && problem.Reason == v1alpha1.ReasonSecretNotFound {
		if remembered, ok := s.keys.recall(reference[v1alpha1.AccessKeySecretRef]{namespace, ref}); ok {
			return remembered, nil
		}
	}
	return rpc.Credentials{}, err
}

func (s *Store) read(ctx context.Context, namespace string, ref v1alpha1.AccessKeySecretRef) (rpc.Credentials, error) {
	secret, err := s.secret(ctx, namespace, ref.Name)
	if err != nil {
		return rpc.Credentials{}, err
	}
	if secret.Type != "" && secret.Type != corev1.SecretTypeOpaque {
		return rpc.Credentials{}, invalid(namespace, ref.Name, "is of the type %q, whose values are no AccessKeys "+
			"and go nowhere: put the AccessKey into one of the type Opaque", secret.Type)
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

// Version returns a text that changes with the Secret, or "" if the Secret cannot be read. It makes no call to Alibaba
// Cloud.
func (s *Store) Version(ctx context.Context, namespace, name string) string {
	secret, err := s.secret(ctx, namespace, name)
	if err != nil {
		return ""
	}
	return string(secret.UID) + "/" + secret.ResourceVersion
}

func (s *Store) sts(endpoint rpc.Endpoint) *sts.Client {
	return sts.New(sts.Config{Endpoint: endpoint, Rate: s.STSRate})
}

func (s *Store) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if err := s.Reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret); err != nil {
		return nil, s.unreadable(err, namespace, name)
	}
	return secret, nil
}

// Returns a value without the white space around it that pasting and files bring along. Refuses an empty value, one
// that is longer than limit, and one with line breaks or control characters in it.
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
		return "", invalid(secret.Namespace, secret.Name, "has line breaks or control characters in the value for "+
			"%q: remove them", key)
	}
	return text, nil
}
