// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// renewal makes a second request when the certificate of the first is due, whose objects are still there, as
// cert-manager does.
func renewal(e *env.Env, csr []byte, modifiers ...func(*cmapi.CertificateRequest)) {
	e.T.Helper()
	e.Until(time.Hour, hasCertificate(e, "www"))
	e.Pass(10 * time.Minute)
	renew(e, csr, modifiers...)
}

func renew(e *env.Env, csr []byte, modifiers ...func(*cmapi.CertificateRequest)) {
	e.T.Helper()
	e.Clock.SetTime(e.Clock.Now().Add(140 * 24 * time.Hour))
	e.Create(gen.Request(e.Namespace, "next", csr, modifiers...))
	e.Decide("next", cmapi.CertificateRequestConditionApproved)
}

func hasFailed(e *env.Env, name string) func() bool {
	return func() bool {
		return cmutil.CertificateRequestReadyReason(e.Request(name)) == cmapi.CertificateRequestReasonFailed
	}
}

// isRefusedAsRepeated waits until a request fails because the order with the id had the same signing request.
func isRefusedAsRepeated(t *testing.T, e *env.Env, name, id string) {
	t.Helper()
	e.Until(time.Hour, hasFailed(e, name))
	told := cmutil.GetCertificateRequestCondition(e.Request(name), cmapi.CertificateRequestConditionReady).Message
	if !strings.Contains(told, "rotationPolicy") || !strings.Contains(told, id) ||
		!strings.Contains(told, "nothing was bought") {
		t.Errorf("the request is told %q", told)
	}
}

// TestASigningRequestIsNotOrderedTwice renews with an RSA key that is kept, which gives the same bytes again. It ends
// as its message says: with a new key, and where the issuer says that its CA takes them.
func TestASigningRequestIsNotOrderedTwice(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	csr := gen.CSR(key)
	first := func(t *testing.T, options cassim.Options) *env.Env {
		t.Helper()
		e := env.New(t, options)
		e.OneClock()
		e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
		e.Create(gen.Request(e.Namespace, "www", csr))
		e.Decide("www", cmapi.CertificateRequestConditionApproved)
		return e
	}
	t.Run("refused", func(t *testing.T) {
		e := first(t, cassim.Options{})
		renewal(e, csr, gen.OfCertificate)
		isRefusedAsRepeated(t, e, "next", orderOf(e, "www").Status.OrderID)
		billed(t, e, 1)
		e.Create(gen.Request(e.Namespace, "rotated", gen.CSR(gen.Key())))
		e.Decide("rotated", cmapi.CertificateRequestConditionApproved)
		e.Until(time.Hour, hasCertificate(e, "rotated"))
		billed(t, e, 2)
	})
	t.Run("refused when the first request was pruned", func(t *testing.T) {
		e := first(t, cassim.Options{})
		e.Until(time.Hour, hasCertificate(e, "www"))
		id := orderOf(e, "www").Status.OrderID
		e.Pass(10 * time.Minute)
		prune(e, "www")
		renew(e, csr, gen.OfCertificate)
		isRefusedAsRepeated(t, e, "next", id)
		billed(t, e, 1)
	})
	t.Run("refused when the CA has refused it before", func(t *testing.T) {
		e := first(t, cassim.Options{CADelay: 30 * time.Minute})
		e.Until(time.Hour, billedSoFar(e, 1))
		id := e.Simulator.Ledger()[0].OrderID
		e.Simulator.FailReview(id, "")
		e.Until(time.Hour, hasFailed(e, "www"))
		e.Pass(10 * time.Minute)
		prune(e, "www")
		e.Create(gen.Request(e.Namespace, "next", csr, gen.OfCertificate))
		e.Decide("next", cmapi.CertificateRequestConditionApproved)
		isRefusedAsRepeated(t, e, "next", id)
		billed(t, e, 1)
	})
	t.Run("refused to whoever has no Certificate", func(t *testing.T) {
		e := first(t, cassim.Options{})
		renewal(e, csr)
		e.Until(time.Hour, hasFailed(e, "next"))
		told := cmutil.GetCertificateRequestCondition(e.Request("next"), cmapi.CertificateRequestConditionReady).Message
		if !strings.Contains(told, "Make the signing request anew with another key") ||
			strings.Contains(told, "rotationPolicy") {
			t.Errorf("the request is told %q", told)
		}
	})
	t.Run("accepted", func(t *testing.T) {
		e := first(t, cassim.Options{Knobs: cassim.Knobs{CSRReuse: cassim.ReuseAccepted}})
		e.Settle()
		issuer := issuerOf(e)
		issuer.Spec.Source.ResourcePlan.RepeatedRequests = v1alpha1.RepeatedRequestsAccepted
		if err := e.Client.Update(t.Context(), issuer); err != nil {
			t.Fatal(err)
		}
		renewal(e, csr)
		e.Until(time.Hour, hasCertificate(e, "next"))
		billed(t, e, 2)
	})
}

// TestARefusalNamesAKeyThatWasUsedBefore has the CA refuse the second order for one key, whose signing request differs.
func TestARefusalNamesAKeyThatWasUsedBefore(t *testing.T) {
	e, key := withOneClock(t, cassim.Options{CADelay: 30 * time.Minute})
	first := func() string { return orderOf(e, "www").Status.OrderID }
	renewal(e, gen.CSR(key))
	e.Until(time.Hour, billedSoFar(e, 2))
	e.Simulator.FailReview(e.Simulator.Ledger()[1].OrderID, "")
	e.Until(time.Hour, func() bool { return len(messagesOf(e, v1alpha1.ReasonVerificationFailed)) > 0 })
	if told := messagesOf(e, v1alpha1.ReasonVerificationFailed)[0]; !strings.Contains(
		told, "CAS order "+first()+" had the same key before") {
		t.Errorf("it is told as %q", told)
	}
}
