// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/x509"
	"slices"
	"strings"
)

// validateHTTP is the word of V2 for validation by file.
const validateHTTP = "HTTP"

// writeCSR takes an uploaded CSR. With the method online, which is the default, CAS ignores it and makes the key.
func (s *Server) writeCSR(_ *subscription, c *call, f *form) *refusal {
	method := c.arg("GenerateCsrMethod")
	switch {
	case method != "" && method != "upload" && method != "online":
		return invalidParameter("GenerateCsrMethod")
	case method == "online", method == "" && c.arg("Csr") != "":
		f.isOnline, f.csr, f.csrText = true, nil, ""
		return nil
	case method == "":
		return nil
	case c.arg("Csr") == "":
		return badRequest("MissingParameter", "Csr is mandatory with upload.")
	}
	csr, refused := s.readInstanceCSR(c.arg("Csr"))
	if refused != nil {
		return refused
	}
	if c.arg("KeyAlgorithm") != "" && s.knobs.KeyWord == KeyWordChecked && !fitsKeyWord(csr, c.arg("KeyAlgorithm")) {
		return badRequest("InvalidParameter.KeyAlgorithm", "The KeyAlgorithm does not match the key of the CSR.")
	}
	f.isOnline, f.csr, f.csrText, f.csrBy, f.isForeign = false, csr, c.arg("Csr"), c.key.principal(), false
	if c.arg("Domain") == "" {
		f.names = s.namesOfCSR(csr)
	}
	return nil
}

// namesOfCSR are what the domain becomes when none is given: the CN, as Terraform's tests saw, or all names.
func (s *Server) namesOfCSR(csr *x509.CertificateRequest) []string {
	names := []string{strings.ToLower(csr.Subject.CommonName)}
	if s.knobs.InstanceSANs == InstanceSANsHonoured || names[0] == "" {
		for _, name := range csr.DNSNames {
			names = append(names, strings.ToLower(name))
		}
	}
	slices.Sort(names[1:])
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

// writeNames takes the domain, and checks it against the product and the uploaded CSR.
func (s *Server) writeNames(i *subscription, c *call, f *form) *refusal {
	if given := c.arg("Domain"); given != "" {
		f.names = strings.Split(strings.ToLower(given), ",")
	}
	for n, name := range f.names {
		if !isDomain(strings.TrimPrefix(name, "*.")) || slices.Contains(f.names[:n], name) {
			return invalidParameter("Domain")
		}
	}
	if f.validation == validateHTTP && slices.ContainsFunc(f.names, isWildcard) {
		return badRequest("InvalidParameter.ValidationMethod", "A wildcard domain must be validated by DNS.")
	}
	if len(f.names) > 0 && !i.fits(f.names) {
		return badRequest("DomainAndProductNotMatch", "The domain does not match the product.")
	}
	if f.csr != nil && !s.agrees(f.csr, f.names) {
		return badRequest("InvalidParameter.Domain", "The Domain does not match the CSR.")
	}
	return nil
}

func isWildcard(name string) bool { return strings.HasPrefix(name, "*.") }

// agrees tells whether a domain list and an uploaded CSR are for the same names, as far as CAS looks.
func (s *Server) agrees(csr *x509.CertificateRequest, names []string) bool {
	cn := strings.ToLower(csr.Subject.CommonName)
	if cn != "" && !slices.Contains(names, cn) {
		return false
	}
	if s.knobs.InstanceSANs == InstanceSANsIgnored || len(csr.DNSNames) == 0 {
		return true
	}
	wanted := slices.Clone(csr.DNSNames)
	if cn != "" {
		wanted = append(wanted, cn)
	}
	for n := range wanted {
		wanted[n] = strings.ToLower(wanted[n])
	}
	slices.Sort(wanted)
	return slices.Equal(slices.Compact(wanted), slices.Sorted(slices.Values(names)))
}

// readInstanceCSR refuses what CAS cannot make a certificate of.
func (s *Server) readInstanceCSR(text string) (*x509.CertificateRequest, *refusal) {
	csr, problem := parseCSR(text)
	switch {
	case problem != "":
	case csr.Subject.CommonName == "" && s.knobs.InstanceCN == CNRequired:
		problem = "it has no common name"
	case len(csr.Subject.CommonName) > maxCN:
		problem = "the common name is not a domain of at most 64 characters"
	case !s.acceptsKey(csr):
		problem = "the key is not supported"
	default:
		return csr, nil
	}
	return nil, badRequest("InvalidParameter.Csr", "The specified parameter Csr is not valid: %s.", problem)
}

// fitsKeyWord tells whether the word is that of the CSR's key.
func fitsKeyWord(csr *x509.CertificateRequest, word string) bool {
	if word == "SM2" {
		return false
	}
	return strings.HasPrefix(word, algorithm(csr)+"_")
}
