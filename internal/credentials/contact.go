// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// The keys of a contact Secret.
const (
	contactNameKey  = "name"
	contactEmailKey = "email"
	contactPhoneKey = "phone"
)

// maxContactLength bounds each part of a contact; the longest part is the email address.
const maxContactLength = 254

// Contact returns the contact of an issuer, from its spec or from the Secret that it names. It is empty where an issuer
// has none, which the API server allows where the source needs none. Errors are a *Problem, or one of the API server
// that may pass. They never quote the contact.
func (s *Store) Contact(ctx context.Context, namespace string, spec *v1alpha1.IssuerSpec) (cas.Contact, error) {
	if spec.Contact != nil {
		return cas.Contact{Name: spec.Contact.Name, Email: spec.Contact.Email, Phone: spec.Contact.Phone}, nil
	}
	if spec.ContactSecretRef == nil {
		return cas.Contact{}, nil
	}
	secret, err := s.secret(ctx, namespace, spec.ContactSecretRef.Name)
	if err != nil {
		return cas.Contact{}, err
	}
	var contact cas.Contact
	if contact.Name, err = value(secret, contactNameKey, maxContactLength); err != nil {
		return cas.Contact{}, err
	}
	if contact.Email, err = value(secret, contactEmailKey, maxContactLength); err != nil {
		return cas.Contact{}, err
	}
	if contact.Phone, err = value(secret, contactPhoneKey, maxContactLength); err != nil {
		return cas.Contact{}, err
	}
	return contact, nil
}
