// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// tokenAlgorithms are those that STS takes. No page lists them all: RS256 is what Kubernetes signs with by default,
// ES256 what it signs with for an elliptic key.
var tokenAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// verify returns what a token of the provider claims, if it is a good one.
func (p OIDCProvider) verify(text string, keys []byte, now time.Time) (*jwt.Claims, *refusal) {
	if refused := checkShape(text); refused != nil {
		return nil, refused
	}
	token, err := jwt.ParseSigned(text, tokenAlgorithms)
	if err != nil {
		return nil, unauthenticated("OIDCToken.Invalid", "The Jwt content is invalid that cannot be recognized.")
	}
	key, refused := keyOf(token.Headers[0], keys)
	if refused != nil {
		return nil, refused
	}
	var claimed json.RawMessage
	if err := token.Claims(key, &claimed); err != nil {
		return nil, unauthenticated("OIDCToken.InvalidSignature", "OIDC token validate failed: invalid signature.")
	}
	claims := &jwt.Claims{}
	if err := json.Unmarshal(claimed, claims); err != nil {
		return nil, unauthenticated("OIDCToken.Invalid", "The Jwt content is invalid that cannot be recognized.")
	}
	return claims, p.check(claims, now)
}

// Refuses a token whose defect has a message of its own on the page.
func checkShape(text string) *refusal {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return unauthenticated("OIDCToken.Invalid", "The number of Jwt field should be divided into 3 parts with '.' .")
	}
	head, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return unauthenticated("OIDCToken.Invalid", "Cannot decode base64 encoded response(format invalided).")
	}
	var header struct {
		Alg jose.SignatureAlgorithm `json:"alg"`
	}
	if json.Unmarshal(head, &header) == nil && !slices.Contains(tokenAlgorithms, header.Alg) {
		return unauthenticated("OIDCToken.Invalid", "The algorithm %s that be specified in Jwt header is unknown.",
			header.Alg)
	}
	return nil
}

// Returns the key that the token names. A token without a kid is refused, since its key would be guesswork. That
// refusal is a choice, and so is the code for keys that cannot be had.
func keyOf(header jose.Header, document []byte) (jose.JSONWebKey, *refusal) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(document, &set); err != nil {
		return jose.JSONWebKey{}, unauthenticated("OIDCToken.HttpsUrlInvalid", "Invoke url failed: there are no keys.")
	}
	if header.KeyID == "" {
		return jose.JSONWebKey{}, unauthenticated("OIDCToken.Invalid", "The Jwt header has no kid.")
	}
	for _, key := range set.Key(header.KeyID) {
		if cmp.Or(key.Algorithm, header.Algorithm) == header.Algorithm && cmp.Or(key.Use, "sig") == "sig" {
			return key, nil
		}
	}
	return jose.JSONWebKey{}, unauthenticated("OIDCToken.InvalidSignature", "OIDC token validate failed: "+
		"invalid signature.")
}

// check compares the claims with the provider and the clock of the gateway. The code for an issuer that does not match,
// for a token of the future and for one without an end is a choice, and so is that clocks are given no leeway.
func (p OIDCProvider) check(claims *jwt.Claims, now time.Time) *refusal {
	invalid := func(message string) *refusal { return unauthenticated("OIDCToken.Invalid", "%s", message) }
	switch {
	case claims.Issuer != p.Issuer:
		return invalid("The issuer of the Jwt is not that of the OIDC Provider.")
	case !slices.ContainsFunc(
		claims.Audience, func(audience string) bool { return slices.Contains(p.ClientIDs, audience) }):
		return unauthenticated("OIDCToken.AudienceNotMatch", "Invalid audience.")
	case claims.Expiry == nil:
		return invalid("The Jwt has no exp.")
	case !now.Before(claims.Expiry.Time()):
		return unauthenticated("OIDCToken.Expired", "This JsonWebToken is expired.")
	case claims.NotBefore != nil && now.Before(claims.NotBefore.Time()):
		return invalid("The Jwt is not valid yet.")
	case claims.IssuedAt != nil && now.Before(claims.IssuedAt.Time()):
		return invalid("The Jwt was issued in the future.")
	}
	return nil
}

// holds tells whether the conditions are met.
func (t OIDCTrust) holds(provider string, claims *jwt.Claims) bool {
	return t.Provider == provider &&
		cmp.Or(t.Issuer, claims.Issuer) == claims.Issuer &&
		cmp.Or(t.Subject, claims.Subject) == claims.Subject &&
		(t.Audience == "" || claims.Audience.Contains(t.Audience))
}
