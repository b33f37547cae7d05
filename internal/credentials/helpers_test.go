// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// The values below are what must never appear in an error.
const (
	keyID  = "LTAI5tTESTkeyIdentifier"
	secret = "TESTkeySecretTESTkeySecret"
	token  = "CAISTESTsecurityToken+/="

	contactName  = "Zhang San"
	contactEmail = "zhang.san@example.com"
	contactPhone = "+86 138 0000 0000"
)

// cluster is what the API server holds, and what it was asked.
type cluster struct {
	client.Client
	refuse error // what every read is answered with, if it is set

	// what every request of a token is answered with, if it is set
	refuseToken error
	sign        func(namespace, account, audience string) string // gives the tokens

	mu     sync.Mutex
	reads  []string // namespace/name of each
	tokens []string // of each that was requested: the ServiceAccount, and all of the request
}

func start(secrets ...*corev1.Secret) *cluster {
	c := &cluster{}
	builder := fake.NewClientBuilder()
	for _, s := range secrets {
		builder.WithObjects(s)
	}
	c.Client = builder.WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, under client.WithWatch, key client.ObjectKey, obj client.Object,
			opts ...client.GetOption) error {
			c.mu.Lock()
			c.reads = append(c.reads, key.String())
			c.mu.Unlock()
			if c.refuse != nil {
				return c.refuse
			}
			return under.Get(ctx, key, obj, opts...)
		},
		SubResourceCreate: func(_ context.Context, _ client.Client, name string, obj, sub client.Object,
			_ ...client.SubResourceCreateOption) error {
			return c.giveToken(name, obj, sub.(*authenticationv1.TokenRequest))
		},
	}).Build()
	return c
}

// giveToken is what the API server does with a request for a token.
func (c *cluster) giveToken(subresource string, account client.Object, request *authenticationv1.TokenRequest) error {
	spec := request.Spec
	c.mu.Lock()
	c.tokens = append(c.tokens, fmt.Sprintf("%s of %T %s/%s for %q, %d seconds, bound to %v",
		subresource, account, account.GetNamespace(), account.GetName(), spec.Audiences, *spec.ExpirationSeconds,
		spec.BoundObjectRef))
	c.mu.Unlock()
	if c.refuseToken != nil {
		return c.refuseToken
	}
	request.Status.Token = c.sign(account.GetNamespace(), account.GetName(), spec.Audiences[0])
	return nil
}

func (c *cluster) store() *credentials.Store {
	return &credentials.Store{Reader: c, Tokens: c, Self: "system:serviceaccount:system:aliyun-issuer",
		SecretReaderRole: "ClusterRole/cas-secrets"}
}

// Updates the Secret, or creates it.
func (c *cluster) put(t *testing.T, s *corev1.Secret) {
	t.Helper()
	err := c.Update(t.Context(), s)
	if apierrors.IsNotFound(err) {
		err = c.Create(t.Context(), s)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) remove(t *testing.T, s *corev1.Secret) {
	t.Helper()
	if err := c.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// secretOf takes pairs of keys and values.
func secretOf(namespace, name string, pairs ...string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{}}
	for i := 0; i < len(pairs); i += 2 {
		s.Data[pairs[i]] = []byte(pairs[i+1])
	}
	return s
}

func goodSecret() *corev1.Secret {
	return secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret, "securityToken", token)
}

func permanent() v1alpha1.Credentials {
	return v1alpha1.Credentials{AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
		SecretReference: v1alpha1.SecretReference{Name: "aliyun"}, AccessKeyIDKey: "accessKeyID",
		AccessKeySecretKey: "accessKeySecret",
	}}
}

// Returns a login whose STS cannot be reached, so that the account of its keys stays unknown.
func in(namespace string, from v1alpha1.Credentials) credentials.Login {
	return credentials.Login{Namespace: namespace, Credentials: from,
		STS: rpc.Endpoint{Region: "cn-hangzhou", URL: "http://127.0.0.1:1"}}
}

func temporary() v1alpha1.Credentials {
	from := permanent()
	from.AccessKeySecretRef.SecurityTokenKey = "securityToken"
	return from
}

var (
	notFound  = apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "aliyun")
	forbidden = apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "aliyun", errors.New("no get"))
)

func wantKeys(t *testing.T, read rpc.CredentialsProvider, want rpc.Credentials) {
	t.Helper()
	got, err := read.Credentials(t.Context())
	if err != nil {
		t.Error(err)
	} else if got != want { // the keys themselves print as "[redacted]"
		t.Errorf("got %d, %d and %d bytes, which are not the keys",
			len(got.AccessKeyID), len(got.AccessKeySecret), len(got.SecurityToken))
	}
}

// wantProblem fails unless err is this Problem, and nothing in it is a value.
func wantProblem(t *testing.T, err error, reason, message string) {
	t.Helper()
	wantSafe(t, err)
	problem, ok := errors.AsType[*credentials.Problem](err)
	if !ok || problem.Reason != reason || problem.Message != message || err.Error() != message {
		t.Errorf("got  %v\nwant %s: %s", err, reason, message)
	}
}

func wantSafe(t *testing.T, err error) {
	t.Helper()
	for _, format := range []string{"%v", "%+v", "%#v"} {
		text := fmt.Sprintf(format, err)
		for _, value := range []string{keyID, secret, token, contactName, contactEmail, contactPhone} {
			if strings.Contains(text, value) || strings.Contains(text, value[:8]) {
				t.Errorf("%s quotes %q", format, value)
			}
		}
	}
}
