// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// FakePrivateKey is the PrivateKey that an order with a CSR tells if the knob privateKey says so. It must turn up
// nowhere else.
const FakePrivateKey = "-----BEGIN PRIVATE " +
	"KEY-----\nbm9ib2R5IG1heSBrZWVwIG9yIHNob3cgdGhpcyBzaW11bGF0ZWQga2V5\n-----END PRIVATE KEY-----\n"

// firstStateLasts is how long an order tells the state of the knob firstState, if it is in another one.
const firstStateLasts = 2 * time.Minute

// describeOrder is DescribeCertificateState. What is told depends on the state (docs/design/cas.md §3.4).
func (s *Server) describeOrder(c *call) (reply, *refusal) {
	o, refused := s.findOrder(c)
	if refused != nil {
		return nil, refused
	}
	told := reply{"Type": o.state}
	if s.knobs.FirstState == StatePayed && s.now().Before(o.boughtAt.Add(firstStateLasts)) {
		return reply{"Type": StatePayed}, nil
	}
	switch o.state {
	case StateDomainVerify:
		told["ValidateType"] = o.validateType
		s.tellProof(o, told)
	case StateCertificate:
		told["Certificate"] = s.chainOf(o)
		if s.knobs.PrivateKey == Present {
			told["PrivateKey"] = FakePrivateKey
		}
		if s.knobs.CertID == Present {
			told["CertId"] = o.cert.id
		}
	case StateVerifyFail:
		if s.knobs.VerifyFailReason == Present {
			told["FailReason"] = o.failReason
		}
	}
	return told, nil
}

// tellProof adds what is to be published. Right after the create, all of that is null.
func (s *Server) tellProof(o *order, told reply) {
	names := []string{"RecordDomain", "RecordType", "RecordValue"}
	values := []string{o.proof.told, o.proof.recordType, o.proof.value}
	if o.validateType == validateFile {
		names = []string{"Domain", "Uri", "Content"}
		values = []string{o.domain, o.proof.uri, o.proof.value}
	}
	for i, name := range names {
		told[name] = nil
		if !s.now().Before(o.recordAt) {
			told[name] = values[i]
		}
	}
}

// describePackage is DescribePackageState.
func (s *Server) describePackage(c *call) (reply, *refusal) {
	product := cmp.Or(c.arg("ProductCode"), DefaultProduct)
	p := c.account().packages[product]
	if p == nil {
		return nil, refuse(http.StatusNotFound, "NotFoundPackage", "The resource package does not exist.")
	}
	return reply{"ProductCode": product, "TotalCount": p.total, "UsedCount": p.used, "IssuedCount": p.issued}, nil
}

// certificateDetail is GetUserCertificateDetail. The store always has the whole chain.
func (s *Server) certificateDetail(c *call) (reply, *refusal) {
	for _, o := range s.orders.all {
		if o.cert.id != c.arg("CertId") || o.account != c.account() || o.state != StateCertificate {
			continue
		}
		id, _ := strconv.ParseInt(o.cert.id, 10, 64)
		detail := reply{
			"Id": id, "Name": "cert-" + o.id, "Common": o.domain, "Sans": strings.Join(o.cert.names, ","),
			"OrderId":     s.idValue(o.id),
			"Fingerprint": fingerprint(o.cert.leaf), "StartDate": o.cert.notBefore.Format("2006-01-02"),
			"EndDate": o.cert.notAfter.Format("2006-01-02"),
			"Issuer":  intermediateName, "BuyInAliyun": true, "Expired": s.now().After(o.cert.notAfter),
			"Algorithm": algorithm(o.csr),
		}
		if c.arg("CertFilter") != "true" {
			detail["Cert"] = toPEM(o.cert.leaf, s.authority.intermediate.Raw)
			if s.knobs.PrivateKey == Present {
				detail["Key"] = FakePrivateKey
			}
		}
		return detail, nil
	}
	if a := s.storedCertificate(c, c.arg("CertId")); a != nil {
		return s.instanceCertificate(c, a), nil
	}
	return nil, refuse(http.StatusBadRequest, "NotFound", "The certificate is not found.")
}
