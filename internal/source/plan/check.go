// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// probedKeyword is in no domain, and probedOrder is no order: a probe with them finds nothing.
const (
	probedKeyword = "permission-probe.invalid"
	probedOrder   = cas.OrderID("1")
)

// checker asks about the plan of an issuer.
type checker struct {
	source.CheckAsk

	spec  *v1alpha1.ResourcePlan
	calls *cas.Client
	now   time.Time
}

// Checker returns what asks about the plan. It also reads the contact, which no read call would try, so that a mistake
// there is found before a purchase.
func (s *Source) Checker(ctx context.Context, ask source.CheckAsk) (source.Checker, error) {
	spec := ask.Issuer.GetSpec()
	if _, err := s.Remote.Secrets.Contact(ctx, ask.Reach.Namespace, spec); err != nil {
		reason, message := verdict.Explain(err)
		return nil, &credentials.Problem{Reason: reason, Message: "the contact: " + message}
	}
	calls, err := access.ClientOf(s.Remote, ask.Reach, ask.Secrets, cas.New)
	if err != nil {
		return nil, err
	}
	return &checker{ask, spec.Source.ResourcePlan, calls, s.Remote.Clock.Now()}, nil
}

// Supply asks for the numbers of the plan.
func (c *checker) Supply(ctx context.Context) (*source.Shortcoming, error) {
	numbers, err := c.calls.Package(ctx, c.spec.ProductCode)
	switch {
	case cas.IsNoPackage(err):
		_, message := verdict.Explain(err)
		return &source.Shortcoming{Reason: v1alpha1.ReasonNoPackage, Message: message}, nil
	case err != nil:
		return nil, err
	case DomainTypeOf(c.spec) == "":
		return &source.Shortcoming{Reason: v1alpha1.ReasonDomainTypeRequired, Message: DomainTypeRequired(c.spec)}, nil
	}
	c.Issuer.GetStatus().Supply = &v1alpha1.Supply{
		Product: c.spec.ProductCode,
		Total:   int64(numbers.Total), InUse: int64(numbers.Used), Issued: int64(numbers.Issued),
		Free:       int64(numbers.Total - numbers.Used),
		ObservedAt: metav1.NewTime(c.now.Truncate(time.Second)),
	}
	if numbers.Total == 0 {
		return &source.Shortcoming{Reason: v1alpha1.ReasonNoPackage, Message: fmt.Sprintf(
			"the account has no certificate for the product code %q: buy a resource plan for it, or correct "+
				"spec.source.resourcePlan.productCode", c.spec.ProductCode)}, nil
	}
	return nil, nil
}

// Probe tries to list and to describe.
func (c *checker) Probe(ctx context.Context) []error {
	var listed, described error
	var asking sync.WaitGroup
	asking.Go(func() { _, listed = c.calls.List(ctx, cas.ListQuery{Keyword: probedKeyword}) })
	asking.Go(func() { _, described = c.calls.Describe(ctx, probedOrder) })
	asking.Wait()
	return []error{listed, described}
}
