// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"encoding/json"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// TokenIssuer returns the API server, which issues the tokens of ServiceAccounts, as an OIDC provider of an account.
func TokenIssuer(t *testing.T, name string, audiences ...string) cassim.OIDCProvider {
	t.Helper()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	read := func(ctx context.Context, path string) ([]byte, error) {
		return clients.Discovery().RESTClient().Get().AbsPath(path).DoRaw(ctx)
	}
	text, err := read(t.Context(), "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	var discovery struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(text, &discovery); err != nil {
		t.Fatal(err)
	}
	return cassim.OIDCProvider{
		Name: name, Issuer: discovery.Issuer, ClientIDs: audiences,
		Keys: func(ctx context.Context) ([]byte, error) { return read(ctx, "/openid/v1/jwks") },
	}
}
