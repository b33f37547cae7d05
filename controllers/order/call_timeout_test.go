// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

func TestACallEndsWhenTheIssuerSaysSo(t *testing.T) {
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	remote := &access.Remote{
		Secrets: &credentials.Store{Reader: fakeCluster(t, keySecret()), STSRate: 1e6}, Clock: clock.RealClock{},
		Policy: access.Policy{EndpointHosts: []string{"127.0.0.1"}},
	}
	nowhere := &v1alpha1.Endpoint{URL: "http://127.0.0.1:1"}
	calls, err := access.ClientOf(remote, access.Reach{Namespace: "team", Access: v1alpha1.Access{
		Region: v1alpha1.RegionChina, Endpoint: &v1alpha1.Endpoint{URL: server.URL}, STSEndpoint: nowhere,
		Credentials: keyCredentials(),
		CallTimeout: &metav1.Duration{Duration: time.Second},
	}}, remote.Secrets, cas.New)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := calls.Describe(t.Context(), "1"); cas.KindOf(err) != cas.KindNetwork {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 10*time.Second { // the default is 15 s
		t.Errorf("it took %s", took)
	}
}
