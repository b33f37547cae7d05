// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// checker asks about the instances of an issuer.
type checker struct {
	source.CheckAsk

	spec  *v1alpha1.Instance
	calls *casinstance.Client
	now   time.Time
}

// Checker returns what asks about the instances.
func (s *Source) Checker(_ context.Context, ask source.CheckAsk) (source.Checker, error) {
	calls, err := access.ClientOf(s.Remote, ask.Reach, ask.Secrets, casinstance.New)
	if err != nil {
		return nil, err
	}
	return &checker{ask, ask.Issuer.GetSpec().Source.Instance, calls, s.Remote.Clock.Now()}, nil
}

// Supply looks at each instance. An id that the account does not have, or an instance without a contact, is a
// shortcoming only where nothing else is left: instances end one day, and others must not wait for them.
func (c *checker) Supply(ctx context.Context) (*source.Shortcoming, error) {
	supply := &v1alpha1.Supply{Product: product, ObservedAt: metav1.NewTime(c.now.Truncate(time.Second))}
	var missing, mute string
	for _, id := range c.spec.IDs {
		seen, err := c.calls.Describe(ctx, casinstance.ID(id))
		switch {
		case cas.IsNotFound(err):
			missing = id
			continue
		case err != nil:
			return nil, err
		}
		supply.Total++
		switch isIdle := seen.Status == casinstance.StatusInactive; {
		case isIdle && len(c.spec.ContactIDs) == 0 && len(seen.ContactIDs) == 0:
			mute = id
		case isIdle:
			supply.Free++
		case seen.HasCertificate():
			supply.Issued++
			supply.InUse++
		default:
			supply.InUse++
		}
	}
	c.Issuer.GetStatus().Supply = supply
	switch {
	case supply.Total == 0:
		return &source.Shortcoming{Reason: v1alpha1.ReasonNoInstance, Message: fmt.Sprintf(
			"the account has no instance %q: correct spec.source.instance.ids", missing)}, nil
	case supply.Free == 0 && mute != "":
		return &source.Shortcoming{Reason: v1alpha1.ReasonNoContact, Message: fmt.Sprintf(
			"the instance %q has no contact, and CAS takes no application without one: set "+
				"spec.source.instance.contactIDs to the ids of contacts of the account", mute)}, nil
	default:
		return nil, nil
	}
}

// Probe has nothing left to try: Supply has called the only verb that reads an instance.
func (*checker) Probe(context.Context) []error { return nil }
