// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const maxBody = 1 << 20

// call is one request on its way through the gateway.
type call struct {
	method    string
	sentTo    string // the Host header
	params    map[string]string
	action    *action
	key       *key
	requestID string
	orderID   string // of the order that a create made
	index     int    // in Server.requests
	// harmsForeign tells that the call cancelled an application of somebody else.
	harmsForeign bool
	keys         []byte // the JWKS that the token of AssumeRoleWithOIDC is verified with
	fault        *injected
	released     bool // from a fault that made it hang, to be executed late
}

func (c *call) account() *account { return c.key.account }

// Returns the service's host as errors name it.
func (c *call) host() string {
	switch c.params["Version"] {
	case versionAlidns:
		return "alidns.aliyuncs.com"
	case versionSTS:
		return "sts.aliyuncs.com"
	default:
		return "cas.aliyuncs.com"
	}
}

func (c *call) arg(name string) string { return c.params[name] }

// readCall takes the parameters from the query and the form.
func readCall(r *http.Request) (*call, *refusal) {
	c := &call{method: r.Method, sentTo: r.Host, requestID: newRequestID(), params: map[string]string{}}
	if r.Method != http.MethodPost {
		return c, badRequest("UnsupportedHTTPMethod", "This http method is not supported.")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil ||
		kind != "application/x-www-form-urlencoded" {
		return c, badRequest("InvalidContentType", "The Content-Type must be application/x-www-form-urlencoded.")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return c, badRequest("InvalidParameter", "The query cannot be read.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return c, badRequest("InvalidParameter", "The body cannot be read.")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return c, badRequest("InvalidParameter", "The form cannot be read.")
	}
	for _, values := range []url.Values{query, form} {
		for name, value := range values {
			if _, twice := c.params[name]; twice || len(value) != 1 {
				return c, badRequest("InvalidParameter.Repeated", "The parameter %s is given twice.", name)
			}
			c.params[name] = value[0]
		}
	}
	return c, nil
}

// commonParams are those of every request; those of commonOptional may be missing or empty.
var (
	commonParams = []string{"Action", "Version", "Format", "Timestamp", "SignatureMethod", "SignatureVersion",
		"SignatureNonce", "AccessKeyId", "RegionId", "Signature"}
	commonOptional = []string{"SignatureType", "SecurityToken"}
)

const (
	timestampForm = "2006-01-02T15:04:05Z"
	maxSkew       = 15 * time.Minute
)

// checkCommon checks what the gateway looks at before it knows the caller.
func (s *Server) checkCommon(c *call) *refusal {
	named := actions[c.params["Version"]]
	c.action = named[c.params["Action"]]
	for _, name := range c.mandatory() {
		if c.params[name] == "" {
			return badRequest("MissingParameter."+name, "%s is mandatory for this action.", name)
		}
	}
	if refused := c.checkProtocol(); refused != nil {
		return refused
	}
	if named == nil {
		return badRequest("NoSuchVersion", "The specified version does not exist.")
	}
	if c.action == nil {
		return refuse(http.StatusNotFound, "InvalidAction.NotFound", "The specified action is not found.")
	}
	at, err := time.Parse(timestampForm, c.params["Timestamp"])
	if err != nil {
		return badRequest("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if skew := s.gatewayNow().Sub(at).Abs(); skew > maxSkew {
		return badRequest("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}

func (c *call) isUnsigned() bool { return c.action != nil && c.action.unsigned }

// Returns the common parameters that the request must have. STS has one endpoint for all regions, and SDKs ask it
// without a RegionId (docs/design/cas.md §7.1).
func (c *call) mandatory() []string {
	return slices.DeleteFunc(slices.Clone(commonParams), func(name string) bool {
		isOfSignature := name == "AccessKeyId" || strings.HasPrefix(name, "Signature")
		return name == "RegionId" && c.params["Version"] == versionSTS || isOfSignature && c.isUnsigned()
	})
}

// checkProtocol refuses what the simulator does not speak.
func (c *call) checkProtocol() *refusal {
	for name, want := range map[string]string{"Format": "JSON", "SignatureMethod": "HMAC-SHA1",
		"SignatureVersion": "1.0", "SignatureType": ""} {
		if c.params[name] == want || c.isUnsigned() && name != "Format" {
			continue
		}
		return badRequest("InvalidParameter."+name, "The specified parameter %s is not valid: the simulator "+
			"speaks %q only.", name, want)
	}
	return nil
}

// authenticate finds out who calls, and that the request is theirs.
func (s *Server) authenticate(c *call) *refusal {
	if c.action.unsigned {
		return nil
	}
	k := s.keys[c.params["AccessKeyId"]]
	if k == nil {
		return refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	c.key = k
	if k.Disabled {
		return badRequest("InvalidAccessKeyId.Inactive", "Specified access key is disabled.")
	}
	token := c.params["SecurityToken"]
	switch {
	case k.SecurityToken != "" && token == "":
		return badRequest("MissingSecurityToken", "SecurityToken is mandatory for this action.")
	case token != k.SecurityToken:
		return badRequest("InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with "+
			"the AccessKey.")
	case k.isRevoked():
		// No page says which code a revoked session gets. This one is left over in the family of its codes.
		return badRequest("InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
	case !k.ExpiresAt.IsZero() && !s.gatewayNow().Before(k.ExpiresAt):
		return badRequest("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
	}
	text := stringToSign(c.method, c.params)
	if sign(text, k.Secret) != c.params["Signature"] {
		return badRequest("SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server "+
			"string to sign is:%s", text)
	}
	return nil
}

// authorize checks what the gateway looks at once it knows the caller.
func (s *Server) authorize(c *call) *refusal {
	if c.action.unsigned {
		return c.action.checkParams(c.params)
	}
	if s.nonces[c.params["SignatureNonce"]] {
		return badRequest("SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	s.nonces[c.params["SignatureNonce"]] = true
	if s.throttled(c) {
		return flowControl()
	}
	if c.key.mayNot(c.action) || s.isOutOfGroup(c) {
		return c.action.denial()
	}
	return c.action.checkParams(c.params)
}

// Returns what RAM answers if it denies the action.
func (a *action) denial() *refusal {
	r := refuse(http.StatusForbidden, "Forbidden.RAM", "User not authorized to operate on the specified resource.")
	if a.version == versionSTS {
		r = noPermission()
	}
	r.deniedAction = a.ramName()
	return r
}

// Returns the parameters that Requests may show.
func (c *call) withoutSecrets() map[string]string {
	shown := map[string]string{}
	for name, value := range c.params {
		if name != "SecurityToken" && name != "OIDCToken" && !strings.HasPrefix(name, "Signature") {
			shown[name] = value
		}
	}
	return shown
}
