// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Knobs selects among behaviours that docs/design/cas.md leaves open. Each field is empty for the default, which is the
// first of its values, or one of the values that Unknowns and AllKnobs list. The JSON names are the names of the knobs.
type Knobs struct {
	OrderID       string `json:"orderID,omitempty"`       // how a reply writes an order id
	MaxShowSize   string `json:"maxShowSize,omitempty"`   // largest page of a listing
	ShowSizeAbove string `json:"showSizeAbove,omitempty"` // what becomes of a larger ShowSize
	ListOrder     string `json:"listOrder,omitempty"`     // order of a listing
	ListProduct   string `json:"listProduct,omitempty"`   // vocabulary of ProductCode in a listing
	BuyDate       string `json:"buyDate,omitempty"`       // what BuyDate in a listing is the date of
	FirstState    string `json:"firstState,omitempty"`    // state that an order tells at first
	Duplicate     string `json:"duplicate,omitempty"`     // a second unfinished order for one domain
	OrderExpiry   string `json:"orderExpiry,omitempty"`   // when an unvalidated order fails
	TXTLifetime   string `json:"txtLifetime,omitempty"`   // how long a DigiCert value proves anything
	Chain         string `json:"chain,omitempty"`         // blocks of Certificate
	PrivateKey    string `json:"privateKey,omitempty"`    // PrivateKey of an order with a CSR
	CertID        string `json:"certID,omitempty"`        // CertId of an issued order
	RecordDomain  string `json:"recordDomain,omitempty"`  // how the record's name is told
	RecordLabel   string `json:"recordLabel,omitempty"`   // where the record of a subdomain is
	RecordType    string `json:"recordType,omitempty"`    // TXT or CNAME
	// after how long an unvalidated order wants another value
	ProofValue       string `json:"proofValue,omitempty"`
	FileHosts        string `json:"fileHosts,omitempty"`        // where the CA looks for a file
	FileScheme       string `json:"fileScheme,omitempty"`       // how the CA looks for a file
	AutomaticDNS     string `json:"automaticDNS,omitempty"`     // whether CAS writes into the account's zones
	VerifyFailReason string `json:"verifyFailReason,omitempty"` // whether a failed order says why
	UsedCount        string `json:"usedCount,omitempty"`        // UsedCount after DeleteCertificateRequest
	Curves           string `json:"curves,omitempty"`           // accepted curves
	CSRSANs          string `json:"csrSANs,omitempty"`          // names in the CSR that are not its CN
	CSRReuse         string `json:"csrReuse,omitempty"`         // a CSR that an earlier order had
	ExtraNames       string `json:"extraNames,omitempty"`       // names that the CA adds with DNS validation
	ErrorCodes       string `json:"errorCodes,omitempty"`       // vocabulary of refusals
	QuotaCode        string `json:"quotaCode,omitempty"`        // what an exhausted plan answers to a create
	FreeQuota        string `json:"freeQuota,omitempty"`        // whether a create works with a free plan
	DateHeader       string `json:"dateHeader,omitempty"`       // whether replies have a Date
	Throttling       string `json:"throttling,omitempty"`       // whether rates are limited

	InstanceKnobs
}

// ChainForm is a value of Knobs.Chain.
type ChainForm = string

// Values of knobs. Those of other knobs are self-explaining numbers and durations.
const (
	Default = "" // of every knob

	OrderIDString, OrderIDNumber                                 = "string", "number"
	ShowSizeClamped, ShowSizeRefused                             = "clamped", "refused"
	ListNewestFirst, ListOldestFirst, ListByDomain, ListShuffled = "newestFirst", "oldestFirst", "byDomain",
		"shuffled"
	ProductAsOrdered, ProductOther                                         = "asOrdered", "other"
	BuyDateOfApplication, BuyDateOfPlan                                    = "application", "plan"
	DuplicateAccepted, DuplicateRefused                                    = "accepted", "refused"
	Never                                                                  = "never"
	ChainFull, ChainLeafOnly, ChainWithRoot, ChainShuffled, ChainUnrelated = "leaf+intermediate", "leaf",
		"leaf+intermediate+root", "shuffled", "unrelated"
	Absent, Present                                                      = "absent", "present"
	RecordRelative, RecordPrefix, RecordFQDN, RecordFQDNDot, RecordUpper = "relative", "prefix", "fqdn", "fqdnDot",
		"upper"
	LabelAtName, LabelAtZone                      = "name", "zone"
	RecordTXT, RecordCNAME                        = "TXT", "CNAME"
	FileAtBoth, FileAtDomain                      = "apex+www", "domain"
	FileByHTTP, FileByHTTPS, FileByEither         = "http", "https", "either"
	Off, On                                       = "off", "on"
	UsedFalls, UsedStays                          = "falls", "stays"
	SANsDropped, SANsRejected, SANsFailReview     = "dropped", "rejected", "reviewFails"
	ReuseFailsReview, ReuseAccepted, ReuseRefused = "reviewFails", "accepted", "refused"
	CodesDocumented, CodesNewer                   = "documented", "newer"
	FreeWorks, FreeNoPackage, FreeRefused         = "works", "noPackage", "refused"
)

// knob is one field of Knobs.
type knob struct {
	name   string
	field  func(*Knobs) *string
	item   string // of docs/design/cas.md §12, or "" if the knob is about something else
	values []string
}

// knobs are all that there are.
var knobs = slices.Concat(orderKnobs, instanceKnobs)

// orderKnobs is in the order of Knobs. The first value is the default.
var orderKnobs = []knob{
	{"orderID", func(k *Knobs) *string { return &k.OrderID }, "", []string{OrderIDString, OrderIDNumber}},
	{"maxShowSize", func(k *Knobs) *string { return &k.MaxShowSize }, "Max ShowSize", []string{"100", "50", "10"}},
	{"showSizeAbove", func(k *Knobs) *string { return &k.ShowSizeAbove }, "Max ShowSize",
		[]string{ShowSizeClamped, ShowSizeRefused}},
	{"listOrder", func(k *Knobs) *string { return &k.ListOrder }, "list sort order",
		[]string{ListNewestFirst, ListOldestFirst, ListByDomain, ListShuffled}},
	{"listProduct", func(k *Knobs) *string { return &k.ListProduct }, "", []string{ProductAsOrdered, ProductOther}},
	{"buyDate", func(k *Knobs) *string { return &k.BuyDate }, "", []string{BuyDateOfApplication, BuyDateOfPlan}},
	{"firstState", func(k *Knobs) *string { return &k.FirstState }, "", []string{StateDomainVerify, StatePayed}},
	{"duplicate", func(k *Knobs) *string { return &k.Duplicate }, "duplicate-order behaviour for one domain",
		[]string{DuplicateAccepted, DuplicateRefused}},
	{"orderExpiry", func(k *Knobs) *string { return &k.OrderExpiry }, "DV order expiry",
		[]string{Never, "24h", "168h"}},
	{"txtLifetime", func(k *Knobs) *string { return &k.TXTLifetime }, "", []string{"24h", Never}},
	{"chain", func(k *Knobs) *string { return &k.Chain }, "chain content/order of Certificate",
		[]string{ChainFull, ChainLeafOnly, ChainWithRoot, ChainShuffled, ChainUnrelated}},
	{"privateKey", func(k *Knobs) *string { return &k.PrivateKey }, "PrivateKey on CSR orders",
		[]string{Absent, Present}},
	{"certID", func(k *Knobs) *string { return &k.CertID }, "", []string{Present, Absent}},
	{"recordDomain", func(k *Knobs) *string { return &k.RecordDomain }, "RecordDomain form and label for subdomains",
		[]string{RecordRelative, RecordPrefix, RecordFQDN, RecordFQDNDot, RecordUpper}},
	{"recordLabel", func(k *Knobs) *string { return &k.RecordLabel }, "RecordDomain form and label for subdomains",
		[]string{LabelAtName, LabelAtZone}},
	{"recordType", func(k *Knobs) *string { return &k.RecordType }, "", []string{RecordTXT, RecordCNAME}},
	{"proofValue", func(k *Knobs) *string { return &k.ProofValue }, "", []string{Never, "24h", "30m"}},
	{"fileHosts", func(k *Knobs) *string { return &k.FileHosts }, "", []string{FileAtBoth, FileAtDomain}},
	{"fileScheme", func(k *Knobs) *string { return &k.FileScheme }, "",
		[]string{FileByHTTP, FileByHTTPS, FileByEither}},
	{"automaticDNS", func(k *Knobs) *string { return &k.AutomaticDNS }, "whether automatic DNS applies to API orders",
		[]string{Off, On}},
	{"verifyFailReason", func(k *Knobs) *string { return &k.VerifyFailReason }, "verify_fail reason via V1 API",
		[]string{Absent, Present}},
	{"usedCount", func(k *Knobs) *string { return &k.UsedCount }, "UsedCount after delete",
		[]string{UsedFalls, UsedStays}},
	{"curves", func(k *Knobs) *string { return &k.Curves }, "ECC curves",
		[]string{"P-256", "P-256,P-384", "P-256,P-384,P-521"}},
	{"csrSANs", func(k *Knobs) *string { return &k.CSRSANs }, "whether CSR SANs are dropped or rejected",
		[]string{SANsDropped, SANsRejected, SANsFailReview}},
	{"csrReuse", func(k *Knobs) *string { return &k.CSRReuse }, "",
		[]string{ReuseFailsReview, ReuseAccepted, ReuseRefused}},
	{"extraNames", func(k *Knobs) *string { return &k.ExtraNames }, "", []string{On, Off}},
	{"errorCodes", func(k *Knobs) *string { return &k.ErrorCodes }, "newer CAS error codes",
		[]string{CodesDocumented, CodesNewer}},
	{"quotaCode", func(k *Knobs) *string { return &k.QuotaCode }, "newer CAS error codes",
		[]string{"NotRemainCount", "InsufficientQuota"}},
	{"freeQuota", func(k *Knobs) *string { return &k.FreeQuota },
		"whether V1 create still works for free test quota granted after 2026-02-14",
		[]string{FreeWorks, FreeNoPackage, FreeRefused}},
	{"dateHeader", func(k *Knobs) *string { return &k.DateHeader }, "", []string{Present, Absent}},
	{"throttling", func(k *Knobs) *string { return &k.Throttling }, "", []string{Off, On}},
}

// Set changes a knob by its name. Empty is the default. It refuses names and values that do not exist.
func (k *Knobs) Set(name, value string) error {
	i := slices.IndexFunc(knobs, func(known knob) bool { return known.name == name })
	if i < 0 {
		return fmt.Errorf("there is no knob %q", name)
	}
	if value != Default && !slices.Contains(knobs[i].values, value) {
		return fmt.Errorf("the knob %s is one of %s, not %q", name, strings.Join(knobs[i].values, ", "), value)
	}
	*knobs[i].field(k) = value
	return nil
}

// effective returns a copy in which every default is spelled out, and an error for a value that does not exist.
func (k Knobs) effective() (Knobs, error) {
	for _, known := range knobs {
		field := known.field(&k)
		if err := k.Set(known.name, *field); err != nil {
			return k, err
		}
		if *field == Default {
			*field = known.values[0]
		}
	}
	return k, nil
}

// limit reads a knob that is a duration or Never. The bool tells that there is a limit.
func limit(value string) (time.Duration, bool) {
	d, err := time.ParseDuration(value)
	return d, err == nil
}
