// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// order is what every life begins with.
func order(e *env.Env) {
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
}

// orderTwo asks for two names.
func orderTwo(e *env.Env) {
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
		c.DNSNames = append(c.DNSNames, "shop."+cassim.DefaultZone)
	})))
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
func remove(e *env.Env, _ source) {
	for _, order := range e.Orders() {
		if (order.Status.OrderID != "" || isHeld(&order)) && order.DeletionTimestamp == nil {
			forget(e)
		}
	}
}

// removeInDoubt deletes the request as soon as it is submitted, whether the id is known or not.
func removeInDoubt(e *env.Env, _ source) {
	for _, order := range e.Orders() {
		if order.Status.Submission != nil && order.DeletionTimestamp == nil {
			forget(e)
		}
	}
}

// removePublished deletes the request once all that CAS asks for is published.
func removePublished(e *env.Env, _ source) {
	isMissing := func(v v1alpha1.OrderValidation) bool { return v.PresentedAt == nil }
	for _, order := range e.Orders() {
		asked := order.Status.Validations
		if len(asked) > 0 && !slices.ContainsFunc(asked, isMissing) && order.DeletionTimestamp == nil {
			forget(e)
		}
	}
}

// removeOrder deletes the Order of a request that lives on.
func removeOrder(e *env.Env, _ source) {
	for _, order := range e.Orders() {
		if order.Status.OrderID != "" && order.DeletionTimestamp == nil {
			must(e, client.IgnoreNotFound(e.Client.Delete(e.T.Context(), &order)))
		}
	}
}

// refuse lets the CA refuse what was ordered.
func refuse(e *env.Env, from source) {
	for _, bought := range kept(e, from) {
		from.refuse(e, bought.ID)
	}
}

// operate does what the message of a held order asks for: it looks in the console, and says what is there.
func operate(e *env.Env, from source) {
	for _, order := range e.Orders() {
		if !isHeld(&order) || order.Annotations[v1alpha1.OrderIDAnnotation] != "" {
			continue
		}
		word := v1alpha1.NoOrder
		for _, bought := range kept(e, from) {
			word = bought.ID
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
