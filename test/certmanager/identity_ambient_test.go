// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"slices"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// surroundings are those of a manager.
type surroundings struct {
	// variables are added to those that every manager here has.
	variables, flags []string
	// arn is as whom it orders, or the beginning of it.
	arn         string
	isPermanent bool
	// allowed tells that AliyunIssuers may use them.
	allowed bool
	// exchange is where the SDK exchanges the token, if it does.
	exchange string
}

// TestTheControllerOrdersAsWhatSurroundsIt starts a manager in surroundings of each kind, one after another. In some
// the operator lets AliyunIssuers use them.
func TestTheControllerOrdersAsWhatSurroundsIt(t *testing.T) {
	t.Parallel()
	c, simulator, variables := newSurrounded(t)
	for name, around := range map[string]surroundings{
		"a key in its environment": {
			arn: user, isPermanent: true,
			variables: []string{"ALIBABA_CLOUD_ACCESS_KEY_ID=" + cassim.DefaultKeyID,
				"ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + cassim.DefaultKeySecret},
		},
		"the role of its instance": {
			arn: sessionARN(account, "instance", "i-"), flags: []string{"--issuer-ambient-credentials"}, allowed: true,
		},
		"its token and the name of a role": {
			arn: sessionARN(account, "manager", "aliyun-go-sdk-"), exchange: "sts.aliyuncs.com",
			variables: []string{"ALIBABA_CLOUD_ROLE_ARN=" + roleARN(account, "manager"),
				"ALIBABA_CLOUD_OIDC_PROVIDER_ARN=" + simulator.OIDCProviderARN(provider)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, team := emptyWorld(t, c, simulator), emptyWorld(t, c, simulator)
			m := w.startManagerAmong(slices.Concat(variables, around.variables), around.flags...)
			defer m.stop() // before another one begins
			ambient := func(spec *v1alpha1.IssuerSpec) {
				public(spec, v1alpha1.RegionChina)
				spec.Credentials = v1alpha1.Credentials{Ambient: &v1alpha1.AmbientCredentials{}}
			}
			shared, own := w.orderFrom(true, ambient), team.orderFrom(false, ambient)
			w.untilReady(shared)
			if is := w.read(shared).Identity; is == nil || is.AccountID != account ||
				!strings.HasPrefix(is.ARN, around.arn) {
				t.Errorf("the issuer says that it is %+v, want %s", is, around.arn)
			}
			w.Create(w.certificate(www))
			if around.allowed {
				team.Create(team.certificate(www))
				team.untilIssued(www, 1)
				team.boughtBy(mode{account: account, isPermanent: around.isPermanent})
			} else if said := team.untilSays(own, v1alpha1.ConditionReady,
				v1alpha1.ReasonCredentialsNotAllowed); !strings.Contains(said, "chart value ambientCredentials") {
				t.Errorf("the issuer of the team says %q", said)
			}
			w.untilIssued(www, 1)
			w.boughtBy(mode{account: account, isPermanent: around.isPermanent})
			if around.exchange != "" {
				isSDK := func(r cassim.Request) bool {
					return r.Action == "AssumeRoleWithOIDC" && r.Host == around.exchange && r.Code == ""
				}
				if !slices.ContainsFunc(simulator.Requests(), isSDK) {
					t.Errorf("nobody has exchanged a token at %s", around.exchange)
				}
			}
		})
	}
	t.Run("a metadata server that is down, or answers nonsense, until it is mended", func(t *testing.T) {
		metadataHeals(t, c, simulator, variables)
	})
}

// metadataHeals takes the minute after which an issuer is checked again.
func metadataHeals(t *testing.T, c *cluster, simulator *cassim.Server, variables []string) {
	w, other := emptyWorld(t, c, simulator), emptyWorld(t, c, simulator)
	m := w.startManagerAmong(variables)
	defer m.stop()
	refused := func(w *world, mode cassim.MetadataMode, metadata v1alpha1.MetadataVersion) v1alpha1.GenericIssuer {
		simulator.SetMetadata(mode)
		issuer := w.orderFrom(true, func(spec *v1alpha1.IssuerSpec) { spec.Credentials = instance(metadata) })
		said := w.untilSays(issuer, v1alpha1.ConditionReady, v1alpha1.ReasonMetadataUnavailable)
		if !strings.Contains(said, "attach a RAM role") || !strings.Contains(said, "every minute") ||
			strings.Contains(said, "STS.") {
			t.Errorf("%s: the issuer says %q", mode, said)
		}
		return issuer
	}
	down := refused(w, cassim.Down, v1alpha1.MetadataPreferV2)
	garbled := refused(other, cassim.Garbled, v1alpha1.MetadataRequireV2)
	w.Create(w.certificate(www))
	simulator.SetMetadata(cassim.V1AndV2)
	w.untilReady(down)
	other.untilReady(garbled)
	w.untilIssued(www, 1)
	w.boughtBy(mode{account: account})
}
