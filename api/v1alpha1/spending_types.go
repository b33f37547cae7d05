// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// OrderBudget bounds how many orders an issuer submits.
type OrderBudget struct {
	// issuer bounds all orders of the issuer together. perDay: empty is 500.
	// +optional
	Issuer OrderLimits `json:"issuer,omitempty,omitzero"`

	// namespace bounds the orders of each namespace. perDay: empty is 100.
	// +optional
	Namespace OrderLimits `json:"namespace,omitempty,omitzero"`
}

// OrderLimits are how many orders may be submitted in a time.
type OrderLimits struct {
	// perDay is how many within 24 hours.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +optional
	PerDay *int32 `json:"perDay,omitempty"`

	// per30Days is how many within 30 days. Empty: as many as perDay lets pass.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Per30Days *int32 `json:"per30Days,omitempty"`
}

// BudgetName names a bound of an issuer's orders.
//
// +kubebuilder:validation:Enum=IssuerPerDay;IssuerPer30Days;NamespacePerDay;NamespacePer30Days;Reserve
type BudgetName string

// The bounds of an issuer's orders.
const (
	BudgetIssuerPerDay       BudgetName = "IssuerPerDay"
	BudgetIssuerPer30Days    BudgetName = "IssuerPer30Days"
	BudgetNamespacePerDay    BudgetName = "NamespacePerDay"
	BudgetNamespacePer30Days BudgetName = "NamespacePer30Days"
	// BudgetReserve: what of the supply may go to names that have no certificate yet.
	BudgetReserve BudgetName = "Reserve"
)

// BudgetStatus is how much of a bound is used.
type BudgetStatus struct {
	// name of the bound.
	// +required
	Name BudgetName `json:"name"`

	// namespace that has used the most, for the bounds of namespaces.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// used is how many orders count. For Reserve: how many of the free ones the source has lost since it was looked at
	// first in these 24 hours, to whomever.
	// +required
	Used int64 `json:"used"`

	// limit is how many may. Empty: there is no limit. For Reserve: how many of those that were free then are not
	// kept for renewals.
	// +optional
	Limit *int64 `json:"limit,omitempty"`

	// nextAt is when the next order fits. Empty: now.
	// +optional
	NextAt *metav1.Time `json:"nextAt,omitempty"`
}

// SpendingStatus is what was ordered from an issuer. It outlives the AliyunOrders, which go with the requests that
// cert-manager prunes. It is written before each purchase, and what is forgotten when a list is full makes for
// fewer orders and not for more, as far as possible: docs/budgets.md has the rules.
type SpendingStatus struct {
	// supply is what the source had when the first order of the last 24 hours was submitted.
	// +optional
	Supply *SupplyMark `json:"supply,omitempty"`

	// orders are those of the issuer in the last 30 days: by the hour for a day, by the date before that.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Orders []OrderCount `json:"orders,omitempty"`

	// namespaces are those that have ordered in the last 30 days, at most 100. If more have, the ones with the fewest
	// orders are forgotten: the bounds of the issuer count them still.
	// +kubebuilder:validation:MaxItems=100
	// +listType=atomic
	// +optional
	Namespaces []NamespaceSpending `json:"namespaces,omitempty"`

	// nameSets are the sets of names that were ordered in the last 24 hours, or have a certificate that did not end 30
	// days ago, at most 1000, of all namespaces. If there are more, those are forgotten first that were not ordered in
	// the last 24 hours: of these, those without a certificate, and then those whose certificate lasts longest.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=atomic
	// +optional
	NameSets []NameSetSpending `json:"nameSets,omitempty"`
}

// SupplyMark is what a source had at some time.
type SupplyMark struct {
	// product is what the number belongs to, as in status.supply.
	// +kubebuilder:validation:MaxLength=64
	// +required
	Product string `json:"product"`

	// free is how many more could be ordered.
	// +required
	Free int64 `json:"free"`

	// at is when that was. After 24 hours, what is left then takes its place.
	// +required
	At metav1.Time `json:"at"`
}

// OrderCount is how many orders were submitted in an hour, or on a day.
type OrderCount struct {
	// at is when the last of them was.
	// +required
	At metav1.Time `json:"at"`

	// orders is their number.
	// +kubebuilder:validation:Minimum=1
	// +required
	Orders int32 `json:"orders"`
}

// NamespaceSpending is what a namespace has ordered.
type NamespaceSpending struct {
	// name of the namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Name string `json:"name"`

	// orders are those of the last 30 days: by the hour for a day, by the date before that.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Orders []OrderCount `json:"orders,omitempty"`
}

// NameSetSpending is what was ordered for the same names, by whatever namespace.
type NameSetSpending struct {
	// names is a hash of the sorted names.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Names string `json:"names"`

	// orders are those of the last 24 hours, the latest last. If there are more than 4, the earliest two become one.
	// +kubebuilder:validation:MaxItems=4
	// +listType=atomic
	// +optional
	Orders []NameSetOrder `json:"orders,omitempty"`

	// notBefore is when the certificate that lasts longest began. Empty until one is issued.
	// +optional
	NotBefore *metav1.Time `json:"notBefore,omitempty"`

	// notAfter is when the certificate that lasts longest ends. Empty until one is issued.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`

	// lastRequest is the signing request for the names that the CA has looked at last, whether it has issued or refused
	// it. It outlives its AliyunOrder, which goes when cert-manager asks for the next certificate. Empty until there is
	// one.
	// +optional
	LastRequest *SeenRequest `json:"lastRequest,omitempty"`

	// loop says that orders for the names were held because there were too many. It goes when nobody has asked for them
	// for a day.
	// +optional
	Loop *OrderLoop `json:"loop,omitempty"`
}

// SeenRequest is a signing request that the CA has looked at.
type SeenRequest struct {
	// request is a hash of the signing request.
	// +kubebuilder:validation:MaxLength=16
	// +required
	Request string `json:"request"`

	// key is a hash of its public key.
	// +kubebuilder:validation:MaxLength=16
	// +required
	Key string `json:"key"`

	// orderID is that of the order at CAS.
	// +kubebuilder:validation:MaxLength=64
	// +required
	OrderID string `json:"orderID"`

	// product is what was ordered, as in status.supply.
	// +kubebuilder:validation:MaxLength=64
	// +required
	Product string `json:"product"`

	// at is when its order ended. After 40 days it is forgotten, if the names have no certificate by then.
	// +required
	At metav1.Time `json:"at"`
}

// NameSetOrder is an order that was submitted.
type NameSetOrder struct {
	// at is when.
	// +required
	At metav1.Time `json:"at"`

	// order is the UID of the AliyunOrder: however often it is submitted, it counts once.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +required
	Order types.UID `json:"order"`

	// namespace is a hash of the namespace that it is in.
	// +kubebuilder:validation:MaxLength=16
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// orders is how many it stands for. Empty: one.
	// +kubebuilder:validation:Minimum=1
	// +optional
	Orders int32 `json:"orders,omitempty"`
}

// LoopCause is why the same names are ordered again and again.
//
// +kubebuilder:validation:Enum=RenewBefore;SecretMissing;SecretShared;Unknown
type LoopCause string

// The causes of a loop.
const (
	// LoopRenewBefore: the Certificate wants to be renewed as soon as it is issued.
	LoopRenewBefore LoopCause = "RenewBefore"
	// LoopSecretMissing: the Secret of the Certificate is deleted.
	LoopSecretMissing LoopCause = "SecretMissing"
	// LoopSecretShared: two Certificates have one Secret.
	LoopSecretShared LoopCause = "SecretShared"
	LoopUnknown      LoopCause = "Unknown"
)

// OrderLoop is how long, and why, orders for the same names have been held.
type OrderLoop struct {
	// since is when the first one was.
	// +required
	Since metav1.Time `json:"since"`

	// times is how often one was, each time after another order.
	// +kubebuilder:validation:Minimum=1
	// +required
	Times int32 `json:"times"`

	// after is the UID of the AliyunOrder that was submitted last before that.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +required
	After types.UID `json:"after"`

	// limit is what maxPerDay was then. A higher one says that so many are right.
	// +kubebuilder:validation:Minimum=1
	// +required
	Limit int32 `json:"limit"`

	// cause as far as the Certificate tells.
	// +optional
	Cause LoopCause `json:"cause,omitempty"`
}
