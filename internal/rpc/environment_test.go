// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// childEndpoint makes this test binary a process that calls the endpoint which it names, and prints the
// error. Proxies and DEBUG are read once by each process, so that only a process of its own can test them.
const childEndpoint = "RPC_TEST_CHILD_ENDPOINT"

func TestMain(m *testing.M) {
	if url := os.Getenv(childEndpoint); url != "" {
		caller, err := New(Config{
			Endpoint:    Endpoint{Region: "cn-hangzhou", URL: url},
			Credentials: StaticCredentials(testCredentials),
			Timeout:     5 * time.Second,
		})
		if err == nil {
			err = caller.Do(context.Background(), newRequest(), newReply())
		}
		fmt.Println("result:", err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func runChild(t *testing.T, endpoint string, env ...string) string {
	t.Helper()
	child := exec.Command(os.Args[0])
	// A process with the race detector sleeps for a second at its end unless it is told not to, and one that
	// measures coverage prints a warning unless it is told where to put it.
	child.Env = append(env, childEndpoint+"="+endpoint, "GORACE=atexit_sleep_ms=0", "GOCOVERDIR="+t.TempDir())
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}

func TestProxiesAreTakenFromTheEnvironmentAsOtherProgramsOfGoDo(t *testing.T) {
	const endpoint = "https://cas.example.test"
	tests := map[string]struct {
		noProxy string
		proxied bool
	}{
		"no exception": {"", true},
		"an empty exception, which the SDK takes for all":  {"other.example.test,,", true},
		"a bad regular expression, on which the SDK fails": {"[*", true},
		"the very host":     {"cas.example.test", false},
		"the host's domain": {".example.test", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var connects []string
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				connects = append(connects, r.Method+" "+r.Host)
				w.WriteHeader(http.StatusForbidden)
			}))
			defer proxy.Close()
			address := strings.Replace(proxy.URL, "http://", "http://proxyuser:hunter2@", 1)
			output := runChild(t, endpoint, "HTTPS_PROXY="+address, "NO_PROXY="+test.noProxy)
			if proxied := len(connects) == 1 && connects[0] == "CONNECT cas.example.test:443"; proxied != test.proxied {
				t.Errorf("the proxy got %q: %s", connects, output)
			}
			if test.proxied && !strings.Contains(output, "the proxy of the environment refused the connection "+
				"with status 403") {
				t.Errorf("it is not said that the proxy refused: %s", output)
			}
			if strings.Contains(output, "hunter2") {
				t.Errorf("the password of the proxy is printed: %s", output)
			}
			checkNoSecret(t, "the output", output)
		})
	}
}

// net/http ignores a proxy that it cannot parse, or takes a part of it for a host.
func TestAnIllProxyIsNotQuoted(t *testing.T) {
	for _, proxy := range []string{
		"http://proxyuser:hunter2@%zz",
		"http://proxyuser:hunter2@proxy.example.test:port",
		"ftp://proxyuser:hunter2@proxy.example.test",
		"proxyuser:hunter2@",
	} {
		output := runChild(t, "https://cas.example.test", "HTTPS_PROXY="+proxy)
		if !strings.HasPrefix(output, "result: CreateCertificateWithCsrRequest: ") ||
			strings.Contains(output, "hunter2") {
			t.Errorf("with %s printed %q", proxy, output)
		}
		checkNoSecret(t, "the output", output)
	}
}

func TestTheDebugLogOfTheSDKPrintsNothing(t *testing.T) {
	url := answering(t, http.StatusOK, `{"RequestId":"R-1","PrivateKey":"TESTprivateKey"}`)
	if got := runChild(t, url, "DEBUG=sdk"); got != "result: <nil>\n" {
		t.Errorf("printed %q", got)
	}
	url = answering(t, http.StatusForbidden, `{"RequestId":"R-1","Code":"SignatureDoesNotMatch","Message":"server `+
		`string to sign is:POST&TESTprivateKey"}`)
	if got := runChild(t, url, "DEBUG=sdk"); strings.Contains(got, "TESTprivateKey") || strings.Count(got, "\n") != 1 {
		t.Errorf("printed %q", got)
	}
}
