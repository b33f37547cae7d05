// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// forbidding refuses every token.
type forbidding struct{ client.SubResourceClient }

func (f forbidding) SubResource(string) client.SubResourceClient { return f }

func (forbidding) Create(_ context.Context, account, _ client.Object, _ ...client.SubResourceCreateOption) error {
	return apierrors.NewForbidden(corev1.Resource("serviceaccounts/token"), account.GetName(), errors.New("no Role"))
}

// TestThePageOnCredentialsHasTheCommandThatTheConditionPrints compares them word by word.
func TestThePageOnCredentialsHasTheCommandThatTheConditionPrints(t *testing.T) {
	store := &Store{Tokens: forbidding{}, Self: "system:serviceaccount:aliyun-issuer-system:aliyun-issuer"}
	_, err := store.Identity(t.Context(), Login{Namespace: "team-a", Credentials: v1alpha1.Credentials{
		OIDC: &v1alpha1.OIDCCredentials{ServiceAccountRef: &v1alpha1.ServiceAccountReference{Name: "cas-orders"}},
	}})
	if err == nil {
		t.Fatal("a token came without a right to it")
	}
	_, command, _ := strings.Cut(err.Error(), "and no more: ")
	page, err := os.ReadFile("../../docs/credentials.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(strings.ReplaceAll(string(page), "\\\n", "")), " ")
	if command == "" || !strings.Contains(text, command) {
		t.Errorf("the page does not have this command: %q", command)
	}
}
