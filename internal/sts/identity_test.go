// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

// envRegion makes this test binary a process that asks STS of that region who it is. Proxies and roots are read once by
// each process.
const envRegion = "STS_TEST_REGION"

func TestMain(m *testing.M) {
	if region := os.Getenv(envRegion); region != "" {
		told, err := sts.New(sts.Config{Endpoint: rpc.Endpoint{Region: region}}).CallerIdentity(context.Background(),
			defaultKeys)
		fmt.Println(told.ARN, err)
		return
	}
	os.Exit(m.Run())
}

func TestSTSIsAskedInTheRegion(t *testing.T) {
	w := start(t, nil)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, w.TLSRootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for region, want := range map[string]string{"cn-hangzhou": "sts.cn-hangzhou.aliyuncs.com",
		"ap-southeast-1": "sts.ap-southeast-1.aliyuncs.com"} {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = []string{envRegion + "=" + region, "HTTPS_PROXY=" + w.ProxyURL(), "SSL_CERT_FILE=" + roots,
			"GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + t.TempDir()}
		out, err := child.CombinedOutput()
		if told := "acs:ram::" + accountID + ":user/" + cassim.DefaultKeyID + " <nil>\n"; err != nil ||
			string(out) != told {
			t.Fatalf("told %s, %v", out, err)
		}
		requests := w.Requests()
		if host := requests[len(requests)-1].Host; host != want {
			t.Errorf("%s: asked %s, want %s", region, host, want)
		}
	}
}

func TestSTSTellsWhoseKeysTheyAre(t *testing.T) {
	w := start(t, func(opts *cassim.Options) {
		account := &opts.Accounts[0]
		account.Keys = append(account.Keys, cassim.Key{ID: "of-alice", Secret: "s", User: "alice"},
			cassim.Key{ID: "root", Secret: "s", Root: true})
	}, cassim.Role{Name: "issuer"})
	for arn, keys := range map[string]rpc.Credentials{
		"user/" + cassim.DefaultKeyID: defaultKeys,
		"user/alice":                  {AccessKeyID: "of-alice", AccessKeySecret: "s"},
		"root":                        {AccessKeyID: "root", AccessKeySecret: "s"},
		"assumed-role/issuer/a-test":  w.assume(defaultKeys, w.role("issuer")).Keys,
	} {
		told, err := w.client.CallerIdentity(t.Context(), keys)
		if want := (sts.Identity{Account: accountID, ARN: "acs:ram::" + accountID + ":" + arn}); err != nil ||
			told != want {
			t.Errorf("told %+v, want %+v: %v", told, want, err)
		}
	}
}

func TestAMistakeInTheEndpointIsToldByEachCall(t *testing.T) {
	for _, verb := range verbs {
		_, err := verb.call(t.Context(), newClient("ftp://sts.example.com"))
		if err == nil {
			t.Errorf("%s is called", verb.action)
		}
		wantHides(t, err, verb.secrets...)
	}
}
