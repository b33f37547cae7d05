// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package crash takes lives of orders apart: whatever is lost, wherever, nothing is bought twice, nothing is left
// behind, and every request comes to its end.
package crash

import (
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/provider"
)

const create = "CreateCertificateWithCsrRequest"

// life is a way of an order that is walked again and again, with one interruption each time.
type life struct {
	// at is where the domain is validated; the default is Alibaba Cloud DNS.
	at      func(*testing.T, *cassim.Options) place
	options cassim.Options
	issuer  func(*v1alpha1.AliyunIssuer)
	// prepare comes before what can be interrupted.
	prepare func(*env.Env)
	// user does what a person or Kubernetes does on the way, as soon as it can. It is called after each step.
	user func(*env.Env)
	// isOver says that the life has come to its right end.
	isOver func(*env.Env) bool
	// billed is how many orders are paid for and kept at the end.
	billed int
	// isReported says that the order could not be given back, and that a person is told so.
	isReported bool
	// isStale lets the cache of the reconcilers lag behind.
	isStale bool
}

// lives are those that differ in what they write and call.
func lives(webhook *provider.Provider) map[string]life {
	lost := func(isExecuted bool) func(*env.Env) {
		return func(e *env.Env) {
			order(e)
			e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: isExecuted})
		}
	}
	exclusive := func(i *v1alpha1.AliyunIssuer) { i.Spec.Account = v1alpha1.AccountExclusive }
	late := func(i *v1alpha1.AliyunIssuer) {
		gen.Manual(i)
		exclusive(i)
		i.Spec.Orders = &v1alpha1.OrderPolicy{Timeout: &metav1.Duration{Duration: time.Hour}}
	}
	all := map[string]life{
		"an order with dns.alidns":   {prepare: order, isOver: isIssued, billed: 1},
		"an order with dns.manual":   {at: byHand, prepare: order, isOver: isIssued, billed: 1},
		"an answer that was lost":    {prepare: lost(true), user: operate, isOver: isIssued, billed: 1},
		"an order that was not made": {prepare: lost(false), user: operate, isOver: isIssued, billed: 1},
		"a request that is deleted": {prepare: order, issuer: exclusive,
			options: cassim.Options{CADelay: 1000 * time.Hour}, user: remove, isOver: isGone},
		"an order that the CA refuses": {prepare: order, issuer: exclusive,
			options: cassim.Options{CADelay: 1000 * time.Hour}, user: refuse, isOver: isFailed},
		"a domain that nobody validates": {prepare: order, issuer: late, isOver: isFailed},
		"an Order that is deleted": {
			prepare: order, issuer: exclusive, options: cassim.Options{CADelay: 1000 * time.Hour}, user: removeOrder,
			isOver: isFailed,
		},
		"a presumed order that is deleted": {
			prepare: lost(true), options: cassim.Options{CADelay: 1000 * time.Hour}, user: remove, isOver: isGone,
			billed: 1, isReported: true,
		},
		"a submission in doubt that is deleted": {
			prepare: lost(true), issuer: exclusive,
			options: cassim.Options{CADelay: 1000 * time.Hour, ListDelay: 3 * time.Minute},
			user:    removeInDoubt, isOver: isGone,
		},
		"a finished request that is made again": {prepare: prune, isOver: isIssued, billed: 1},
		"a Certificate that is edited": {prepare: edit, options: cassim.Options{CADelay: betweenPolls},
			isOver: isIssued, billed: 1},
	}
	for name, at := range map[string]func(*testing.T, *cassim.Options) place{
		"dns.rfc2136": byUpdates, "dns.dnsEndpoint": byExternalDNS, "dns.webhook": by(webhook), "file.ingress": byFiles,
	} {
		all["an order with "+name] = life{at: at, prepare: order, isOver: isIssued, billed: 1}
		all["a request with "+name+" that is deleted"] = life{
			at: at, prepare: order, issuer: exclusive, options: cassim.Options{CADelay: 1000 * time.Hour}, user: remove,
			isOver: isGone,
		}
	}
	return all
}

// betweenPolls is a time at which no poll can be due, whatever its jitter: CAS is asked 20 to 26 seconds after the
// state began, and 40 to 58 seconds after. At the time of a poll, one walk of a life would pass a point more than the
// next.
const betweenPolls = 33 * time.Second

// order is what every life begins with.
func order(e *env.Env) {
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
}

// edit replaces the request while its order is under way.
func edit(e *env.Env) {
	key := gen.Key()
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Settle()
	forget(e)
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
}

// prune removes a request that has its certificate, and makes it again with the same key.
func prune(e *env.Env) {
	key := gen.Key()
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, func() bool { return isIssued(e) })
	forget(e)
	e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
}

// forget deletes the request, and its Orders as the garbage collector does.
func forget(e *env.Env) {
	must(e, client.IgnoreNotFound(e.Client.Delete(e.T.Context(), gen.Request(e.Namespace, "www", nil))))
	for _, order := range e.Orders() {
		must(e, client.IgnoreNotFound(e.Client.Delete(e.T.Context(), &order)))
	}
}

// remove deletes the request once it is ordered, or once a person has to say whether it is.
func remove(e *env.Env) {
	for _, order := range e.Orders() {
		if (order.Status.OrderID != "" || isHeld(&order)) && order.DeletionTimestamp == nil {
			forget(e)
		}
	}
}

// removeInDoubt deletes the request as soon as it is submitted, whether the id is known or not.
func removeInDoubt(e *env.Env) {
	for _, order := range e.Orders() {
		if order.Status.Submission != nil && order.DeletionTimestamp == nil {
			forget(e)
		}
	}
}

// removeOrder deletes the Order of a request that lives on.
func removeOrder(e *env.Env) {
	for _, order := range e.Orders() {
		if order.Status.OrderID != "" && order.DeletionTimestamp == nil {
			must(e, client.IgnoreNotFound(e.Client.Delete(e.T.Context(), &order)))
		}
	}
}

// refuse lets the CA refuse what was ordered.
func refuse(e *env.Env) {
	for _, entry := range e.Simulator.Ledger() {
		if !entry.Foreign && !entry.Released && entry.State != cassim.StateVerifyFail {
			e.Simulator.ForceState(entry.OrderID, cassim.StateVerifyFail)
		}
	}
}

// operate does what the message of a held order asks for: it looks in the console, and says what is there.
func operate(e *env.Env) {
	for _, order := range e.Orders() {
		if !isHeld(&order) || order.Annotations[v1alpha1.OrderIDAnnotation] != "" {
			continue
		}
		word := v1alpha1.NoOrder
		for _, entry := range e.Simulator.Ledger() {
			if !entry.Foreign && !entry.Released {
				word = entry.OrderID
			}
		}
		order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word}
		must(e, e.Client.Update(e.T.Context(), &order))
	}
}

// isHeld says that the order waits for an operator's word.
func isHeld(order *v1alpha1.AliyunOrder) bool {
	ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonAmbiguousSubmission &&
		strings.Contains(ready.Message, v1alpha1.OrderIDAnnotation)
}

func must(e *env.Env, err error) {
	e.T.Helper()
	if err != nil {
		e.T.Fatal(err)
	}
}

// gone is the reason of a request that is not there.
const gone = "gone"

func reason(e *env.Env) string {
	request := &cmapi.CertificateRequest{}
	err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: "www"}, request)
	if apierrors.IsNotFound(err) {
		return gone
	}
	must(e, err)
	return cmutil.CertificateRequestReadyReason(request)
}

func isIssued(e *env.Env) bool { return reason(e) == cmapi.CertificateRequestReasonIssued }

func isFailed(e *env.Env) bool { return reason(e) == cmapi.CertificateRequestReasonFailed }

func isGone(e *env.Env) bool { return reason(e) == gone && len(e.Orders()) == 0 }
