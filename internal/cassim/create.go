// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	validateDNS  = "DNS"
	validateFile = "FILE"
)

// createOrder is CreateCertificateWithCsrRequest. All that can refuse comes before the line that bills.
func (s *Server) createOrder(c *call) (reply, *refusal) {
	csr, refused := s.readCSR(c.arg("Csr"))
	if refused != nil {
		return nil, refused
	}
	o := &order{
		account:      c.account(),
		product:      cmp.Or(c.arg("ProductCode"), DefaultProduct),
		control:      control{domain: strings.ToLower(csr.Subject.CommonName)},
		csr:          csr,
		fingerprint:  fingerprint(csr.Raw),
		validateType: c.arg("ValidateType"),
		state:        StateDomainVerify,
		boughtAt:     s.now(),
	}
	if o.tags, refused = readTags(c.params); refused != nil {
		return nil, refused
	}
	if refused = s.checkOrder(o); refused != nil {
		return nil, refused
	}
	p, refused := s.openPlan(o)
	if refused != nil {
		return nil, refused
	}
	s.bill(o, p)
	c.orderID = o.id
	return reply{"OrderId": s.idValue(o.id)}, nil
}

// bill makes the order exist, and its plan pay for it.
func (s *Server) bill(o *order, p *plan) {
	s.lastID++
	o.id = strconv.FormatInt(s.lastID, 10)
	o.listedAt = o.boughtAt.Add(s.opts.ListDelay)
	o.recordAt = o.boughtAt.Add(s.opts.RecordDelay)
	o.proof = s.newProof(o)
	o.failReason = s.objection(o)
	p.reserved++
	p.used++
	s.orders.add(o)
}

// openPlan returns the resource plan that pays for the order.
func (s *Server) openPlan(o *order) (*plan, *refusal) {
	p := o.account.packages[o.product]
	isFree := strings.Contains(o.product, "-free-")
	switch {
	case p == nil, isFree && s.knobs.FreeQuota == FreeNoPackage:
		return nil, refuse(http.StatusNotFound, "NotFoundPackage", "The resource package does not exist.")
	case isFree && s.knobs.FreeQuota == FreeRefused:
		return nil, refuse(http.StatusForbidden, "CreateCertificateRequestFailed", "Failed to create the "+
			"certificate request.")
	case p.reserved >= p.total:
		return nil, refuse(http.StatusNotFound, "NotRemainCount", "The resource package is used up.")
	}
	return p, nil
}

// domainTypes are the product codes whose domain type the documents agree on (docs/design/cas.md §3.2).
var domainTypes = map[string]string{
	"digicert-free-1-free":     "single",
	"symantec-free-1-free":     "single",
	"geotrust-dv-1-starter":    "single",
	"geotrust-dv-w-starter":    "wildcard",
	"globalsign-dv-1-personal": "single",
	"globalsign-dv-w-advanced": "wildcard",
}

func (s *Server) checkOrder(o *order) *refusal {
	isWildcard := strings.HasPrefix(o.domain, "*.")
	switch {
	case o.validateType != validateDNS && o.validateType != validateFile:
		return badRequest("InvalidParameter.ValidateType", "The specified parameter ValidateType is not valid.")
	case isWildcard && o.validateType == validateFile:
		return badRequest("InvalidParameter.ValidateType", "A wildcard domain must be validated by DNS.")
	case isWildcard && domainTypes[o.product] == "single", !isWildcard && domainTypes[o.product] == "wildcard":
		return badRequest("DomainAndProductNotMatch", "The domain does not match the product.")
	case s.knobs.Duplicate == DuplicateRefused && s.hasUnfinished(o):
		return badRequest("DomainRepeat", "The domain has an unfinished order.")
	case s.knobs.CSRReuse == ReuseRefused && s.orders.csrs[o.fingerprint]:
		return badRequest("ParamRepeat", "The CSR was used in another order.")
	}
	return nil
}

func (s *Server) hasUnfinished(o *order) bool {
	return slices.ContainsFunc(s.orders.all, func(other *order) bool {
		return other.account == o.account && other.domain == o.domain && other.isUnfinished()
	})
}

// Returns why the CA will not issue once the domain is validated, or "". The simulator knows it from the first, and
// tells it at the end.
func (s *Server) objection(o *order) string {
	switch {
	case s.knobs.CSRReuse == ReuseFailsReview && s.orders.csrs[o.fingerprint]:
		return "the CSR was used in another order"
	case s.knobs.CSRSANs == SANsFailReview && len(otherNames(o.csr)) > 0:
		return "the CSR has names other than its CN"
	}
	return ""
}

const maxTags = 20

// readTags applies the rules of docs/design/cas.md §3.1.
func readTags(params map[string]string) (map[string]string, *refusal) {
	invalid := func(name string) (map[string]string, *refusal) {
		return nil, badRequest("InvalidParameter.Tags", "The specified parameter %s is not valid.", name)
	}
	keys, values := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		rest, isTag := strings.CutPrefix(name, "Tags.")
		if !isTag {
			continue
		}
		number, part, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(number); err != nil || n < 1 || n > maxTags || strconv.Itoa(n) != number {
			return invalid(name)
		}
		switch text := params[name]; {
		case strings.Contains(text, "http://"), strings.Contains(text, "https://"):
			return invalid(name)
		case part == "Key" && (text == "" || utf8.RuneCountInString(text) > 128 || strings.HasPrefix(text, "acs:") ||
			strings.HasPrefix(text, "aliyun")):
			return invalid(name)
		case part == "Key":
			keys[number] = text
		case part == "Value":
			values[number] = text
		default:
			return invalid(name)
		}
	}
	tags := map[string]string{}
	for number, value := range values {
		if keys[number] == "" {
			return invalid("Tags." + number + ".Value")
		}
		tags[keys[number]] = value
	}
	for _, key := range keys {
		tags[key] += "" // a tag may have no value
	}
	if len(tags) != len(keys) {
		return invalid("Tags")
	}
	return tags, nil
}
