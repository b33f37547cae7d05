// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import "strings"

// Self is the user as whom the controller talks to the API server, for the commands that it prints.
type Self string

// Returns the option of kubectl create rolebinding that names the user.
func (s Self) subject() string {
	namespace, name, isAccount := strings.Cut(strings.TrimPrefix(string(s), "system:serviceaccount:"), ":")
	switch {
	case strings.HasPrefix(string(s), "system:serviceaccount:") && isAccount:
		return "--serviceaccount=" + namespace + ":" + name
	case s == "":
		return "--serviceaccount=<namespace>:<ServiceAccount of aliyun-issuer>"
	default:
		return "--user=" + string(s)
	}
}
