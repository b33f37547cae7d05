// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

// Login is how an issuer, or the copy of it in an Order, signs in.
type Login struct {
	Credentials v1alpha1.Credentials
	// Namespace is the only one whose Secrets and ServiceAccounts are used.
	Namespace string
	// MayUseOwn lets it use the controller's own identity.
	MayUseOwn bool
	// STS is where roles are assumed; without a URL it is the public endpoint of its region.
	STS rpc.Endpoint
}

// UsesOwn says whether the identity is the controller's own: that of its surroundings, of the instance that it runs on,
// or of the token in its Pod.
func UsesOwn(from v1alpha1.Credentials) bool {
	return from.AccessKeySecretRef == nil && (from.OIDC == nil || from.OIDC.ServiceAccountRef == nil)
}

// provider signs in anew for each call, as far as that is needed.
type provider struct {
	store *Store
	login Login
	// last allows to fall back to the keys that were read last from a Secret that has been deleted since.
	last bool
}

// Provider returns what signs the calls of a login. Errors are a *Problem, or one that may pass.
func (s *Store) Provider(login Login) rpc.CredentialsProvider {
	return &provider{store: s, login: login}
}

// Credentials implements rpc.CredentialsProvider.
func (p *provider) Credentials(ctx context.Context) (rpc.Credentials, error) {
	keys, err := p.signIn(ctx)
	if err == nil {
		err = p.store.refusals.check(keys, p.store.now())
	}
	if err != nil {
		return rpc.Credentials{}, err
	}
	if keys.Account = p.store.identities.account(ctx, p.store, p.login.STS, keys); keys.Account != "" {
		keys.Realm = p.login.STS.Realm()
	}
	return keys, nil
}

func (p *provider) signIn(ctx context.Context) (rpc.Credentials, error) {
	keys, err := p.base(ctx)
	if role := p.login.Credentials.AssumeRole; err == nil && role != nil {
		return p.session(ctx, p.ofLogin("assumeRole", keys), &assumedRole{p.store, p.login, role, keys})
	}
	return keys, err
}

// Returns the keys without the role that may have to be assumed with them.
func (p *provider) base(ctx context.Context) (rpc.Credentials, error) {
	from, s := p.login.Credentials, p.store
	if UsesOwn(from) && !p.login.MayUseOwn {
		return rpc.Credentials{}, ownNotAllowed()
	}
	switch {
	case from.AccessKeySecretRef != nil:
		return s.accessKey(ctx, p.login.Namespace, *from.AccessKeySecretRef, p.last)
	case from.OIDC != nil:
		return p.session(ctx, p.ofLogin("oidc", rpc.Credentials{}), &oidcRole{s, p.login, from.OIDC})
	case from.ECSRAMRole != nil:
		return p.session(ctx, sessionKey{from: "ecsRAMRole " + from.ECSRAMRole.RoleName + " " +
			string(from.ECSRAMRole.Metadata)}, instanceRole(s.now, *from.ECSRAMRole))
	default:
		return p.session(ctx, sessionKey{from: "ambient"}, surroundings(s.now))
	}
}

// Refused implements rpc.CredentialsProvider.
func (p *provider) Refused(keys rpc.Credentials, why *rpc.Error) error {
	if p.store.sessions.refuse(keys) {
		return nil // the session is renewed
	}
	problem := p.login.refused(why)
	p.store.refusals.note(keys, problem, p.store.now())
	return problem
}

func (p *provider) session(ctx context.Context, key sessionKey, from source) (rpc.Credentials, error) {
	return p.store.sessions.get(ctx, p.store.now, key, from)
}

// ofLogin is the key of a session that only an equal login may share.
func (p *provider) ofLogin(kind string, basis rpc.Credentials) sessionKey {
	text, _ := json.Marshal(p.login) // it has no member that could fail
	return sessionKey{from: kind + " " + string(text), basis: basis}
}

// Identity asks STS whom the login belongs to.
func (s *Store) Identity(ctx context.Context, login Login) (sts.Identity, error) {
	p := &provider{store: s, login: login}
	keys, err := p.signIn(ctx)
	if err != nil {
		return sts.Identity{}, err
	}
	identity, err := s.sts(login.STS).CallerIdentity(ctx, keys)
	if call, isCall := errors.AsType[*rpc.Error](err); isCall && rpc.IsCredentials(err) {
		if problem := p.Refused(keys, call); problem != nil {
			return identity, problem
		}
	}
	if err == nil {
		s.identities.learn(login.STS, keys, identity, s.now())
		s.refusals.forget(keys)
	}
	return identity, err
}

func (s *Store) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}
