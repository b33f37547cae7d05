// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// mode is a way to sign in, and what comes of it.
type mode struct {
	isShared bool
	// in changes an issuer that has an AccessKey, and endpoints on the loopback.
	in func(*world, *v1alpha1.IssuerSpec)
	// account orders, and arn is as whom; arn is empty if nobody can tell.
	account, arn string
	// zone is the other account's if that is to publish.
	zone, publisher string
	// isPermanent tells that the calls carry an AccessKey, and no key of a session.
	isPermanent bool
	// hosts are those of the calls, if they are not on the loopback.
	hosts []string
}

const session = "aliyun-issuer"

// secretWithToken holds an AccessKey that has an end.
func (w *world) secretWithToken() v1alpha1.Credentials {
	w.T.Helper()
	from := w.accessKey(w.Namespace)
	secret := w.secret(from.AccessKeySecretRef.Name)
	w.edit(secret, func() {
		secret.Data = map[string][]byte{"id": []byte(temporaryKey), "secret": []byte(temporarySecret),
			"token": []byte(temporaryToken)}
	})
	from.AccessKeySecretRef.AccessKeyIDKey, from.AccessKeySecretRef.AccessKeySecretKey,
		from.AccessKeySecretRef.SecurityTokenKey = "id", "secret", "token"
	return from
}

// grantToken lets the manager request tokens for a ServiceAccount, as the Role does that it prints.
func (w *world) grantToken(namespace, name string) {
	w.T.Helper()
	object := metav1.ObjectMeta{Namespace: namespace, Name: "tokens-of-" + name}
	w.Create(&rbacv1.Role{ObjectMeta: object, Rules: []rbacv1.PolicyRule{{
		Verbs: []string{"create"}, APIGroups: []string{""}, Resources: []string{"serviceaccounts/token"},
		ResourceNames: []string{name},
	}}})
	w.Create(&rbacv1.RoleBinding{
		ObjectMeta: object, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: object.Name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: release}},
	})
}

// exchanged are the credentials of a ServiceAccount that may assume the role.
func (w *world) exchanged(role, namespace string) v1alpha1.Credentials {
	w.T.Helper()
	holder := w.serviceAccount(namespace)
	w.grantToken(namespace, holder.Name)
	w.trust(role, namespace, holder.Name)
	return oidc(account, role, holder.Name)
}

// onTopOf assumes a role with a contract on top of credentials.
func onTopOf(base v1alpha1.Credentials, of, role string) v1alpha1.Credentials {
	base.AssumeRole = &v1alpha1.AssumeRole{RoleARN: roleARN(of, role), ExternalID: externalID}
	return base
}

func instance(metadata v1alpha1.MetadataVersion) v1alpha1.Credentials {
	return v1alpha1.Credentials{ECSRAMRole: &v1alpha1.ECSRAMRoleCredentials{Metadata: metadata}}
}

// public leaves it to the site where the services are.
func public(spec *v1alpha1.IssuerSpec, region v1alpha1.Region) {
	spec.Region, spec.Endpoint, spec.STSEndpoint = region, nil, nil
	spec.Solvers[0].DNS.Alidns.Endpoint = nil
}

func modes() map[string]mode {
	theInstance := sessionARN(account, "instance", "i-0000000000000000")
	inOther := sessionARN(otherAccount, "orders", session)
	is := func(credentials func(*world) v1alpha1.Credentials) func(*world, *v1alpha1.IssuerSpec) {
		return func(w *world, spec *v1alpha1.IssuerSpec) { spec.Credentials = credentials(w) }
	}
	return map[string]mode{
		"an AccessKey": {
			account: account, arn: user, isPermanent: true,
			in: is(func(w *world) v1alpha1.Credentials { return w.accessKey(w.Namespace) }),
		},
		"an AccessKey with an STS token": {account: account, arn: user, in: is((*world).secretWithToken)},
		"an AccessKey whose owner STS is asked in vain for": {
			account: account, isPermanent: true,
			in: func(w *world, spec *v1alpha1.IssuerSpec) {
				spec.Credentials, spec.STSEndpoint = w.accessKey(w.Namespace),
					&v1alpha1.Endpoint{URL: "http://127.0.0.1:1"}
			},
		},
		"a ServiceAccount of the cluster resource namespace": {
			isShared: true, account: account, arn: sessionARN(account, "operators", "all-teams"),
			in: func(w *world, spec *v1alpha1.IssuerSpec) {
				spec.Credentials = w.exchanged("operators", system)
				spec.Credentials.OIDC.Session = v1alpha1.Session{
					SessionName: "all-teams", DurationSeconds: new(int32(900))}
			},
		},
		"the controller's own token": {
			isShared: true, account: account, arn: sessionARN(account, "manager", session),
			in: is(func(*world) v1alpha1.Credentials { return oidc(account, "manager", "") }),
		},
		"the role of the instance": {
			isShared: true, account: account, arn: theInstance,
			in: is(func(*world) v1alpha1.Credentials { return instance(v1alpha1.MetadataPreferV2) }),
		},
		"the role of the instance, by its name, and never without a token": {
			isShared: true, account: account, arn: theInstance,
			in: is(func(*world) v1alpha1.Credentials {
				from := instance(v1alpha1.MetadataRequireV2)
				from.ECSRAMRole.RoleName = "instance"
				return from
			}),
		},
		"a role of another account, with an AccessKey": {
			account: otherAccount, arn: inOther, zone: otherZone,
			in: is(func(w *world) v1alpha1.Credentials {
				return onTopOf(w.accessKey(w.Namespace), otherAccount, "orders")
			}),
		},
		"a role of another account, with a ServiceAccount": {
			account: otherAccount, arn: inOther, zone: otherZone,
			in: is(func(w *world) v1alpha1.Credentials {
				return onTopOf(w.exchanged("team", w.Namespace), otherAccount, "orders")
			}),
		},
		"a role of another account, with the role of the instance": {
			isShared: true, account: otherAccount, arn: inOther, zone: otherZone,
			in: is(func(*world) v1alpha1.Credentials {
				return onTopOf(instance(""), otherAccount, "orders")
			}),
		},
		"no endpoint": {
			account: account, arn: sessionARN(account, "public-endpoints", session),
			hosts: []string{"alidns.aliyuncs.com", "cas.aliyuncs.com", "sts.cn-hangzhou.aliyuncs.com"},
			in: func(w *world, spec *v1alpha1.IssuerSpec) {
				public(spec, v1alpha1.RegionChina)
				spec.Credentials = w.exchanged("public-endpoints", w.Namespace)
			},
		},
		"no endpoint of the international site": {
			account: account, arn: sessionARN(account, "international", session),
			hosts: []string{"alidns.aliyuncs.com", "cas.ap-southeast-1.aliyuncs.com",
				"sts.ap-southeast-1.aliyuncs.com"},
			in: func(w *world, spec *v1alpha1.IssuerSpec) {
				public(spec, v1alpha1.RegionInternational)
				spec.Credentials = onTopOf(w.accessKey(w.Namespace), account, "international")
			},
		},
		"a zone of another account, with the controller's own token": {
			isShared: true, account: account, arn: theInstance, zone: otherZone, publisher: otherAccount,
			in: func(_ *world, spec *v1alpha1.IssuerSpec) {
				spec.Credentials = instance("")
				spec.Solvers[0].DNS.Alidns.Credentials = new(oidc(otherAccount, "publishes", ""))
			},
		},
		"a zone of another account, with a role": {
			account: account, arn: user, isPermanent: true, zone: otherZone, publisher: otherAccount,
			in: func(w *world, spec *v1alpha1.IssuerSpec) {
				spec.Credentials = w.accessKey(w.Namespace)
				spec.Solvers[0].DNS.Alidns.Credentials = new(onTopOf(spec.Credentials, otherAccount, "publishes"))
			},
		},
	}
}

// TestEveryIdentityBringsACertificateOfTheAccountThatItShows looks at both ends: what the issuer says of itself, and
// whom the services have seen.
func TestEveryIdentityBringsACertificateOfTheAccountThatItShows(t *testing.T) {
	t.Parallel()
	for name, m := range modes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := surroundedWorld(t)
			w.zone = m.zone
			issuer := w.orderFrom(m.isShared, func(spec *v1alpha1.IssuerSpec) { m.in(w, spec) })
			w.untilReady(issuer)
			if m.arn != "" {
				w.belongsTo(issuer, m.account, m.arn)
			} else if is := w.read(issuer).Identity; is != nil {
				t.Errorf("the issuer says that it is %+v", is)
			}
			w.Create(w.certificate(www))
			w.untilIssued(www, 1)
			w.boughtBy(m)
		})
	}
}

// boughtBy fails the test unless one order was billed, to the account of the mode, and all calls for it were made by
// those who should.
func (w *world) boughtBy(m mode) {
	w.T.Helper()
	entry := w.bought(www, 1)
	if entry.AccountID != m.account {
		w.T.Errorf("the order was billed to %s, want %s", entry.AccountID, m.account)
	}
	isOfSession := func(r cassim.Request) bool { return strings.HasPrefix(r.Params["AccessKeyId"], "STS.") }
	role := roleIn(m.arn)
	var hosts []string
	nOrders, nRecords := 0, 0
	for _, r := range w.Simulator.Requests() {
		isPublic := strings.Contains(r.Params["RR"]+".", "."+w.Namespace+".")
		switch {
		case r.OrderID == entry.OrderID:
			nOrders++
			if r.AccountID != m.account || isOfSession(r) == m.isPermanent {
				w.T.Errorf("%s was called by %s with the key %q", r.Action, r.AccountID, r.Params["AccessKeyId"])
			}
		case isPublic:
			nRecords++
			if want := cmp.Or(m.publisher, m.account); r.AccountID != want || r.Code != "" {
				w.T.Errorf("%s was called by %s, want %s: %s", r.Action, r.AccountID, want, r.Code)
			}
		case role == "" || r.Params["RoleArn"] != role:
			continue
		}
		hosts = append(hosts, r.Host)
	}
	if nOrders == 0 || nRecords == 0 {
		w.T.Errorf("%d calls for the order, and %d for its record", nOrders, nRecords)
	}
	slices.Sort(hosts)
	if hosts = slices.Compact(hosts); m.hosts != nil {
		if diff := gocmp.Diff(m.hosts, hosts); diff != "" {
			w.T.Errorf("the hosts that were called (-want +got):\n%s", diff)
		}
	}
}

// roleIn is the role that an ARN of a session names, or empty.
func roleIn(arn string) string {
	head, session, isSession := strings.Cut(arn, ":assumed-role/")
	name, _, _ := strings.Cut(session, "/")
	if !isSession {
		return ""
	}
	return head + ":role/" + name
}
