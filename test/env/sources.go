// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// Source is who sells, for tests that run over each source by one parameter. Each test adds what is its own.
type Source interface {
	// Issuer lets an issuer order from it.
	Issuer(spec *v1alpha1.IssuerSpec)
	// Buys is the call that buys.
	Buys() string
	// Purchases are all that were made for us, whoever got to know of them, in the order in which they were made.
	Purchases(at *cassim.Server) []Purchase
	// Harm tells what was done that no issuer may do.
	Harm(at *cassim.Server) error
}

// Purchase is what was bought once: an order of a plan, or an application with an instance.
type Purchase struct {
	// ID is what an operator reads in the console: that of the order, or of the instance.
	ID string
	// Number tells the applications with one instance from each other, and is 0 for an order.
	Number int
	// Account is the id of the account that pays. Product is the code of the plan's product, or empty.
	Account, Product string
	// Domain is the first name that it is for, and CSR the fingerprint of the signing request.
	Domain, CSR string
	// State is the simulator's word for how far it is.
	State string
	// By is the simulator's word for who bought it, which is empty for an order: CAS and people in the console may
	// apply with what we have written on an instance.
	By string
	// IssuedAt is zero before the issue, and Certificate, in PEM, is empty.
	BoughtAt, IssuedAt time.Time
	Certificate        string
	// Challenges are what has to be published for it.
	Challenges []Challenge
	// IsReleased says that it was given back, or refused. IsVanished says that CAS does not know it any more.
	IsReleased, IsVanished bool
}

// Key tells purchases from each other.
func (p *Purchase) Key() string {
	if p.Number == 0 {
		return p.ID
	}
	return fmt.Sprintf("%s #%d", p.ID, p.Number)
}

// Challenge is what has to be published for one name: a record, or a file at the path.
type Challenge struct{ Domain, Path, Value string }

// Plan is the resource plan that a good issuer has.
type Plan struct{}

// Issuer leaves the issuer as it is: a good one has the plan.
func (Plan) Issuer(*v1alpha1.IssuerSpec) {}

// Buys is the call that buys.
func (Plan) Buys() string { return "CreateCertificateWithCsrRequest" }

// Purchases are the orders that were not made by others.
func (Plan) Purchases(at *cassim.Server) (all []Purchase) {
	for _, o := range at.Orders() {
		if o.Foreign {
			continue
		}
		all = append(all, Purchase{
			ID: o.OrderID, Account: o.AccountID, Product: o.ProductCode, Domain: o.Domain, CSR: o.CSRFingerprint,
			State: o.State, BoughtAt: o.BoughtAt, IssuedAt: o.IssuedAt, Certificate: o.Certificate,
			Challenges: []Challenge{{o.Domain, o.URI, o.RecordValue + o.Content}}, // one of the two is empty
			IsReleased: o.Released, IsVanished: o.Vanished,
		})
	}
	return all
}

// Harm tells what was done to orders of others.
func (Plan) Harm(at *cassim.Server) error { return at.ForeignHarm() }

// Instances are those of an account that a selector selects.
type Instances struct{ Selector v1alpha1.InstanceSelector }

// Issuer lets the issuer apply with the instances, in the name of the contact that every account has.
func (s Instances) Issuer(spec *v1alpha1.IssuerSpec) {
	spec.Source = v1alpha1.Source{Instance: &v1alpha1.Instance{
		Selector: s.Selector, ContactIDs: []string{strconv.FormatInt(cassim.DefaultContact, 10)}}}
	spec.Contact = nil
}

// Buys is the call that buys.
func (Instances) Buys() string { return "ApplyCertificate" }

// Purchases are the applications with what we have written, whoever has applied.
func (Instances) Purchases(at *cassim.Server) (all []Purchase) {
	for _, i := range at.Instances() {
		for _, a := range i.Applications {
			if !a.ForeignCSR {
				all = append(all, application(&i, &a))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Purchase) int { return a.BoughtAt.Compare(b.BoughtAt) })
	return all
}

// application is what an application is to whoever has bought it. One whose instance has ended is under way no more.
func application(i *cassim.InstanceView, a *cassim.ApplicationView) Purchase {
	ends := []string{cassim.InstanceExpired, cassim.InstanceRefund, cassim.InstanceClosed}
	p := Purchase{
		ID: a.InstanceID, Number: a.Number, Account: a.AccountID, Domain: a.Names[0], CSR: a.CSRFingerprint,
		State: a.State, By: a.By, BoughtAt: a.SubmittedAt, Certificate: a.Certificate,
		IsReleased: a.CertificateID == "" && (slices.Contains(ends, i.Status) || !a.EndedAt.IsZero()), IsVanished: i.Vanished,
	}
	if a.CertificateID != "" {
		p.IssuedAt = a.EndedAt
	}
	for _, r := range a.Records {
		p.Challenges = append(p.Challenges, Challenge{r.Domain, r.URI, r.Value})
	}
	return p
}

// Harm tells also of what somebody else had written and not yet applied for, and that was written over.
func (Instances) Harm(at *cassim.Server) error {
	harm := []error{at.InstanceHarm()}
	for _, i := range at.Instances() {
		if i.Overwritten > 0 {
			harm = append(harm, fmt.Errorf("the draft on %s was written over", i.InstanceID))
		}
	}
	return errors.Join(harm...)
}
