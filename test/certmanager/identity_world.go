// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// The account of the manager, and one whose roles others assume. Each has a plan, a zone, and knows the tokens of the
// cluster by a provider of the same name.
const (
	account      = "1000000000000001"
	otherAccount = "1000000000000002"
	otherZone    = "example.net"
	provider     = "the-cluster"
	audience     = "sts.aliyuncs.com"

	user       = "acs:ram::" + account + ":user/order-robot"
	externalID = "contract:42"
	// temporaryKey is one that something else puts into a Secret.
	temporaryKey, temporarySecret, temporaryToken = "STS.of-the-robot", "a-temporary-secret", "a-temporary-token"
	// rotatedKey is one that is replaced.
	rotatedKey, rotatedSecret = "the-first-key", "the-first-secret"
)

// self is as whom the manager talks to the API server.
const self = "system:serviceaccount:" + system + ":" + release

// accounts of a simulator that trusts the cluster.
func (c *cluster) accounts() ([]cassim.Account, error) {
	trusted, err := c.provider()
	if err != nil {
		return nil, err
	}
	ofManager := []cassim.OIDCTrust{{Provider: provider, Audience: audience, Subject: self}}
	return []cassim.Account{{
		ID: account, Packages: map[string]int{cassim.DefaultProduct: 100}, Zones: []string{cassim.DefaultZone},
		Keys: []cassim.Key{
			{ID: cassim.DefaultKeyID, Secret: cassim.DefaultKeySecret, User: "order-robot"},
			{ID: temporaryKey, Secret: temporarySecret, SecurityToken: temporaryToken, User: "order-robot"},
			{ID: rotatedKey, Secret: rotatedSecret, User: "rotated"},
		},
		OIDCProviders: []cassim.OIDCProvider{trusted},
		// Nobody may assume a role by default that has somebody in its trust policy. Tests add their own
		// ServiceAccounts.
		Roles: []cassim.Role{
			{Name: "manager", OIDC: ofManager, Trusted: []string{user}},
			{Name: "instance", Services: []string{"ecs.aliyuncs.com"}, Trusted: []string{user}},
			{Name: "deputy", Trusted: []string{user}, ExternalID: externalID},
			{Name: "team", Trusted: []string{user}}, {Name: "operators", Trusted: []string{user}},
			{Name: "public-endpoints", Trusted: []string{user}}, {Name: "international", Trusted: []string{user}},
			{Name: "ends", Trusted: []string{user}}, {Name: "is-revoked", Trusted: []string{user}},
		},
	}, {
		ID: otherAccount, Packages: map[string]int{cassim.DefaultProduct: 100}, Zones: []string{otherZone},
		OIDCProviders: []cassim.OIDCProvider{trusted},
		Roles: []cassim.Role{
			{Name: "orders", Trusted: []string{"acs:ram::" + account + ":root"}, ExternalID: externalID},
			{Name: "publishes", OIDC: ofManager, Trusted: []string{user}, ExternalID: externalID},
		},
	}}, nil
}

func roleARN(of, name string) string { return "acs:ram::" + of + ":role/" + name }

func sessionARN(of, name, session string) string {
	return "acs:ram::" + of + ":assumed-role/" + name + "/" + session
}

// provider is how an account knows the cluster that has registered it.
func (c *cluster) provider() (cassim.OIDCProvider, error) {
	text, err := c.api.Get().AbsPath("/.well-known/openid-configuration").DoRaw(context.Background())
	if err != nil {
		return cassim.OIDCProvider{}, err
	}
	var discovery struct {
		Issuer string `json:"issuer"`
	}
	err = json.Unmarshal(text, &discovery)
	return cassim.OIDCProvider{
		Name: provider, ClientIDs: []string{audience}, Issuer: discovery.Issuer,
		Keys: func(ctx context.Context) ([]byte, error) { return c.api.Get().AbsPath("/openid/v1/jwks").DoRaw(ctx) },
	}, err
}

// surround starts a simulator of all that a manager meets on an instance of Alibaba Cloud, and returns the variables by
// which it finds that: each service has its real name, and the metadata server its real address.
func (c *cluster) surround() (simulator *cassim.Server, variables []string, err error) {
	accounts, err := c.accounts()
	if err != nil {
		return nil, nil, err
	}
	simulator = cassim.New(cassim.Options{Accounts: accounts, InstanceRole: "instance"})
	if err := simulator.Start(); err != nil {
		return nil, nil, err
	}
	simulator.SetMetadata(cassim.V2Only)
	roots, token := filepath.Join(c.dir, "roots.pem"), filepath.Join(c.dir, "token")
	text, err := c.token(system, release)
	if err == nil {
		err = os.WriteFile(token, []byte(text), 0o600)
	}
	if err == nil {
		err = os.WriteFile(roots, simulator.TLSRootPEM(), 0o600)
	}
	return simulator, []string{
		"HTTPS_PROXY=" + simulator.ProxyURL(), "HTTP_PROXY=" + simulator.ProxyURL(), "SSL_CERT_FILE=" + roots,
		"ALIBABA_CLOUD_OIDC_TOKEN_FILE=" + token,
	}, err
}

// token of a ServiceAccount, as the kubelet projects it into Pods.
func (c *cluster) token(namespace, name string) (string, error) {
	holder := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	request := &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}, ExpirationSeconds: new(int64(3600))}}
	err := c.kube.SubResource("token").Create(context.Background(), holder, request)
	return request.Status.Token, err
}

// trust lets a ServiceAccount assume a role of the manager's account.
func (w *world) trust(role, namespace, name string) {
	w.Simulator.SetRole(role, func(r *cassim.Role) {
		r.OIDC = append(slices.Clone(r.OIDC),
			cassim.OIDCTrust{Provider: provider, Audience: audience, Subject: "system:serviceaccount:" + namespace +
				":" + name})
	})
}

// oidc are credentials for a role of an account. Without a ServiceAccount the token is the manager's own.
func oidc(of, role, serviceAccount string) v1alpha1.Credentials {
	from := &v1alpha1.OIDCCredentials{RoleARN: roleARN(of, role), ProviderARN: "acs:ram::" + of + ":oidc-provider/" +
		provider}
	if serviceAccount != "" {
		from.ServiceAccountRef = &v1alpha1.ServiceAccountReference{Name: serviceAccount}
	}
	return v1alpha1.Credentials{OIDC: from}
}

// accessKey are credentials in a Secret, which it makes.
func (w *world) accessKey(namespace string) v1alpha1.Credentials {
	w.T.Helper()
	secret := gen.Secret(namespace, cassim.DefaultKeyID, cassim.DefaultKeySecret)
	secret.Name = "key-of-" + w.Namespace
	w.Create(secret)
	return v1alpha1.Credentials{
		AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{SecretReference: v1alpha1.SecretReference{Name: secret.Name}}}
}

// serviceAccount makes one, of which the manager may request no tokens yet.
func (w *world) serviceAccount(namespace string) *corev1.ServiceAccount {
	w.T.Helper()
	made := &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders-of-" + w.Namespace}}
	w.Create(made)
	return made
}

// orderFrom makes an issuer, which certificates are ordered from. An AliyunClusterIssuer has the name of the namespace,
// since all tests share it.
func (w *world) orderFrom(isShared bool, change func(*v1alpha1.IssuerSpec)) v1alpha1.GenericIssuer {
	w.T.Helper()
	var issuer v1alpha1.GenericIssuer = gen.Issuer(w.Namespace, w.Simulator.URL())
	if isShared {
		issuer = &v1alpha1.AliyunClusterIssuer{
			ObjectMeta: metav1.ObjectMeta{Name: w.Namespace},
			Spec:       v1alpha1.ClusterIssuerSpec{IssuerSpec: gen.IssuerSpec(w.Simulator.URL())},
		}
		w.kind, w.issuer = v1alpha1.AliyunClusterIssuerKind, w.Namespace
	}
	change(issuer.GetSpec())
	w.Create(issuer)
	return issuer
}

// untilSays waits until a condition of the issuer has the reason, and returns what it says.
func (w *world) untilSays(issuer v1alpha1.GenericIssuer, kind, reason string) (message string) {
	w.T.Helper()
	var list client.ObjectList = &v1alpha1.AliyunIssuerList{}
	if issuer.GetNamespace() == "" {
		list = &v1alpha1.AliyunClusterIssuerList{}
	}
	w.until("the issuer says "+kind+" "+reason, list, func() bool {
		c := meta.FindStatusCondition(w.read(issuer).Conditions, kind)
		if c != nil {
			message = c.Message
		}
		return c != nil && c.Reason == reason
	})
	return message
}

func (w *world) untilReady(issuer v1alpha1.GenericIssuer) {
	w.T.Helper()
	w.untilSays(issuer, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

// read is the status as it is now.
func (w *world) read(issuer v1alpha1.GenericIssuer) *v1alpha1.IssuerStatus {
	w.T.Helper()
	if !w.get(issuer) {
		w.T.Fatal("the issuer is gone")
	}
	return issuer.GetStatus()
}

// belongsTo fails the test unless the issuer says that its credentials are these.
func (w *world) belongsTo(issuer v1alpha1.GenericIssuer, account, arn string) {
	w.T.Helper()
	if is := w.read(issuer).Identity; is == nil || is.AccountID != account || is.ARN != arn {
		w.T.Errorf("the issuer says that it is %+v, want %s of %s", is, arn, account)
	}
}

// newSurrounded is a cluster of its own, where nothing of ours runs yet, with its surroundings.
func newSurrounded(t *testing.T) (*cluster, *cassim.Server, []string) {
	t.Helper()
	c := newCluster(t)
	simulator, variables, err := c.surround()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	return c, simulator, variables
}
