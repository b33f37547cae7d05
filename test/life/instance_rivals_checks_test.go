// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
)

// checkInstances looks for what must hold whoever was next: no two applications are under way on one instance, and none
// took the place of another one; what the person has applied for is cancelled by nobody else; and what anybody has
// written is not written over.
func (r *rivals) checkInstances() {
	r.t.Helper()
	if err := r.simulator.InstanceHarm(); err != nil {
		r.t.Fatal(err)
	}
	for _, seen := range r.simulator.Instances() {
		if seen.Overwritten > 0 {
			r.t.Fatalf("what somebody had written on %s was written over", seen.InstanceID)
		}
		underWay := 0
		for _, a := range seen.Applications {
			if a.EndedAt.IsZero() {
				underWay++
			}
			isCancelled := !a.CancelledAt.IsZero() && !r.cancelled[idOf(&a)]
			if a.ForeignCSR && isCancelled {
				r.t.Fatalf("the application of the person was cancelled: %+v", a)
			}
		}
		if underWay > 1 {
			r.t.Fatalf("%d applications are under way: %+v", underWay, seen.Applications)
		}
	}
}

// checkClusters looks at what the clusters say once each has had its turn: no two Orders apply with one instance, a
// certificate is for the key and the name of its request, and no request that had its turn is silent.
func (r *rivals) checkClusters(met []*rival) {
	r.t.Helper()
	holders := map[string]string{}
	for _, cluster := range r.clusters {
		for _, order := range cluster.Orders() {
			id := order.Status.OrderID
			if id == "" || len(order.Finalizers) == 0 {
				continue
			}
			if other := holders[id]; other != "" {
				r.t.Fatalf("the Orders %s and %s apply with %s", other, order.Name, id)
			}
			holders[id] = order.Name
		}
	}
	for _, a := range met {
		r.checkCertificate(a)
		if ready := r.readyOf(a); ready.Reason == "" || ready.Message == "" {
			r.t.Fatalf("the request %s says nothing: %+v", a.name, ready)
		}
	}
}

func (r *rivals) checkCertificate(a *rival) {
	r.t.Helper()
	request := a.Request(a.name)
	if len(request.Status.Certificate) == 0 {
		return
	}
	certificates, err := chain.For(request.Spec.Request, request.Status.Certificate)
	if err != nil {
		r.t.Fatalf("the request %s has the certificate of somebody else: %v", a.name, err)
	}
	if err := certificates[0].VerifyHostname(a.label + "." + cassim.DefaultZone); err != nil {
		r.t.Fatalf("the certificate of %s: %v", a.name, err)
	}
}

// readyOf is what a request says.
func (r *rivals) readyOf(a *rival) cmapi.CertificateRequestCondition {
	ready := cmutil.GetCertificateRequestCondition(a.Request(a.name), cmapi.CertificateRequestConditionReady)
	if ready == nil {
		return cmapi.CertificateRequestCondition{}
	}
	return *ready
}

// checkEnd looks at what is left once nothing happens any more: each instance has issued, or has on it what the person
// wrote and nobody applied for. Each request has its certificate, or has failed and says why, or waits for an instance
// and says so.
func (r *rivals) checkEnd() {
	r.t.Helper()
	delivered, held := 0, 0
	for _, a := range r.requests {
		switch ready := r.readyOf(a); {
		case ready.Reason == issued:
			delivered++
		case ready.Reason == failed && strings.Contains(ready.Message, "The console of CAS says which"):
		case ready.Message != "" && strings.Contains(ready.Message, "("+v1alpha1.ReasonQuotaExhausted+")") &&
			strings.Contains(ready.Message, "buy one that is for as many in the console of CAS"):
			held++
		default:
			r.t.Errorf("the request %s says %+v", a.name, ready)
		}
	}
	ours, theirs, left := 0, 0, 0
	for _, seen := range r.simulator.Instances() {
		switch last := lastOf(&seen); {
		case last != nil && last.CertificateID != "" && last.ForeignCSR:
			theirs++
		case last != nil && last.CertificateID != "":
			ours++
		case seen.CSRBy == "console":
			left++
		default:
			r.t.Errorf("nobody uses the instance %+v", seen)
		}
	}
	if ours != delivered || ours+theirs+left != len(r.instances) || held != rivalRequests-delivered {
		r.t.Errorf("%d are issued to requests, %d instances have issued to them, %d to the person, %d are left to the "+
			"person; %d requests wait", delivered, ours, theirs, left, held)
	}
	r.t.Logf("%d requests, %d issued, %d wait; the person has %d and left %d", len(r.requests), delivered, held, theirs, left)
}
