// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// pending orders a certificate of an issuer, and returns its order, which waits for a person to publish the record.
func (w *world) pending(credentials v1alpha1.Credentials) (v1alpha1.GenericIssuer, v1alpha1.AliyunOrder) {
	w.T.Helper()
	issuer := w.orderFrom(false, func(spec *v1alpha1.IssuerSpec) {
		spec.Credentials = credentials
		spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}}}
	})
	w.Create(w.certificate(www))
	return issuer, w.untilOrder(www, "a person is to publish the record", func(o v1alpha1.AliyunOrder) bool {
		return len(o.Status.Validations) > 0 && o.Status.Validations[0].RecordValue != ""
	})
}

// publish is what the person does.
func (w *world) publish(order v1alpha1.AliyunOrder) {
	v := order.Status.Validations[0]
	w.Simulator.AddRecord(cassim.DefaultZone, strings.TrimSuffix(v.FQDN, "."+cassim.DefaultZone), v.RecordType,
		v.RecordValue)
}

// endsIssued publishes the record of the order, and fails the test unless it is that order which is issued.
func (w *world) endsIssued(order v1alpha1.AliyunOrder) {
	w.T.Helper()
	w.publish(order)
	w.untilIssued(www, 1)
	if entry := w.bought(www, 1); entry.OrderID != order.Status.OrderID || entry.Released {
		w.T.Errorf("order %s became %+v", order.Status.OrderID, entry)
	}
}

// The old key is gone before the Secret has the new one, so that a call is refused in between.
func TestARotatedAccessKeyDoesNotDisturbAPendingOrder(t *testing.T) {
	t.Parallel()
	w := surroundedWorld(t)
	from := w.accessKey(w.Namespace)
	secret := w.secret(from.AccessKeySecretRef.Name)
	w.edit(secret, func() { secret.Data = gen.Secret("", rotatedKey, rotatedSecret).Data })
	_, order := w.pending(from)

	w.Simulator.RotateKey(rotatedKey, cassim.Key{ID: "the-next-key", Secret: "the-next-secret", User: "rotated"})
	w.untilOrder(www, "the order says that the key is refused", isHeld(v1alpha1.ReasonCredentialsRefused))
	w.edit(secret, func() { secret.Data = gen.Secret("", "the-next-key", "the-next-secret").Data })
	w.endsIssued(order)
}

// A session may end before its time: somebody ends all sessions of a role, or STS gave it a shorter life.
func TestASessionThatEndsEarlyDoesNotDisturbAPendingOrder(t *testing.T) {
	t.Parallel()
	for role, end := range map[string]func(w *world, keyID string){
		"ends":       func(w *world, keyID string) { w.Simulator.ExpireToken(keyID) },
		"is-revoked": func(w *world, _ string) { w.Simulator.RevokeSessions("is-revoked") },
	} {
		t.Run("one that "+role, func(t *testing.T) {
			t.Parallel()
			w := surroundedWorld(t)
			issuer, order := w.pending(w.exchanged(role, w.Namespace))
			ready := meta.FindStatusCondition(w.read(issuer).Conditions, v1alpha1.ConditionReady)
			id := order.Status.OrderID
			calls := w.callsFor(id)
			end(w, calls[len(calls)-1].Params["AccessKeyId"])
			w.endsIssued(order)

			refusals := 0
			for _, r := range w.callsFor(id) {
				if strings.HasPrefix(r.Code, "InvalidSecurityToken") {
					refusals++
				}
			}
			if refusals != 1 {
				t.Errorf("%d calls were made with the session that had ended, want 1: the next is to renew it",
					refusals)
			}
			if is := meta.FindStatusCondition(w.read(issuer).Conditions, v1alpha1.ConditionReady); *is != *ready {
				t.Errorf("the issuer became %+v, and was %+v", is, ready)
			}
		})
	}
}

// callsFor are the calls for an order.
func (w *world) callsFor(id string) (calls []cassim.Request) {
	for _, r := range w.Simulator.Requests() {
		if r.OrderID == id {
			calls = append(calls, r)
		}
	}
	return calls
}
