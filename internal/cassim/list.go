// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultShowSize = 50
	willExpire      = 30 * 24 * time.Hour
)

// planBoughtAt is when every plan was bought.
var planBoughtAt = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// listOrders is ListUserCertificateOrder for orders from resource plans (docs/design/cas.md §3.6).
func (s *Server) listOrders(c *call) (reply, *refusal) {
	if kind := cmp.Or(c.arg("OrderType"), "CPACK"); kind != "CPACK" {
		return nil, badRequest("InvalidParameter.OrderType", "The simulator lists orders of the type CPACK only.")
	}
	page, size, refused := s.paging(c)
	if refused != nil {
		return nil, refused
	}
	found := s.search(c.account(), strings.ToLower(c.arg("Keyword")), c.arg("Status"))
	s.sortListing(found)
	items := []map[string]any{}
	for _, o := range s.listing.page(found, page, size) {
		items = append(items, s.listItem(o))
	}
	return reply{"TotalCount": max(0, len(found)+s.listing.TotalOff), "CurrentPage": page, "ShowSize": size,
		"CertificateOrderList": items}, nil
}

func (s *Server) paging(c *call) (page, size int, refused *refusal) {
	if page, refused = number(c, "CurrentPage", 1); refused != nil {
		return 0, 0, refused
	}
	if size, refused = number(c, "ShowSize", defaultShowSize); refused != nil {
		return 0, 0, refused
	}
	largest, _ := strconv.Atoi(s.knobs.MaxShowSize)
	if size > largest {
		if s.knobs.ShowSizeAbove == ShowSizeRefused && c.arg("ShowSize") != "" {
			return 0, 0, badRequest("InvalidParameter.ShowSize", "The specified parameter ShowSize is larger than %d.",
				largest)
		}
		size = largest
	}
	return page, size, nil
}

// number reads a parameter that counts from 1.
func number(c *call, name string, missing int) (int, *refusal) {
	if c.arg(name) == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(c.arg(name))
	if err != nil || n < 1 || n > 1<<30 {
		return 0, badRequest("InvalidParameter."+name, "The specified parameter %s is not valid.", name)
	}
	return n, nil
}

func pageOf[T any](all []T, page, size int) []T {
	begin := min((page-1)*size, len(all))
	return all[begin:min(begin+size, len(all))]
}

func (s *Server) search(a *account, keyword, status string) []*order {
	var found []*order
	known, now := s.listed()
	for _, o := range known {
		matches := strings.Contains(o.domain, keyword) || strings.Contains(o.id, keyword) ||
			strings.Contains(o.instanceID(), keyword)
		if o.account == a && !o.isGone() && matches && (status == "" || status == s.listStatus(o)) &&
			!now.Before(o.listedAt) {
			found = append(found, o)
		}
	}
	return found
}

// Sorts orders for a listing. They come in the order of their purchase.
func (s *Server) sortListing(found []*order) {
	switch s.knobs.ListOrder {
	case ListNewestFirst:
		slices.Reverse(found)
	case ListByDomain:
		slices.SortStableFunc(found, func(a, b *order) int { return strings.Compare(a.domain, b.domain) })
	case ListShuffled: // anew for each page, so that pages overlap and leave orders out
		rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	}
}

// listStatus is the listing's word for a state.
func (s *Server) listStatus(o *order) string {
	switch o.state {
	case StateDomainVerify, StateProcess:
		return "CHECKING"
	case StateVerifyFail:
		return "CHECKED_FAIL"
	case StatePayed:
		return "PAYED"
	case StateCertificate:
		_, now := s.listed()
		switch left := o.cert.notAfter.Sub(now); {
		case o.steering.revoked:
			return "REVOKED"
		case left <= 0:
			return "EXPIRED"
		case left < willExpire:
			return "WILLEXPIRED"
		}
		return "ISSUED"
	default:
		return strings.ToUpper(o.state)
	}
}

func (s *Server) listItem(o *order) map[string]any {
	item := map[string]any{
		"OrderId": s.idValue(o.id), "InstanceId": o.instanceID(), "Domain": o.domain, "Status": s.listStatus(o),
		"ProductCode": o.product, "ProductName": "DV SSL", "RootBrand": strings.ToUpper(brand(o.product)),
		"CertType":   "DV",
		"DomainType": "ONE", "DomainCount": 1, "WildDomainCount": 0, "Algorithm": algorithm(o.csr),
		"BuyDate":        o.boughtAt.Add(s.skew).UnixMilli(),
		"PartnerOrderId": "p" + o.id, "AliyunOrderId": 0, "SourceType": "aliyun", "TrusteeStatus": "unTrustee",
	}
	if s.knobs.BuyDate == BuyDateOfPlan {
		item["BuyDate"] = planBoughtAt.UnixMilli()
	}
	if s.knobs.ListProduct == ProductOther {
		item["ProductCode"] = "bykj123456"
	}
	if strings.Contains(o.product, "-free-") {
		item["CertType"] = "FREE"
	}
	if strings.HasPrefix(o.domain, "*.") {
		item["DomainType"], item["DomainCount"], item["WildDomainCount"] = "WILDCARD", 0, 1
	}
	if o.state == StateCertificate {
		item["CertStartTime"], item["CertEndTime"] = o.cert.notBefore.UnixMilli(), o.cert.notAfter.UnixMilli()
	}
	return item
}

func (o *order) instanceID() string { return "cas-dv-" + o.id[len(o.id)-8:] }

func brand(product string) string {
	name, _, _ := strings.Cut(product, "-")
	return name
}

func algorithm(csr *x509.CertificateRequest) string {
	if _, isRSA := csr.PublicKey.(*rsa.PublicKey); isRSA {
		return "RSA"
	}
	return "ECC"
}
