// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "time"

// InstanceKnobs are the knobs about instances, the part of CAS that Alibaba files under V2.0.
type InstanceKnobs struct {
	ReapplyOnNormal     string `json:"reapplyOnNormal,omitempty"`     // when one that has issued is applied with again
	UpdateOnNormal      string `json:"updateOnNormal,omitempty"`      // what an instance that is normal lets be written
	UpdateTooEarly      string `json:"updateTooEarly,omitempty"`      // how long after its purchase it is protected
	ReapplyLimit        string `json:"reapplyLimit,omitempty"`        // how many certificates an instance issues
	ReapplyLimitCode    string `json:"reapplyLimitCode,omitempty"`    // what it answers beyond that
	OldCertificate      string `json:"oldCertificate,omitempty"`      // what the next certificate does to the old one
	NextValidity        string `json:"nextValidity,omitempty"`        // whether validity ends with the instance
	DetailDuringReapply string `json:"detailDuringReapply,omitempty"` // certificate told during a further application
	AutoSubmit          string `json:"autoSubmit,omitempty"`          // after how long CAS submits by itself
	PendingDelay        string `json:"pendingDelay,omitempty"`        // after how long the status is pending
	AfterFailedReview   string `json:"afterFailedReview,omitempty"`   // status after the CA refused
	FailedTask          string `json:"failedTask,omitempty"`          // TaskStatus after the CA refused
	FailedResult        string `json:"failedResult,omitempty"`        // PendingResult after the CA refused
	FailedCSR           string `json:"failedCSR,omitempty"`           // what becomes of the CSR then
	AfterCancel         string `json:"afterCancel,omitempty"`         // status after a first application was cancelled
	CancelDelay         string `json:"cancelDelay,omitempty"`         // how long a cancelled application stays pending
	CancelRace          string `json:"cancelRace,omitempty"`          // whether the CA may issue meanwhile
	CancelOfReapply     string `json:"cancelOfReapply,omitempty"`     // certificate told after that is cancelled
	CancelTooEarly      string `json:"cancelTooEarly,omitempty"`      // how long it cannot be cancelled yet
	RecordsDelay        string `json:"recordsDelay,omitempty"`        // how long after pending the records are told
	RecordsShape        string `json:"recordsShape,omitempty"`        // DomainValidationList before that
	ValidationKey       string `json:"validationKey,omitempty"`       // where a record is, and how its name is told
	RecordsForWildcard  string `json:"recordsForWildcard,omitempty"`  // records of a domain and its wildcard
	FileWord            string `json:"fileWord,omitempty"`            // ValidationType of a file
	FileFields          string `json:"fileFields,omitempty"`          // which fields tell path and content of a file
	FilePaths           string `json:"filePaths,omitempty"`           // paths of the files of several names
	FileContents        string `json:"fileContents,omitempty"`        // contents of the files of several names
	InstanceDNS         string `json:"instanceDNS,omitempty"`         // after how long CAS adds the record
	TaskWords           string `json:"taskWords,omitempty"`           // vocabulary of TaskStatus
	TaskBefore          string `json:"taskBefore,omitempty"`          // task before the first application
	IDTypes             string `json:"idTypes,omitempty"`             // how a certificate's id is written
	TimeUnit            string `json:"timeUnit,omitempty"`            // of times
	InstanceSANs        string `json:"instanceSANs,omitempty"`        // names in the CSR beside its CN
	InstanceCN          string `json:"instanceCN,omitempty"`          // whether the CSR must have a CN
	InstanceCSRReuse    string `json:"instanceCSRReuse,omitempty"`    // a CSR or a key that an earlier application had
	KeyWord             string `json:"keyWord,omitempty"`             // KeyAlgorithm that is not that of the CSR
	CSRText             string `json:"csrText,omitempty"`             // how the CSR is given back
	ApplyReplay         string `json:"applyReplay,omitempty"`         // a second ApplyCertificate
	Hosting             string `json:"hosting,omitempty"`             // how long before its end CAS replaces it
	InstanceList        string `json:"instanceList,omitempty"`        // how honest ListInstances is
	InstanceNotFound    string `json:"instanceNotFound,omitempty"`    // code for an instance that does not exist
	RevokeDefault       string `json:"revokeDefault,omitempty"`       // RevokeCertificate without an id
	PendingExpiry       string `json:"pendingExpiry,omitempty"`       // when an application that is not validated fails
	GroupGrants         string `json:"groupGrants,omitempty"`         // what Key.ResourceGroups are worth
}

// Values of the knobs about instances. Those of other knobs are self-explaining words, numbers and durations.
const (
	Anytime                                      = "anytime"
	UpdateAllowed, UpdateProtected               = "allowed", "protected"
	UpdateWithoutApply                           = "applyRefused"
	Unlimited                                    = "unlimited"
	OldStaysValid, OldToldRevoked                = "valid", "toldRevoked"
	ValidityFull, ValidityCut                    = "full", "cut"
	DetailOld, DetailEmpty, DetailEarly          = "old", "empty", "early"
	ResultIsReason, ResultIsWord                 = "reason", "word"
	Kept, Dropped                                = "kept", "dropped"
	CancelWins, CancelLoses                      = "wins", "loses"
	CertificateKept, CertificateCleared          = "kept", "cleared"
	RecordsAbsent, RecordsEmpty                  = "absent", "empty"
	RecordsWithoutValue                          = "withoutValue"
	KeyRelative, KeyAtZone, KeyAtApex, KeyFQDN   = "relative", "zone", "apex", "fqdn"
	WildcardOwn, WildcardShared, WildcardMerged  = "own", "shared", "merged"
	FileKeyIsPath, FileKeyIsName, FileKeyIsURL   = "path", "name", "url"
	FileKeyIsContent                             = "content"
	FilesOwn, FilesShared                        = "own", "shared"
	DNSUnseen                                    = "unseen"
	TaskMissing, TaskEmpty                       = "notFound", "empty"
	IDNumber, IDLarge, IDString                  = "number", "large", "string"
	InstanceSANsCompared, InstanceSANsIgnored    = "compared", "ignored"
	InstanceSANsHonoured                         = "honoured"
	CNRequired, CNOptional                       = "required", "optional"
	ReuseOfKeyRefused                            = "keyRefused"
	KeyWordChecked, KeyWordIgnored               = "checked", "ignored"
	CSRAsSent, CSRRewrapped, CSRWithCRLF         = "asSent", "rewrapped", "CRLF"
	ReplayRefused, ReplayIgnored, ReplayReplaces = "refused", "ignored", "replaces"
	ListSteady, ListDrifting, ListLagging        = "steady", "drifting", "lagging"
	GrantsIgnored, GrantsHonoured                = "ignored", "honoured"
	RevokeLatest, RevokeAll, RevokeNamedOnly     = "latest", "all", "refused"
	listLag                                      = time.Minute
)

// instanceKnobs is in the order of InstanceKnobs. The first value is the default.
var instanceKnobs = []knob{
	{"reapplyOnNormal", func(k *Knobs) *string { return &k.ReapplyOnNormal }, "reapply on normal",
		[]string{Anytime, "720h", Never}},
	{"updateOnNormal", func(k *Knobs) *string { return &k.UpdateOnNormal }, "update on normal",
		[]string{UpdateAllowed, UpdateProtected, UpdateWithoutApply}},
	{"updateTooEarly", func(k *Knobs) *string { return &k.UpdateTooEarly }, "update on normal", []string{"0s", "2m"}},
	{"reapplyLimit", func(k *Knobs) *string { return &k.ReapplyLimit }, "reapply limit", []string{Unlimited, "1", "2"}},
	{"reapplyLimitCode", func(k *Knobs) *string { return &k.ReapplyLimitCode }, "reapply limit",
		[]string{"InsufficientQuota", "DeductQuotaFailed"}},
	{"oldCertificate", func(k *Knobs) *string { return &k.OldCertificate }, "old certificate after a reissue",
		[]string{OldStaysValid, "24h", OldToldRevoked}},
	{"nextValidity", func(k *Knobs) *string { return &k.NextValidity }, "validity of the next certificate",
		[]string{ValidityFull, ValidityCut}},
	{"detailDuringReapply", func(k *Knobs) *string { return &k.DetailDuringReapply }, "detail during a reapply",
		[]string{DetailOld, DetailEmpty, DetailEarly}},
	{"autoSubmit", func(k *Knobs) *string { return &k.AutoSubmit }, "submission by itself",
		[]string{Never, "0s", "30s"}},
	{"pendingDelay", func(k *Knobs) *string { return &k.PendingDelay }, "submission by itself",
		[]string{"3s", "0s", "60s"}},
	{"afterFailedReview", func(k *Knobs) *string { return &k.AfterFailedReview }, "after a failed review",
		[]string{InstanceInactive, InstanceNormal, InstancePending}},
	{"failedTask", func(k *Knobs) *string { return &k.FailedTask }, "after a failed review",
		[]string{"failed", "success"}},
	{"failedResult", func(k *Knobs) *string { return &k.FailedResult }, "after a failed review",
		[]string{ResultIsReason, ResultIsWord}},
	{"failedCSR", func(k *Knobs) *string { return &k.FailedCSR }, "after a failed review", []string{Kept, Dropped}},
	{"afterCancel", func(k *Knobs) *string { return &k.AfterCancel }, "after a cancellation",
		[]string{InstanceNormal, InstanceInactive}},
	{"cancelDelay", func(k *Knobs) *string { return &k.CancelDelay }, "after a cancellation",
		[]string{"3m", "0s", "10m"}},
	{"cancelRace", func(k *Knobs) *string { return &k.CancelRace }, "after a cancellation",
		[]string{CancelWins, CancelLoses}},
	{"cancelOfReapply", func(k *Knobs) *string { return &k.CancelOfReapply }, "cancellation of a further application",
		[]string{CertificateKept, CertificateCleared}},
	{"cancelTooEarly", func(k *Knobs) *string { return &k.CancelTooEarly }, "cancellation too early",
		[]string{"15s", "0s", "2m"}},
	{"recordsDelay", func(k *Knobs) *string { return &k.RecordsDelay }, "when records are told",
		[]string{"5s", "0s", "60s"}},
	{"recordsShape", func(k *Knobs) *string { return &k.RecordsShape }, "shape of records",
		[]string{RecordsAbsent, RecordsEmpty, RecordsWithoutValue}},
	{"validationKey", func(k *Knobs) *string { return &k.ValidationKey }, "shape of records",
		[]string{KeyRelative, KeyAtZone, KeyAtApex, KeyFQDN}},
	{"recordsForWildcard", func(k *Knobs) *string { return &k.RecordsForWildcard }, "shape of records",
		[]string{WildcardOwn, WildcardShared, WildcardMerged}},
	{"fileWord", func(k *Knobs) *string { return &k.FileWord }, "shape of files", []string{"HTTP", "FILE"}},
	{"fileFields", func(k *Knobs) *string { return &k.FileFields }, "shape of files",
		[]string{FileKeyIsPath, FileKeyIsName, FileKeyIsURL, FileKeyIsContent}},
	{"filePaths", func(k *Knobs) *string { return &k.FilePaths }, "shape of files", []string{FilesShared, FilesOwn}},
	{"fileContents", func(k *Knobs) *string { return &k.FileContents }, "shape of files",
		[]string{FilesOwn, FilesShared}},
	{"instanceDNS", func(k *Knobs) *string { return &k.InstanceDNS }, "automatic DNS", []string{"2m", Off, DNSUnseen}},
	{"taskWords", func(k *Knobs) *string { return &k.TaskWords }, "words of a task",
		[]string{"success", "COMPLETED", "other"}},
	{"taskBefore", func(k *Knobs) *string { return &k.TaskBefore }, "words of a task",
		[]string{TaskMissing, TaskEmpty}},
	{"idTypes", func(k *Knobs) *string { return &k.IDTypes }, "types of ids", []string{IDNumber, IDLarge, IDString}},
	{"timeUnit", func(k *Knobs) *string { return &k.TimeUnit }, "unit of times", []string{"milliseconds", "seconds"}},
	{"instanceSANs", func(k *Knobs) *string { return &k.InstanceSANs }, "check of the CSR",
		[]string{InstanceSANsCompared, InstanceSANsIgnored, InstanceSANsHonoured}},
	{"instanceCN", func(k *Knobs) *string { return &k.InstanceCN }, "check of the CSR",
		[]string{CNRequired, CNOptional}},
	{"instanceCSRReuse", func(k *Knobs) *string { return &k.InstanceCSRReuse }, "check of the CSR",
		[]string{ReuseAccepted, ReuseRefused, ReuseOfKeyRefused}},
	{"keyWord", func(k *Knobs) *string { return &k.KeyWord }, "check of the CSR",
		[]string{KeyWordChecked, KeyWordIgnored}},
	{"csrText", func(k *Knobs) *string { return &k.CSRText }, "check of the CSR",
		[]string{CSRAsSent, CSRRewrapped, CSRWithCRLF}},
	{"applyReplay", func(k *Knobs) *string { return &k.ApplyReplay }, "a second application",
		[]string{ReplayRefused, ReplayIgnored, ReplayReplaces}},
	{"hosting", func(k *Knobs) *string { return &k.Hosting }, "hosting", []string{"720h", Never}},
	{"instanceList", func(k *Knobs) *string { return &k.InstanceList }, "consistency of listings",
		[]string{ListSteady, ListShuffled, ListDrifting, ListLagging}},
	{"instanceNotFound", func(k *Knobs) *string { return &k.InstanceNotFound }, "codes",
		[]string{"NotFound", "InvalidInstanceId.NotFound"}},
	{"revokeDefault", func(k *Knobs) *string { return &k.RevokeDefault }, "revocation without an id",
		[]string{RevokeLatest, RevokeAll, RevokeNamedOnly}},
	{"pendingExpiry", func(k *Knobs) *string { return &k.PendingExpiry }, "expiry of pending", []string{Never, "168h"}},
	{"groupGrants", func(k *Knobs) *string { return &k.GroupGrants }, "grants for resource groups",
		[]string{GrantsIgnored, GrantsHonoured}},
}
