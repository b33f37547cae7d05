// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
)

// defaultKeys are the keys that CAS is known to take (docs/design/cas.md §3.3).
var defaultKeys = []v1alpha1.KeyAlgorithm{
	v1alpha1.KeyAlgorithmRSA2048, v1alpha1.KeyAlgorithmRSA3072, v1alpha1.KeyAlgorithmRSA4096,
	v1alpha1.KeyAlgorithmECDSAP256,
}

// Sells returns a function that says whether a common name is of the kind that the product is for: single names or
// wildcards. If the kind is not known, that is every name.
func Sells(plan *v1alpha1.ResourcePlan) csr.Sells {
	return func(commonName string) bool {
		kind := DomainTypeOf(plan)
		return kind == "" || strings.HasPrefix(commonName, "*.") == (kind == v1alpha1.DomainTypeWildcard)
	}
}

// Fits says what speaks against a request with the issuer's product.
func Fits(req csr.Asks, plan *v1alpha1.ResourcePlan) (against csr.Reasons) {
	allowed := plan.KeyAlgorithms
	if len(allowed) == 0 {
		allowed = defaultKeys
	}
	if !slices.Contains(allowed, req.Key) {
		against.Add("the key %s is not among those that the issuer takes (%s): %s", req.Key, join(allowed),
			csr.Advice(req.IsBare, "set spec.privateKey of the Certificate", "with such a key"))
	}
	if req.CommonName == "" {
		return against // there is nothing to compare the other names with
	}
	switch kind := DomainTypeOf(plan); {
	case Sells(plan)(req.CommonName):
	case kind == v1alpha1.DomainTypeSingle:
		against.Add("the product %q is for single names, and %q is a wildcard: use an issuer with a wildcard product",
			plan.ProductCode, req.CommonName)
	default:
		against.Add("the product %q is for wildcard names, and %q is none: use an issuer with a product for "+
			"single names", plan.ProductCode, req.CommonName)
	}
	var others, alone []string
	for _, name := range req.DNSNames[1:] {
		switch optIn := csr.Additional(name, req.CommonName); {
		case optIn == "" && csr.Suggest(Sells(plan), name) == "":
			others = append(others, name)
		case optIn == "":
			alone = append(alone, name)
		case !slices.Contains(plan.AdditionalNames, optIn):
			against.Add("CAS binds one name to an order, %q; some brands add %q by themselves: %s, or add %s to "+
				"spec.source.resourcePlan.additionalNames of the issuer", req.CommonName, name,
				csr.Advice(req.IsBare, "remove it from spec.dnsNames", "without it"), optIn)
		}
	}
	alsoForOne, alsoForMore := ", or use a Certificate of its own for it", ", or use a Certificate of its own for each"
	if req.IsBare {
		alsoForOne, alsoForMore = ", and another one for it", ", and another one for each"
	}
	against.AddAll(unrelated(req, alone, alsoForOne, alsoForMore))
	against.AddAll(unrelated(req, others, "", ""))
	if req.IsApart && !req.IsBare && len(others)+len(alone) > 0 {
		against.Add("where an Ingress or Gateway asks for it, the annotation cert-manager.io/common-name holds for " +
			"all its Secrets: write Certificates instead")
	}
	return against
}

// Refuses names that no brand adds to the common name. alsoForOne and alsoForMore say what can be done beside leaving
// them out.
func unrelated(req csr.Asks, names []string, alsoForOne, alsoForMore string) (against csr.Reasons) {
	switch len(names) {
	case 0:
	case 1:
		against.Add("CAS binds one name to an order, %q, and %q is another one: %s%s", req.CommonName, names[0],
			csr.Advice(req.IsBare, "remove it from spec.dnsNames", "without it"), alsoForOne)
	default:
		against.Add("CAS binds one name to an order, %q, and %s are others: %s%s", req.CommonName, csr.Quoted(names),
			csr.Advice(req.IsBare, "remove them from spec.dnsNames", "without them"), alsoForMore)
	}
	return against
}

func join(algorithms []v1alpha1.KeyAlgorithm) string {
	names := make([]string, 0, len(algorithms))
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}
