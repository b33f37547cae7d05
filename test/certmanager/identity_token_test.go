// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// TestAServiceAccountIsUsedOnceTheCommandsAreRunThatTheIssuerPrints takes the minute after which the issuer is checked
// again. The token is the API server's, and STS verifies it with the keys that the API server publishes.
func TestAServiceAccountIsUsedOnceTheCommandsAreRunThatTheIssuerPrints(t *testing.T) {
	t.Parallel()
	w := surroundedWorld(t)
	holder, other := w.serviceAccount(w.Namespace),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "other"}}
	w.Create(other)
	w.trust("team", w.Namespace, holder.Name)
	issuer := w.orderFrom(false,
		func(spec *v1alpha1.IssuerSpec) { spec.Credentials = oidc(account, "team", holder.Name) })
	w.Create(w.certificate(www))

	message := w.untilSays(issuer, v1alpha1.ConditionCredentialsValid, v1alpha1.ReasonTokenForbidden)
	_, commands, found := strings.Cut(message, "kubectl ")
	if !found {
		t.Fatalf("the issuer prints no commands: %s", message)
	}
	w.cluster.follow(t, "kubectl "+commands)
	w.untilReady(issuer)
	w.belongsTo(issuer, account, sessionARN(account, "team", session))
	w.untilIssued(www, 1)
	w.boughtBy(mode{account: account, arn: sessionARN(account, "team", session)})

	if err := w.asManager(holder); err != nil {
		t.Errorf("the controller may not request a token for %s: %v", holder.Name, err)
	}
	if err := w.asManager(other); !apierrors.IsForbidden(err) {
		t.Errorf("the controller may request a token for another ServiceAccount: %v", err)
	}
}

// asManager requests a token with the token that the manager itself has.
func (w *world) asManager(holder *corev1.ServiceAccount) error {
	w.T.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(w.cluster.dir, "account"))
	if err != nil {
		w.T.Fatal(err)
	}
	kube, err := client.New(config, client.Options{Scheme: env.Scheme()})
	if err != nil {
		w.T.Fatal(err)
	}
	return kube.SubResource("token").Create(w.T.Context(), holder, &authenticationv1.TokenRequest{})
}
