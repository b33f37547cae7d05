// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import "time"

// Status is how an instance stands. Values that are not among the constants are passed on as they are, and mean no more
// than that the instance is still to be watched.
type Status string

const (
	// StatusInactive: bought, and not applied with.
	StatusInactive Status = "inactive"
	// StatusPending: an application is under way, or is being withdrawn, which takes minutes.
	StatusPending Status = "pending"
	// StatusNormal: no application is under way. It was seen without any certificate, after a first application had
	// been withdrawn.
	StatusNormal Status = "normal"
	// StatusWillExpire: the term of the subscription, and not only a certificate, nears its end.
	StatusWillExpire Status = "willExpire"
	// StatusExpired, StatusRefund and StatusClosed are final.
	StatusExpired Status = "expired"
	StatusRefund  Status = "refund"
	StatusClosed  Status = "closed"
)

// IsFinal reports whether the instance can serve nobody any more.
func (s Status) IsFinal() bool {
	return s == StatusExpired || s == StatusRefund || s == StatusClosed
}

// CertificateStatus is how the latest certificate of an instance stands. It is empty until there is one.
type CertificateStatus string

// The states of a certificate that are known.
const (
	CertificateIssued     CertificateStatus = "issued"
	CertificateRevoked    CertificateStatus = "revoked"
	CertificateWillExpire CertificateStatus = "willExpire"
	CertificateExpired    CertificateStatus = "expired"
)

// The words of Instance.Type.
const (
	TypeBought = "BUY"
	TypeTest   = "TEST"
)

// Instance is what CAS tells of an instance, in a listing as in detail.
type Instance struct {
	ID ID
	// Name is that of the instance, and by default of its certificates. Anybody may change it.
	Name string
	// Status is about the instance, and CertificateStatus about its latest certificate.
	Status            Status
	CertificateStatus CertificateStatus
	// PendingResult is what CAS says of the last operation: at most 256 characters for people, without secrets. Nothing
	// may branch on it.
	PendingResult string
	// CertificateID names the latest certificate in the store of CAS: decimal digits. It is empty without one. A new
	// certificate has a new one.
	CertificateID string
	// CertIdentifier is the id with the site, for other services of Alibaba Cloud.
	CertIdentifier string
	// CertificateNotBefore and CertificateNotAfter are those of the latest certificate, and zero without one.
	CertificateNotBefore, CertificateNotAfter time.Time
	// Names are those written on the instance, in the order of CAS, and CertificateNames those of the latest
	// certificate. The latter are told by listings only.
	Names, CertificateNames []string
	// Spec is brand.grade.kind. It does not tell tests from what was bought: Type does, with TypeTest or TypeBought.
	Spec, Brand, CertificateType, Type string
	// SingleNames and WildcardNames are how many names of either kind the instance serves, and 0 where CAS does not
	// tell.
	SingleNames, WildcardNames int
	KeyAlgorithm               string
	// AutoReissue tells that CAS replaces the certificate by itself, with a key of its own ("hosting").
	AutoReissue     bool
	ResourceGroupID string
	// BoughtAt and BoughtUntil are of the purchase. TermStart and TermEnd are those of the term, which begins with the
	// first certificate, and zero before.
	BoughtAt, BoughtUntil, TermStart, TermEnd time.Time
}

// HasCertificate reports whether CAS tells of a certificate that was issued, and of its id. The certificate may have
// expired or been revoked since, and may be the one before the application that is under way.
func (i *Instance) HasCertificate() bool { return i.CertificateStatus != "" && i.CertificateID != "" }

// item is an instance in a reply.
type item struct {
	InstanceID           string `json:"InstanceId"`
	CertificateName      string
	Status               string
	CertificateStatus    string
	PendingResult        string
	CertificateID        string `json:"CertificateId"`
	CertIdentifier       string
	CertificateNotBefore string
	CertificateNotAfter  string
	Domain               string
	CertificateDomain    string
	Spec                 string
	Brand                string
	CertificateType      string
	InstanceType         string
	FullDomainCount      string
	WildcardDomainCount  string
	KeyAlgorithm         string
	AutoReissue          string
	ResourceGroupID      string `json:"ResourceGroupId"`
	OrderStartTime       string
	OrderEndTime         string
	InstanceStartTime    string
	InstanceEndTime      string
}
