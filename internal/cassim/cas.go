// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strconv"
	"strings"
)

// casVerbs are those of CAS V1 (CAS contract §1 to §3).
var casVerbs = map[string]verb{
	"CreateCertificateWithCsrRequest": create,
	"DescribeCertificateState":        describe,
	"DescribePackageState":            describePackage,
	"ListUserCertificateOrder":        list,
	"CancelOrderRequest":              cancelOrder,
	"DeleteCertificateRequest":        deleteOrder,
	"GetUserCertificateDetail":        certificateDetail,
}

func create(s *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("Csr", "Username", "Email", "Phone", "ValidateType", "ProductCode", "Tags"); no != nil {
		return nil, no
	}
	if no := c.need("Csr", "Username", "Email", "Phone", "ValidateType"); no != nil {
		return nil, no
	}
	csr, no := signingRequest(c.params["Csr"])
	if no != nil {
		return nil, no
	}
	tags, no := tagsOf(c.params)
	if no != nil {
		return nil, no
	}
	if c.params["ValidateType"] != "DNS" && c.params["ValidateType"] != "FILE" {
		return nil, refuse(400, "InvalidParameter.ValidateType", "The ValidateType is invalid.")
	}
	product := c.params["ProductCode"]
	if product == "" {
		product = DefaultProduct
	}
	from := c.account.plans[product]
	switch domain := csr.Subject.CommonName; {
	case from == nil:
		return nil, refuse(404, "NotFoundPackage", "The resource package does not exist.")
	case from.used >= from.total:
		return nil, refuse(404, "NotRemainCount", "The resource package is used up.")
	case s.knobs.DuplicateDomainRefused && s.isPending(c.account, domain):
		return nil, refuse(400, "DomainRepeat", "The domain has an order already.")
	}
	from.used++
	o := s.makeOrder(c, csr, product, tags)
	var id any = o.id
	if s.knobs.OrderIDNumber {
		id = json.Number(o.id)
	}
	return map[string]any{"OrderId": id}, nil
}

func (s *Server) makeOrder(c *call, csr *x509.CertificateRequest, product string, tags map[string]string) *order {
	s.nextID++
	domain := csr.Subject.CommonName
	value := sha256.Sum256([]byte(strconv.FormatInt(s.nextID, 10)))
	o := &order{
		id: strconv.FormatInt(s.nextID, 10), product: product, domain: domain, account: c.account, csr: csr, csrText: c.params["Csr"],
		tags: tags, boughtAt: s.clock.Now(), state: stateVerify,
		recordName: "_dnsauth." + strings.TrimPrefix(domain, "*."), value: hex.EncodeToString(value[:]),
	}
	s.orders[o.id] = o
	return o
}

func (s *Server) isPending(owner *account, domain string) bool {
	return slices.ContainsFunc(s.sorted(), func(o *order) bool {
		return o.account == owner && o.domain == domain && (o.state == stateVerify || o.state == stateProcess)
	})
}

func signingRequest(text string) (*x509.CertificateRequest, *refusal) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, refuse(400, "InvalidParameter.Csr", "The CSR is not PEM.")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || csr.CheckSignature() != nil {
		return nil, refuse(400, "InvalidParameter.Csr", "The CSR is invalid.")
	}
	if csr.Subject.CommonName == "" {
		return nil, refuse(400, "InvalidParameter.Csr", "The main domain is empty.")
	}
	return csr, nil
}

// tagsOf checks what CAS contract §1 says about tags.
func tagsOf(params map[string]string) (map[string]string, *refusal) {
	tags := map[string]string{}
	for name, key := range params {
		n, isKey := strings.CutSuffix(name, ".Key")
		if !strings.HasPrefix(name, "Tags.") || !isKey {
			continue
		}
		value := params[n+".Value"]
		bad := len(key) > 128 || strings.HasPrefix(key, "acs:") || strings.HasPrefix(key, "aliyun") || strings.Contains(key+value, "://")
		if bad {
			return nil, refuse(400, "InvalidParameter.Tags", "The tag key %q is invalid.", key)
		}
		tags[key] = value
	}
	if len(tags) > 20 {
		return nil, refuse(400, "InvalidParameter.Tags", "There are more than 20 tags.")
	}
	return tags, nil
}

// find returns the order of the call's account, as it is by now.
func (s *Server) find(c *call) (*order, *refusal) {
	if no := c.only("OrderId"); no != nil {
		return nil, no
	}
	if no := c.need("OrderId"); no != nil {
		return nil, no
	}
	o := s.orders[c.params["OrderId"]]
	if o == nil || o.account != c.account || o.deleted {
		return nil, refuse(404, "NotFoundOrder", "The order does not exist.")
	}
	s.advance(o)
	return o, nil
}

func describe(s *Server, c *call) (map[string]any, *refusal) {
	o, no := s.find(c)
	if no != nil {
		return nil, no
	}
	body := map[string]any{"Type": o.state}
	switch o.state {
	case stateVerify:
		body["ValidateType"] = "DNS"
		if !s.clock.Now().Before(o.boughtAt.Add(s.options.RecordDelay)) {
			body["RecordDomain"], body["RecordType"], body["RecordValue"] = s.recordDomain(o), s.recordType(), o.value
		}
	case stateCertificate:
		if o.leaf == nil {
			o.leaf = s.authority.issue(o, s.clock.Now())
		}
		body["Certificate"], body["CertId"] = s.authority.bundle(o.leaf, s.knobs.Chain), "9"+o.id[10:]
		body["PrivateKey"] = ""
		if s.knobs.PrivateKeyReturned {
			body["PrivateKey"] = "-----BEGIN PRIVATE KEY-----\nc2ltdWxhdGVkLXByaXZhdGUta2V5\n-----END PRIVATE KEY-----\n"
		}
	}
	return body, nil
}

func certificateDetail(s *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("CertId", "CertFilter"); no != nil {
		return nil, no
	}
	for _, o := range s.sorted() {
		if o.account == c.account && o.leaf != nil && "9"+o.id[10:] == c.params["CertId"] {
			return map[string]any{"Id": c.params["CertId"], "Cert": s.authority.bundle(o.leaf, ChainFull), "Key": ""}, nil
		}
	}
	return nil, refuse(404, "NotFound", "The certificate does not exist.")
}

func describePackage(_ *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("ProductCode"); no != nil {
		return nil, no
	}
	product := c.params["ProductCode"]
	if product == "" {
		product = DefaultProduct
	}
	of := c.account.plans[product]
	if of == nil {
		return nil, refuse(404, "NotFoundPackage", "The resource package does not exist.")
	}
	return map[string]any{"ProductCode": product, "TotalCount": of.total, "UsedCount": of.used, "IssuedCount": of.issued}, nil
}

func cancelOrder(s *Server, c *call) (map[string]any, *refusal) {
	o, no := s.find(c)
	if no != nil {
		return nil, no
	}
	if o.state != stateVerify && o.state != stateProcess {
		return nil, refuse(403, "OrderStateError", "The order is in the state %s.", o.state)
	}
	o.state, o.forced = statePayed, true
	return map[string]any{}, nil
}

func deleteOrder(s *Server, c *call) (map[string]any, *refusal) {
	o, no := s.find(c)
	if no != nil {
		return nil, no
	}
	if o.state != statePayed && o.state != stateVerifyFail {
		return nil, refuse(403, "OrderStateError", "The order is in the state %s.", o.state)
	}
	o.deleted = true
	if !s.knobs.UsedStaysAfterDelete {
		o.account.plans[o.product].used--
	}
	return map[string]any{}, nil
}

// listStates are the words of a listing (CAS contract §3.2).
var listStates = map[string]string{
	stateVerify: "CHECKING", stateProcess: "CHECKING", stateVerifyFail: "CHECKED_FAIL", statePayed: "PAYED", stateCertificate: "ISSUED",
}

func list(s *Server, c *call) (map[string]any, *refusal) {
	if no := c.only("Keyword", "Status", "OrderType", "CurrentPage", "ShowSize", "ResourceGroupId"); no != nil {
		return nil, no
	}
	page, size := 1, 50
	if n, err := strconv.Atoi(c.params["CurrentPage"]); err == nil {
		page = n
	}
	if n, err := strconv.Atoi(c.params["ShowSize"]); err == nil {
		size = n
	}
	if s.knobs.MaxShowSize > 0 {
		size = min(size, s.knobs.MaxShowSize)
	}
	items := []map[string]any{}
	for _, o := range s.sorted() {
		if o.account != c.account || o.deleted || !strings.Contains(o.domain, c.params["Keyword"]) {
			continue
		}
		s.advance(o)
		if want := c.params["Status"]; want != "" && want != listStates[o.state] {
			continue
		}
		items = append(items, map[string]any{
			"OrderId": json.Number(o.id), "InstanceId": "cas-" + o.id, "Domain": o.domain, "Status": listStates[o.state],
			"ProductCode": o.product, "BuyDate": o.boughtAt.UnixMilli(), "SourceType": "api",
		})
	}
	if !s.knobs.OldestFirst {
		slices.Reverse(items)
	}
	total := len(items)
	from := min((page-1)*size, total)
	return map[string]any{
		"TotalCount": total, "CurrentPage": page, "ShowSize": size, "CertificateOrderList": items[from:min(from+size, total)],
	}, nil
}
