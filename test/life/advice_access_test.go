// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// accessLessons are about how an issuer signs in, and where.
func accessLessons(t *testing.T) map[string]lesson {
	t.Helper()
	return map[string]lesson{
		"a Secret of another type": {played(scenario{
			issuer: func(i *v1alpha1.AliyunIssuer) {
				ref := i.Spec.Credentials.AccessKeySecretRef
				ref.Name, ref.AccessKeyIDKey, ref.AccessKeySecretKey = "token", "tls.key", "tls.crt"
			},
			before: func(e *env.Env) {
				secret := opaque(e.Namespace, "token", "tls.key", cassim.DefaultKeyID, "tls.crt",
					cassim.DefaultKeySecret)
				secret.Type = corev1.SecretTypeTLS
				e.Create(secret)
			},
		}), []advised{{
			to: "use one of the type Opaque", billed: 1,
			says: []string{`the Secret "([^"]+)" in the namespace "([^"]+)" is of the type "[^"]+", whose values ` +
				`are no AccessKeys and go nowhere: put the AccessKey into one of the type (Opaque)`},
			follow: func(r *reader) string {
				secret := opaque(r.words[1], "another", "tls.key", cassim.DefaultKeyID, "tls.crt",
					cassim.DefaultKeySecret)
				secret.Type = corev1.SecretType(r.words[2])
				r.Create(secret)
				r.set(r.issuer(), "spec.credentials.accessKeySecretRef.name", secret.Name)
				return "www"
			},
		}}},
		"a line break in the contact": {played(scenario{
			issuer: func(i *v1alpha1.AliyunIssuer) {
				i.Spec.Contact, i.Spec.ContactSecretRef = nil, &v1alpha1.SecretReference{Name: "contact"}
			},
			before: func(e *env.Env) {
				e.Create(opaque(e.Namespace, "contact", "name", "Zhang\nSan", "email", gen.Email, "phone", gen.Phone))
			},
		}), []advised{{
			to: "remove it", billed: 1,
			says: []string{`the Secret "([^"]+)" in the namespace "([^"]+)" has line breaks or control characters ` +
				`in the value for "([^"]+)": remove them`},
			follow: func(r *reader) string {
				secret := &corev1.Secret{}
				if err := r.Client.Get(r.T.Context(), client.ObjectKey{Namespace: r.words[1], Name: r.words[0]},
					secret); err != nil {
					r.T.Fatal(err)
				}
				r.changesTheSecret(map[string]string{
					r.words[2]: strings.Join(strings.FieldsFunc(string(secret.Data[r.words[2]]), unicode.IsControl),
						" ")})
				return "www"
			},
		}}},
		"an endpoint with a bundle of nothing": {played(scenario{issuer: func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Endpoint = &v1alpha1.Endpoint{URL: strings.Replace(i.Spec.Endpoint.URL, "http:", "https:", 1),
				CABundle: []byte("nothing")}
		}}), []advised{{
			to: "correct it", says: []string{`the endpoint cannot be used: the CA bundle has no PEM certificate: ` +
				`correct it in the issuer`}, billed: 1,
			follow: func(r *reader) string {
				r.set(r.issuer(), "spec.endpoint", map[string]any{"url": r.Simulator.URL(), "caBundle": nil})
				return "www"
			},
		}}},
		"an endpoint of STS that redirects": {func(t *testing.T) *env.Env {
			elsewhere := httptest.NewServer(
				http.RedirectHandler("https://sts.example.com/", http.StatusTemporaryRedirect))
			t.Cleanup(elsewhere.Close)
			return play(t, scenario{options: withRoles(t), before: trusted, issuer: func(i *v1alpha1.AliyunIssuer) {
				i.Spec.Credentials, i.Spec.STSEndpoint = oidc(holder), &v1alpha1.Endpoint{URL: elsewhere.URL}
			}})
		}, []advised{{
			to: "correct it", says: []string{`STS cannot be called \(.+?\): correct (stsEndpoint)`}, billed: 1,
			follow: func(r *reader) string {
				r.set(r.issuer(), "spec."+r.words[0]+".url", r.Simulator.URL())
				return "www"
			},
		}}},
		"an audience that the cluster does not allow": {
			played(scenario{options: withRoles(t), before: func(e *env.Env) {
				trusted(e)
				e.Configure = func(remote *access.Remote) {
					remote.Secrets.Tokens = forbidding(e.Client, "another-audience")
				}
				e.Restart()
			}, issuer: func(i *v1alpha1.AliyunIssuer) {
				i.Spec.Credentials = oidc(holder)
				i.Spec.Credentials.OIDC.ServiceAccountRef.Audience = "another-audience"
			}}), []advised{{
				to: "correct it", billed: 1,
				says: []string{`the API server gives no token for the ServiceAccount "[^"]+" in the namespace ` +
					`"[^"]+" with the (audience) of (serviceAccountRef): correct it`},
				follow: func(r *reader) string {
					r.set(r.issuer(), "spec.credentials.oidc."+r.words[1]+"."+r.words[0], audience)
					return "www"
				},
			}}},
	}
}

// forbidding refuses tokens for an audience, as an admission policy does.
func forbidding(kube client.WithWatch, audience string) client.Client {
	return interceptor.NewClient(kube, interceptor.Funcs{SubResourceCreate: func(
		ctx context.Context, c client.Client, name string, of, made client.Object,
		opts ...client.SubResourceCreateOption,
	) error {
		if asked, isToken := made.(*authenticationv1.TokenRequest); isToken &&
			slices.Contains(asked.Spec.Audiences, audience) {
			return apierrors.NewInvalid(authenticationv1.SchemeGroupVersion.WithKind("TokenRequest").GroupKind(),
				of.GetName(), nil)
		}
		return c.SubResource(name).Create(ctx, of, made, opts...)
	}})
}
