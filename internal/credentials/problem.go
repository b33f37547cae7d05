// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Problem is a Secret that cannot be used. It heals when the Secret does. Its text is stable and names no value.
type Problem struct {
	// Reason is a condition reason of package v1alpha1: SecretNotFound, SecretForbidden or SecretInvalid.
	Reason string
	// Message names the Secret, what is wrong with it, and what to do.
	Message string
}

func (p *Problem) Error() string { return p.Message }

// unreadable turns what the API server said about a Secret into what its owner has to do. Errors that may pass are
// returned as they are.
func unreadable(err error, namespace, name string) error {
	switch {
	case apierrors.IsNotFound(err):
		return &Problem{v1alpha1.ReasonSecretNotFound,
			fmt.Sprintf("the Secret %q does not exist in the namespace %q: create it", name, namespace)}
	case apierrors.IsForbidden(err):
		return &Problem{v1alpha1.ReasonSecretForbidden,
			fmt.Sprintf("the controller may not read the Secret %q in the namespace %q: grant its ServiceAccount the verb get on it", name, namespace)}
	default:
		return fmt.Errorf("read the Secret %q in the namespace %q: %w", name, namespace, err)
	}
}

func invalid(namespace, name, format string, args ...any) error {
	return &Problem{v1alpha1.ReasonSecretInvalid,
		fmt.Sprintf("the Secret %q in the namespace %q %s", name, namespace, fmt.Sprintf(format, args...))}
}
