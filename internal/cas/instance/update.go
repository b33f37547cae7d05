// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// The words of ValidationMethod.
const (
	ValidationDNS  = "DNS"
	ValidationHTTP = "HTTP"
)

// The words of KeyAlgorithm that fit keys of this project. There is none for P-384.
const (
	KeyRSA2048 = "RSA_2048"
	KeyRSA3072 = "RSA_3072"
	KeyRSA4096 = "RSA_4096"
	KeyECC256  = "ECC_256"
)

// enable and disable are the words of AutoReissue.
const (
	enable  = "enable"
	disable = "disable"
)

// Update is what is written on an instance. The CSR is always uploaded, and hosting is always disabled: it would have
// CAS issue certificates for keys of its own.
type Update struct {
	// CSR is a PEM certificate signing request.
	CSR string
	// Names are those of the certificate, and should be exactly the names in the CSR: CAS refuses some that disagree.
	// The common name should be the first one, which decides what name a CA adds at no cost.
	Names []string
	// KeyAlgorithm is the word for the key of the CSR.
	KeyAlgorithm string
	// ValidationMethod is ValidationDNS or ValidationHTTP.
	ValidationMethod string
	// ContactIDs are those whom the CA may write to or call: decimal digits. If they are empty, the instance keeps
	// those that it has.
	ContactIDs []string
	// CompanyID is needed for OV and EV. If it is empty, the instance keeps the one that it has.
	CompanyID string
	// Name is that of the instance. If it is empty, the instance keeps the one that it has.
	Name string
	// Tags replace all tags of the instance, unless they are empty: at most 20, with keys of at most 64 and values of
	// at most 128 characters.
	Tags map[string]string
}

const maxContactIDs = 50

// tagLimits are those of an instance's tags.
var tagLimits = cas.TagLimits{Key: 64, Value: 128}

// Update writes on an instance. CAS may by itself submit what is complete, so look at the instance after each update,
// and before you apply with it.
func (c *Client) Update(ctx context.Context, id ID, update Update, intendedAt time.Time) Change {
	req := newRequest("UpdateInstance")
	if problem := update.problem(); problem != "" {
		return refuse(req, problem)
	}
	for name, value := range map[string]string{
		"Csr": update.CSR, "GenerateCsrMethod": "upload", "Domain": strings.Join(update.Names, ","),
		"KeyAlgorithm": update.KeyAlgorithm, "ValidationMethod": update.ValidationMethod, "AutoReissue": disable,
		"CompanyId": update.CompanyID, "CertificateName": update.Name,
	} {
		req.set(name, value)
	}
	for n, contact := range update.ContactIDs {
		req.set("ContactIdList."+strconv.Itoa(n+1), contact)
	}
	for n, key := range slices.Sorted(maps.Keys(update.Tags)) {
		prefix := "Tags." + strconv.Itoa(n+1)
		req.QueryParams[prefix+".TagKey"] = key
		req.QueryParams[prefix+".TagValue"] = update.Tags[key]
	}
	return c.write(ctx, req, id, intendedAt)
}

// problem returns what is wrong with the update, or "".
func (u Update) problem() string {
	switch {
	case u.CSR == "":
		return "the certificate signing request is empty"
	case len(u.Names) == 0:
		return "no name is given"
	case slices.ContainsFunc(u.Names, notOneName):
		return "a name is empty, or is more than one"
	case u.ValidationMethod != ValidationDNS && u.ValidationMethod != ValidationHTTP:
		return "the method of validation is neither DNS nor HTTP"
	case len(u.ContactIDs) > maxContactIDs:
		return fmt.Sprintf("more contacts are given than the %d that an instance can have", maxContactIDs)
	}
	ids := slices.Clone(u.ContactIDs)
	if u.CompanyID != "" {
		ids = append(ids, u.CompanyID)
	}
	for _, id := range ids {
		if _, ok := cas.ParseOrderID(id); !ok {
			return "the id of a contact or company is not a positive integer"
		}
	}
	return tagLimits.Problem(u.Tags)
}

func notOneName(name string) bool { return name == "" || strings.ContainsAny(name, ", ") }
