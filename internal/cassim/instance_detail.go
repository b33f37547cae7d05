// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"encoding/base64"
	"path"
	"strconv"
	"strings"
	"time"
)

// instanceDetail is GetInstanceDetail. Which keys come back varies with the state.
func (s *Server) instanceDetail(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "InstanceId")
	if refused != nil {
		return nil, refused
	}
	told := reply(s.summary(i))
	f := &i.form
	tell(told, "Csr", s.spelled(i))
	tell(told, "ValidationMethod", f.validation)
	tell(told, "UpgradeStatus", i.upgradeStatus)
	if len(f.names) > 0 || f.csr != nil {
		told["GenerateCsrMethod"] = map[bool]string{true: "online", false: "upload"}[f.isOnline]
	}
	for name, value := range f.place {
		tell(told, name, value)
	}
	if len(i.applications) > 0 {
		told["CompanyId"] = f.company
	}
	if len(f.contacts) > 0 {
		told["ContactIdList"] = f.contacts
	}
	tags := []map[string]any{}
	for key, value := range f.tags {
		tags = append(tags, map[string]any{"TagKey": key, "TagValue": value})
	}
	told["Tags"] = tags
	if a := i.open(); a != nil && a.state == applicationPending {
		s.tellRecords(a, told)
		told["AverageWaitingTime"] = "300"
	}
	return told, nil
}

// tell leaves out what is empty, as CAS does.
func tell(told map[string]any, name, value string) {
	if value != "" {
		told[name] = value
	}
}

// summary is what GetInstanceDetail and ListInstances both tell.
func (s *Server) summary(i *subscription) map[string]any {
	told := map[string]any{
		"InstanceId": i.id, "CertificateName": i.Name, "Spec": i.Spec, "Brand": i.Brand,
		"CertificateType": i.CertificateType,
		"InstanceType":    i.Type, "Status": s.status(i), "FullDomainCount": i.SingleNames,
		"WildcardDomainCount": i.WildcardNames,
		"AutoReissue":         i.form.autoReissue, "ResourceGroupId": i.ResourceGroup,
		"OrderStartTime": s.timeValue(i.boughtAt), "OrderEndTime": s.timeValue(i.orderEnds()),
	}
	tell(told, "PendingResult", s.pendingResult(i))
	tell(told, "Domain", strings.Join(i.form.names, ","))
	tell(told, "KeyAlgorithm", i.form.keyAlgorithm)
	if end, hasBegun := i.endsAt(); hasBegun {
		told["InstanceStartTime"], told["InstanceEndTime"] = s.timeValue(i.startsAt), s.timeValue(end)
	}
	if a := s.shown(i); a != nil {
		told["CertificateId"] = s.certificateID(a)
		told["CertIdentifier"] = a.identifier()
		told["CertificateStatus"] = s.certificateStatus(a)
		told["CertificateNotBefore"] = s.timeValue(a.cert.notBefore)
		told["CertificateNotAfter"] = s.timeValue(a.cert.notAfter)
	}
	return told
}

// Returns the application whose certificate the instance tells, or nil. It is the latest (knob detailDuringReapply).
func (s *Server) shown(i *subscription) *application {
	issued := i.issued()
	if len(issued) == 0 || i.hidesCert || i.open() != nil && s.knobs.DetailDuringReapply == DetailEmpty {
		return nil
	}
	return issued[len(issued)-1]
}

// pendingResult is text for people, which nobody must understand.
func (s *Server) pendingResult(i *subscription) string {
	a := i.last()
	if a == nil {
		return ""
	}
	switch isFailed := a.state == applicationFailed || a.state == applicationRefused; {
	case isFailed && s.knobs.FailedResult == ResultIsWord:
		return "failed"
	case isFailed:
		return a.failReason
	}
	switch a.state {
	case applicationIssued:
		return "issued"
	case applicationWithdrawn:
		return "cancelled"
	default:
		return "pending"
	}
}

// Returns the CSR as CAS gives it back. One of CAS's own key comes from the application on, an uploaded one at once.
func (s *Server) spelled(i *subscription) string {
	text := i.form.csrText
	if a := i.last(); i.form.isOnline && a != nil && a.isOnline {
		text = a.csrText
	}
	switch {
	case text == "" || s.knobs.CSRText == CSRAsSent:
		return text
	case s.knobs.CSRText == CSRWithCRLF:
		return strings.ReplaceAll(text, "\n", "\r\n")
	}
	csr, _ := parseCSR(text)
	encoded, lines := base64.StdEncoding.EncodeToString(csr.Raw), []string{}
	for len(encoded) > 76 {
		lines, encoded = append(lines, encoded[:76]), encoded[76:]
	}
	body := strings.Join(append(lines, encoded), "\n")
	return "-----BEGIN NEW CERTIFICATE REQUEST-----\n" + body + "\n-----END NEW CERTIFICATE REQUEST-----"
}

// tellRecords adds DomainValidationList, in the shape of the knobs.
func (s *Server) tellRecords(a *application, told map[string]any) {
	entries := []map[string]any{}
	isTold := map[string]bool{}
	for n, c := range a.controls {
		isKnown := !s.now().Before(c.recordAt) && !s.validatesUnseen(a, c)
		isMerged := !a.byFile && s.knobs.RecordsForWildcard == WildcardMerged && isTold[c.proof.fqdn]
		if !isKnown && s.knobs.RecordsShape != RecordsWithoutValue || isMerged {
			continue
		}
		isTold[c.proof.fqdn] = true
		entry := map[string]any{
			"Domain": a.names[n], "RootDomain": registrable(c.domain), "ValidationKey": c.proof.told,
			"ValidationType":  c.proof.recordType,
			"ValidationValue": c.proof.value, "Cname": "", "CnameKey": "",
		}
		if a.byFile {
			entry["ValidationType"] = s.knobs.FileWord
			entry["ValidationKey"], entry["ValidationValue"] = s.fileFields(c)
		}
		if !isKnown {
			entry["ValidationValue"] = ""
		}
		entries = append(entries, entry)
	}
	if len(entries) > 0 || s.knobs.RecordsShape == RecordsEmpty {
		told["DomainValidationList"] = entries
	}
}

// fileFields are the two fields that tell path and content, in the shape of the knob.
func (s *Server) fileFields(c *control) (key, value string) {
	switch s.knobs.FileFields {
	case FileKeyIsName:
		return path.Base(c.proof.uri), c.proof.value
	case FileKeyIsURL:
		return "http://" + c.domain + c.proof.uri, c.proof.value
	case FileKeyIsContent:
		return c.proof.value, c.proof.uri
	default:
		return c.proof.uri, c.proof.value
	}
}

// timeValue writes a time as the knob says.
func (s *Server) timeValue(t time.Time) int64 {
	if s.knobs.TimeUnit == "seconds" {
		return t.Add(s.skew).Unix()
	}
	return t.Add(s.skew).UnixMilli()
}

// certificateID writes the id of a certificate as the knob says.
func (s *Server) certificateID(a *application) any {
	if s.knobs.IDTypes == IDString {
		return a.cert.id
	}
	id, _ := strconv.ParseInt(a.cert.id, 10, 64)
	return id
}

func (a *application) identifier() string { return a.cert.id + "-cn-hangzhou" }

// certificateStatus is the word for a certificate.
func (s *Server) certificateStatus(a *application) string {
	switch left := a.cert.notAfter.Sub(s.now()); {
	case a.toldRevoked, !a.revokedAt.IsZero() && !s.now().Before(a.revokedAt):
		return "revoked"
	case left <= 0:
		return "expired"
	case left < willExpire:
		return "willExpire"
	default:
		return "issued"
	}
}
