// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// session is a plan at work for one Order in one run.
type session struct {
	*Source
	source.Ask

	spec    *v1alpha1.ResourcePlan
	calls   *cas.Client
	contact cas.Contact
	// listed is what CAS lists for the order's name, once this run has read all of it, or nil.
	listed *listing
}

// Prepare reads the contact, which CAS wants with each order.
func (s *session) Prepare(ctx context.Context, issuer v1alpha1.GenericIssuer) (err error) {
	s.contact, err = s.Remote.Secrets.Contact(ctx, s.Order.Spec.SecretNamespace, issuer.GetSpec())
	return err
}

// Intend has the count of the plan read, or shares the reading of a purchase that is under way.
func (s *session) Intend(ctx context.Context) (source.Intent, error) {
	count, err := s.counts.beginPurchase(s.Order, s.Now, func() (int, error) {
		numbers, err := s.calls.Package(ctx, s.spec.ProductCode)
		return numbers.Used, err
	})
	if count == nil || err != nil {
		return nil, err
	}
	return count, nil
}

// Note writes the count down if it is evidence. The second call takes out a count that ceased to be evidence while the
// intent was written: beginReturn can take it only from an intent that is there already.
func (p *baseline) Note(submission *v1alpha1.OrderSubmission) {
	evidence := evidenceOf(submission)
	evidence.UsedCount, evidence.UsedCountAt = nil, nil
	if p.says() {
		evidence.UsedCount, evidence.UsedCountAt = new(p.reading.used), new(p.reading.at)
	}
	setEvidence(submission, evidence)
}

// Buy makes the one call that orders.
func (s *session) Buy(ctx context.Context) source.Purchase {
	submission := s.calls.Submit(ctx, s.application())
	bought := source.Purchase{OrderID: string(submission.OrderID), Err: submission.Err}
	switch submission.Outcome {
	case cas.Accepted:
		bought.Outcome = source.Accepted
	case cas.NotBought:
		bought.Outcome = source.NotBought
	default:
		bought.Outcome = source.Unknown
	}
	if submission.Err == nil {
		return bought
	}
	switch cas.KindOf(submission.Err) {
	case cas.KindExhausted:
		bought.Refusal = source.Exhausted
	case cas.KindInvalid:
		bought.Refusal = source.Malformed
	}
	return bought
}

func (s *session) application() cas.Application {
	order := s.Order
	app := cas.Application{
		CSR:          string(order.Spec.Request),
		ProductCode:  s.spec.ProductCode,
		ValidateType: validateType(order),
		Contact:      s.contact,
		StartedAt:    order.Status.Submission.StartedAt.Time,
	}
	if s.spec.Tags != v1alpha1.TagsDisabled {
		app.Tags = map[string]string{
			v1alpha1.Group + "/cluster":   s.Cluster,
			v1alpha1.Group + "/namespace": order.Namespace,
			v1alpha1.Group + "/name":      order.Spec.RequestRef.Name,
			tagUID:                        string(order.Spec.RequestRef.UID),
		}
	}
	return app
}

// tagUID is the tag by which people find the order of a request in the console.
const tagUID = v1alpha1.Group + "/uid"

func validateType(order *v1alpha1.AliyunOrder) cas.ValidateType {
	if order.Spec.IsFile() {
		return cas.ValidateFile
	}
	return cas.ValidateDNS
}
