// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// store is a CAS that gives this certificate from its store, or refuses if it is empty. It counts who asks.
func store(t *testing.T, stored []byte) (calls *cas.Client, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer := map[string]any{"RequestId": "7B7B", "Cert": string(stored), "Key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}
		if r.URL.Query().Get("Action") != "GetUserCertificateDetail" || r.URL.Query().Get("CertId") != "6055048" || len(stored) == 0 {
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
	key, root := newKey(t), newRoot(t, "root")
	middle := root.authority("middle")
	leaf := middle.leaf(key, "www.example.com")
	csr := request(t, key, "www.example.com", nil, nil)
	lone, whole := bundle(leaf), bundle(leaf, middle.cert)
	tests := map[string]struct {
		described, stored []byte
		certificateID     string
		asked             int32
		want              []byte
	}{
		"the store has the whole chain":     {lone, bundle(root.cert, middle.cert, leaf), "6055048", 1, whole},
		"the store has the issuers only":    {lone, bundle(middle.cert), "6055048", 1, whole},
		"the store has the leaf only":       {lone, lone, "6055048", 1, lone},
		"the store has another certificate": {lone, bundle(root.leaf(newKey(t), "b.example.com"), root.cert), "6055048", 1, lone},
		"the store has rubbish":             {lone, []byte("rubbish"), "6055048", 1, lone},
		"the store refuses":                 {lone, nil, "6055048", 1, lone},
		"there is no id to ask for":         {lone, whole, "", 0, lone},
		"the chain is whole already":        {whole, bundle(root.cert), "6055048", 0, whole},
		"a line is missing between the two": {lone[:len(lone)-1], bundle(middle.cert), "6055048", 1, whole},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run := issued(csr, []string{"www.example.com"}, test.described)
			run.order.Status.CertificateID = test.certificateID
			calls, asked := store(t, test.stored)
			run.calls = calls
			wantSame(t, (&OrderReconciler{}).issue(t.Context(), run).kind, outcomeWait)
			wantSame(t, string(run.order.Status.Certificate), string(test.want))
			wantSame(t, asked.Load(), test.asked)
			isRemarked := slices.ContainsFunc(run.order.Status.Conditions, isChainIncomplete)
			wantSame(t, isRemarked, len(test.want) == len(lone))
		})
	}
}

func isChainIncomplete(c metav1.Condition) bool { return c.Type == v1alpha1.ConditionChainIncomplete }
