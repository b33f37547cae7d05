// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func TestMain(m *testing.M) { env.Main(m) }

const (
	// submissions is how many requests are approved at once.
	submissions = 50
	// answered is how many of them are answered before the answers are kept back.
	answered = 20
	// inFlight is how many orders the manager submits at a time.
	inFlight = 10
)

// busy makes a world with 50 approved requests.
func busy(t *testing.T) (*env.World, *gateway) {
	t.Helper()
	account := cassim.DefaultAccount()
	account.Packages[cassim.DefaultProduct] = submissions
	w := env.NewWorld(t, cassim.Options{Accounts: []cassim.Account{account}})
	g := keepBack(t, w.Simulator, answered)
	w.Create(gen.Issuer(w.Namespace, g.URL))
	for i := range submissions {
		name := fmt.Sprintf("n%02d", i)
		w.Create(gen.Request(w.Namespace, name, gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = name+".example.com", []string{name + ".example.com"}
		})))
		w.Decide(name, cmapi.CertificateRequestConditionApproved)
	}
	return w, g
}

func TestASIGTERMAmidFiftySubmissionsLosesNoOrderID(t *testing.T) {
	w, g := busy(t)
	first := start(t, w)
	g.keeps(inFlight)
	first.terminate()
	first.logs("Stopping and waiting for leader election runnables")
	g.Release()
	if status := first.ends(); status != 0 {
		t.Errorf("the manager ended with status %d, want 0", status)
	}
	everyIDIsKnown(t, w)

	second := start(t, w)
	everyRequestIsIssuedOnce(t, w)
	second.terminate()
	if status := second.ends(); status != 0 {
		t.Errorf("the second manager ended with status %d, want 0", status)
	}
	hasNoSecret(t, first, second)
}

func TestALostLeaseAmidFiftySubmissionsLosesNoOrderID(t *testing.T) {
	w, g := busy(t)
	args := []string{"--leader-elect", "--leader-election-namespace=" + w.Namespace}
	first := start(t, w, args...)
	g.keeps(inFlight)
	second := start(t, w, args...)
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: w.Namespace, Name: "aliyun-issuer." + v1alpha1.Group}
	if err := w.Client.Get(t.Context(), key, lease); err != nil {
		t.Fatal(err)
	}
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = new("somebody else"), new(int32(3600))
	if err := w.Client.Update(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	first.logs("Failed to renew lease")
	g.Release()
	if status := first.ends(); status != 1 {
		t.Errorf("the manager ended with status %d, want 1", status)
	}
	everyIDIsKnown(t, w)

	if err := w.Client.Delete(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	everyRequestIsIssuedOnce(t, w)
	second.terminate()
	if status := second.ends(); status != 0 {
		t.Errorf("the second manager ended with status %d, want 0", status)
	}
	hasNoSecret(t, first, second)
}

// everyIDIsKnown compares what was billed with what is written.
func everyIDIsKnown(t *testing.T, w *env.World) {
	t.Helper()
	var billed, known []string
	for _, entry := range w.Simulator.Ledger() {
		billed = append(billed, entry.OrderID)
	}
	for _, order := range w.Orders() {
		if order.Status.OrderID != "" {
			known = append(known, order.Status.OrderID)
		} else if order.Status.Submission != nil {
			t.Errorf("the order for %s has an intent and no id", order.Spec.CommonName)
		}
	}
	slices.Sort(billed)
	slices.Sort(known)
	if !slices.Equal(billed, known) {
		t.Errorf("billed are %d orders: %v\nknown are %d: %v", len(billed), billed, len(known), known)
	}
	if len(billed) < answered+inFlight || len(billed) >= submissions {
		t.Errorf("%d orders are billed, which is not amid %d submissions", len(billed), submissions)
	}
	t.Logf("%d orders were billed when the first manager ended", len(billed))
}

// everyRequestIsIssuedOnce waits for the rest.
func everyRequestIsIssuedOnce(t *testing.T, w *env.World) {
	t.Helper()
	watch, err := w.Client.Watch(t.Context(), &cmapi.CertificateRequestList{}, client.InNamespace(w.Namespace))
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	issued := map[string]bool{}
	limit := time.After(patience)
	for len(issued) < submissions {
		select {
		case event := <-watch.ResultChan():
			request, ok := event.Object.(*cmapi.CertificateRequest)
			if !ok {
				t.Fatalf("the watch has ended: %v", event.Object)
			}
			if cmutil.CertificateRequestReadyReason(request) == cmapi.CertificateRequestReasonIssued {
				issued[request.Name] = true
			}
		case <-limit:
			t.Fatalf("%d of %d requests are issued", len(issued), submissions)
		}
	}
	if n := len(w.Simulator.Ledger()); n != submissions {
		t.Errorf("%d orders were billed for %d requests", n, submissions)
	}
}

func hasNoSecret(t *testing.T, managers ...*manager) {
	t.Helper()
	for _, m := range managers {
		for _, secret := range []string{cassim.DefaultKeyID, cassim.DefaultKeySecret, gen.Email, gen.Phone, gen.Person, "Signature=", "SignatureNonce", "PRIVATE KEY"} {
			if strings.Contains(m.Log(), secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
	}
}
