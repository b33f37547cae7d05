// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// limits are the scenarios in which a budget, the plan, the account or the CA bounds what is ordered.
func limits() map[string]scenario {
	budget := func(b v1alpha1.OrderBudget) func(*v1alpha1.AliyunIssuer) {
		return func(i *v1alpha1.AliyunIssuer) { i.Spec.Orders = &v1alpha1.OrderPolicy{Budget: &b} }
	}
	one := v1alpha1.OrderLimits{PerDay: new(int32(1))}
	plan := cassim.DefaultAccount()
	plan.Packages = map[string]int{gen.Product: 2}
	another := func(e *env.Env) { // name, once the first is bought
		e.Until(time.Hour, billedSoFar(e, 1))
		e.Pass(5 * time.Minute)
		ask(e, "shop", "shop")
	}
	refuse := func(action, code, message string) func(*env.Env) {
		return func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.Refuse, Status: 403, Code: code,
				Message: message, Times: -1})
		}
	}
	id := func(e *env.Env) string { return e.Simulator.Ledger()[0].OrderID }
	return map[string]scenario{
		"budget of the issuer":    {billed: 1, issuer: budget(v1alpha1.OrderBudget{Issuer: one}), after: another},
		"budget of the namespace": {billed: 1, issuer: budget(v1alpha1.OrderBudget{Namespace: one}), after: another},
		"kept for renewals": {billed: 1, options: cassim.Options{Accounts: []cassim.Account{plan}},
			after: another},
		"zone that refused another": {billed: 1, after: another,
			before: func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, "AddDomainRecord") }},
		"account blocked":  {before: refuse("", "InsufficientBalance", "Your account has no balance.")},
		"what CAS rejects": {before: refuse(create, "InvalidParameter", "The phone number is not valid.")},
		"redirected for good": {before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "DescribePackageState", Kind: cassim.Redirect307, Times: -1})
		}},
		"signing request used before": {
			billed: 1, options: cassim.Options{Knobs: cassim.Knobs{CSRReuse: cassim.ReuseAccepted}},
			before: (*env.Env).OneClock,
			after:  func(e *env.Env) { renewal(e, e.Request("www").Spec.Request, gen.OfCertificate) }},
		"names that nobody can ask for": {billed: 1, options: slow, request: gen.OfCertificate,
			after: func(e *env.Env) {
				e.Simulator.ExtraNames(id(e), "www.example.net")
				e.Simulator.ForceState(id(e), "certificate")
			}},
	}
}

// misfits are the scenarios in which a signing request, or what belongs to a request, is not as it has to be.
func misfits() map[string]scenario {
	names := func(common string, others ...string) func(*x509.CertificateRequest) {
		return func(c *x509.CertificateRequest) { c.Subject.CommonName, c.DNSNames = common, others }
	}
	twoCommonNames := func(c *x509.CertificateRequest) {
		common := func(name string) pkix.AttributeTypeAndValue {
			return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: name}
		}
		c.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{common("api.example.com"), common(gen.Domain)}}
	}
	badUsages := func(c *x509.CertificateRequest) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: []byte("no usages")}}
	}
	return map[string]scenario{
		"two common names":           {request: gen.OfCertificate, csr: twoCommonNames},
		"usages that cannot be read": {request: gen.OfCertificate, csr: badUsages},
		"no DNS name":                {request: gen.OfCertificate, csr: names("")},
		"bad common name beside a good name": {request: gen.OfCertificate,
			csr: names("my_app.example.com", "my_app.example.com", gen.Domain)},
		"bad name beside a good one": {request: gen.OfCertificate, csr: names(gen.Domain, gen.Domain, "example.com."),
			issuer: func(i *v1alpha1.AliyunIssuer) {
				i.Spec.Source.ResourcePlan.AdditionalNames = []v1alpha1.AdditionalName{v1alpha1.AdditionalNameApex}
			}},
		"several other names": {request: gen.OfCertificate,
			csr: names(gen.Domain, gen.Domain, "a.example.com", "b.example.com")},
		"wildcard product": {request: gen.OfCertificate,
			before: func(e *env.Env) { e.Simulator.SetPackage("geotrust-dv-w-starter", 3, 0) },
			issuer: func(i *v1alpha1.AliyunIssuer) {
				i.Spec.Source.ResourcePlan.ProductCode = "geotrust-dv-w-starter"
			}},
		"text beside the request": {request: func(r *cmapi.CertificateRequest) {
			r.Spec.Request = append([]byte("this is my request\n"), r.Spec.Request...)
		}},
		"orders that nobody knows": {billed: 2, issuer: func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Account, i.Spec.Orders = v1alpha1.AccountShared, &v1alpha1.OrderPolicy{Paused: true}
		}, after: func(e *env.Env) {
			for range 2 {
				e.Simulator.AddForeignOrder(gen.Domain)
			}
			e.Restart()
			editPolicy(e, func(p *v1alpha1.OrderPolicy) { p.Paused = false })
		}},
		"order of another request": {billed: 0, decision: []cmapi.CertificateRequestConditionType{},
			after: func(e *env.Env) {
				e.Create(gen.Request(e.Namespace, "shop", gen.CSR(gen.Key())))
				order, other := gen.Order(e.Namespace), e.Request("shop")
				order.GenerateName, order.Name = "", "www-"+string(e.Request("www").UID)[:8]
				order.Spec.RequestRef = v1alpha1.RequestReference{Name: other.Name, UID: other.UID}
				e.Create(order)
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
			}},
		"request changed": {issuer: func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Orders = &v1alpha1.OrderPolicy{Paused: true}
		}, after: func(e *env.Env) {
			request := e.Request("www")
			request.Spec.Request = gen.CSR(gen.Key())
			if err := e.Client.Update(e.T.Context(), request); err != nil {
				e.T.Fatal(err)
			}
		}},
	}
}

// TestEveryLimitAndEveryMisfitIsToldInWordsThatHelp compares what users read.
func TestEveryLimitAndEveryMisfitIsToldInWordsThatHelp(t *testing.T) {
	for _, some := range []map[string]scenario{limits(), misfits()} {
		for name, s := range some {
			t.Run(name, func(t *testing.T) { isTold(t, name, s) })
		}
	}
}
