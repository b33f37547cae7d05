// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

var (
	oidCommonName       = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSubjectAltName   = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidExtKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// extensionNames are the words for the extensions that people ask for.
var extensionNames = map[string]string{
	"1.3.6.1.5.5.7.1.24": "must-staple",
	"2.5.29.30":          "name constraints",
	"2.5.29.31":          "CRL distribution points",
	"2.5.29.32":          "certificate policies",
	"1.3.6.1.5.5.7.1.1":  "authority information access",
}

// subjectNames are the attributes of a subject, as cert-manager's literalSubject spells them.
var subjectNames = map[string]string{
	"2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street", "2.5.4.10": "O",
	"2.5.4.11": "OU", "2.5.4.12": "title",
	"2.5.4.17": "postalCode", "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1": "emailAddress",
}

// Returns the reasons against what no public CA puts into a DV certificate. The certificate would be paid for, and be
// of no use to whoever wants that.
func never(request *cmapi.CertificateRequest, csr *x509.CertificateRequest) Reasons {
	var against Reasons
	bare := IsBare(request)
	isCA := request.Spec.IsCA || asksForCA(csr)
	if isCA {
		against.Add("CAS issues no CA certificates: %s",
			Advice(bare, "remove spec.isCA from the Certificate", "without isCA"))
	}
	if values, fields := otherThanDNS(csr); len(values) > 0 {
		against.Add("CAS issues for DNS names only, and the request is for %s: %s", Listed(values),
			Advice(bare, "remove "+strings.Join(fields, ", ")+" from the Certificate", "without that"))
	}
	usages, err := usagesOf(request, csr)
	if err != nil {
		against.Add("the usages of the certificate signing request cannot be read: %s",
			Advice(bare, "set spec.usages of the Certificate", "with others"))
	}
	// for a CA, the first reason tells it already
	isUseless := func(usage cmapi.KeyUsage) bool { return isNeverGiven(usage) && !(isCA && isForCAs(usage)) }
	if useless := filtered(usages, isUseless); len(useless) > 0 {
		against.Add("public CAs issue no DV certificates for %s: %s, or use an issuer of another kind", Quoted(useless),
			Advice(bare, "leave that out of spec.usages of the Certificate", "without that"))
	}
	if slices.Contains(usages, cmapi.UsageClientAuth) && !slices.ContainsFunc(usages, isForServers) {
		against.Add("the request is for %q without %q, and CAS issues certificates of servers: %s, or use an issuer "+
			"of another kind", cmapi.UsageClientAuth, cmapi.UsageServerAuth,
			Advice(bare, fmt.Sprintf("add %q to spec.usages of the Certificate if it is for a server",
				cmapi.UsageServerAuth), fmt.Sprintf("with %q if it is for a server", cmapi.UsageServerAuth)))
	}
	return against
}

func asksForCA(csr *x509.CertificateRequest) bool {
	isCA, _, err := pki.UnmarshalBasicConstraints(extension(csr, oidBasicConstraints))
	return err == nil && isCA
}

func extension(csr *x509.CertificateRequest, id asn1.ObjectIdentifier) []byte {
	if at := slices.IndexFunc(csr.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) }); at >= 0 {
		return csr.Extensions[at].Value
	}
	return nil
}

// Returns the names of a request that are no DNS names, and the fields of a Certificate from which they come. Reads the
// extension itself, since the parser of the standard library leaves out the kinds that it does not know.
func otherThanDNS(csr *x509.CertificateRequest) (values, fields []string) {
	found := func(field, kind, value string) {
		values = append(values, "the "+strings.TrimSpace(kind+" "+shown(value)))
		if !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	raw := extension(csr, oidSubjectAltName)
	if raw == nil {
		return nil, nil
	}
	names, err := pki.UnmarshalSANs(raw)
	if err != nil {
		found("the alternative names that cannot be read", "alternative names that cannot be read", "")
		return values, fields
	}
	for _, ip := range names.IPAddresses {
		found("spec.ipAddresses", "IP address", ip.String())
	}
	for _, uri := range names.UniformResourceIdentifiers {
		found("spec.uris", "URI", uri)
	}
	for _, address := range names.RFC822Names {
		found("spec.emailAddresses", "e-mail address", address)
	}
	for _, other := range names.OtherNames {
		found("spec.otherNames", "otherName", strings.TrimSpace(other.TypeID.String()+" "+textOf(other.Value)))
	}
	for range names.X400Addresses {
		found("the X.400 addresses", "X.400 address", "")
	}
	for _, name := range names.DirectoryNames {
		found("the directory names", "directory name", name.String())
	}
	for _, name := range names.EDIPartyNames {
		found("the EDI party names", "EDI party name", name.PartyName)
	}
	for _, id := range names.RegisteredIDs {
		found("the registered IDs", "registered ID", id.String())
	}
	return values, fields
}

// Returns what an otherName says, or "" if that is no text.
func textOf(value asn1.RawValue) string {
	inner := asn1.RawValue{}
	if _, err := asn1.Unmarshal(value.Bytes, &inner); err == nil && value.Class == asn1.ClassContextSpecific {
		value = inner
	}
	switch value.Tag {
	case asn1.TagUTF8String, asn1.TagIA5String, asn1.TagPrintableString:
		return fmt.Sprintf("%q", strings.ToValidUTF8(string(value.Bytes), "?"))
	default:
		return ""
	}
}

// Returns the usages of the CertificateRequest and of its signing request, each once. A Certificate can leave them out
// of the signing request (encodeUsagesInRequest). A usage without a name is called by its number.
func usagesOf(request *cmapi.CertificateRequest, csr *x509.CertificateRequest) ([]cmapi.KeyUsage, error) {
	usages := slices.Clone(request.Spec.Usages)
	if raw := extension(csr, oidKeyUsage); raw != nil {
		bits, err := pki.UnmarshalKeyUsage(raw)
		if err != nil {
			return nil, err
		}
		usages = append(usages, cmutil.KeyUsageStrings(bits)...)
	}
	if raw := extension(csr, oidExtKeyUsage); raw != nil {
		extended, unknown, err := pki.UnmarshalExtKeyUsage(raw)
		if err != nil {
			return nil, err
		}
		usages = append(usages, cmutil.ExtKeyUsageStrings(extended)...)
		for _, id := range unknown {
			usages = append(usages, cmapi.KeyUsage(id.String()))
		}
	}
	slices.Sort(usages)
	return slices.Compact(usages), nil
}

// Says whether a certificate of a web server is never given for the usage (Baseline Requirements of the CA/Browser
// Forum, 7.1.2.7).
func isNeverGiven(usage cmapi.KeyUsage) bool {
	_, isPlain := cmutil.KeyUsageType(usage)
	if isPlain {
		return isForCAs(usage)
	}
	return usage != cmapi.UsageClientAuth && !isForServers(usage) // some CAs gave client auth beside server auth
}

func isForCAs(usage cmapi.KeyUsage) bool {
	return usage == cmapi.UsageCertSign || usage == cmapi.UsageCRLSign
}

// Says whether an extended usage is for servers, alone or among others.
func isForServers(usage cmapi.KeyUsage) bool {
	return slices.Contains([]cmapi.KeyUsage{cmapi.UsageServerAuth, cmapi.UsageAny, cmapi.UsageMicrosoftSGC,
		cmapi.UsageNetscapeSGC}, usage)
}

// Says whether every certificate of a server is given for the usage.
func isUsual(usage cmapi.KeyUsage) bool {
	return slices.Contains([]cmapi.KeyUsage{cmapi.UsageSigning, cmapi.UsageDigitalSignature, cmapi.UsageKeyEncipherment,
		cmapi.UsageServerAuth}, usage)
}

// UnusualUsages returns the usages of a request that not every certificate of a server is given for, or none if they
// cannot be read.
func UnusualUsages(request *cmapi.CertificateRequest, csr *x509.CertificateRequest) []string {
	usages, err := usagesOf(request, csr)
	if err != nil {
		return nil
	}
	return filtered(usages, func(usage cmapi.KeyUsage) bool { return !isUsual(usage) })
}

func filtered(usages []cmapi.KeyUsage, wanted func(cmapi.KeyUsage) bool) (out []string) {
	for _, usage := range usages {
		if wanted(usage) {
			out = append(out, string(usage))
		}
	}
	return out
}

// SubjectBeyond returns the attributes that the subject of a request has beside the common name.
func SubjectBeyond(csr *x509.CertificateRequest) (attributes []string) {
	for _, attribute := range csr.Subject.Names {
		if attribute.Type.Equal(oidCommonName) {
			continue
		}
		name, isKnown := subjectNames[attribute.Type.String()]
		if !isKnown {
			name = attribute.Type.String()
		}
		attributes = append(attributes, shown(fmt.Sprintf("%s=%v", name, attribute.Value)))
	}
	return attributes
}

// ExtensionsBeyond returns the names of a request's extensions, except for those whose content is judged.
func ExtensionsBeyond(csr *x509.CertificateRequest) (names []string) {
	judged := []asn1.ObjectIdentifier{oidSubjectAltName, oidKeyUsage, oidExtKeyUsage, oidBasicConstraints,
		oidSubjectKeyID}
	for _, e := range csr.Extensions {
		if slices.ContainsFunc(judged, e.Id.Equal) {
			continue
		}
		name, isKnown := extensionNames[e.Id.String()]
		if !isKnown {
			name = e.Id.String()
		}
		names = append(names, name)
	}
	return names
}
