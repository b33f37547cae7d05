// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// OrderFinalizer stands on every AliyunOrder from its creation until nothing at CAS or in DNS is left to give back.
const OrderFinalizer = Group + "/release"

// OrderIDAnnotation is set by an operator on an AliyunOrder that is held as AmbiguousSubmission: the id of the order at
// CAS that is this one, as status.orderID would have it, or "none", if no order at CAS is. The controller removes it
// once it has acted on it.
const OrderIDAnnotation = Group + "/order-id"

// NoOrder is the value of OrderIDAnnotation that lets an order be submitted again.
const NoOrder = "none"

// AliyunOrder is one order at CAS. The controller makes it for one CertificateRequest, which owns it; people read it,
// and nobody else writes it. Deleting it withdraws an order that is not issued yet, and gives its quota back.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=aliorder,categories=cert-manager
// +kubebuilder:selectablefield:JSONPath=`.spec.baseName`
// +kubebuilder:selectablefield:JSONPath=`.spec.source.resourcePlan.productCode`
// +kubebuilder:selectablefield:JSONPath=`.status.orderID`
// +kubebuilder:selectablefield:JSONPath=`.status.submission.instance.id`
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.commonName`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Order ID",type=string,JSONPath=`.status.orderID`
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.status.stateSince`
// +kubebuilder:printcolumn:name="Until",type=string,JSONPath=`.status.deadline`
// +kubebuilder:printcolumn:name="Visible",type=string,priority=1,JSONPath=`.status.visible`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AliyunOrder struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what was asked for, and a secret-free copy of what the issuer said then, so that an order can be
	// finished and given back after its issuer has changed or gone. Set at creation; never changes.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the spec of an AliyunOrder never changes: it is the record of what was ordered"
	// +required
	Spec OrderSpec `json:"spec"`

	// status is what has happened so far. Written by the controller only.
	// +optional
	Status OrderStatus `json:"status,omitempty"`
}

// AliyunOrderList is a list of AliyunOrders.
//
// +kubebuilder:object:root=true
type AliyunOrderList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AliyunOrder `json:"items"`
}

// OrderSpec is set at creation and never changes.
type OrderSpec struct {
	// requestRef is the CertificateRequest that the order was made for. A request that is made again under the same
	// name has another UID, and is another request.
	// +required
	RequestRef RequestReference `json:"requestRef"`

	// issuerRef is the issuer that the request named.
	// +required
	IssuerRef IssuerReference `json:"issuerRef"`

	// request is the PEM encoded certificate signing request, as the CertificateRequest has it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Request []byte `json:"request"`

	// commonName of the signing request: the one name that CAS binds.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	CommonName string `json:"commonName"`

	// baseName is the common name without "*." or "www.", as an A-label: what a listing of CAS cannot tell apart. Of
	// the Orders of one account that share it, at most one is in doubt.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	BaseName string `json:"baseName"`

	// dnsNames are all the names that the certificate must have, the common name among them.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=300
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +listType=set
	// +required
	DNSNames []string `json:"dnsNames"`

	// secretNamespace is where the Secrets of the issuer are read from: its own namespace, or the cluster resource
	// namespace for an AliyunClusterIssuer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	SecretNamespace string `json:"secretNamespace"`

	// region, endpoint, stsEndpoint and credentials are copies of the issuer's. Credentials name Secrets and hold none.
	Access `json:",inline"`

	// source is a copy of the issuer's.
	// +required
	Source Source `json:"source"`

	// account is a copy of the issuer's.
	// +optional
	Account AccountUse `json:"account,omitempty"`

	// timeout is a copy of the issuer's.
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// onDelete is a copy of the issuer's.
	// +optional
	OnDelete DeletePolicy `json:"onDelete,omitempty"`

	// solvers are those of the issuer that were chosen, each for some of the names: all by dns, or all by file.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +required
	Solvers []OrderSolver `json:"solvers"`
}

// OrderSolver is a solver at work for an order.
type OrderSolver struct {
	// dnsNames are the names of the order that the solver was chosen for. A name is with one solver only; one that the
	// CA adds by itself is with none.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=300
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +listType=set
	// +required
	DNSNames []string `json:"dnsNames"`

	// solver is a copy of the issuer's, without the selector that it was chosen by.
	// +required
	Solver Solver `json:"solver"`
}

// RequestReference names a CertificateRequest in the Order's namespace.
type RequestReference struct {
	// name of the CertificateRequest.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`

	// uid of the CertificateRequest.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	UID types.UID `json:"uid"`
}

// IssuerReference names an issuer of this API group.
type IssuerReference struct {
	// kind is AliyunIssuer, in the Order's namespace, or AliyunClusterIssuer.
	// +kubebuilder:validation:Enum=AliyunIssuer;AliyunClusterIssuer
	// +required
	Kind string `json:"kind"`

	// name of the issuer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`
}

// OrderStatus holds the facts that the order machine decides by, and what people read.
type OrderStatus struct {
	// conditions are Submitted, DomainsValidated, Issued, and Ready, which sums them up.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// state sums the order up for people, derived from the other fields at each write. Nothing decides by it.
	// +optional
	State OrderState `json:"state,omitempty"`

	// stateSince is when state last changed.
	// +optional
	StateSince *metav1.Time `json:"stateSince,omitempty"`

	// submission is the intent to buy, written before CAS is called, and removed only on proof that nothing was
	// bought. Together with an empty orderID it means: an order may have been bought whose id is not known.
	// +optional
	Submission *OrderSubmission `json:"submission,omitempty"`

	// orderID is what CAS knows the order by, in the form of its source: decimal digits for a resource plan, as text
	// because they exceed 2^53. Written as soon as it is known. It changes only if it was presumed, and turns out to be
	// somebody else's.
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z._-]+$`
	// +kubebuilder:validation:MaxLength=64
	// +optional
	OrderID string `json:"orderID,omitempty"`

	// orderIDBasis is why orderID is believed to be this order's. Answer: CAS gave it in reply to the submission.
	// Listing: the reply was lost, and it is the only order at CAS that can be this one. Operator: a person named it.
	// Request: CAS was asked what stands there, and gave this order's signing request back. Certificate: its
	// certificate has the key of the request. An id by Listing or Operator is presumed: such an order
	// is not withdrawn, unless the account is Exclusive.
	// +kubebuilder:validation:Enum=Answer;Listing;Operator;Request;Certificate
	// +optional
	OrderIDBasis OrderIDBasis `json:"orderIDBasis,omitempty"`

	// accountID is the account that the order was submitted in: ids mean something there only. Written with the intent;
	// empty if STS could not be asked. It never changes while there is an order.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	AccountID string `json:"accountID,omitempty"`

	// excludedOrderIDs were presumed to be this order's once, and are not: they are left alone.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	// +optional
	ExcludedOrderIDs []string `json:"excludedOrderIDs,omitempty"`

	// handedOverTo is the UID of the AliyunOrder that goes on with this one's order at CAS, because its request
	// replaced this one's.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	// +kubebuilder:validation:Type=string
	HandedOverTo types.UID `json:"handedOverTo,omitempty"`

	// deadline is when the present phase ends at the latest: what is not validated or issued by then is given back.
	// +optional
	Deadline *metav1.Time `json:"deadline,omitempty"`

	// missing says that CAS does not know the order. It counts the times, before that is believed.
	// +optional
	Missing *OrderMissing `json:"missing,omitempty"`

	// submittedAt is when CAS accepted the order.
	// +optional
	SubmittedAt *metav1.Time `json:"submittedAt,omitempty"`

	// progress is how far the order has come by what its source says: AwaitingValidation, InReview, Issued, Refused,
	// WithdrawnElsewhere, Unknown where the source does not know it itself, or Other where the source says so in a word
	// that this version does not know. Set by the controller with casState, and empty until then.
	// +optional
	Progress OrderPhase `json:"progress,omitempty"`

	// casState is the order's state in the words of CAS, when it was last seen to change: domain_verify, process,
	// verify_fail, certificate, payed, unknow, or a word that this version does not know.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	CASState string `json:"casState,omitempty"`

	// casStateSince is when casState was first seen.
	// +optional
	CASStateSince *metav1.Time `json:"casStateSince,omitempty"`

	// validations are what CAS asks for, and what became of each: a record or a file for each name that is to be
	// proved. Empty until CAS names them. One that CAS does not ask for any more is cleaned up, and goes.
	// +kubebuilder:validation:MaxItems=300
	// +listType=atomic
	// +optional
	Validations []OrderValidation `json:"validations,omitempty"`

	// visible is how many of the validations the self-check sees, of how many, such as 2/3. For people; nothing decides
	// by it.
	// +kubebuilder:validation:MaxLength=16
	// +optional
	Visible string `json:"visible,omitempty"`

	// certificate is the PEM encoded chain, leaf first and without the root. Set once the CA has issued; never
	// changes afterwards.
	// +kubebuilder:validation:MaxLength=262144
	// +optional
	Certificate []byte `json:"certificate,omitempty"`

	// certificateID is the id that CAS gave the certificate, where it says it. Some services (CDN, WAF) refer to the
	// certificate by it.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	CertificateID string `json:"certificateID,omitempty"`

	// certIdentifier is certificateID with the site, such as 1234567-cn-hangzhou. Other services (ALB, NLB) refer to
	// the certificate by it. It is set together with certificateID.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	CertIdentifier string `json:"certIdentifier,omitempty"`

	// reusedOrderID is the order at CAS whose certificate was delivered again, because it has the key and the names of
	// the request: nothing was ordered. That order is not this one's, and never given back with it. Set together with
	// certificate; never changes afterwards.
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z._-]+$`
	// +kubebuilder:validation:MaxLength=64
	// +optional
	ReusedOrderID string `json:"reusedOrderID,omitempty"`

	// unusableSince is when the certificate that CAS gives was first found to be unusable. Such an order is handed over
	// to no other request.
	// +optional
	UnusableSince *metav1.Time `json:"unusableSince,omitempty"`

	// notAfter is when the issued certificate ends.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`

	// release says that the order is being given back, why, and how that ended. Once it is set nothing is bought for
	// this order any more.
	// +optional
	Release *OrderRelease `json:"release,omitempty"`
}

// OrderState sums an order up for people.
//
// +kubebuilder:validation:Enum=Pending;Held;Submitting;Validating;Reviewing;Issued;Releasing;Failed
type OrderState string

// The states of an order. Issued and Failed are final.
const (
	// OrderStatePending: nothing was submitted yet.
	OrderStatePending OrderState = "Pending"
	// OrderStateHeld: something else has to change first; the Ready condition says what.
	OrderStateHeld OrderState = "Held"
	// OrderStateSubmitting: CAS was asked for an order whose id is not known yet.
	OrderStateSubmitting OrderState = "Submitting"
	// OrderStateValidating: CAS waits for the validation record.
	OrderStateValidating OrderState = "Validating"
	// OrderStateReviewing: the CA works on it.
	OrderStateReviewing OrderState = "Reviewing"
	// OrderStateIssued: the chain is here.
	OrderStateIssued OrderState = "Issued"
	// OrderStateReleasing: the order is withdrawn and its quota given back.
	OrderStateReleasing OrderState = "Releasing"
	// OrderStateFailed: there will be no certificate from this order.
	OrderStateFailed OrderState = "Failed"
)

// OrderPhase is how far an order has come, whatever words its source has for it.
//
// +kubebuilder:validation:Enum=AwaitingValidation;InReview;Issued;Refused;WithdrawnElsewhere;Unknown;Other
type OrderPhase string

// The phases of an order.
const (
	// PhaseAwaitingValidation: the control of the domain is yet to be proved.
	PhaseAwaitingValidation OrderPhase = "AwaitingValidation"
	// PhaseInReview: the CA works on it.
	PhaseInReview OrderPhase = "InReview"
	// PhaseIssued: there is a certificate.
	PhaseIssued OrderPhase = "Issued"
	// PhaseRefused: the CA has refused it.
	PhaseRefused OrderPhase = "Refused"
	// PhaseWithdrawnElsewhere: it was taken back, and not by this controller.
	PhaseWithdrawnElsewhere OrderPhase = "WithdrawnElsewhere"
	// PhaseUnknown: the source says that it does not know.
	PhaseUnknown OrderPhase = "Unknown"
	// PhaseOther: the source says so in a word that this version does not know.
	PhaseOther OrderPhase = "Other"
)

// OrderSubmission is an intent to buy.
type OrderSubmission struct {
	// startedAt is when the intent was written. The call is sent within 30 seconds of it, or not at all.
	// +required
	StartedAt metav1.Time `json:"startedAt"`

	// attempt counts the submissions of this order, from 1.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +required
	Attempt int32 `json:"attempt"`

	// answer is what came of the call where that does not say whether an order was made: what CAS answered, or why no
	// answer came. It is empty while the call runs, and after a crash.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Answer string `json:"answer,omitempty"`

	// word is what an operator said that let this submission be made: none. It is removed together with the annotation
	// that said so.
	// +kubebuilder:validation:Enum=none
	// +optional
	Word string `json:"word,omitempty"`

	// resourcePlan is what an order from a resource plan is looked for with, should its answer be lost. It is set with
	// the intent, and empty for other sources.
	// +optional
	ResourcePlan *PlanEvidence `json:"resourcePlan,omitempty"`

	// instance is which instance the order applies with. It is set with the intent, before anything is written on the
	// instance, and empty for other sources.
	// +optional
	Instance *ChosenInstance `json:"instance,omitempty"`
}

// ChosenInstance is the instance that an order applies with.
type ChosenInstance struct {
	// id is what CAS calls the instance. No other AliyunOrder that has not ended applies with the same.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z._-]+$`
	// +required
	ID string `json:"id,omitempty"`

	// certificateID is the certificate that the instance had before, if it had one: the order is issued once there is
	// another.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	CertificateID string `json:"certificateID,omitempty"`
}

// PlanEvidence is what tells later whether a call without an answer has bought from a resource plan.
type PlanEvidence struct {
	// usedCount is the number of used certificates of the plan that CAS told right before the call: evidence of what
	// the call has bought, should its answer be lost. It is removed when an order of the plan is given back meanwhile,
	// for the number says nothing from then on.
	// +optional
	UsedCount *int64 `json:"usedCount,omitempty"`

	// usedCountAt is when CAS told usedCount. Submissions that were made together share it.
	// +optional
	UsedCountAt *metav1.MicroTime `json:"usedCountAt,omitempty"`

	// emptyListingAt is when a full listing of the account first had no order that could be this one, long enough
	// after the call. A second such listing lets the order be submitted again.
	// +optional
	EmptyListingAt *metav1.Time `json:"emptyListingAt,omitempty"`
}

// OrderMissing counts how often CAS did not know an order.
type OrderMissing struct {
	// since is when it did not know it first.
	// +required
	Since metav1.Time `json:"since"`

	// count is how often it did not know it since then.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +required
	Count int32 `json:"count"`
}

// OrderIDBasis is why an id is believed to be an order's.
type OrderIDBasis string

// The bases of an id.
const (
	OrderIDByAnswer      OrderIDBasis = "Answer"
	OrderIDByListing     OrderIDBasis = "Listing"
	OrderIDByOperator    OrderIDBasis = "Operator"
	OrderIDByRequest     OrderIDBasis = "Request"
	OrderIDByCertificate OrderIDBasis = "Certificate"
)

// IsPresumed says that the order at CAS may be somebody else's.
func (s *OrderStatus) IsPresumed() bool {
	return s.OrderIDBasis == OrderIDByListing || s.OrderIDBasis == OrderIDByOperator
}

// OrderValidation is the DNS record, or the file, that shows control over one name.
type OrderValidation struct {
	// domain that is validated, as CAS told it.
	// +kubebuilder:validation:MaxLength=253
	// +required
	Domain string `json:"domain"`

	// recordName is the name as CAS told it, relative or absolute. For a FILE it is the path.
	// +kubebuilder:validation:MaxLength=255
	// +required
	RecordName string `json:"recordName"`

	// recordType is TXT or CNAME, or FILE: then a file on the web server of the domain is wanted instead of a record.
	// +kubebuilder:validation:MaxLength=16
	// +required
	RecordType string `json:"recordType"`

	// recordValue is the value to publish, or the content of the file.
	// +kubebuilder:validation:MaxLength=1024
	// +required
	RecordValue string `json:"recordValue"`

	// fqdn is the full name of the record, without a dot at its end, or the host of the file. Empty until it is known.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	FQDN string `json:"fqdn,omitempty"`

	// zone that the record belongs to, or the path of the file.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Zone string `json:"zone,omitempty"`

	// ownership is set before anything is published. Ours: the controller makes the record, and removes it when the
	// order has ended. Foreign: it stood there before, or a person makes it; it is left alone.
	// +kubebuilder:validation:Enum=Ours;Foreign
	// +optional
	Ownership RecordOwnership `json:"ownership,omitempty"`

	// recordID is the provider's id of the record.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	RecordID string `json:"recordID,omitempty"`

	// presentedAt is when the solver last said that the record is published.
	// +optional
	PresentedAt *metav1.Time `json:"presentedAt,omitempty"`

	// visibleAt is since when the self-check sees the record. It goes when the record does.
	// +optional
	VisibleAt *metav1.Time `json:"visibleAt,omitempty"`

	// seen is what the last self-check saw instead of the record.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=512
	// +listType=atomic
	// +optional
	Seen []string `json:"seen,omitempty"`

	// cleanedUpAt is when the record was removed again, or left as it was because it is foreign.
	// +optional
	CleanedUpAt *metav1.Time `json:"cleanedUpAt,omitempty"`
}

// RecordOwnership says who made a DNS record.
type RecordOwnership string

// The owners of a DNS record.
const (
	RecordOurs    RecordOwnership = "Ours"
	RecordForeign RecordOwnership = "Foreign"
)

// OrderRelease is the way back of an order.
type OrderRelease struct {
	// reason is why, one word: a condition reason.
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason"`

	// message is why, in words.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`

	// startedAt is when the release began.
	// +required
	StartedAt metav1.Time `json:"startedAt"`

	// outcome is set when nothing more will be tried: Released, the quota is given back; NothingToRelease, nothing
	// was bought, it is gone, or it is issued and kept; Kept, it is left at CAS because onDelete says so; Unresolved,
	// it could not be given back and was reported.
	// +kubebuilder:validation:Enum=Released;NothingToRelease;Kept;Unresolved
	// +optional
	Outcome ReleaseOutcome `json:"outcome,omitempty"`
}

// ReleaseOutcome is how a release ended.
type ReleaseOutcome string

// The ends of a release.
const (
	Released         ReleaseOutcome = "Released"
	NothingToRelease ReleaseOutcome = "NothingToRelease"
	Kept             ReleaseOutcome = "Kept"
	Unresolved       ReleaseOutcome = "Unresolved"
)
