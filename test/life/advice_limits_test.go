// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"bytes"
	"strconv"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// spent is the advice about a budget.
var spent = []advised{{
	to: "allow more", says: []string{
		`set (spec\.orders\.budget\.\S+) of the AliyunIssuer "([^"]+)" to more than (\d+)`}, billed: 2,
	follow: func(r *reader) string {
		r.is(1, gen.IssuerName)
		r.set(r.issuer(), r.words[0], r.number(2)+1)
		return "shop"
	},
}}

// limitAdvice is what to do about a limit.
var limitAdvice = map[string][]advised{
	"budget of the issuer":    spent,
	"budget of the namespace": spent,
	"kept for renewals": {
		{to: "buy more", says: []string{`the plan for "([^"]+)" has (\d+) certificates left`, `Buy more for the plan`},
			billed: 2, follow: func(r *reader) string {
				r.Simulator.SetPackage(r.words[0], 10, 1)
				return "shop"
			}},
		{to: "keep less", says: []string{`or set (spec\.orders\.reserve) of the AliyunIssuer "([^"]+)" to ` +
			`less than (\d+)`}, billed: 2, follow: func(r *reader) string {
			r.is(1, gen.IssuerName)
			r.set(r.issuer(), r.words[0], r.number(2)-1)
			return "shop"
		}},
	},
	"zone that refused another": {
		{
			to: "allow it", billed: 2, follow: func(r *reader) string { r.allowsTheAction(); return "shop" },
			says: []string{`allow alidns:(\w+) to the RAM user or role in a RAM policy`, `allow alidns:\w+ for this ` +
				`zone to the RAM user or role in a RAM policy`},
		},
	},
	"account blocked": {{
		to: "settle it", says: []string{`settle it with Alibaba Cloud: verification, risk control or balance of ` +
			`the account`}, billed: 1,
		follow: func(r *reader) string { r.Simulator.LiftFaults(); return "www" },
	}},
	"what CAS rejects": {{
		to: "correct it", says: []string{`The (phone) number is not valid: correct what CAS names`}, billed: 1,
		follow: func(r *reader) string {
			r.set(r.issuer(), "spec.contact."+r.words[0], "13800000001")
			r.Simulator.LiftFaults()
			return r.again()
		},
	}},
	"redirected for good": {
		{to: "take the proxy away", says: []string{`and look for a proxy in the way`}, billed: 1,
			follow: func(r *reader) string { r.Simulator.LiftFaults(); return "www" }},
		{to: "name the address that answers", says: []string{`set the endpoint to the address that answers by itself`},
			follow: (*reader).namesWhatAnswers},
	},
	"signing request used before": {
		{to: "have the key rotated", says: []string{`Set (spec\.privateKey\.rotationPolicy) of the Certificate ` +
			`to (Always)`, `or at once by cmctl renew`}, billed: 2, follow: func(r *reader) string {
			crt := r.certificate()
			r.edit(crt, r.words[0], r.words[1])
			return r.renew(crt, "again")
		}},
		{to: "say that the CA takes it", says: []string{`set (spec\.source\.resourcePlan\.repeatedRequests) of the ` +
			`issuer to (Accepted)`}, billed: 2, follow: func(r *reader) string {
			r.set(r.issuer(), r.words[0], r.words[1])
			r.Create(gen.Request(r.Namespace, "again", r.Request("www").Spec.Request, gen.OfCertificate))
			r.Decide("again", cmapi.CertificateRequestConditionApproved)
			return "again"
		}},
	},
	"names that nobody can ask for": {{
		to: "leave them out", says: []string{`No order can ask for (\S+) beside "[^"]+", so do not list it in ` +
			`spec\.dnsNames`}, billed: 1, follow: func(*reader) string { return "www" },
	}},
}

// number is one of the words.
func (r *reader) number(word int) int {
	r.T.Helper()
	n, err := strconv.Atoi(r.words[word])
	if err != nil {
		r.T.Fatal(err)
	}
	return n
}

// namesWhatAnswers has the first endpoint redirect for good, and finds the services at another one.
func (r *reader) namesWhatAnswers() string {
	r.T.Helper()
	account := cassim.DefaultAccount()
	other := cassim.New(cassim.Options{Clock: r.Clock, Accounts: []cassim.Account{account},
		Resolver: r.Simulator.DNSAddr()})
	if err := other.Start(); err != nil {
		r.T.Fatal(err)
	}
	r.T.Cleanup(other.Close)
	r.set(r.issuer(), "spec.endpoint.url", other.URL())
	r.isIssued("www")
	if bought := other.Ledger(); len(bought) != 1 {
		r.T.Errorf("%d orders were billed there: %+v", len(bought), bought)
	}
	return ""
}

// misfitAdvice is what to do about a request that is not as it has to be.
var misfitAdvice = map[string][]advised{
	"two common names": {{to: "leave one", says: []string{`leave one in (spec\.literalSubject) of the Certificate`},
		billed: 1, follow: func(r *reader) string {
			return r.again(func(crt *cmapi.Certificate) {
				crt.Spec.CommonName = ""
				r.edit(crt, r.words[0], "CN="+gen.Domain)
			})
		}}},
	"usages that cannot be read": {
		{to: "set them", says: []string{`set (spec\.usages) of the Certificate`}, billed: 1,
			follow: func(r *reader) string {
				return r.again(func(crt *cmapi.Certificate) {
					r.edit(crt, r.words[0], list(string(cmapi.UsageDigitalSignature), string(cmapi.UsageServerAuth)))
				})
			}}},
	"no DNS name": {{to: "set a common name", says: []string{`set (spec\.commonName) of the Certificate to a DNS name`},
		billed: 1, follow: func(r *reader) string {
			return r.again(func(crt *cmapi.Certificate) { r.edit(crt, r.words[0], gen.Domain) })
		}}},
	"bad common name beside a good name": {{
		to: "take the good one", billed: 1, says: []string{`the common name "([^"]+)" has an underscore: set ` +
			`(spec\.commonName) of the Certificate to "([^"]+)", and remove the other from (spec\.dnsNames)`},
		follow: func(r *reader) string {
			return r.again(func(crt *cmapi.Certificate) {
				r.edit(crt, r.words[1], r.words[2])
				r.without(crt, r.words[3], r.words[0])
			})
		},
	}},
	"bad name beside a good one": {{
		to: "write it in another way", billed: 1,
		says: []string{`the name "([^"]+)" ends with a dot: write "([^"]+)" in (spec\.dnsNames) of the Certificate`},
		follow: func(r *reader) string {
			return r.again(func(crt *cmapi.Certificate) {
				r.without(crt, r.words[2], r.words[0])
				r.edit(crt, r.words[2], list(append(crt.Spec.DNSNames, r.words[1])...))
			})
		},
	}},
	"several other names": {
		{to: "remove them", says: []string{`and "([^"]+)", "([^"]+)" are others: remove them from (spec\.dnsNames)`},
			billed: 1, follow: func(r *reader) string {
				return r.again(func(crt *cmapi.Certificate) {
					r.without(crt, r.words[2], r.words[0])
					r.without(crt, r.words[2], r.words[1])
				})
			}},
		{to: "use other Certificates", says: []string{`or use a Certificate of its own for each`}, billed: 2,
			follow: (*reader).writesTwoCertificates},
	},
	"wildcard product": {{to: "use another issuer", says: []string{`use an issuer with a product for single names`},
		billed: 1, follow: func(r *reader) string {
			r.Create(gen.Issuer(r.Namespace, r.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) { i.Name = "singles" }))
			return r.again(referTo("singles"))
		}}},
	"text beside the request": {
		{to: "give the block alone", says: []string{`give its PEM block alone`}, billed: 1,
			follow: func(r *reader) string {
				_, alone, _ := bytes.Cut(r.Request("www").Spec.Request, []byte("\n"))
				r.Create(gen.Request(r.Namespace, "again", alone))
				r.Decide("again", cmapi.CertificateRequestConditionApproved)
				return "again"
			}}},
	"orders that nobody knows": {{
		to: "say whose it is", billed: 3, says: []string{`Look in the console of CAS, and annotate this AliyunOrder ` +
			`with the id of its order, or with "(\w+)" if it has none: (kubectl annotate .+?)<id or none>`},
		follow: func(r *reader) string { r.run(r.words[1] + r.words[0]); return "www" },
	}},
	"order of another request": {{to: "delete it", says: []string{`the AliyunOrder "([^"]+)" belongs to another ` +
		`request: delete it`, `make another request instead`}, billed: 1, follow: func(r *reader) string {
		remove(r.Env, &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: r.words[0]}})
		return "www"
	}}},
	"request changed": {{to: "make another request", says: []string{`make another request instead`}, billed: 1,
		follow: func(r *reader) string {
			r.set(r.issuer(), "spec.orders.paused", nil)
			r.Pass(time.Minute)
			return r.anew(gen.Domain)
		}}},
}
