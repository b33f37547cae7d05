// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/rand"
	"time"
)

// session is what a temporary key of a role belongs to.
type session struct {
	role    *role
	name    string
	revoked bool
}

func (n *session) arn() string {
	return arnPrefix + n.role.account.id + ":assumed-role/" + n.role.Name + "/" + n.name
}

// id is the AssumedRoleId.
func (n *session) id() string { return n.role.id() + ":" + n.name }

func (k *key) isRevoked() bool {
	return k.session != nil && (k.session.revoked || k.session.role.removed)
}

// isAlive tells whether the gateway still accepts the key of a session.
func (k *key) isAlive(now time.Time) bool { return !k.isRevoked() && now.Before(k.ExpiresAt) }

// Makes a key for a session. It begins and ends by the clock of the gateway, in whole seconds, as a reply tells them.
func (s *Server) begin(r *role, name string, lifetime time.Duration) *key {
	id := "STS." + rand.Text()
	s.addKey(r.account, Key{
		ID: id, Secret: rand.Text(), SecurityToken: "CAIS" + rand.Text() + rand.Text(),
		ExpiresAt: s.gatewayNow().Add(lifetime).Truncate(time.Second),
	})
	k := s.keys[id]
	k.session = &session{role: r, name: name}
	return k
}

// sessions calls do for the key of each session that there was.
func (s *Server) sessions(do func(*key)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if k.session != nil {
			do(k)
		}
	}
}

// Sessions counts the sessions of roles, of instances too, that the gateway accepts now.
func (s *Server) Sessions() int {
	alive := 0
	s.sessions(func(k *key) {
		if k.isAlive(s.gatewayNow()) {
			alive++
		}
	})
	return alive
}

// ExpireSessions ends all sessions now, by the clock of the gateway.
func (s *Server) ExpireSessions() {
	s.sessions(func(k *key) { k.ExpiresAt = s.gatewayNow() })
}

// RevokeSessions has the sessions refused that a role has now, though they have not expired. Later ones are good. The
// role is named as for SetRole. RevokeSessions panics if there is no such role.
func (s *Server) RevokeSessions(named string) {
	s.changeRole(named, s.revokeSessions)
}

func (s *Server) revokeSessions(r *role) {
	for _, k := range s.keys {
		if k.session != nil && k.session.role == r {
			k.session.revoked = true
		}
	}
}
