// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// AliyunIssuer orders certificates from Alibaba Cloud Certificate Management Service (CAS) for the requests of its
// own namespace. It reads Secrets of its own namespace only.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=aliissuer,categories=cert-manager
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Product",type=string,JSONPath=`.status.supply.product`
// +kubebuilder:printcolumn:name="Free",type=integer,JSONPath=`.status.supply.free`
// +kubebuilder:printcolumn:name="Today",type=integer,priority=1,JSONPath=`.status.budgets[?(@.name=="IssuerPerDay")].used`
// +kubebuilder:printcolumn:name="Account",type=string,priority=1,JSONPath=`.status.identity.accountID`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AliyunIssuer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what to buy, with which identity, and how domains are validated. Set by the user; may change at any
	// time. Orders that exist keep what they were made with.
	// +kubebuilder:validation:XValidation:rule="!(has(self.endpoint) || has(self.stsEndpoint)) || has(self.credentials) && (has(self.credentials.accessKeySecretRef) || has(self.credentials.oidc) && has(self.credentials.oidc.serviceAccountRef))",message="endpoint and stsEndpoint need credentials of the namespace (accessKeySecretRef, or oidc with serviceAccountRef): what the controller signs with its own identity goes to Alibaba Cloud's own endpoints only"
	// +kubebuilder:validation:XValidation:rule="self.solvers.all(s, !has(s.dns) || !has(s.dns.rfc2136) || has(s.dns.rfc2136.tsigKeyName))",message="dns.rfc2136 without a key is for AliyunClusterIssuers only: a name server takes such updates by the controller's address, whoever has them sent. Set tsigKeyName and tsigSecretSecretRef"
	// +required
	Spec IssuerSpec `json:"spec"`

	// status is written by the controller.
	// +optional
	Status IssuerStatus `json:"status,omitempty"`
}

// AliyunIssuerList is a list of AliyunIssuers.
//
// +kubebuilder:object:root=true
type AliyunIssuerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AliyunIssuer `json:"items"`
}

// IssuerSpec is shared by AliyunIssuer and AliyunClusterIssuer.
//
// +kubebuilder:validation:XValidation:rule="!has(self.source.resourcePlan) || has(self.contact) != has(self.contactSecretRef)",message="exactly one of contact and contactSecretRef is needed: CAS asks for a contact with each order"
// +kubebuilder:validation:XValidation:rule="has(self.source.resourcePlan) || !has(self.contact) && !has(self.contactSecretRef)",message="contact and contactSecretRef are for resource plans: set source.instance.contactIDs"
type IssuerSpec struct {
	Access `json:",inline"`

	// source says what orders are paid with.
	// +required
	Source Source `json:"source"`

	// account says whether anybody else orders from the account: people in the console, other clusters, other tools.
	// An order whose id was lost and found again in a listing is given back only in an Exclusive account: in a Shared
	// one it might be somebody else's.
	// +kubebuilder:default=Shared
	// +optional
	Account AccountUse `json:"account,omitempty"`

	// orders bounds what orders of this issuer may do.
	// +optional
	Orders *OrderPolicy `json:"orders,omitempty"`

	// contact is the person whom the CA may mail or call about an order. A resource plan needs exactly one of contact
	// and contactSecretRef. It is personal data: it goes to CAS and nowhere else.
	// +optional
	Contact *Contact `json:"contact,omitempty"`

	// contactSecretRef names a Secret with the keys name, email and phone, for those who keep personal data out of
	// their manifests.
	// +optional
	ContactSecretRef *SecretReference `json:"contactSecretRef,omitempty"`

	// solvers say how the control over a domain is shown to the CA. One is chosen for each name of an order whose
	// control has to be proved: the one whose selector is the most specific, and of those the first. All names are
	// proved by dns, or all by file: what is chosen for the common name decides, unless only the other kind is there
	// for all names. Orders keep the solvers that they were made with.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +required
	Solvers []Solver `json:"solvers"`
}

// AccountUse says who orders from an account.
//
// +kubebuilder:validation:Enum=Shared;Exclusive
type AccountUse string

// The uses of an account.
const (
	AccountShared    AccountUse = "Shared"
	AccountExclusive AccountUse = "Exclusive"
)

// OrderPolicy bounds what orders may do. Orders keep the timeout and onDelete that they were made with.
type OrderPolicy struct {
	// timeout is how long an order may wait for the validation of its domain. Then it is given back, and the request
	// fails. Empty: 24h, after which the TXT record of a DigiCert order is worth nothing
	// (https://www.alibabacloud.com/help/en/ssl-certificate/verify-the-ownership-of-a-domain-name).
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h') && duration(self) <= duration('720h')",message="timeout is between 1h and 720h"
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(h|m|s))+$`
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// maxPerDay is how many orders for the same names may be submitted within 24 hours, from whatever namespaces.
	// Further ones are held: a Secret that is deleted in a loop would buy one after the other. If that goes on, fewer
	// are let pass from day to day, unless the last certificate is about to end. Raising it lets so many pass again.
	// Empty: 3.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MaxPerDay *int32 `json:"maxPerDay,omitempty"`

	// budget bounds how many orders may be submitted in all, and for each namespace. Further ones are held, but for
	// renewals of certificates that are in the last third of their life: these count, and are not held.
	// +optional
	Budget *OrderBudget `json:"budget,omitempty"`

	// reserve is what of the supply is kept for renewals: a number of certificates, or a part in per cent of what was
	// free a day ago. A renewal is an order for names that have had a certificate from this issuer which has
	// not ended. Orders for other names are held when no more is left. Empty: 50%, and one certificate at least if
	// there is anything to renew.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 0 && self <= 1000000 : self.matches('^(100|[1-9]?[0-9])%$')",message="reserve is a number from 0 to 1000000, or a part from 0% to 100%"
	// +kubebuilder:validation:MaxLength=4
	// +optional
	Reserve *intstr.IntOrString `json:"reserve,omitempty"`

	// onDelete says what becomes of an unfinished order whose request is deleted. Release withdraws it, and gives its
	// certificate back to the plan. Keep leaves it at CAS, for people who finish it in the console.
	// +kubebuilder:default=Release
	// +optional
	OnDelete DeletePolicy `json:"onDelete,omitempty"`

	// reuse says what becomes of a request whose key and names have a certificate already, such as one that was deleted
	// and is made again. Enabled, the certificate of the earlier order is delivered again, and nothing is ordered, if
	// it is in force, not revoked, and has at least two thirds of its life left: renewals always order. Disabled, every
	// request is ordered. Empty: Enabled.
	// +optional
	Reuse ReusePolicy `json:"reuse,omitempty"`

	// skipChecks switches off what is looked at before an order is submitted: each finds, for free, what would make a
	// paid order wait for days. PublicName: no CA issues for the name. Zone: DNS has no zone for it, or its servers do
	// not answer for it, or the solver cannot write to the zone that serves its validation record. CAA: its zone
	// forbids the CA that the product is known to be of. Empty: all are made.
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	// +optional
	SkipChecks []DomainCheck `json:"skipChecks,omitempty"`

	// paused stops spending: orders that are not submitted yet are held. Others go on.
	// +optional
	Paused bool `json:"paused,omitempty"`
}

// ReusePolicy says whether certificates that were paid for are delivered again.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type ReusePolicy string

// The reuse policies.
const (
	ReuseEnabled  ReusePolicy = "Enabled"
	ReuseDisabled ReusePolicy = "Disabled"
)

// DomainCheck is what is looked at before an order is submitted.
//
// +kubebuilder:validation:Enum=PublicName;Zone;CAA
type DomainCheck string

// The checks of a domain.
const (
	CheckPublicName DomainCheck = "PublicName"
	CheckZone       DomainCheck = "Zone"
	CheckCAA        DomainCheck = "CAA"
)

// DeletePolicy says what becomes of an unfinished order that nobody wants any more.
//
// +kubebuilder:validation:Enum=Release;Keep
type DeletePolicy string

// The delete policies.
const (
	DeleteReleases DeletePolicy = "Release"
	DeleteKeeps    DeletePolicy = "Keep"
)

// Source is what orders are paid with. Exactly one member is set.
//
// +kubebuilder:validation:XValidation:rule="has(self.resourcePlan) != has(self.instance)",message="exactly one source is needed: resourcePlan or instance"
type Source struct {
	// resourcePlan orders from a certificate resource plan ("V1.0" quota) with CreateCertificateWithCsrRequest.
	// +optional
	ResourcePlan *ResourcePlan `json:"resourcePlan,omitempty"`

	// instance applies with subscription instances ("V2.0"), which are bought in the console of CAS.
	// +optional
	Instance *Instance `json:"instance,omitempty"`
}

// Instance is which subscription instances are applied with, and how.
type Instance struct {
	// selector says which instances may be applied with. Nothing else of the account is touched. What people have
	// written on them and not applied for is left alone, unless this installation wrote it. Set by people; may be
	// changed at any time, and says nothing about orders that have their instance.
	// +required
	Selector InstanceSelector `json:"selector"`

	// renewal says what the next certificate for the same names is applied for with. Reuse: the instance that has
	// their certificate for the same namespace, once a third of its life is over, and while the instance's term lasts
	// for 30 days more; if CAS refuses that, another one. Fresh: an instance that has no certificate. Set by people;
	// may be changed at any time. Empty: Reuse.
	// +optional
	Renewal InstanceRenewal `json:"renewal,omitempty"`

	// additionalNames opt in to DNS names beside the common name, which the CA adds by itself and which the instance
	// does not count: WWW for www.<name>, Apex for the name without www., WildcardBase for the name that a wildcard
	// stands on. They are not applied for. Empty: all names are, and the instance has to be for as many.
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	// +optional
	AdditionalNames []AdditionalName `json:"additionalNames,omitempty"`

	// commonName says what becomes of a request without a common name. Required: it is refused. Optional: it is tried,
	// and the first of its names is applied for first; CAS may refuse it, which uses up no instance. Set by people; may
	// be changed at any time. Empty: Required.
	// +optional
	CommonName CommonNamePolicy `json:"commonName,omitempty"`

	// contactIDs are whom the CA may write to or call, by their ids in the account. Empty: those that the instance has.
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=19
	// +kubebuilder:validation:items:Pattern=`^[1-9][0-9]{0,18}$`
	// +listType=set
	// +optional
	ContactIDs []string `json:"contactIDs,omitempty"`
}

// CommonNamePolicy says what becomes of a request without a common name.
//
// +kubebuilder:validation:Enum=Required;Optional
type CommonNamePolicy string

// What becomes of a request without a common name.
const (
	CommonNameRequired CommonNamePolicy = "Required"
	CommonNameOptional CommonNamePolicy = "Optional"
)

// InstanceRenewal says what a renewal is applied for with.
//
// +kubebuilder:validation:Enum=Reuse;Fresh
type InstanceRenewal string

// The ways of a renewal.
const (
	RenewalReuses  InstanceRenewal = "Reuse"
	RenewalIsFresh InstanceRenewal = "Fresh"
)

// InstanceSelector selects instances: those for which all that is set holds. Nothing is selected by default.
//
// +kubebuilder:validation:MinProperties=1
type InstanceSelector struct {
	// ids are the instances by name, such as cas_dv-cn-0123456789a.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[0-9A-Za-z._-]+$`
	// +listType=set
	// +optional
	IDs []string `json:"ids,omitempty"`

	// type says how the instances came to the account: BUY for those that were paid for, TEST for free ones.
	// +optional
	Type InstanceType `json:"type,omitempty"`

	// certificateTypes are DV, OV or EV. What people have to do for OV and EV, they do in the console of CAS.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=16
	// +listType=set
	// +optional
	CertificateTypes []string `json:"certificateTypes,omitempty"`

	// brands are those of the CA, as CAS writes them, such as DigiCert.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	// +optional
	Brands []string `json:"brands,omitempty"`

	// specs are the specifications, as CAS writes them, such as alibaba.dv.m.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	// +optional
	Specs []string `json:"specs,omitempty"`

	// resourceGroupID is the resource group that the instances are in.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	ResourceGroupID string `json:"resourceGroupID,omitempty"`

	// namePrefix is what the names of the instances begin with, which people give them in the console.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	NamePrefix string `json:"namePrefix,omitempty"`

	// tags are those that the instances have, among others. Each instance costs a call to look at.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=key
	// +optional
	Tags []InstanceTag `json:"tags,omitempty"`
}

// InstanceType says how an instance came to the account.
//
// +kubebuilder:validation:Enum=BUY;TEST
type InstanceType string

// The types of instances.
const (
	InstanceBought InstanceType = "BUY"
	InstanceTest   InstanceType = "TEST"
)

// InstanceTag is a tag of an instance.
type InstanceTag struct {
	// key of the tag.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Key string `json:"key"`

	// value of the tag, which may be empty.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Value string `json:"value,omitempty"`
}

// ResourcePlan is quota that was bought beforehand for one product code.
type ResourcePlan struct {
	// productCode is the product to order, for instance digicert-free-1-free or geotrust-dv-1-starter. Nothing is
	// bought by default. Codes that this version does not know are passed on, and need domainType.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	// +required
	ProductCode string `json:"productCode"`

	// domainType says which names the product covers: Single for one exact name, Wildcard for one wildcard name.
	// Empty: known from the product code. It must be set for a code whose type the documentation does not settle.
	// +optional
	DomainType DomainType `json:"domainType,omitempty"`

	// additionalNames opt in to DNS names beside the common name, which the CA adds by itself with DNS validation:
	// WWW for www.<name>, Apex for the name without www., WildcardBase for the name that a wildcard stands on. A
	// request that asks for such a name is refused unless it is opted in to here, since not every brand adds it.
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	// +optional
	AdditionalNames []AdditionalName `json:"additionalNames,omitempty"`

	// repeatedRequests says whether the CA takes a certificate signing request that an earlier order had, as RSA keys
	// that are kept give at each renewal. Refused, such a request fails before anything is bought, where the earlier
	// order is still known to the cluster. Empty: Refused, as Alibaba Cloud's list of reasons for a failed review says
	// (https://help.aliyun.com/knowledge_detail/47996.html).
	// +optional
	RepeatedRequests RepeatedRequestPolicy `json:"repeatedRequests,omitempty"`

	// keyAlgorithms are the keys that requests may have. Empty: RSA2048, RSA3072, RSA4096 and ECDSAP256.
	// +kubebuilder:validation:MaxItems=5
	// +listType=set
	// +optional
	KeyAlgorithms []KeyAlgorithm `json:"keyAlgorithms,omitempty"`

	// tags says whether orders are tagged with the cluster, namespace, name and UID of the request
	// (certmanager.aliyun.com/...). Disabled is for accounts that refuse tags.
	// +kubebuilder:default=Enabled
	// +optional
	Tags TagPolicy `json:"tags,omitempty"`
}

// DomainType is the kind of names that a product covers.
//
// +kubebuilder:validation:Enum=Single;Wildcard
type DomainType string

// The domain types of DV products.
const (
	DomainTypeSingle   DomainType = "Single"
	DomainTypeWildcard DomainType = "Wildcard"
)

// AdditionalName is a name that some brands add to a certificate by themselves.
//
// +kubebuilder:validation:Enum=WWW;Apex;WildcardBase
type AdditionalName string

// The names that a CA may add.
const (
	AdditionalNameWWW          AdditionalName = "WWW"
	AdditionalNameApex         AdditionalName = "Apex"
	AdditionalNameWildcardBase AdditionalName = "WildcardBase"
)

// KeyAlgorithm is an algorithm with its size or curve.
//
// +kubebuilder:validation:Enum=RSA2048;RSA3072;RSA4096;ECDSAP256;ECDSAP384
type KeyAlgorithm string

// The keys that a request may have.
const (
	KeyAlgorithmRSA2048   KeyAlgorithm = "RSA2048"
	KeyAlgorithmRSA3072   KeyAlgorithm = "RSA3072"
	KeyAlgorithmRSA4096   KeyAlgorithm = "RSA4096"
	KeyAlgorithmECDSAP256 KeyAlgorithm = "ECDSAP256"
	KeyAlgorithmECDSAP384 KeyAlgorithm = "ECDSAP384"
)

// RepeatedRequestPolicy says whether a signing request may be ordered twice.
//
// +kubebuilder:validation:Enum=Refused;Accepted
type RepeatedRequestPolicy string

// The policies for repeated requests.
const (
	RepeatedRequestsRefused  RepeatedRequestPolicy = "Refused"
	RepeatedRequestsAccepted RepeatedRequestPolicy = "Accepted"
)

// TagPolicy says whether orders are tagged.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type TagPolicy string

// The tag policies.
const (
	TagsEnabled  TagPolicy = "Enabled"
	TagsDisabled TagPolicy = "Disabled"
)

// Contact is the applicant of an order.
type Contact struct {
	// name of the contact.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[^[:cntrl:]]+$`
	// +required
	Name string `json:"name"`

	// email address of the contact.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$`
	// +required
	Email string `json:"email"`

	// phone number of the contact, digits with an optional leading + and separators.
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[+]?[0-9][0-9 -]*$`
	// +required
	Phone string `json:"phone"`
}

// IssuerStatus is written by the controller.
type IssuerStatus struct {
	// conditions are Ready, and one for each thing it depends on: CredentialsValid, PermissionsGranted,
	// SourceAvailable, SolversValid.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// identity is whom the credentials belong to, as STS last told. Empty until it has.
	// +optional
	Identity *IssuerIdentity `json:"identity,omitempty"`

	// supply is what the source has to order with, as CAS last told at a check. Empty until the first answer.
	// +optional
	Supply *Supply `json:"supply,omitempty"`

	// budgets are how much of each bound is used, for people: nothing decides by it. Written at each check and order.
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=name
	// +optional
	Budgets []BudgetStatus `json:"budgets,omitempty"`

	// spending is what was ordered, from which spec.orders is held to.
	// +optional
	Spending *SpendingStatus `json:"spending,omitempty"`
}

// Supply is what a source has to order with, account-wide: other clusters and the console use it too. The controller
// replaces all of it whenever a check of the issuer has read the numbers.
type Supply struct {
	// product is what the numbers belong to: the product code of the issuer's resource plan when they were read.
	// +kubebuilder:validation:MaxLength=64
	// +required
	Product string `json:"product"`

	// total is how many orders the source was bought for, made or not: the certificates of a resource plan.
	// +required
	Total int64 `json:"total"`

	// inUse is how many of the total are taken, whether or not a certificate was issued: the submitted applications of
	// a resource plan.
	// +required
	InUse int64 `json:"inUse"`

	// issued is how many of those in use have led to a certificate.
	// +required
	Issued int64 `json:"issued"`

	// free is how many more can be ordered: of a resource plan, total less inUse, which is less than zero where CAS
	// counts more in use than there are. CAS does not say whether inUse falls when an order is released, so nothing
	// is refused because of free, and only spec.orders.reserve holds what it may hold a bit longer than it must.
	// +required
	Free int64 `json:"free"`

	// endingSoon is how many of the total end soon, by the word of CAS. Empty where CAS tells no end, as for a resource
	// plan.
	// +optional
	EndingSoon *int64 `json:"endingSoon,omitempty"`

	// soonestEnd is when the next of the total ends. Empty where CAS tells no end, as for a resource plan.
	// +optional
	SoonestEnd *metav1.Time `json:"soonestEnd,omitempty"`

	// hosted is for how many of the total CAS orders the next certificate by itself ("hosting"), with a key of its own
	// and for a fee. Empty where CAS does not tell it, as for a resource plan.
	// +optional
	Hosted *int64 `json:"hosted,omitempty"`

	// observedAt is when CAS said so.
	// +required
	ObservedAt metav1.Time `json:"observedAt"`
}

// IssuerIdentity is an identity at Alibaba Cloud.
type IssuerIdentity struct {
	// accountID is the id of the main account: rates and orders are the account's.
	// +kubebuilder:validation:MaxLength=64
	// +required
	AccountID string `json:"accountID"`

	// arn names the user, or the role with its session.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	ARN string `json:"arn,omitempty"`
}
