// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// The forms of ARNs are those of the examples on
// https://help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity and
// https://help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc.
const arnPrefix = "acs:ram::"

func rootARN(account string) string { return arnPrefix + account + ":root" }

func roleARN(account, name string) string { return arnPrefix + account + ":role/" + name }

func providerARN(account, name string) string { return arnPrefix + account + ":oidc-provider/" + name }

// numericID is a number as RAM gives them to users and roles, always the same for the same ARN.
func numericID(first, arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return first + fmt.Sprintf("%017d", binary.BigEndian.Uint64(sum[:])%1e17)
}

func (k *key) user() string { return cmp.Or(k.User, k.ID) }

// Returns the ARN of the caller.
func (k *key) arn() string {
	switch {
	case k.session != nil:
		return k.session.arn()
	case k.Root:
		return rootARN(k.account.id)
	default:
		return arnPrefix + k.account.id + ":user/" + k.user()
	}
}

// principals are the ARNs by which a trust policy can name the caller.
func (k *key) principals() []string {
	if k.session != nil {
		return []string{k.session.role.arn(), rootARN(k.account.id)}
	}
	return []string{k.arn(), rootARN(k.account.id)}
}

// Returns the ARN of the caller that is the same for all sessions of a role.
func (k *key) principal() string { return k.principals()[0] }

// mayNot tells whether RAM refuses the action. The account itself may do everything.
func (k *key) mayNot(a *action) bool {
	if a.free || k.Root {
		return false
	}
	return k.denied[a.name] || k.session != nil && slices.Contains(k.session.role.Denied, a.name)
}

// Returns what AccessDeniedDetail calls the caller.
func (k *key) displayName() string {
	if k.session != nil {
		return k.session.role.Name + ":" + k.session.name
	}
	return k.ID
}

// Returns what AccessDeniedDetail calls the kind of the caller.
func (k *key) principalType() string {
	if k.session != nil {
		return identityRole
	}
	return "SubUser"
}

// The values of IdentityType.
const (
	identityAccount = "Account"
	identityUser    = "RAMUser"
	identityRole    = "AssumedRoleUser"
)

// callerIdentity is GetCallerIdentity. The page has one example, of a user, with numbers that are blotted out. So it is
// a choice that the PrincipalId is the AssumedRoleId for a session, and the UserId for others.
func (s *Server) callerIdentity(c *call) (reply, *refusal) {
	told := reply{"AccountId": c.account().id, "Arn": c.key.arn()}
	switch {
	case c.key.session != nil:
		told["IdentityType"], told["RoleId"], told["PrincipalId"] = identityRole, c.key.session.role.id(),
			c.key.session.id()
	case c.key.Root:
		told["IdentityType"], told["UserId"], told["PrincipalId"] = identityAccount, c.account().id, c.account().id
	default:
		id := numericID("2", c.key.arn())
		told["IdentityType"], told["UserId"], told["PrincipalId"] = identityUser, id, id
	}
	return told, nil
}
