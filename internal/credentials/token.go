// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"fmt"
	"os"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const (
	// tokenFileVariable names the file of the controller's own token. The chart sets it, and so does the webhook of ACK
	// (https://www.alibabacloud.com/help/en/cs/user-guide/ack-pod-identity-webhook).
	tokenFileVariable = "ALIBABA_CLOUD_OIDC_TOKEN_FILE"
	// tokenSeconds is how long a requested token lasts: the shortest that the API server gives. It is exchanged at
	// once, and forgotten.
	tokenSeconds = 600
)

// token returns a token to exchange, and says whose it is.
func (s *Store) token(ctx context.Context, namespace string,
	ref *v1alpha1.ServiceAccountReference) (token, who string, err error) {
	if ref == nil {
		token, err = ownToken()
		return token, "the controller's own ServiceAccount", err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: ref.Name}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{ref.Audience}, ExpirationSeconds: new(int64(tokenSeconds)),
	}}
	err = s.Tokens.SubResource("token").Create(ctx, account, request)
	return request.Status.Token, fmt.Sprintf("the audience %q and the subject system:serviceaccount:%s:%s",
			ref.Audience, namespace, ref.Name),
		s.tokenRefused(err, namespace, ref.Name)
}

// ownToken is read each time: the kubelet renews it.
func ownToken() (string, error) {
	file := os.Getenv(tokenFileVariable)
	if file == "" {
		return "", &Problem{v1alpha1.ReasonTokenUnavailable,
			"the controller's Pod has no token to exchange: set oidcToken.enabled of the Helm chart, or let the " +
				"webhook of ACK inject it, or name a serviceAccountRef"}
	}
	text, err := os.ReadFile(file)
	token := strings.TrimSpace(string(text))
	if err != nil || token == "" {
		return "", &Problem{v1alpha1.ReasonTokenUnavailable,
			"the token of the controller's Pod cannot be read (" + tokenFileVariable +
				"): mount it readable for the controller's user"}
	}
	return token, nil
}

// Makes a Problem of a refused request for a token. For a missing right, it prints the commands that grant it.
func (s *Store) tokenRefused(err error, namespace, name string) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return &Problem{v1alpha1.ReasonServiceAccountNotFound,
			fmt.Sprintf("the ServiceAccount %q does not exist in the namespace %q: create it, or correct "+
				"serviceAccountRef", name, namespace)}
	case apierrors.IsForbidden(err):
		role := "aliyun-issuer-token-" + name
		return &Problem{v1alpha1.ReasonTokenForbidden, fmt.Sprintf(
			"the controller may not request tokens for the ServiceAccount %[2]q in the namespace %[1]q: grant it "+
				"that, and no more: "+
				"kubectl create role %[3]s -n %[1]s --verb=create --resource=serviceaccounts/token "+
				"--resource-name=%[2]s && "+
				"kubectl create rolebinding %[3]s -n %[1]s --role=%[3]s %[4]s", namespace, name, role,
			s.Self.subject())}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return &Problem{v1alpha1.ReasonTokenForbidden, fmt.Sprintf(
			"the API server gives no token for the ServiceAccount %q in the namespace %q with the audience of "+
				"serviceAccountRef: correct it", name, namespace)}
	default:
		return fmt.Errorf("request a token for the ServiceAccount %q in the namespace %q: %w", name, namespace, err)
	}
}
