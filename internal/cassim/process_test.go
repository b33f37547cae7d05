// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// envProvider makes the test binary a customer that knows nothing but its environment. It names a provider of the SDK,
// which asks STS and the metadata server under their real names, with the proxies and roots that the process was
// started with.
const envProvider = "CASSIM_TEST_PROVIDER"

func TestMain(m *testing.M) {
	if provider := os.Getenv(envProvider); provider != "" {
		if err := beCustomer(provider); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var sdkProviders = map[string]func() (credentials.CredentialsProvider, error){
	"RAMRoleARN": func() (credentials.CredentialsProvider, error) {
		base := credentials.NewStaticAKCredentialsProvider(cassim.DefaultKeyID, cassim.DefaultKeySecret)
		return credentials.NewRAMRoleARNCredentialsProviderBuilder().WithCredentialsProvider(base).WithExternalId(
			"shake").Build()
	},
	"OIDC": func() (credentials.CredentialsProvider, error) {
		return credentials.NewOIDCCredentialsProviderBuilder().Build()
	},
	"ECSRAMRole": func() (credentials.CredentialsProvider, error) {
		return credentials.NewECSRAMRoleCredentialsProviderBuilder().WithDisableIMDSv1(true).Build()
	},
	"ECSRAMRoleV1": func() (credentials.CredentialsProvider, error) {
		return credentials.NewECSRAMRoleCredentialsProviderBuilder().Build()
	},
}

// beCustomer asks all three services, and prints who it is.
func beCustomer(name string) error {
	provider, err := sdkProviders[name]()
	if err != nil {
		return err
	}
	if _, err := provider.GetCredentials(); err != nil {
		return err
	}
	config := func() *sdk.Config { return sdk.NewConfig().WithScheme("HTTPS") }
	sts, err1 := sdksts.NewClientWithOptions("cn-hangzhou", config(), provider)
	cas, err2 := sdkcas.NewClientWithOptions("cn-hangzhou", config(), provider)
	dns, err3 := alidns.NewClientWithOptions("cn-hangzhou", config(), provider)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	told, err1 := sts.GetCallerIdentity(sdksts.CreateGetCallerIdentityRequest())
	_, err2 = cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
	_, err3 = dns.DescribeDomains(alidns.CreateDescribeDomainsRequest())
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(told.Arn)
}

// Runs the test binary as a customer that has only this environment.
func (w *world) customer(provider string, env ...string) (arn string, err error) {
	w.t.Helper()
	roots := filepath.Join(w.t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, w.TLSRootPEM(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.CommandContext(w.t.Context(), os.Args[0])
	cmd.Env = append([]string{
		envProvider + "=" + provider, "HOME=" + w.t.TempDir(), "HTTPS_PROXY=" + w.ProxyURL(), "HTTP_PROXY=" +
			w.MetadataURL(), "SSL_CERT_FILE=" + roots,
	}, env...)
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	return strings.Trim(string(out), "\"\n"), err
}

func TestTheProvidersOfTheSDKReachSTSAndTheMetadataServer(t *testing.T) {
	issuer := newTokenIssuer(t)
	opts := withTokens(issuer, cassim.OIDCTrust{Subject: subject})
	account := &opts.Accounts[0]
	account.Roles = append(account.Roles, withInstance().Accounts[0].Roles...)
	account.Roles[0].ExternalID = "shake"
	opts.InstanceRole = "node"
	w := start(t, opts)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(issuer.token(nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	role := "ALIBABA_CLOUD_ROLE_ARN=" + w.RoleARN("issuer")
	for provider, test := range map[string]struct {
		env []string
		as  string
	}{
		"RAMRoleARN": {[]string{role, "ALIBABA_CLOUD_ROLE_SESSION_NAME=named"}, "issuer/named"},
		"OIDC": {
			[]string{role, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN=" + w.OIDCProviderARN("cluster"),
				"ALIBABA_CLOUD_OIDC_TOKEN_FILE=" + token}, "issuer/aliyun-go-sdk-"},
		"ECSRAMRole":   {nil, "node/i-"},
		"ECSRAMRoleV1": {[]string{"HTTP_PROXY=" + w.ProxyURL()}, "node/i-"},
	} {
		arn, err := w.customer(provider, test.env...)
		if want := "acs:ram::" + accountID + ":assumed-role/" + test.as; err != nil || !strings.HasPrefix(arn, want) {
			t.Errorf("%s: %s, want %s: %v", provider, arn, want, err)
		}
	}
	hosts := map[string]map[string]bool{}
	for _, r := range w.Requests() {
		if hosts[r.Action] == nil {
			hosts[r.Action] = map[string]bool{}
		}
		hosts[r.Action][r.Host] = true
	}
	for action, host := range map[string]string{
		"AssumeRole": "sts.aliyuncs.com", "AssumeRoleWithOIDC": "sts.aliyuncs.com",
		"DescribePackageState": "cas.aliyuncs.com", "DescribeDomains": "alidns.aliyuncs.com",
	} {
		if len(hosts[action]) != 1 || !hosts[action][host] {
			t.Errorf("%s was sent to %v", action, hosts[action])
		}
	}
}

func TestTheProvidersOfTheSDKAreRefused(t *testing.T) {
	w := start(t, withInstance())
	w.SetMetadata(cassim.Down)
	if _, err := w.customer("ECSRAMRole"); err == nil || !strings.Contains(err.Error(), "get metadata token failed") {
		t.Errorf("without a metadata server: %v", err)
	}
	w.SetMetadata(cassim.Garbled)
	if _, err := w.customer("ECSRAMRoleV1"); err == nil || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("with a garbled answer: %v", err)
	}
	w.SetMetadata(cassim.V2Only)
	if _, err := w.customer("ECSRAMRoleV1"); err != nil {
		t.Errorf("with IMDSv2 only: %v", err)
	}
	_, err := w.customer("RAMRoleARN", "ALIBABA_CLOUD_ROLE_ARN="+w.RoleARN("node")+"s")
	if err == nil || !strings.Contains(err.Error(), "EntityNotExist.Role") {
		t.Errorf("without the role: %v", err)
	}
}
