// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error as the services answer it.
type refusal struct {
	status        int
	code, message string
	deniedAction  string // with the prefix of the service, for AccessDeniedDetail
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func badRequest(code, format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, code, format, args...)
}

// newerCodes are what newer verbs of CAS answer, all of them with HTTP 400 (docs/design/cas.md §3.9).
var newerCodes = map[string]string{
	"NotFoundOrder":   "NotFound",
	"NotFoundPackage": "InsufficientQuota",
	"NotRemainCount":  "InsufficientQuota",
	"OrderStateError": "OperationDenied.StatusNotSupport",
	"DeleteFail":      "OperationDenied",
}

// inVocabulary rewrites a refusal of CAS as the knobs say.
func (s *Server) inVocabulary(r *refusal) *refusal {
	if newer, ok := newerCodes[r.code]; ok && s.knobs.ErrorCodes == CodesNewer {
		return &refusal{status: http.StatusBadRequest, code: newer, message: r.message}
	}
	if r.code == "NotRemainCount" && s.knobs.QuotaCode == "InsufficientQuota" {
		return &refusal{status: http.StatusBadRequest, code: s.knobs.QuotaCode, message: r.message}
	}
	return r
}

// body is the JSON of the error.
func (r *refusal) body(requestID, host string, caller *key) map[string]any {
	body := map[string]any{
		"RequestId": requestID,
		"HostId":    host,
		"Code":      r.code,
		"Message":   r.message,
		"Recommend": "https://api.example/troubleshoot?q=" + r.code,
	}
	if r.deniedAction != "" {
		body["AccessDeniedDetail"] = map[string]any{
			"AuthAction":               r.deniedAction,
			"AuthPrincipalDisplayName": caller.displayName(),
			"AuthPrincipalOwnerId":     caller.account.id,
			"AuthPrincipalType":        caller.principalType(),
			"NoPermissionType":         "ImplicitDeny",
			"PolicyType":               "AccountLevelIdentityBasedPolicy",
		}
	}
	return body
}

// wire is an answer as it goes to the caller.
type wire struct {
	status int
	body   map[string]any
}

func (a wire) encode() []byte {
	text, err := json.Marshal(a.body)
	if err != nil {
		panic(fmt.Sprintf("cassim: %v", err)) // only values that JSON has no word for
	}
	return append(text, '\n')
}

func (a wire) write(w http.ResponseWriter) {
	w.WriteHeader(a.status)
	_, _ = w.Write(a.encode()) // a client that went away needs no answer
}
