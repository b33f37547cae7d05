// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxMessage bounds the length of a webhook's message in characters.
	maxMessage = 256
	// minHidden is the length in bytes from which a value of the config is hidden. A shorter value is no secret, and
	// may be part of an ordinary word.
	minHidden = 6
	hidden    = "…"
)

// noise matches what a message must not bring into a condition: secrets that providers' errors quote, and what differs
// from try to try.
var noise = []*regexp.Regexp{
	regexp.MustCompile(`-----BEGIN [\s\S]*?(-----END [^-]*-----|$)`),
	regexp.MustCompile(`(?i)\b(bearer|basic) +[A-Za-z0-9+/=._~-]{6,}`),
	regexp.MustCompile(`\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'/@]*@`),                // user and password of a URL
	regexp.MustCompile(`\?[^\s"']*=[^\s"']*`),                                    // a URL's query, which may be signed
	regexp.MustCompile(`\b[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b`), // request ids
	regexp.MustCompile(`\b[0-9A-Fa-f]{16,}\b`),
	regexp.MustCompile(`\b[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9:.]+(Z|[+-][0-9:]+)?`),
	regexp.MustCompile(`\S+:[0-9]+->`), // our end of a connection
}

// Returns a webhook's message on one line, bounded, the same at every try, and without the values of the issuer's
// config: these should be references to Secrets, and are at times secrets themselves. Keeps values that are names,
// since "Secret not found" needs them.
func (s *Solver) legible(message string) string {
	if s.config.Config != nil {
		var config any
		_ = json.Unmarshal(s.config.Config.Raw, &config) // New has checked that it is JSON
		var values []string
		collect(config, &values)
		slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) }) // one may be within another
		for _, value := range values {
			message = strings.ReplaceAll(message, value, hidden)
		}
	}
	for _, pattern := range noise {
		message = pattern.ReplaceAllString(message, hidden)
	}
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, hidden)), " ")
	if utf8.RuneCountInString(message) > maxMessage {
		message = string([]rune(message)[:maxMessage]) + hidden
	}
	return message
}

// collect finds the values that may be secrets: texts whose keys do not say that they are names (isName).
func collect(config any, values *[]string) {
	switch config := config.(type) {
	case map[string]any:
		for key, value := range config {
			if !isName(key) {
				collect(value, values)
			}
		}
	case []any:
		for _, value := range config {
			collect(value, values)
		}
	case string:
		if len(config) < minHidden {
			return
		}
		*values = append(*values, config)
		if quoted, err := json.Marshal(config); err == nil { // as it is written in a quoted config
			*values = append(*values, strings.Trim(string(quoted), `"`))
		}
	}
}

// Says whether a key of the config holds a reference to a Secret, as webhooks call them (tokenSecretRef, secretName),
// or something public.
func isName(key string) bool {
	key = strings.ToLower(key)
	for _, ending := range []string{"ref", "secretname", "namespace", "region", "zone", "zonename", "endpoint",
		"server", "nameserver", "host"} {
		if strings.HasSuffix(key, ending) {
			return true
		}
	}
	return false
}
