// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newPKI(t *testing.T, now time.Time) pki {
	t.Helper()
	p := pki(filepath.Join(t.TempDir(), "pki"))
	if err := p.ensure(now); err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (p pki) mustLoad(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(p.certificate(name), p.key(name))
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

func TestEachCertificateIsGoodForItsUseAndNoOther(t *testing.T) {
	p := newPKI(t, time.Now())
	server, client := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	for name, test := range map[string]struct {
		certificate, signer, host string
		usage                     x509.ExtKeyUsage
		good                      bool
	}{
		"the API server at its address":        {apiServer, "ca", "127.0.0.1", server, true},
		"the API server at its Service":        {apiServer, "ca", "kubernetes.default.svc", server, true},
		"the API server at its Service's IP":   {apiServer, "ca", serviceIP, server, true},
		"the API server elsewhere":             {apiServer, "ca", "example.com", server, false},
		"the API server as a client":           {apiServer, "ca", "", client, false},
		"the controller manager as a server":   {controllerManager, "ca", "127.0.0.1", server, true},
		"the controller manager as a client":   {controllerManager, "ca", "", client, true},
		"the administrator":                    {admin, "ca", "", client, true},
		"the administrator as a server":        {admin, "ca", "", server, false},
		"the front proxy":                      {frontProxyClient, "front-proxy-ca", "", client, true},
		"the front proxy as a user":            {frontProxyClient, "ca", "", client, false},
		"the administrator as the front proxy": {admin, "front-proxy-ca", "", client, false},
	} {
		t.Run(name, func(t *testing.T) {
			roots := x509.NewCertPool()
			roots.AddCert(p.mustLoad(t, test.signer))
			_, err := p.mustLoad(t, test.certificate).Verify(x509.VerifyOptions{
				Roots: roots, DNSName: test.host, KeyUsages: []x509.ExtKeyUsage{test.usage},
			})
			if (err == nil) != test.good {
				t.Errorf("Verify() = %v; want good: %v", err, test.good)
			}
		})
	}
	if diff := cmp.Diff([]string{"system:masters"}, p.mustLoad(t, admin).Subject.Organization); diff != "" {
		t.Error(diff)
	}
}

func TestKeysAreOnlyForTheirOwner(t *testing.T) {
	p := newPKI(t, time.Now())
	files, err := filepath.Glob(string(p) + "/*.key")
	if err != nil || len(files) < 6 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, path := range append(files, string(p)) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %o", path, mode)
		}
	}
}

func TestThePKIIsKeptUntilItWouldEndSoon(t *testing.T) {
	begin := time.Now()
	p := newPKI(t, begin)
	first := read(t, p.certificate("ca"))
	if err := p.ensure(begin.Add(pkiLifetime - pkiMargin - time.Hour)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(read(t, p.certificate("ca")))); diff != "" {
		t.Errorf("replaced too early: %s", diff)
	}
	if err := p.ensure(begin.Add(pkiLifetime - pkiMargin + time.Hour)); err != nil {
		t.Fatal(err)
	}
	if string(first) == string(read(t, p.certificate("ca"))) {
		t.Error("not replaced although it ends soon")
	}
}

func TestAKubeconfigHoldsAllThatAClientNeeds(t *testing.T) {
	c, _ := newCluster(t)
	c.ports = map[string]int{apiServer: 24680}
	if err := c.pki().ensure(time.Now()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.writeKubeconfig(path, "demo", "robot", user{Token: "secret"}); err != nil {
		t.Fatal(err)
	}

	var got kubeconfig
	if err := json.Unmarshal(read(t, path), &got); err != nil {
		t.Fatal(err)
	}
	want := kubeconfig{
		APIVersion: "v1", Kind: "Config", CurrentContext: "localkube",
		Clusters: []named[server]{
			{Name: "localkube", Cluster: &server{URL: "https://127.0.0.1:24680",
				CA: read(t, c.pki().certificate("ca"))}}},
		Users: []named[user]{{Name: "robot", User: &user{Token: "secret"}}},
		Contexts: []named[kubeContext]{
			{Name: "localkube", Context: &kubeContext{Cluster: "localkube", User: "robot", Namespace: "demo"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}

	if err := c.writeCertificateKubeconfig(path, admin); err != nil {
		t.Fatal(err)
	}
	got = kubeconfig{}
	if err := json.Unmarshal(read(t, path), &got); err != nil {
		t.Fatal(err)
	}
	want.Users = []named[user]{
		{Name: admin, User: &user{Certificate: read(t, c.pki().certificate(admin)), Key: read(t, c.pki().key(admin))}}}
	want.Contexts[0].Context = &kubeContext{Cluster: "localkube", User: admin}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
