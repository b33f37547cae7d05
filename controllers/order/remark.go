// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Notes in conditions what the owner of a good certificate should know.
func (run *orderRun) remark(certificates []*x509.Certificate) {
	leaf := certificates[0]
	spec, bare := run.order.Spec, csr.IsBare(run.request)
	added := slices.DeleteFunc(csr.Lowered(leaf.DNSNames),
		func(name string) bool { return slices.Contains(csr.Lowered(spec.DNSNames), name) })
	if len(added) > 0 {
		message := fmt.Sprintf("the CA added names that were not asked for: %s", strings.Join(added, ", "))
		if !bare {
			message += ". " + toMatch(spec, run.offer, added)
		}
		run.condition(v1alpha1.ConditionNamesAdded, metav1.ConditionTrue, v1alpha1.ReasonNamesAdded, message)
	}
	if respelled := csr.Respelled(spec.Request, leaf.DNSNames); len(respelled) > 0 {
		message := fmt.Sprintf("the certificate spells names in another way than they were asked for: %s",
			strings.Join(respelled, ", "))
		if !bare {
			message += ". Write them in lower case in the Certificate: otherwise cert-manager orders again once the " +
				"request is gone"
		}
		run.condition(v1alpha1.ConditionNamesRespelled, metav1.ConditionTrue, v1alpha1.ReasonNamesRespelled, message)
	}
	if end := run.termEnd(); leaf.NotAfter.Sub(end).Abs() < termSlack {
		run.condition(v1alpha1.ConditionEndsWithTerm, metav1.ConditionTrue, v1alpha1.ReasonEndsWithTerm, fmt.Sprintf(
			"the certificate lasts %d days, until what it was ordered from ends: its renewal is ordered from "+
				"something else, so see that there is some. cert-manager ignores a spec.renewBefore of the "+
				"Certificate that is longer than that, and renews when a third is left",
			int(leaf.NotAfter.Sub(leaf.NotBefore).Hours()/24)))
	}
	if len(certificates) == 1 {
		run.condition(v1alpha1.ConditionChainIncomplete, metav1.ConditionTrue, v1alpha1.ReasonLeafOnly,
			"CAS gave the certificate without its intermediates: clients that do not have them will not trust it")
	}
}

// termSlack is how far the end of a certificate that was cut may be from the term of what it was ordered from.
const termSlack = 24 * time.Hour

// termEnd is when what the order was made from ends, or zero if that is not known.
func (run *orderRun) termEnd() time.Time {
	if run.seen == nil { // the certificate of another order is delivered again
		return time.Time{}
	}
	return run.seen.TermEnd
}

// Tells what to do, in which order, about a Certificate that lacks names which the CA has added. If one of the names
// would be refused, advises to list none of them: the Certificate would match no more than before, and cost an order.
func toMatch(spec v1alpha1.OrderSpec, offer source.Offer, added []string) string {
	const otherwise = "the Certificate shows Ready=False while it is renewed, though what it has goes on being " +
		"valid, and is ordered again once its request is gone"
	var foreign, optIns []string
	for _, name := range added {
		switch missing, isPossible := offer.Beside(name, spec.CommonName); {
		case !isPossible:
			foreign = append(foreign, name)
		case missing != "":
			optIns = append(optIns, missing)
		}
	}
	list := fmt.Sprintf("list %s in spec.dnsNames of the Certificate, which is then ordered anew. Otherwise %s",
		strings.Join(added, ", "), otherwise)
	switch {
	case len(foreign) > 0:
		return fmt.Sprintf("No order can ask for %s beside %q, so do not list it in spec.dnsNames: %s",
			strings.Join(foreign, ", "), spec.CommonName, otherwise)
	case len(optIns) > 0:
		return fmt.Sprintf("First add %s to %s of the %s %q, then %s",
			strings.Join(optIns, ", "), offer.Words().Beside, spec.IssuerRef.Kind, spec.IssuerRef.Name, list)
	default:
		return strings.ToUpper(list[:1]) + list[1:]
	}
}
