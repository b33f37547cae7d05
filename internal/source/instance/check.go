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

// Supply reads the list of the account, and looks at those instances about which the list does not tell enough. An id
// that the account does not have, or an instance without a contact, is a shortcoming only where nothing else is left:
// instances end one day, and others must not wait for them.
func (c *checker) Supply(ctx context.Context) (*source.Shortcoming, error) {
	all, err := listed(ctx, c.calls, &c.spec.Selector)
	if err != nil {
		return nil, err
	}
	count := counting{Supply: v1alpha1.Supply{Product: product,
		ObservedAt: metav1.NewTime(c.now.Truncate(time.Second)), EndingSoon: new(int64(0)), Hosted: new(int64(0))}}
	for _, seen := range all {
		switch detail, err := c.look(ctx, &seen, count.hasSpoken); {
		case err != nil:
			return nil, err
		case detail == nil:
			count.missing = string(seen.ID)
		case selects(&c.spec.Selector, detail):
			count.add(detail, len(c.spec.ContactIDs) > 0)
		}
	}
	c.Issuer.GetStatus().Supply = &count.Supply
	return count.shortcoming(), nil
}

// look returns an instance as far as it is needed, or nil if the account does not have it. A free one is looked at for
// its contact until one is found that has any.
func (c *checker) look(ctx context.Context, seen *casinstance.Instance,
	isContactKnown bool) (*casinstance.Detail, error) {
	isContactNeeded := len(c.spec.ContactIDs) == 0 && !isContactKnown && isFree(seen)
	if seen.Status != "" && len(c.spec.Selector.Tags) == 0 && !isContactNeeded {
		return &casinstance.Detail{Instance: *seen}, nil
	}
	detail, err := c.calls.Describe(ctx, seen.ID)
	if cas.IsNotFound(err) {
		return nil, nil
	}
	return detail, err
}

// counting sums instances up.
type counting struct {
	v1alpha1.Supply
	// missing is an instance that the account does not have, and mute one that has no contact; either may be empty.
	missing, mute string
	// hasSpoken says that a free instance has a contact.
	hasSpoken bool
}

func (c *counting) add(seen *casinstance.Detail, hasContacts bool) {
	if seen.Status.IsFinal() {
		return
	}
	c.Total++
	isMute := !hasContacts && !c.hasSpoken && len(seen.ContactIDs) == 0
	switch {
	case isFree(&seen.Instance) && isMute:
		c.mute = string(seen.ID)
	case isFree(&seen.Instance):
		c.Free++
		c.hasSpoken = true
	default:
		c.InUse++
	}
	if seen.HasCertificate() {
		c.Issued++
	}
	if seen.AutoReissue {
		*c.Hosted++
	}
	if seen.Status == casinstance.StatusWillExpire {
		*c.EndingSoon++
	}
	if at := end(&seen.Instance); !at.IsZero() && (c.SoonestEnd == nil || at.Before(c.SoonestEnd.Time)) {
		c.SoonestEnd = &metav1.Time{Time: at.Truncate(time.Second)}
	}
}

// shortcoming says why nothing can be bought, or returns nil.
func (c *counting) shortcoming() *source.Shortcoming {
	switch {
	case c.Total == 0 && c.missing != "":
		return &source.Shortcoming{Reason: v1alpha1.ReasonNoInstance, Message: fmt.Sprintf(
			"the account has no instance %q: correct spec.source.instance.selector.ids", c.missing)}
	case c.Total == 0:
		return &source.Shortcoming{Reason: v1alpha1.ReasonNoInstance, Message: "no instance of the account is " +
			"selected: correct spec.source.instance.selector, or buy one that it selects in the console of CAS"}
	case c.Free == 0 && c.mute != "":
		return &source.Shortcoming{Reason: v1alpha1.ReasonNoContact, Message: fmt.Sprintf(
			"the instance %q has no contact, and CAS takes no application without one: set "+
				"spec.source.instance.contactIDs to the ids of contacts of the account", c.mute)}
	default:
		return nil
	}
}

// Probe has nothing left to try: Supply has called the verbs that read instances, as far as they were needed.
func (*checker) Probe(context.Context) []error { return nil }
