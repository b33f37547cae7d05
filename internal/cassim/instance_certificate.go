// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// pemDelay is how long after its id the text of a certificate comes (knob detailDuringReapply).
const pemDelay = time.Minute

// stored are the certificates of the caller's instances, the newest first.
func (s *Server) stored(c *call) []*application {
	var found []*application
	for _, a := range s.instances.applications {
		if a.state == applicationIssued && a.instance.account == c.account() {
			found = append(found, a)
		}
	}
	slices.SortStableFunc(found, func(a, b *application) int { return b.endedAt.Compare(a.endedAt) })
	return found
}

// storedCertificate returns nil if the store has no such certificate.
func (s *Server) storedCertificate(c *call, id string) *application {
	for _, a := range s.stored(c) {
		if a.cert.id == id {
			return a
		}
	}
	return nil
}

// instanceCertificate is GetUserCertificateDetail of a certificate that an instance came to. The key is there if CAS
// made it.
func (s *Server) instanceCertificate(c *call, a *application) reply {
	detail := reply{
		"Id": s.certificateID(a), "Name": a.instance.Name, "Common": a.names[0],
		"Sans": strings.Join(a.cert.names, ","), "InstanceId": a.instance.id,
		"CertIdentifier": a.identifier(), "Fingerprint": fingerprint(a.cert.leaf), "Issuer": intermediateName,
		"BuyInAliyun": true,
		"StartDate":   a.cert.notBefore.Format("2006-01-02"), "EndDate": a.cert.notAfter.Format("2006-01-02"),
		"NotBefore": s.timeValue(a.cert.notBefore), "NotAfter": s.timeValue(a.cert.notAfter),
		"Expired":   s.now().After(a.cert.notAfter),
		"Algorithm": algorithm(a.csr),
		"CertChain": []map[string]any{{"CommonName": intermediateName}, {"CommonName": rootName}},
	}
	isHidden := s.knobs.DetailDuringReapply == DetailEarly && s.now().Before(a.endedAt.Add(pemDelay))
	if c.arg("CertFilter") != "true" && !isHidden {
		detail["Cert"] = s.authority.chain(a.cert.leaf, cmp.Or(a.instance.steering.chain, ChainFull))
		if a.isOnline || s.knobs.PrivateKey == Present {
			detail["Key"] = FakePrivateKey
		}
	}
	return detail
}

// storedDetail is GetCertificateDetail: no text of the certificate, but the CSR that it was issued for.
func (s *Server) storedDetail(c *call) (reply, *refusal) {
	a := s.storedCertificate(c, c.arg("CertificateId"))
	if a == nil {
		return nil, badRequest("NotFound", "The certificate is not found.")
	}
	detail := reply(s.storedItem(a))
	detail["Csr"], detail["SubjectAlternativeNames"] = a.csrText, a.cert.names
	detail["ExistPrivateKey"], detail["KeySize"] = a.isOnline, a.keySize()
	detail["CertificateChainList"] = []map[string]any{{"CommonName": intermediateName}, {"CommonName": rootName}}
	return detail, nil
}

// storedItem is what a listing tells of a certificate.
func (s *Server) storedItem(a *application) map[string]any {
	return map[string]any{
		"CertificateId": a.cert.id, "CertIdentifier": a.identifier(), "CertificateName": a.instance.Name,
		"InstanceId":        a.instance.id,
		"CertificateSource": a.instance.Type, "CertificateStatus": s.certificateStatus(a), "CommonName": a.names[0],
		"Domain": strings.Join(a.cert.names, ","), "FingerPrint": fingerprint(a.cert.leaf),
		"Algorithm": algorithm(a.csr),
		"NotBefore": s.timeValue(a.cert.notBefore), "NotAfter": s.timeValue(a.cert.notAfter),
	}
}

// listCertificates is ListCertificates.
func (s *Server) listCertificates(c *call) (reply, *refusal) {
	page, size, refused := instancePaging(c, defaultInstancePage)
	if refused != nil {
		return nil, refused
	}
	found := slices.DeleteFunc(s.stored(c), func(a *application) bool {
		return cmp.Or(c.arg("InstanceId"), a.instance.id) != a.instance.id ||
			cmp.Or(c.arg("CertificateSource"), a.instance.Type) != a.instance.Type ||
			cmp.Or(c.arg("CertificateStatus"), s.certificateStatus(a)) != s.certificateStatus(a) ||
			cmp.Or(c.arg("ResourceGroupId"), a.instance.ResourceGroup) != a.instance.ResourceGroup ||
			!strings.Contains(strings.Join(a.cert.names, ",")+" "+a.instance.id, c.arg("Keyword"))
	})
	items := []map[string]any{}
	for _, a := range pageOf(found, page, size) {
		items = append(items, s.storedItem(a))
	}
	return reply{"CurrentPage": page, "ShowSize": size, "TotalCount": len(found), "CertificateList": items}, nil
}
