// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
)

// ValidateType is how the control of the domain is proved.
type ValidateType string

const (
	// ValidateDNS asks for a DNS record.
	ValidateDNS ValidateType = "DNS"
	// ValidateFile asks for a file on the web server.
	ValidateFile ValidateType = "FILE"
)

// Application is what is ordered, and for whom (docs/design/cas.md §3.1).
type Application struct {
	// CSR is a PEM certificate signing request. Its common name is the domain of the certificate.
	CSR string
	// ProductCode names the product of the resource plan. It is required, because the service's default
	// for an empty one is a product, too.
	ProductCode string
	// ValidateType is ValidateDNS or ValidateFile.
	ValidateType ValidateType
	// Contact is whom the CA may write to or call.
	Contact Contact
	// Tags are put on the order: at most 20, with keys of at most 128 characters that do not begin with
	// "aliyun" or "acs:".
	Tags map[string]string
	// StartedAt is when the intent to order was recorded.
	StartedAt time.Time
}

// Contact is personal data: it is sent to the service and shown nowhere.
type Contact struct {
	Name, Email, Phone string
}

// String hides the contact from %v and %s.
func (Contact) String() string { return "[redacted]" }

// GoString hides the contact from %#v.
func (Contact) GoString() string { return "[redacted]" }

// LogValue hides the contact from slog.
func (Contact) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalJSON hides the contact from loggers that encode structures as JSON.
func (Contact) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// tagLimits are those of an order's tags (docs/design/cas.md §3.1).
var tagLimits = TagLimits{Key: 128}

// fill copies the application into the SDK's request. It returns what is wrong with it, or "".
func (a Application) fill(req *sdkcas.CreateCertificateWithCsrRequestRequest) (problem string) {
	switch {
	case a.CSR == "":
		return "the certificate signing request is empty"
	case a.ProductCode == "":
		return "the product code is empty"
	case a.ValidateType != ValidateDNS && a.ValidateType != ValidateFile:
		return "the type of validation is neither DNS nor FILE"
	case a.Contact.Name == "" || a.Contact.Email == "" || a.Contact.Phone == "":
		return "the contact needs a name, an email address and a phone number"
	case a.StartedAt.IsZero():
		return "no intent to order was recorded"
	}
	if problem := tagLimits.Problem(a.Tags); problem != "" {
		return problem
	}
	req.Csr = a.CSR
	req.ProductCode = a.ProductCode
	req.ValidateType = string(a.ValidateType)
	req.Username = a.Contact.Name
	req.Email = a.Contact.Email
	req.Phone = a.Contact.Phone
	// The SDK's request is older than the parameter. Sorted, so that a request is the same each time.
	for i, key := range slices.Sorted(maps.Keys(a.Tags)) {
		prefix := "Tags." + strconv.Itoa(i+1)
		req.QueryParams[prefix+".Key"] = key
		req.QueryParams[prefix+".Value"] = a.Tags[key]
	}
	return ""
}
