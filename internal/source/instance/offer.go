// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// product is the same for all instances: it does not matter to budgets which ones an issuer has.
const product = "instance"

// offer is what instances sell.
type offer struct{ *v1alpha1.Instance }

func (offer) Product() string { return product }

// Sells says yes to every name: only CAS can tell whether an instance is for single names or for wildcards (isFit).
func (offer) Sells(string) bool { return true }

// NeedsCommonName says yes unless the issuer has such requests tried: what CAS does with one is not known
// (docs/design/unknowns.md), and a refusal consumes nothing.
func (o offer) NeedsCommonName() bool { return o.CommonName != v1alpha1.CommonNameOptional }

// keys are the words that CAS has for keys (docs/design/cas.md §4.6). There is none for P-384.
var keys = map[v1alpha1.KeyAlgorithm]string{
	v1alpha1.KeyAlgorithmRSA2048: casinstance.KeyRSA2048, v1alpha1.KeyAlgorithmRSA3072: casinstance.KeyRSA3072,
	v1alpha1.KeyAlgorithmRSA4096: casinstance.KeyRSA4096, v1alpha1.KeyAlgorithmECDSAP256: casinstance.KeyECC256,
}

func (offer) Fits(asks csr.Asks) (against csr.Reasons) {
	if _, isKnown := keys[asks.Key]; !isKnown {
		against.Add("an application with an instance cannot have the key %s, but RSA2048, RSA3072, RSA4096 or "+
			"ECDSAP256: %s", asks.Key, csr.Advice(asks.IsBare, "set spec.privateKey of the Certificate",
			"with such a key"))
	}
	if len(asks.DNSNames) > maxNames {
		against.Add("it asks for %d names, and a certificate can have %d: %s", len(asks.DNSNames), maxNames,
			csr.Advice(asks.IsBare, "use several Certificates", "with fewer"))
	}
	return against
}

// maxNames is how many names an AliyunOrder has room for: as many as an instance can be bought for
// (docs/design/cas.md §4.7).
const maxNames = 300

// GoesOn says yes to every spec with instances: which ones an issuer lists now says nothing about an application that
// was made.
func (offer) GoesOn(earlier v1alpha1.Source) bool { return earlier.Instance != nil }

func (offer) CAIdentities() []string { return nil }

// TakesRepeated says no: CAS is said to refuse a signing request that was used (docs/design/cas.md §3.3).
func (offer) TakesRepeated() bool { return false }

func (offer) Patience() time.Duration { return MinSettle }

// Withdrawal is how long an instance may stay pending after it was cancelled (docs/design/cas.md §4.5), and at least
// how long what became of a lost answer is not known.
func (offer) Withdrawal() time.Duration { return 30 * time.Minute }

func (offer) IsOrderID(text string) bool {
	_, isID := casinstance.ParseID(text)
	return isID
}

func (offer) Tag(order *v1alpha1.AliyunOrder) string {
	return fmt.Sprintf(", tagged %s/uid=%s", v1alpha1.Group, order.Spec.RequestRef.UID)
}

func (offer) Words() source.Words {
	return source.Words{
		Search:    "what stands on the instance is read",
		Presumed:  "order %s is presumed to be this one. Its certificate will prove it",
		GivenBack: "is not under way any more",
		Undo:      "cancel its application",
		Withdrawn: "has ended without a certificate for its key: the CA has refused it, or somebody has withdrawn " +
			"it. The console of CAS says which",
		Available: "the account has the instances",
		Exhausted: "no instance that spec.source.instance.selector selects can be applied with: buy one in the " +
			"console of CAS, and let the selector select it",
		Beside: "spec.source.instance.additionalNames",
	}
}
