// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Problem is what keeps somebody from signing in, until a person mends it. Its text is stable and names no value.
type Problem struct {
	// Reason is a condition reason of package v1alpha1.
	Reason string
	// Message names the object, what is wrong with it, and what to do.
	Message string
}

func (p *Problem) Error() string { return p.Message }

// Makes a Problem, with what the Secret's owner has to do, of the API server's error. Only wraps an error that may
// pass.
func (s *Store) unreadable(err error, namespace, name string) error {
	switch {
	case apierrors.IsNotFound(err):
		return &Problem{v1alpha1.ReasonSecretNotFound,
			fmt.Sprintf("the Secret %q does not exist in the namespace %q: create it", name, namespace)}
	case apierrors.IsForbidden(err):
		return &Problem{v1alpha1.ReasonSecretForbidden, fmt.Sprintf(
			"the controller may not read the Secret %q in the namespace %q: grant it that: %s", name, namespace,
			s.grant(namespace, name))}
	default:
		return fmt.Errorf("read the Secret %q in the namespace %q: %w", name, namespace, err)
	}
}

// Returns the command that lets the controller read the Secret.
func (s *Store) grant(namespace, name string) string {
	if kind, role, ok := strings.Cut(s.SecretReaderRole, "/"); ok {
		// The RoleBinding must not have the role's name: the release may come to make one of that name here.
		return fmt.Sprintf("kubectl create rolebinding %s-reads-secrets -n %s --%s=%s %s",
			strings.TrimSuffix(role, "-secrets"), namespace, strings.ToLower(kind), role, s.Self.subject())
	}
	return fmt.Sprintf("kubectl create role aliyun-issuer-secret-%[2]s -n %[1]s --verb=get --resource=secrets "+
		"--resource-name=%[2]s && kubectl create rolebinding aliyun-issuer-secret-%[2]s -n %[1]s "+
		"--role=aliyun-issuer-secret-%[2]s %[3]s",
		namespace, name, s.Self.subject())
}

func invalid(namespace, name, format string, args ...any) error {
	return &Problem{v1alpha1.ReasonSecretInvalid,
		fmt.Sprintf("the Secret %q in the namespace %q %s", name, namespace, fmt.Sprintf(format, args...))}
}

func ownNotAllowed() error {
	return &Problem{v1alpha1.ReasonCredentialsNotAllowed,
		"the issuer may not use the controller's own identity: set accessKeySecretRef, or oidc with a " +
			"serviceAccountRef, in its credentials, or let the operator allow it (chart value ambientCredentials)"}
}

// tokenExpired is the code that STS gives for a token that has expired by its clock, and roleGone the code for a role
// that does not exist.
const (
	tokenExpired = "AuthenticationFail.OIDCToken.Expired"
	roleGone     = "EntityNotExist.Role"
)

// Makes a Problem, with the advice, of what STS refuses for good. Only wraps an error that may pass.
func roleRefused(err error, role, advice string) error {
	kind := rpc.KindOf(err)
	if kind == "" {
		return err // none, or no answer of STS
	}
	said := strings.TrimSuffix(err.Error(), ".")
	switch kind {
	case rpc.KindPermission, rpc.KindNotFound, rpc.KindInvalid, rpc.KindOther:
		if rpc.CodeOf(err) == roleGone { // there is no trust policy to correct
			advice = "create it, or correct roleARN"
		}
		return &Problem{v1alpha1.ReasonRoleRefused, fmt.Sprintf("the role %s cannot be assumed (%s): %s", role, said,
			advice)}
	case rpc.KindCredentialsExpired, rpc.KindCredentialsInvalid:
		if rpc.CodeOf(err) == tokenExpired {
			advice = "by the cluster's clock this token is good: set the clocks of its nodes, and if it is the " +
				"controller's own, see that the kubelet renews it"
		}
		if strings.HasPrefix(rpc.CodeOf(err), "AuthenticationFail.") {
			return &Problem{v1alpha1.ReasonRoleRefused,
				fmt.Sprintf("the role %s cannot be assumed (%s): %s", role, said, advice)}
		}
		return &Problem{v1alpha1.ReasonCredentialsRefused, fmt.Sprintf("the credentials that are to assume the role "+
			"%s are refused (%s): put valid ones in their place", role, said)}
	case rpc.KindRedirect:
		return &Problem{v1alpha1.ReasonEndpointInvalid, fmt.Sprintf("STS cannot be called (%s): correct stsEndpoint",
			said)}
	case rpc.KindClock:
		return &Problem{v1alpha1.ReasonClockSkew, fmt.Sprintf("STS does not accept the time (%s): set the clock of "+
			"the controller's node; up to 15 minutes are tolerated", said)}
	default:
		return fmt.Errorf("assume the role %s: %w", role, err)
	}
}
