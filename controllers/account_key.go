// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// account is whose orders, plans and doubts something is about: none of them means anything in another account. Who may
// write an issuer may choose which servers it calls, and so what these say of its account: what they say counts among
// those who call the same servers, and nowhere else.
type account struct {
	// realm names the servers of CAS and STS.
	realm string
	// id is the account that STS has told, or empty where it could not be asked.
	id string
	// issuer is the one that the credentials are of.
	issuer string
}

func accountOfOrder(order *v1alpha1.AliyunOrder) account {
	ref := order.Spec.IssuerRef
	return account{realm: realm(order.Spec.Access), id: order.Status.AccountID, issuer: indexValue(order.Namespace, ref)}
}

func accountOfIssuer(issuer v1alpha1.GenericIssuer) account {
	ref := v1alpha1.IssuerReference{Kind: issuer.IssuerKind(), Name: issuer.GetName()}
	of := account{realm: realm(issuer.GetSpec().Access), issuer: indexValue(issuer.GetNamespace(), ref)}
	if identity := issuer.GetStatus().Identity; identity != nil {
		of.id = identity.AccountID
	}
	return of
}

// realm is the site, and by which servers of CAS and STS it is reached.
func realm(to v1alpha1.Access) string {
	return fmt.Sprint(to.Region, " ", rpcEndpoint(to.Region, to.Endpoint).Realm(), " ", rpcEndpoint(to.Region, to.STSEndpoint).Realm())
}

// kinship is what is known of two accounts.
type kinship int

const (
	otherAccount kinship = iota
	perhapsSameAccount
	sameAccount
)

// to compares two accounts. Where STS has not told both, only those of one issuer are known to be the same.
func (a account) to(b account) kinship {
	isTold := a.id != "" && b.id != ""
	switch {
	case a.realm != b.realm, isTold && a.id != b.id:
		return otherAccount
	case isTold, a.issuer == b.issuer:
		return sameAccount
	default:
		return perhapsSameAccount
	}
}

// key is the same for all who are known to share the account.
func (a account) key() string {
	if a.id == "" {
		return a.realm + " " + a.issuer
	}
	return a.realm + " " + a.id
}
