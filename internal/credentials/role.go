// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"cmp"
	"context"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

const (
	defaultSessionName = "aliyun-issuer"
	defaultDuration    = time.Hour
)

func roleOf(arn, externalID string, session v1alpha1.Session) sts.Role {
	role := sts.Role{ARN: arn, ExternalID: externalID, SessionName: cmp.Or(session.SessionName, defaultSessionName),
		Duration: defaultDuration}
	if seconds := session.DurationSeconds; seconds != nil {
		role.Duration = time.Duration(*seconds) * time.Second
	}
	return role
}

// assumedRole is a role on top of other keys.
type assumedRole struct {
	store *Store
	login Login
	role  *v1alpha1.AssumeRole
	basis rpc.Credentials
}

func (a *assumedRole) fetch(ctx context.Context, _ bool) (sts.Session, error) {
	session, err := a.store.sts(a.login.STS).AssumeRole(
		ctx, a.basis, roleOf(a.role.RoleARN, a.role.ExternalID, a.role.Session))
	if kind := rpc.KindOf(err); kind == rpc.KindCredentialsExpired || kind == rpc.KindCredentialsInvalid {
		a.store.sessions.refuse(a.basis) // if that is a session, too
	}
	return session, roleRefused(err, a.role.RoleARN,
		"let its trust policy name whoever assumes it, with the same externalID, and grant sts:AssumeRole to them")
}

// oidcRole is a role for a token of a ServiceAccount.
type oidcRole struct {
	store *Store
	login Login
	from  *v1alpha1.OIDCCredentials
}

func (o *oidcRole) fetch(ctx context.Context, _ bool) (sts.Session, error) {
	token, who, err := o.store.token(ctx, o.login.Namespace, o.from.ServiceAccountRef)
	if err != nil {
		return sts.Session{}, err
	}
	session, err := o.store.sts(o.login.STS).AssumeRoleWithOIDC(ctx, o.from.ProviderARN, token,
		roleOf(o.from.RoleARN, "", o.from.Session))
	return session, roleRefused(err, o.from.RoleARN,
		"its trust policy must name the provider "+o.from.ProviderARN+
			", the provider must be that of this cluster, and what they ask of oidc:aud and oidc:sub must fit "+who)
}
