// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the signature method of the API
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a time stamp may be off (CAS contract §8).
const maxSkew = 15 * time.Minute

// refusal is an error answer.
type refusal struct {
	status        int
	code, message string
	denied        string // the RAM action that is missing
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// call is one request that was understood.
type call struct {
	action  string
	account *account
	params  map[string]string
}

type verb func(s *Server, c *call) (map[string]any, *refusal)

// api is a version of a service, its RAM prefix, and its verbs.
type api struct {
	prefix string
	verbs  map[string]verb
}

var apis = map[string]api{
	"2020-04-07": {"yundun-cert", casVerbs},
	"2015-01-09": {"alidns", alidnsVerbs},
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	params, no := parameters(r)
	if no != nil {
		answer(w, nil, no)
		return
	}
	s.mutex.Lock()
	fault := s.takeFault(params["Action"])
	s.mutex.Unlock()
	if fault != nil && !fault.Executed {
		fault.strike(w)
		return
	}
	body, no := s.execute(r.Method, params)
	if fault != nil {
		fault.strike(w)
		return
	}
	answer(w, body, no)
}

func answer(w http.ResponseWriter, body map[string]any, no *refusal) {
	id := requestID()
	if no == nil {
		body["RequestId"] = id
		writeJSON(w, http.StatusOK, body)
		return
	}
	body = map[string]any{"RequestId": id, "HostId": "cas.aliyuncs.com", "Code": no.code, "Message": no.message, "Recommend": "https://api.aliyun.com/troubleshoot"}
	if no.denied != "" {
		body["AccessDeniedDetail"] = map[string]any{"AuthAction": no.denied}
	}
	writeJSON(w, no.status, body)
}

func parameters(r *http.Request) (map[string]string, *refusal) {
	if r.Method != http.MethodPost {
		return nil, refuse(405, "UnsupportedHTTPMethod", "POST is expected, not %s", r.Method)
	}
	if err := r.ParseForm(); err != nil {
		return nil, refuse(400, "InvalidParameter", "the parameters cannot be parsed")
	}
	params := map[string]string{}
	for name, values := range r.Form {
		if len(values) != 1 {
			return nil, refuse(400, "InvalidParameter."+name, "the parameter %s is given %d times", name, len(values))
		}
		params[name] = values[0]
	}
	return params, nil
}

// execute checks what every call must have, in the order of a gateway, and runs the verb.
func (s *Server) execute(method string, params map[string]string) (map[string]any, *refusal) {
	service, known := apis[params["Version"]]
	if !known {
		return nil, refuse(404, "NoSuchVersion", "Specified version does not exist.")
	}
	run, known := service.verbs[params["Action"]]
	if !known {
		return nil, refuse(404, "InvalidAction.NotFound", "Specified api is not found.")
	}
	for _, name := range []string{"Format", "Timestamp", "SignatureMethod", "SignatureVersion", "SignatureNonce", "AccessKeyId", "Signature", "RegionId"} {
		if params[name] == "" {
			return nil, refuse(400, "Missing"+name, "%s is mandatory for this action.", name)
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	owner, no := s.authenticate(method, params)
	if no != nil {
		return nil, no
	}
	s.calls[params["Action"]]++
	if key := owner.keys[params["AccessKeyId"]]; slices.Contains(key.Denied, params["Action"]) {
		no := refuse(403, "Forbidden.RAM", "User not authorized to operate on the specified resource.")
		no.denied = service.prefix + ":" + params["Action"]
		return nil, no
	}
	return run(s, &call{action: params["Action"], account: owner, params: params})
}

func (s *Server) authenticate(method string, params map[string]string) (*account, *refusal) {
	stamp, err := time.Parse("2006-01-02T15:04:05Z", params["Timestamp"])
	if err != nil {
		return nil, refuse(400, "InvalidTimeStamp.Format", "Specified time stamp is not well formatted.")
	}
	if skew := time.Since(stamp).Abs(); skew > maxSkew {
		return nil, refuse(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	at := slices.IndexFunc(s.accounts, func(a *account) bool { return a.keys[params["AccessKeyId"]] != nil })
	if at < 0 {
		return nil, refuse(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	key := s.accounts[at].keys[params["AccessKeyId"]]
	if key.Disabled {
		return nil, refuse(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.")
	}
	if key.SecurityToken != params["SecurityToken"] {
		return nil, refuse(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatches the AccessKey.")
	}
	toSign := stringToSign(method, params)
	if params["SignatureMethod"] != "HMAC-SHA1" || params["SignatureVersion"] != "1.0" || !hmac.Equal([]byte(params["Signature"]), []byte(sign(toSign, key.Secret))) {
		return nil, refuse(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:%s", toSign)
	}
	if s.nonces[params["SignatureNonce"]] {
		return nil, refuse(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	s.nonces[params["SignatureNonce"]] = true
	return s.accounts[at], nil
}

// stringToSign is CAS contract §9.
func stringToSign(method string, params map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != "Signature" {
			pairs = append(pairs, encode(name)+"="+encode(params[name]))
		}
	}
	return method + "&%2F&" + encode(strings.Join(pairs, "&"))
}

func encode(s string) string {
	s = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	return strings.ReplaceAll(strings.ReplaceAll(s, "*", "%2A"), "%7E", "~")
}

func sign(toSign, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(toSign))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// common are the parameters that every call has.
var common = []string{
	"Action", "Version", "Format", "Timestamp", "SignatureMethod", "SignatureVersion", "SignatureType", "SignatureNonce",
	"AccessKeyId", "RegionId", "SecurityToken", "Signature",
}

// only refuses parameters that the verb does not have: in a test, a typing error of the client must not go unnoticed.
func (c *call) only(names ...string) *refusal {
	for name := range c.params {
		if !slices.Contains(common, name) && !slices.Contains(names, name) && !(slices.Contains(names, "Tags") && strings.HasPrefix(name, "Tags.")) {
			return refuse(400, "InvalidParameter", "the API %s has no parameter %s", c.action, name)
		}
	}
	return nil
}

// need refuses a call that lacks a parameter.
func (c *call) need(names ...string) *refusal {
	for _, name := range names {
		if c.params[name] == "" {
			return refuse(400, "Missing"+name, "%s is mandatory for this action.", name)
		}
	}
	return nil
}
