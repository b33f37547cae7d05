// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types of the kinds in this package.
const (
	// ConditionReady sums up all other conditions of an object.
	ConditionReady = "Ready"

	// ConditionCredentialsValid, of issuers: there are credentials, and Alibaba Cloud accepts them.
	ConditionCredentialsValid = "CredentialsValid"
	// ConditionPermissionsGranted, of issuers: RAM permits what is needed. Only verbs that read are tried; what others
	// refuse is known once an order has met with it.
	ConditionPermissionsGranted = "PermissionsGranted"
	// ConditionSourceAvailable, of issuers: the account has what spec.source orders from, such as a plan for the
	// product. It may be used up.
	ConditionSourceAvailable = "SourceAvailable"
	// ConditionSolversValid, of issuers: every solver can be used.
	ConditionSolversValid = "SolversValid"

	// ConditionSubmitted, of orders: CAS has accepted the order.
	ConditionSubmitted = "Submitted"
	// ConditionDomainsValidated, of orders: CAS no longer waits for the validation record.
	ConditionDomainsValidated = "DomainsValidated"
	// ConditionIssued, of orders: the chain is here.
	ConditionIssued = "Issued"
	// ConditionNamesAdded, of orders: the certificate has names that were not asked for.
	ConditionNamesAdded = "NamesAdded"
	// ConditionNamesRespelled, of orders: names of the certificate differ in case from those that were asked for.
	ConditionNamesRespelled = "NamesRespelled"
	// ConditionChangedElsewhere, of orders: somebody else has changed what the order was made from, such as its
	// instance. It is there as long as that is so, and the order goes on.
	ConditionChangedElsewhere = "ChangedElsewhere"
	// ConditionEndsWithTerm, of orders: the certificate ends when what it was ordered from does.
	ConditionEndsWithTerm = "EndsWithTerm"
	// ConditionChainIncomplete, of orders: CAS gave a leaf without its intermediates.
	ConditionChainIncomplete = "ChainIncomplete"
	// ConditionCleanedUp, of orders: what was published for the validation is removed. It is there only where that met
	// with an obstacle.
	ConditionCleanedUp = "CleanedUp"
)

// Reasons of issuer conditions.
const (
	// ReasonReady: everything that the issuer depends on is there.
	ReasonReady = "Ready"
	// ReasonSecretNotFound: a Secret that the issuer names does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonSecretForbidden: the controller may not read a Secret that the issuer names.
	ReasonSecretForbidden = "SecretForbidden"
	// ReasonSecretInvalid: a Secret lacks a key, or its value cannot be used.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonCredentialsRefused: Alibaba Cloud does not accept the credentials.
	ReasonCredentialsRefused = "CredentialsRefused"
	// ReasonCredentialsNotAllowed: the issuer may not use the controller's own identity, or not at that endpoint.
	ReasonCredentialsNotAllowed = "CredentialsNotAllowed"
	// ReasonServiceAccountNotFound: the ServiceAccount that a token is to be requested for does not exist.
	ReasonServiceAccountNotFound = "ServiceAccountNotFound"
	// ReasonTokenForbidden: the controller may not request tokens for the ServiceAccount.
	ReasonTokenForbidden = "TokenForbidden"
	// ReasonTokenUnavailable: the controller has no token of its own to exchange.
	ReasonTokenUnavailable = "TokenUnavailable"
	// ReasonRoleRefused: STS does not let the credentials, or the token, assume the role.
	ReasonRoleRefused = "RoleRefused"
	// ReasonMetadataUnavailable: the controller's surroundings, such as the metadata server, have no credentials for
	// it.
	ReasonMetadataUnavailable = "MetadataUnavailable"
	// ReasonPermissionDenied: the identity lacks a RAM permission.
	ReasonPermissionDenied = "PermissionDenied"
	// ReasonAccountBlocked: Alibaba Cloud refuses the account: verification, risk control or balance.
	ReasonAccountBlocked = "AccountBlocked"
	// ReasonClockSkew: the clocks of the controller and of Alibaba Cloud differ by more than 15 minutes.
	ReasonClockSkew = "ClockSkew"
	// ReasonNoPackage: the account has no plan for the product code.
	ReasonNoPackage = "NoPackage"
	// ReasonNoInstance: the account has no instance of an id that the issuer names.
	ReasonNoInstance = "NoInstance"
	// ReasonNoContact: an instance has no contact, and the issuer names none.
	ReasonNoContact = "NoContact"
	// ReasonNoSource: this version does not know the source of certificates that the issuer names.
	ReasonNoSource = "NoSource"
	// ReasonCASUnavailable: CAS cannot be reached, is busy or answers with an error that may pass.
	ReasonCASUnavailable = "CASUnavailable"
	// ReasonEndpointInvalid: the endpoint of the issuer or of a solver cannot be used.
	ReasonEndpointInvalid = "EndpointInvalid"
	// ReasonEndpointNotAllowed: the installation does not allow the issuer to name the endpoint's host.
	ReasonEndpointNotAllowed = "EndpointNotAllowed"
	// ReasonNameserverNotAllowed: the installation does not allow the issuer to have the name server updated.
	ReasonNameserverNotAllowed = "NameserverNotAllowed"
	// ReasonRouteNotAllowed: the installation does not allow the issuer to have such a route made, or not for that
	// host.
	ReasonRouteNotAllowed = "RouteNotAllowed"
	// ReasonPermissionRefused, of issuers: an order was refused for want of a RAM permission, and tries it again.
	ReasonPermissionRefused = "PermissionRefused"
	// ReasonZoneRefused, of issuers: an order may not publish or remove its validation record for want of a RAM
	// permission. Of orders: another one with the same credentials may not publish in the zone. Held: this one would be
	// paid for, and wait for that.
	ReasonZoneRefused = "ZoneRefused"
	// ReasonSolverInvalid: a solver of the issuer cannot be used as it is written, or is not allowed.
	ReasonSolverInvalid = "SolverInvalid"
	// ReasonDomainTypeRequired: the product code's domain type is not known and has to be set.
	ReasonDomainTypeRequired = "DomainTypeRequired"
	// ReasonNotChecked: something else has to be right before this can be checked.
	ReasonNotChecked = "NotChecked"
)

// Reasons of order conditions, beside those of issuers, which an order takes over when it meets the same obstacle.
const (
	// ReasonPending: it goes on by itself.
	ReasonPending = "Pending"
	// ReasonSubmitted: CAS has accepted the order.
	ReasonSubmitted = "Submitted"
	// ReasonAwaitingDNSRecord: CAS waits for the validation record, which a person has to create.
	ReasonAwaitingDNSRecord = "AwaitingDNSRecord"
	// ReasonValidating: the validation record is published and CAS has not seen it yet.
	ReasonValidating = "Validating"
	// ReasonValidated: CAS no longer waits for the validation record.
	ReasonValidated = "Validated"
	// ReasonAwaitingFile: CAS waits for the validation file, which a person has to put on the web server.
	ReasonAwaitingFile = "AwaitingFile"
	// ReasonDomainRefused: no CA would issue for the name as it is, or none could be asked about it. Held: the order
	// would cost money and wait for days.
	ReasonDomainRefused = "DomainRefused"
	// ReasonAccountChanged: the credentials are of another account than the order.
	ReasonAccountChanged = "AccountChanged"
	// ReasonOrderNotFound: CAS does not know the order, or not in this account.
	ReasonOrderNotFound = "OrderNotFound"
	// ReasonPresentFailed: the solver could not publish the record.
	ReasonPresentFailed = "PresentFailed"
	// ReasonReviewing: the CA works on the order.
	ReasonReviewing = "Reviewing"
	// ReasonUnknownState: CAS answers with a state that says nothing; it is asked again.
	ReasonUnknownState = "UnknownState"
	// ReasonIssued: the chain is here.
	ReasonIssued = "Issued"
	// ReasonReused: the certificate of an earlier order was delivered again, and nothing was ordered.
	ReasonReused = "Reused"
	// ReasonRepeatedRequest: an earlier order had the certificate signing request, which CAS is said to refuse.
	ReasonRepeatedRequest = "RepeatedRequest"
	// ReasonInvalidCertificate: CAS issued a certificate with another key, other names or impossible dates. Held: a
	// new order would cost money and might end alike.
	ReasonInvalidCertificate = "InvalidCertificate"
	// ReasonAmbiguousSubmission: CAS may have accepted an order whose id is not known. Held: a second one would cost
	// money.
	ReasonAmbiguousSubmission = "AmbiguousSubmission"
	// ReasonStatusRefused: the API server refuses what is to be written about the order.
	ReasonStatusRefused = "StatusRefused"
	// ReasonRestoredRequest: a backup brought the request back. What it asks for may have been bought long ago.
	ReasonRestoredRequest = "RestoredRequest"
	// ReasonOrderRateExceeded: too many orders for the same names in a day. Held: something deletes certificates in a
	// loop.
	ReasonOrderRateExceeded = "OrderRateExceeded"
	// ReasonBudgetExceeded: the issuer, or the namespace, has submitted as many orders as spec.orders.budget lets pass.
	ReasonBudgetExceeded = "BudgetExceeded"
	// ReasonReservedForRenewals: what the source has left is kept for names that have a certificate
	// (spec.orders.reserve).
	ReasonReservedForRenewals = "ReservedForRenewals"
	// ReasonPaused: the issuer says to buy nothing.
	ReasonPaused = "Paused"
	// ReasonPredecessor: another AliyunOrder for the same certificate is still being given back.
	ReasonPredecessor = "Predecessor"
	// ReasonDeadlineExceeded: the domain was not validated, or the CA did not decide, in time.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonOrderVanished: CAS does not know the order any more.
	ReasonOrderVanished = "OrderVanished"
	// ReasonHandedOver: the AliyunOrder of the request that replaced this one's goes on with the order.
	ReasonHandedOver = "HandedOver"
	// ReasonQuotaExhausted: the source has nothing left to order with.
	ReasonQuotaExhausted = "QuotaExhausted"
	// ReasonRejected: CAS refused the order in a way that can never succeed.
	ReasonRejected = "Rejected"
	// ReasonVerificationFailed: the CA refused the order.
	ReasonVerificationFailed = "VerificationFailed"
	// ReasonWithdrawn: the order was withdrawn at CAS by somebody else.
	ReasonWithdrawn = "Withdrawn"
	// ReasonRequestMismatch: the request is not the one that the order was made for, or no longer wants a certificate.
	ReasonRequestMismatch = "RequestMismatch"
	// ReasonIssuerNotFound: the issuer does not exist.
	ReasonIssuerNotFound = "IssuerNotFound"
	// ReasonIssuerNotReady: the issuer is not ready.
	ReasonIssuerNotReady = "IssuerNotReady"
	// ReasonNotAllowed: the issuer does not serve the namespace, or does not order for the domain.
	ReasonNotAllowed = "NotAllowed"
	// ReasonDeleted: the AliyunOrder is being deleted.
	ReasonDeleted = "Deleted"
	// ReasonNamesAdded: the CA added names that were not asked for.
	ReasonNamesAdded = "NamesAdded"
	// ReasonChangedElsewhere: somebody else has changed what the order was made from.
	ReasonChangedElsewhere = "ChangedElsewhere"
	// ReasonEndsWithTerm: no certificate lasts longer than what it was ordered from.
	ReasonEndsWithTerm = "EndsWithTerm"
	// ReasonNamesRespelled: the CA writes names in lower case.
	ReasonNamesRespelled = "NamesRespelled"
	// ReasonCleanUpFailed: what was published could not be removed.
	ReasonCleanUpFailed = "CleanUpFailed"
	// ReasonCleanedUp: what was published is removed, or left to another order that needs it.
	ReasonCleanedUp = "CleanedUp"
	// ReasonLeafOnly: CAS gave no intermediate certificate.
	ReasonLeafOnly = "LeafOnly"
)
