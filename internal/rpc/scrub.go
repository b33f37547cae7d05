// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// maxMessage is the length of a message in characters.
const maxMessage = 256

// secretParameters are those whose values never appear in a message: keys and what is derived from them,
// and personal data. The CSR is public, but would make every message different.
var secretParameters = []string{
	"AccessKeyId", "SecurityToken", "Signature", "SignatureNonce", "OIDCToken", "ExternalId",
	"Csr", "Username", "Email", "Phone",
}

// quotesRequest finds the names of parameters that only a quoted request or a string to sign has. The names
// of other parameters are no evidence: "Specified SecurityToken is expired." is worth reading.
var quotesRequest = regexp.MustCompile(
	`(?i)signature["']?\s*(=|:|%3D)|signature(nonce|method|version)|string ?to ?sign`)

// notShown stands for a message that quotes the request. To take the secrets out of it one by one would
// leave only the noise, and would be one unforeseen way of quoting away from a leak.
const notShown = "the message quotes the request and is not shown"

// secretPatterns find what looks like a secret although it is none of the request's own.
var secretPatterns = []*regexp.Regexp{
	regexp.MustCompile(`-----BEGIN [\s\S]*?(-----END [^-]*-----|$)`),
	regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']*`),
	regexp.MustCompile(`/?\?\S*=\S*`),
	regexp.MustCompile(`\b(LTAI|STS\.)[A-Za-z0-9]{8,}`),
	regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)*`), // a JSON web token
	regexp.MustCompile(`[^\s@"'<>]+@[^\s@"'<>]+\.[^\s@"'<>]+`),
	regexp.MustCompile(`\b[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b`),
}

// scrubber makes texts of others safe to show. The zero value knows the patterns only.
type scrubber struct {
	secrets []string
}

func newScrubber(creds Credentials, req requests.AcsRequest) scrubber {
	secrets := []string{creds.AccessKeySecret, creds.AccessKeyID, creds.SecurityToken}
	for _, name := range secretParameters {
		secrets = append(secrets, req.GetQueryParams()[name], req.GetFormParams()[name])
	}
	return scrubber{secrets: secrets}
}

// minSecretInName is the length in bytes from which a secret is looked for in codes and request ids. A shorter
// one may well be in them by accident, and to drop a code means to lose what it proves.
const minSecretInName = 8

// holdsSecret reports that a name that the service gave contains a secret of the request.
func (s scrubber) holdsSecret(name string) bool {
	return slices.ContainsFunc(s.secrets, func(secret string) bool {
		return len(secret) >= minSecretInName && strings.Contains(name, secret)
	})
}

// scrub replaces secrets, joins lines, and cuts what is too long. If a message quotes the request other than as a URL,
// it replaces all of it.
func (s scrubber) scrub(message string) string {
	for _, secret := range s.secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			message = replaceWord(message, form)
		}
	}
	for _, pattern := range secretPatterns {
		message = pattern.ReplaceAllString(message, redacted)
	}
	if quotesRequest.MatchString(message) {
		return notShown
	}
	message = strings.Join(strings.FieldsFunc(message, unprintable), " ")
	if utf8.RuneCountInString(message) > maxMessage {
		message = string([]rune(message)[:maxMessage-1]) + "…"
	}
	return message
}

// Scrub makes a text of the SDK, or of a server, safe to show: it knows what secrets look like, and no secret itself.
func Scrub(text string) string { return scrubber{}.scrub(text) }

func unprintable(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// shortSecret is the length in bytes below which a secret is replaced only where it is a word of its own: a
// contact named "An" must not take every "an" apart.
const shortSecret = 4

func replaceWord(message, secret string) string {
	if secret == "" {
		return message
	}
	if len(secret) >= shortSecret {
		return strings.ReplaceAll(message, secret, redacted)
	}
	word := regexp.MustCompile(`(^|[^\pL\pN])` + regexp.QuoteMeta(secret) + `($|[^\pL\pN])`)
	return word.ReplaceAllString(message, "${1}"+redacted+"${2}")
}
