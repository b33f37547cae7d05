// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// slow is a CA that does nothing unless it is told.
var slow = cassim.Options{CADelay: 1000 * time.Hour}

// bought takes a request to its order, and returns the id.
func bought(t *testing.T, options cassim.Options, modifiers ...func(*v1alpha1.AliyunIssuer)) (*env.Env, string) {
	t.Helper()
	e := env.New(t, options)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), modifiers...))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Settle()
	return e, e.Simulator.Ledger()[0].OrderID
}

func isReason(e *env.Env, want string) func() bool { return func() bool { return reason(e) == want } }

// verified holds what was delivered against the CA's root, as a client does.
func verified(t *testing.T, e *env.Env) {
	t.Helper()
	var chain []*x509.Certificate
	intermediates, roots := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(e.Simulator.RootPEM())
	for rest := e.Request("www").Status.Certificate; len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			t.Fatalf("something else is delivered: %s", e.Request("www").Status.Certificate)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, certificate)
		intermediates.AddCert(certificate)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: gen.Domain,
		CurrentTime: e.Clock.Now()}); err != nil {
		t.Error(err)
	}
}

// TestOddChainsAreDeliveredOrHeldUntilTheyAreMended gives certificates that no authority should. What can be used is
// delivered; what cannot is held, costs no second order, and is delivered once CAS gives it properly.
func TestOddChainsAreDeliveredOrHeldUntilTheyAreMended(t *testing.T) {
	for form, isHeld := range map[cassim.ChainForm]bool{
		cassim.ChainEmpty: true, cassim.ChainPartialLeaf: true, cassim.ChainWithoutLeaf: true,
		cassim.ChainPartial:     false,
		cassim.ChainCrossSigned: false, cassim.ChainOtherBlocks: false, cassim.ChainDuplicates: false,
		cassim.ChainGarbage:  false,
		cassim.ChainSHA1Root: false,
	} {
		t.Run(form, func(t *testing.T) {
			e, id := bought(t, slow)
			e.Simulator.OrderChain(id, form)
			e.Simulator.ForceState(id, cassim.StateCertificate)
			e.Pass(2 * time.Hour)
			if isHeld {
				if got := heldFor(e); got != v1alpha1.ReasonInvalidCertificate || reason(e) != held {
					t.Fatalf("it is told as %s, and the request is %s", got, reason(e))
				}
				e.Simulator.OrderChain(id, cassim.ChainFull)
				e.Until(time.Hour, isReady(e))
			}
			if reason(e) != issued {
				t.Fatalf("it is not delivered: %s", said(e))
			}
			if form != cassim.ChainCrossSigned { // which of two twins is the right one depends on whom a client trusts
				verified(t, e)
			}
			billed(t, e, 1)
		})
	}
}

// TestACertificateThatComesLateIsWaitedFor has CAS say that the order is issued, and give its certificate only later.
// Whoever was told meanwhile that it cannot be used would order anew.
func TestACertificateThatComesLateIsWaitedFor(t *testing.T) {
	for form, patience := range map[cassim.ChainForm]time.Duration{cassim.ChainEmpty: 40 * time.Minute,
		cassim.ChainWithoutLeaf: 3 * time.Minute} {
		t.Run(form, func(t *testing.T) {
			e, id := bought(t, slow)
			e.Simulator.OrderChain(id, form)
			e.Simulator.ForceState(id, cassim.StateCertificate)
			e.Pass(patience)
			if text := said(e); !strings.Contains(text, "gives no certificate yet") {
				t.Errorf("nobody is told what is waited for: %s", text)
			}
			e.Simulator.OrderChain(id, cassim.ChainFull)
			e.Until(10*time.Minute, isReady(e))
			if told := messagesOf(e, v1alpha1.ReasonInvalidCertificate); len(told) > 0 {
				t.Errorf("it was called unusable: %s", told)
			}
			verified(t, e)
			billed(t, e, 1)
		})
	}
}

func TestALoneLeafWhoseIssuerIsNotInTheStoreIsDeliveredWithAWarning(t *testing.T) {
	e, id := bought(t, cassim.Options{CADelay: 1000 * time.Hour, Knobs: cassim.Knobs{CertID: cassim.Absent}})
	e.Simulator.OrderChain(id, cassim.ChainPartial)
	e.Simulator.ForceState(id, cassim.StateCertificate)
	e.Until(time.Hour, isReady(e))
	if text := said(e); !strings.Contains(text, "ChainIncomplete=True LeafOnly") {
		t.Errorf("nobody is told: %s", text)
	}
}

// TestACertificateThatDoesNotFitIsHeldAndNeverBoughtAgain lets the CA make a mistake. The order is neither failed,
// which would buy another, nor withdrawn: it is paid for, and the support of Alibaba Cloud may mend it.
func TestACertificateThatDoesNotFitIsHeldAndNeverBoughtAgain(t *testing.T) {
	for name, mistake := range map[string]func(e *env.Env, id string){
		"another key":   func(e *env.Env, id string) { e.Simulator.WrongKey(id) },
		"another name":  func(e *env.Env, id string) { e.Simulator.WrongNames(id, "other.example.com") },
		"only the apex": func(e *env.Env, id string) { e.Simulator.WrongNames(id, "example.com") },
		"it has ended": func(e *env.Env, id string) {
			e.Simulator.WrongDates(id, e.Clock.Now().Add(-48*time.Hour), e.Clock.Now())
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, id := bought(t, slow)
			mistake(e, id)
			e.Simulator.ForceState(id, cassim.StateCertificate)
			e.Pass(2 * time.Hour)
			e.Restart()
			e.Pass(2 * time.Hour)
			if got := heldFor(e); got != v1alpha1.ReasonInvalidCertificate || reason(e) != held {
				t.Errorf("it is told as %s, and the request is %s", got, reason(e))
			}
			billed(t, e, 1)
			if calls := e.Simulator.Calls(); calls["CancelOrderRequest"]+calls["DeleteCertificateRequest"] != 0 {
				t.Errorf("the order was withdrawn: %v", calls)
			}
		})
	}
}

// TestACertificateThatDoesNotFitIsFoundAgainAndNotBoughtTwice removes the AliyunOrder by force, with all that it knew.
// The request is the one for which the order was bought, so the next AliyunOrder waits for the same people.
func TestACertificateThatDoesNotFitIsFoundAgainAndNotBoughtTwice(t *testing.T) {
	e, id := bought(t, slow)
	e.Simulator.WrongNames(id, "other.example.com")
	e.Simulator.ForceState(id, cassim.StateCertificate)
	e.Pass(2 * time.Hour)
	strip(e)
	e.Restart()
	e.Pass(2 * time.Hour)
	if got := heldFor(e); got != v1alpha1.ReasonInvalidCertificate || onlyOrder(t, e).Status.OrderID != id {
		t.Errorf("it is told as %s: %+v", got, onlyOrder(t, e).Status)
	}
	billed(t, e, 1)
}

func TestACertificateThatBeginsLaterIsDeliveredThen(t *testing.T) {
	e, id := bought(t, slow)
	e.Simulator.WrongDates(id, e.Clock.Now().Add(5*time.Hour), e.Clock.Now().Add(500*time.Hour))
	e.Simulator.ForceState(id, cassim.StateCertificate)
	e.Pass(3 * time.Hour)
	if reason(e) != held {
		t.Fatalf("the request is %s", reason(e))
	}
	e.Until(90*time.Minute, isReady(e)) // an hour early, as the CA's clock may be ahead
}

// TestStatesMayGoBackAndForth lets CAS change its mind. No state but those that say so ends an order.
func TestStatesMayGoBackAndForth(t *testing.T) {
	e, id := bought(t, slow)
	for _, state := range []string{
		cassim.StateProcess, cassim.StateDomainVerify, "checking_twice", cassim.StateProcess, "unknow",
		cassim.StateDomainVerify, cassim.StateProcess,
	} {
		e.Simulator.ForceState(id, state)
		e.Pass(30 * time.Minute)
		if reason(e) != held {
			t.Fatalf("in state %s the request is %s: %s", state, reason(e), said(e))
		}
	}
	e.Simulator.ForceState(id, cassim.StateCertificate)
	e.Until(time.Hour, isReady(e))
	billed(t, e, 1)
}

// TestACertificateThatComesThoughItsOrderWasCancelledIsDelivered lets an order pass its deadline, and the CA be faster
// than the withdrawal. The request still waits, and gets what was paid for.
func TestACertificateThatComesThoughItsOrderWasCancelledIsDelivered(t *testing.T) {
	for _, isLive := range []bool{true, false} {
		name := "the request lives"
		if !isLive {
			name = "the request is gone"
		}
		t.Run(name, func(t *testing.T) {
			e, id := bought(t, cassim.Options{CancelDelay: time.Hour, DCVDelay: 1000 * time.Hour},
				func(i *v1alpha1.AliyunIssuer) {
					i.Spec.Orders = &v1alpha1.OrderPolicy{Timeout: &metav1.Duration{Duration: time.Hour}}
				})
			if !isLive {
				if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
					t.Fatal(err)
				}
			}
			e.Until(2*time.Hour, func() bool { return e.Simulator.Calls()["CancelOrderRequest"] > 0 })
			e.Simulator.ForceState(id, cassim.StateCertificate)
			if isLive {
				e.Until(time.Hour, isReady(e))
				verified(t, e)
			} else {
				e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
			}
			e.Pass(time.Hour)
			billed(t, e, 1)
			if n := e.Simulator.Calls()["DeleteCertificateRequest"]; n != 0 {
				t.Errorf("%d deletes of an issued order", n)
			}
		})
	}
}

func TestAnOrderThatVanishesIsBelievedGoneAfterAnHourOnly(t *testing.T) {
	for _, codes := range []string{cassim.CodesDocumented, cassim.CodesNewer} {
		t.Run(codes, func(t *testing.T) {
			e, id := bought(t, cassim.Options{CADelay: 1000 * time.Hour, Knobs: cassim.Knobs{ErrorCodes: codes}})
			e.Simulator.Vanish(id)
			e.Pass(40 * time.Minute)
			if reason(e) != held || heldFor(e) != v1alpha1.ReasonOrderNotFound {
				t.Fatalf("the request is %s for %s", reason(e), heldFor(e))
			}
			e.Simulator.Reappear(id) // as it may with a service that is consistent in the end only
			e.Pass(time.Hour)
			e.Simulator.Vanish(id)
			e.Pass(40 * time.Minute)
			if reason(e) != held {
				t.Fatalf("what was missing before counts still: the request is %s", reason(e))
			}
			e.Until(2*time.Hour, isReason(e, cmapi.CertificateRequestReasonFailed))
			e.Pass(time.Hour)
			if text := said(e); !strings.Contains(text, v1alpha1.ReasonOrderVanished) {
				t.Errorf("it is told as %s", text)
			}
			billed(t, e, 1)
		})
	}
}

// TestAnOrderThatCASDoesNotKnowForAMomentIsGivenBack lets CAS be consistent in the end only.
func TestAnOrderThatCASDoesNotKnowForAMomentIsGivenBack(t *testing.T) {
	e, id := bought(t, cassim.Options{CADelay: 1000 * time.Hour})
	e.Simulator.Vanish(id)
	if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
		t.Fatal(err)
	}
	e.Until(5*time.Minute, func() bool { return onlyOrder(t, e).Status.Release != nil })
	e.Pass(30 * time.Second)
	e.Simulator.Reappear(id)
	e.Until(10*time.Minute, func() bool { return len(e.Orders()) == 0 })
	if order, _ := e.Simulator.Order(id); !order.Released {
		t.Errorf("it is still paid for: %+v", order)
	}
}

// TestAnOrderGoesWithItsRequestEvenAfterItsEnd deletes a request as with --cascade=orphan.
func TestAnOrderGoesWithItsRequestEvenAfterItsEnd(t *testing.T) {
	e, id := bought(t, cassim.Options{})
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
		t.Fatal(err)
	}
	e.Until(time.Minute, func() bool { return len(e.Orders()) == 0 })
	if order, _ := e.Simulator.Order(id); order.Released {
		t.Error("the certificate is given back, though a Secret has it")
	}
}

// TestAnSTSTokenThatHasExpiredIsReplacedInTheSecret lets a token end under way.
func TestAnSTSTokenThatHasExpiredIsReplacedInTheSecret(t *testing.T) {
	account := cassim.DefaultAccount()
	account.Keys = []cassim.Key{{ID: "STS.first", Secret: "first-secret", SecurityToken: "first-token"}}
	e := env.New(t, cassim.Options{Accounts: []cassim.Account{account}, CADelay: 2 * time.Hour})
	put := func(name string) {
		object := &corev1.Secret{}
		if err := e.Client.Get(t.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.SecretName},
			object); err != nil {
			t.Fatal(err)
		}
		object.Data = gen.Secret("", "STS."+name, name+"-secret").Data
		object.Data["token"] = []byte(name + "-token")
		if err := e.Client.Update(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	put("first")
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Credentials.AccessKeySecretRef.SecurityTokenKey = "token"
	}))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Pass(10 * time.Minute)
	e.Simulator.ExpireToken("STS.first")
	e.Pass(time.Hour)
	if reason(e) != held || heldFor(e) != v1alpha1.ReasonCredentialsRefused {
		t.Fatalf("the request is %s for %s", reason(e), heldFor(e))
	}
	e.Simulator.RotateKey("STS.first",
		cassim.Key{ID: "STS.second", Secret: "second-secret", SecurityToken: "second-token"})
	put("second")
	e.Until(3*time.Hour, isReady(e))
	billed(t, e, 1)
	for _, secret := range []string{"first-token", "first-secret", "second-token", "second-secret"} {
		if strings.Contains(said(e)+e.Logs(), secret) {
			t.Errorf("%q is told", secret)
		}
	}
}
