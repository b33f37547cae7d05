// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// Returns a CAS that gives this certificate from its store, or refuses if it is empty, and counts how often it was
// asked.
func store(t *testing.T, stored []byte) (calls *cas.Client, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer := map[string]any{"RequestId": "7B7B", "Cert": string(stored), "Key": "-----BEGIN PRIVATE " +
			"KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}
		if r.URL.Query().Get("Action") != "GetUserCertificateDetail" || r.URL.Query().Get("CertId") != "6055048" ||
			len(stored) == 0 {
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"RequestId": "7B7B", "Code": "NotFound", "Message": "The certificate is not found."}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	calls, err := cas.New(cas.Config{
		Endpoint:    rpc.Endpoint{Region: "cn-hangzhou", URL: server.URL},
		Credentials: rpc.StaticCredentials(rpc.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}), Rate: 1e6,
	})
	if err != nil {
		t.Fatal(err)
	}
	return calls, asked
}

func TestALoneLeafIsCompletedFromTheStoreOfCASIfThatCanBe(t *testing.T) {
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	middle := root.Intermediate("middle")
	leaf := middle.Leaf(key, "www.example.com")
	csr := certs.Request(t, key, "www.example.com", nil, nil)
	lone, whole := certs.Bundle(leaf), certs.Bundle(leaf, middle.Certificate)
	tests := map[string]struct {
		described, stored []byte
		certificateID     string
		asked             int32
		want              []byte
	}{
		"the store has the whole chain": {lone, certs.Bundle(root.Certificate, middle.Certificate, leaf), "6055048", 1,
			whole},
		"the store has the issuers only": {lone, certs.Bundle(middle.Certificate), "6055048", 1, whole},
		"the store has the leaf only":    {lone, lone, "6055048", 1, lone},
		"the store has another certificate": {
			lone, certs.Bundle(root.Leaf(certs.NewKey(t), "b.example.com"), root.Certificate), "6055048",
			1, lone},
		"the store has rubbish":      {lone, []byte("rubbish"), "6055048", 1, lone},
		"the store refuses":          {lone, nil, "6055048", 1, lone},
		"there is no id to ask for":  {lone, whole, "", 0, lone},
		"the chain is whole already": {whole, certs.Bundle(root.Certificate), "6055048", 0, whole},
		"a line is missing between the two": {lone[:len(lone)-1], certs.Bundle(middle.Certificate), "6055048", 1,
			whole},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			calls, asked := store(t, test.stored)
			order := &v1alpha1.AliyunOrder{Spec: v1alpha1.OrderSpec{Request: csr}}
			at := &session{Ask: source.Ask{Order: order}, calls: calls}
			bundle, err := at.Chain(t.Context(), &source.Observation{Phase: v1alpha1.PhaseIssued,
				Certificate: string(test.described), Stored: source.Stored{ID: test.certificateID}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := chain.Usable(csr, bundle, []string{"www.example.com"}, noon)
			if err != nil {
				t.Fatal(err)
			}
			compare.Same(t, string(chain.Encode(got)), string(test.want))
			compare.Same(t, asked.Load(), test.asked)
		})
	}
}
