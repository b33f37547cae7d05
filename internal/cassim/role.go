// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is a RAM role of an account: who may assume it, and what its sessions may not do.
type Role struct {
	// Name is the last part of its ARN, which is acs:ram::<account>:role/<Name>, as it is written here.
	Name string
	// Trusted are the ARNs of those who may assume it: of accounts (acs:ram::<account>:root, for all of its users and
	// roles), of users and of roles. Empty means everybody of the own account.
	Trusted []string
	// ExternalID is what AssumeRole must name. Empty means that nobody looks.
	ExternalID string
	// OIDC tells who may assume it with a token.
	OIDC []OIDCTrust
	// Services may have it; for an instance's role ecs.aliyuncs.com must be among them.
	Services []string
	// MaxSession is how long a session may last. The default is an hour.
	MaxSession time.Duration
	// Denied are the actions that RAM does not grant to its sessions, those that exist included.
	Denied []string
}

// serviceECS has the roles of instances.
const serviceECS = "ecs.aliyuncs.com"

// role is a Role as it has become.
type role struct {
	Role
	account *account
	removed bool
}

func (s *Server) addRole(a *account, r Role) {
	if r.Name == "" || a.roles[r.Name] != nil {
		panic(fmt.Sprintf("cassim: a second role %q, or one without a name", r.Name))
	}
	a.roles[r.Name] = &role{Role: r, account: a}
}

func (r *role) arn() string { return roleARN(r.account.id, r.Name) }

func (r *role) id() string { return numericID("3", r.arn()) }

func (r *role) maxSession() time.Duration {
	if r.MaxSession == 0 {
		return time.Hour
	}
	return r.MaxSession
}

// trusts tells whether the trust policy names the caller.
func (r *role) trusts(caller *key) bool {
	if len(r.Trusted) == 0 {
		return caller.account == r.account
	}
	return slices.ContainsFunc(caller.principals(), func(arn string) bool { return slices.Contains(r.Trusted, arn) })
}

// roleByARN returns nil if there is none.
func (s *Server) roleByARN(arn string) *role {
	account, name, _ := strings.Cut(strings.TrimPrefix(arn, arnPrefix), ":role/")
	if a := s.accounts[account]; a != nil && arn == roleARN(account, name) {
		return a.roles[name]
	}
	return nil
}

// Changes a role that a test names by its ARN, or by its name alone if it is one of the first account. Panics for one
// that does not exist, which is a mistake in a test.
func (s *Server) changeRole(named string, change func(*role)) {
	if !s.tryChangeRole(named, change) {
		panic(fmt.Sprintf("cassim: there is no role %q", named))
	}
}

func (s *Server) tryChangeRole(named string, change func(*role)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.firstAccount().roles[named]
	if r == nil {
		r = s.roleByARN(named)
	}
	if r != nil {
		change(r)
	}
	return r != nil
}

func (s *Server) firstAccount() *account { return s.accounts[s.opts.Accounts[0].ID] }

// RoleARN is the ARN of a role of the first account. It panics if there is none.
func (s *Server) RoleARN(name string) (arn string) {
	s.changeRole(name, func(r *role) { arn = r.arn() })
	return arn
}

// SetRole changes a role from now on, even for the sessions that it has. The role is named by its ARN, or by its name
// alone if it is one of the first account. SetRole panics if there is no such role, or if change changes its name, by
// which it is found.
func (s *Server) SetRole(named string, change func(*Role)) {
	s.changeRole(named, func(r *role) {
		changed := r.Role
		if change(&changed); changed.Name != r.Name {
			panic("cassim: a role cannot be renamed")
		}
		r.Role = changed
	})
}

// RemoveRole deletes a role. Its sessions are refused as after RevokeSessions. RemoveRole panics if there is no such
// role.
func (s *Server) RemoveRole(named string) { s.changeRole(named, (*role).remove) }

func (r *role) remove() {
	r.removed = true
	delete(r.account.roles, r.Name)
}
