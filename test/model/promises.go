// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// healing is how long everything may take to end once all is mended: the deadlines of an order that was made in the
// last step, and some.
const healing = 8 * 24 * time.Hour

// heal mends all that is broken, does what people are asked to do, and waits until every request has come to its end.
func (w *world) heal() {
	w.T.Helper()
	w.Points.Trace("", "")
	w.Hold("")
	w.lift()
	w.healObjects()
	for _, from := range w.sources {
		from.heal(w)
	}
	end, began := w.Clock.Now().Add(healing), w.Clock.Now()
	for !w.isOver() && !w.T.Failed() {
		if w.Clock.Now().After(end) {
			w.T.Errorf("something has not come to its end %s after all was mended: %s", healing, w.open())
			break
		}
		w.publish()
		w.obey()
		next := max(w.settle(), 30*time.Second, w.Clock.Now().Sub(began)/6)
		w.Clock.SetTime(w.Clock.Now().Add(next))
	}
	w.pass(15 * time.Minute) // for what is tidied up afterwards, and for what should not come any more
}

func (w *world) healObjects() {
	for _, s := range w.secrets {
		w.replaceKey(s) // which takes no permissions over that were taken away
		w.tellSecret(s, s.keyID)
	}
	for _, a := range w.requests {
		if !a.isDeleted && !a.isDecided {
			w.decide(a, approved)
		}
	}
}

// isOver says that every request has ended, and nothing holds an Order any more.
func (w *world) isOver() bool {
	for _, a := range w.requests {
		if request := w.find(a); request != nil && !hasEnded(request) {
			return false
		}
	}
	return !slices.ContainsFunc(w.orders(), func(o v1alpha1.AliyunOrder) bool {
		return controllerutil.ContainsFinalizer(&o, v1alpha1.OrderFinalizer)
	})
}

// open tells what has not ended.
func (w *world) open() string {
	var all []string
	for _, order := range w.orders() {
		if controllerutil.ContainsFinalizer(&order, v1alpha1.OrderFinalizer) {
			ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
			all = append(all, fmt.Sprintf("%s is %s, deleted: %t: %+v", order.Spec.RequestRef.Name, order.Status.State,
				order.DeletionTimestamp != nil, ready))
		}
	}
	for _, a := range w.requests {
		if request := w.find(a); request != nil && !hasEnded(request) {
			all = append(all, fmt.Sprintf("request %s: %+v", a.name, request.Status.Conditions))
		}
	}
	return strings.Join(all, "; ")
}

func hasEnded(request *cmapi.CertificateRequest) bool {
	ends := []string{cmapi.CertificateRequestReasonIssued, cmapi.CertificateRequestReasonFailed,
		cmapi.CertificateRequestReasonDenied}
	return slices.Contains(ends, cmutil.CertificateRequestReadyReason(request))
}

// find is the request as it is, or nil if it is gone.
func (w *world) find(a *asked) *cmapi.CertificateRequest {
	request := &cmapi.CertificateRequest{}
	err := w.Client.Get(w.T.Context(), client.ObjectKey{Namespace: a.namespace, Name: a.name}, request)
	if apierrors.IsNotFound(err) || err == nil && request.UID != a.uid {
		return nil
	}
	w.must(err)
	return request
}

// checkPromises looks at the world after all that was broken is mended, and time has passed:
//
//   - Every request is Issued, Failed or Denied, or was deleted. None is held.
//   - Of the orders that were bought for a request, or for one that it took over from, at most one is paid for and
//     kept, and its certificate is the one that the request has. (That none is bought beside another one is checked at
//     each purchase.) Kept beside it, or for a request that has no certificate, is only an order that the CA issued
//     before it could be withdrawn, one that vanished at CAS, one whose Order was removed by force, and one that is
//     reported as ReleaseUnresolved: by its id, or, if that was never known, by its name and time. An order whose
//     answer
//     was lost in a Shared account is such a one, since it may be somebody else's.
//   - What was given back can be bought with again.
//   - An issued certificate has the key and the names of its request, and stays.
//   - No AliyunOrder has a finalizer, none of a deleted request is left, and no validation record of ours,
//     unless CleanUpFailed has named it or its Order was removed by force. Nothing of others was touched.
func (w *world) checkPromises() {
	w.T.Helper()
	for _, excused := range w.excused {
		w.T.Logf("bought twice, as the design allows: %s", excused)
	}
	for _, order := range w.orders() {
		a := w.byUID[order.Spec.RequestRef.UID]
		if len(order.Finalizers) > 0 || a.isDeleted {
			w.T.Errorf("the AliyunOrder %s is left, its request is deleted: %t, its finalizers are %v: %+v", order.Name,
				a.isDeleted, order.Finalizers, order.Status)
		}
	}
	for _, a := range w.requests {
		w.checkRequest(a)
	}
	for _, p := range w.purchases() {
		if !p.IsReleased && !w.isDelivered(&p) && !w.isAccountedFor(&p) {
			w.T.Errorf("%s for request %s, %s, is kept, nobody has it, and nobody was told: it is %s, and was bought at "+
				"%s by %s", p.Key(), w.byCSR[p.CSR].name, p.Domain, p.State, p.BoughtAt, p.By)
		}
	}
	w.checkRecords()
	w.checkHarm()
}

func (w *world) checkRequest(a *asked) {
	w.T.Helper()
	request := w.find(a)
	switch {
	case request == nil && !a.isDeleted:
		w.T.Errorf("the request %s is gone", a.name)
		return
	case request == nil:
		return
	case !hasEnded(request):
		w.T.Errorf("the request %s for %s has not ended: %+v", a.name, a.domain, request.Status.Conditions)
		return
	case cmutil.CertificateRequestReadyReason(request) != cmapi.CertificateRequestReasonIssued:
		return
	}
	chain, err := pki.DecodeX509CertificateChainBytes(request.Status.Certificate)
	if err != nil {
		w.T.Errorf("the certificate of request %s: %v", a.name, err)
		return
	}
	isLacking := func(name string) bool { return !slices.Contains(chain[0].DNSNames, name) }
	if same, err := pki.PublicKeysEqual(chain[0].PublicKey, a.key.Public()); err != nil || !same ||
		slices.ContainsFunc(a.names, isLacking) {
		w.T.Errorf("the certificate of request %s for %s is for %v, with its key: %t", a.name, a.names,
			chain[0].DNSNames, same)
	}
}

// isDelivered says that the order's certificate is the one that its request has.
func (w *world) isDelivered(p *env.Purchase) bool {
	owner := w.ownerOf(p)
	if p.Certificate == "" || len(owner.certificate) == 0 {
		return false
	}
	leaf, _, _ := strings.Cut(p.Certificate, "-----END")
	return strings.HasPrefix(string(owner.certificate), leaf)
}

// isAccountedFor says why an order may rightly be kept that nobody has a certificate from.
func (w *world) isAccountedFor(p *env.Purchase) bool {
	if p.IsVanished || p.Certificate != "" || w.forced[p.Key()] || w.ownerOf(p).isForced || p.By == byConsole {
		return true
	}
	byName := fmt.Sprintf("an order for %q may have been bought at ", p.Domain)
	return slices.ContainsFunc(w.Events(), func(event string) bool {
		if !strings.Contains(event, "ReleaseUnresolved") {
			return false
		}
		_, rest, isByName := strings.Cut(event, byName)
		if !isByName {
			return strings.Contains(event, "order "+p.ID+" ")
		}
		at, err := time.Parse(time.RFC3339, strings.SplitN(rest, " ", 2)[0])
		return err == nil && p.BoughtAt.Sub(at).Abs() < 2*time.Minute
	})
}

// checkRecords compares the zone with what it should have: what was there before, and what people published.
func (w *world) checkRecords() {
	w.T.Helper()
	left := w.Simulator.Records(zone)
	for _, record := range w.strangers {
		if !slices.Contains(left, record) {
			w.T.Errorf("somebody else's record is gone: %+v", record)
		}
	}
	told := strings.Join(w.Events(), "\n")
	for _, record := range left {
		isReported := strings.Contains(told, "CleanUpFailed") &&
			strings.Contains(told, fmt.Sprintf("%q could not be removed", record.FQDN))
		if !slices.Contains(w.strangers, record) && !w.published[record.Value] && !w.forced[record.Value] &&
			!isReported {
			w.T.Errorf("a record of ours is left: %+v", record)
		}
	}
}
