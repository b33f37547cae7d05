// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/budget"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// offer is what a plan sells.
type offer struct {
	*v1alpha1.ResourcePlan
	patience time.Duration
}

func (o offer) Product() string { return o.ProductCode }

func (o offer) Sells(commonName string) bool { return Sells(o.ResourcePlan)(commonName) }

// NeedsCommonName says yes: CAS takes the domain from there (docs/design/cas.md §3.3).
func (offer) NeedsCommonName() bool { return true }

func (o offer) Fits(asks csr.Asks) csr.Reasons { return Fits(asks, o.ResourcePlan) }

func (o offer) Beside(name, commonName string) (missing string, isPossible bool) {
	switch optIn := csr.Additional(name, commonName); {
	case optIn == "":
		return "", false
	case slices.Contains(o.AdditionalNames, optIn):
		return "", true
	default:
		return string(optIn), true
	}
}

// Proves says that an order proves its common name alone (docs/design/cas.md §3.3).
func (o offer) Proves(names []string) []string { return names[:1] }

func (o offer) GoesOn(earlier v1alpha1.Source) bool {
	return equality.Semantic.DeepEqual(earlier.ResourcePlan, o.ResourcePlan)
}

func (o offer) CAIdentities() []string { return CAIdentities(o.ProductCode) }

func (o offer) TakesRepeated() bool { return o.RepeatedRequests == v1alpha1.RepeatedRequestsAccepted }

func (o offer) Patience() time.Duration { return o.patience }

// Withdrawal is short: CAS cancels at once (docs/design/cas.md §3.8).
func (o offer) Withdrawal() time.Duration { return time.Minute }

func (o offer) IsOrderID(text string) bool {
	_, isID := cas.ParseOrderID(text)
	return isID
}

func (o offer) Tag(order *v1alpha1.AliyunOrder) string {
	if o.Tags == v1alpha1.TagsDisabled {
		return ""
	}
	return fmt.Sprintf(", tagged %s=%s", tagUID, order.Spec.RequestRef.UID)
}

func (o offer) Words() source.Words {
	return source.Words{
		Search: "it is looked for in the listings of CAS",
		Presumed: "the answer of CAS was lost, and order %s is presumed to be this one: it is the only one in the " +
			"listings of CAS that can be. Its certificate will prove it",
		GivenBack: "was deleted, which gives its certificate back to the plan",
		Withdrawn: "was withdrawn at CAS by somebody else",
		Undo:      "cancel and delete it",
		Available: "the account has a plan for the product",
		Exhausted: budget.Exhausted(o.ProductCode),
		Repeated:  "spec.source.resourcePlan.repeatedRequests",
		Beside:    "spec.source.resourcePlan.additionalNames",
	}
}
