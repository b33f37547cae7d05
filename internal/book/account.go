// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
)

// Account says where an order, a supply or a doubt belongs: none of these means anything in another account. Whoever
// writes an issuer chooses which servers it calls, and these servers say whose account it is: their word counts only
// among those who call the same servers.
type Account struct {
	// realm names the servers of CAS and STS.
	realm string
	// id is the account that STS has told, or empty if it could not be asked.
	id string
	// issuer is the issuer whose credentials are used.
	issuer string
}

// AccountOfOrder returns the account that an Order buys in, or has bought in.
func AccountOfOrder(order *v1alpha1.AliyunOrder) Account {
	ref := order.Spec.IssuerRef
	return Account{realm: access.Realm(order.Spec.Access), id: order.Status.AccountID,
		issuer: issuers.IndexValue(order.Namespace, ref)}
}

// AccountOfIssuer returns the account that an issuer's last check has found.
func AccountOfIssuer(issuer v1alpha1.GenericIssuer) Account {
	ref := v1alpha1.IssuerReference{Kind: issuer.IssuerKind(), Name: issuer.GetName()}
	of := Account{realm: access.Realm(issuer.GetSpec().Access), issuer: issuers.IndexValue(issuer.GetNamespace(), ref)}
	if identity := issuer.GetStatus().Identity; identity != nil {
		of.id = identity.AccountID
	}
	return of
}

// Kinship is what is known of two accounts.
type Kinship int

// How two accounts stand to each other.
const (
	OtherAccount Kinship = iota
	PerhapsSameAccount
	SameAccount
)

// To compares two accounts. If STS has not told both, they are known to be the same only within one issuer.
func (a Account) To(b Account) Kinship {
	isTold := a.id != "" && b.id != ""
	switch {
	case a.realm != b.realm, isTold && a.id != b.id:
		return OtherAccount
	case isTold, a.issuer == b.issuer:
		return SameAccount
	default:
		return PerhapsSameAccount
	}
}

// Key is the same for all who are known to share the account.
func (a Account) Key() string {
	if a.id == "" {
		return a.realm + " " + a.issuer
	}
	return a.realm + " " + a.id
}
