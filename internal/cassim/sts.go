// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// assumeRoleRate is that of https://www.alibabacloud.com/notice/ram20220829, for an account with all its users and
// roles. Those of the other verbs are not known.
const assumeRoleRate = 100

func stsActions() []action {
	session := []string{"RoleArn", "RoleSessionName"}
	return []action{
		{name: "GetCallerIdentity", free: true, run: (*Server).callerIdentity},
		{
			name: "AssumeRole", rate: assumeRoleRate, run: (*Server).assumeRole,
			required: session, optional: []string{"DurationSeconds", "ExternalId", "Policy"},
		},
		{
			name: "AssumeRoleWithOIDC", unsigned: true, free: true, run: (*Server).assumeRoleWithOIDC,
			required: append(session, "OIDCProviderArn"), optional: []string{"OIDCToken", "DurationSeconds", "Policy"},
		},
	}
}

// The refusals of AssumeRole are those of https://www.alibabacloud.com/help/doc-detail/42775.htm and of
// https://www.alibabacloud.com/help/en/ram/api-assumerole. The statuses of the InvalidParameter family, and that a bad
// ARN belongs to it, are a choice.

func noPermission() *refusal {
	return refuse(http.StatusForbidden, "NoPermission", "You are not authorized to do this action. You should be "+
		"authorized by RAM.")
}

func noSuchRole() *refusal {
	return refuse(http.StatusNotFound, "EntityNotExist.Role", "The specified Role not exists.")
}

// sessionName is that of https://help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc.
// Older pages end it after 32 characters.
var sessionName = regexp.MustCompile(`^[a-zA-Z0-9.@_-]{2,64}$`)

const (
	minSession     = 900 * time.Second
	defaultSession = time.Hour
)

// wanted is what the parameters say of the session.
func (c *call) wanted(r *role) (name string, lifetime time.Duration, refused *refusal) {
	if name = c.arg("RoleSessionName"); !sessionName.MatchString(name) {
		return "", 0, badRequest("InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
	}
	lifetime = min(defaultSession, r.maxSession())
	if text := c.arg("DurationSeconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		lifetime = time.Duration(seconds) * time.Second
		if err != nil || lifetime < minSession || lifetime > r.maxSession() {
			return "", 0, badRequest("InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds "+
				"is 15min/%v.", r.maxSession())
		}
	}
	return name, lifetime, nil
}

// told is how STS hands out a session.
func (k *key) told() reply {
	return reply{
		"Credentials": map[string]string{
			"AccessKeyId": k.ID, "AccessKeySecret": k.Secret, "SecurityToken": k.SecurityToken,
			"Expiration": k.ExpiresAt.UTC().Format(timestampForm),
		},
		"AssumedRoleUser": map[string]string{"Arn": k.session.arn(), "AssumedRoleId": k.session.id()},
	}
}

// assumeRole is AssumeRole for users and for sessions of other roles. A Policy, which could only take permissions away,
// is not looked at.
func (s *Server) assumeRole(c *call) (reply, *refusal) {
	if c.key.Root {
		return nil, refuse(http.StatusForbidden, "NoPermission", "Roles may not be assumed by root accounts.")
	}
	r := s.roleByARN(c.arg("RoleArn"))
	if r == nil {
		return nil, noSuchRole()
	}
	if !r.trusts(c.key) || r.ExternalID != "" && r.ExternalID != c.arg("ExternalId") {
		return nil, noPermission()
	}
	name, lifetime, refused := c.wanted(r)
	if refused != nil {
		return nil, refused
	}
	return s.begin(r, name, lifetime).told(), nil
}
