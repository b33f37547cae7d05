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

// TestTheControllerOrdersAsWhatSurroundsIt starts a manager in surroundings of each kind. An AliyunIssuer may use them in
// the last of them only, where the operator has said so.
func TestTheControllerOrdersAsWhatSurroundsIt(t *testing.T) {
	t.Parallel()
	c, simulator, variables := newSurrounded(t)
	team := emptyWorld(t, c, simulator)
	own := team.orderFrom(false, func(spec *v1alpha1.IssuerSpec) {
		public(spec, v1alpha1.RegionChina)
		spec.Credentials = v1alpha1.Credentials{Ambient: &v1alpha1.AmbientCredentials{}}
	})
	for _, around := range []struct {
		name      string
		variables []string
		flags     []string
		arn       string // or what it begins with
		key       string
	}{
		{
			name: "a key in the environment", arn: user, key: cassim.DefaultKeyID,
			variables: []string{"ALIBABA_CLOUD_ACCESS_KEY_ID=" + cassim.DefaultKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + cassim.DefaultKeySecret},
		},
		{name: "the role of the instance", arn: sessionARN(account, "instance", "i-"), key: "STS."},
		{
			name: "a token and a role", arn: sessionARN(account, "manager", "of-the-pod"), key: "STS.",
			variables: []string{
				"ALIBABA_CLOUD_ROLE_ARN=" + roleARN(account, "manager"), "ALIBABA_CLOUD_OIDC_PROVIDER_ARN=" + simulator.OIDCProviderARN(provider),
			},
			flags: []string{"--issuer-ambient-credentials"},
		},
	} {
		t.Run(around.name, func(t *testing.T) {
			w := emptyWorld(t, c, simulator)
			m := w.startManagerAmong(slices.Concat(variables, around.variables), around.flags...)
			defer m.stop()
			issuer := w.orderFrom(true, func(spec *v1alpha1.IssuerSpec) {
				public(spec, v1alpha1.RegionChina)
				spec.Credentials = v1alpha1.Credentials{}
			})
			w.untilReady(issuer)
			told := w.read(issuer).Identity
			w.Create(w.certificate(www))
			w.untilIssued(www, 1)
			w.boughtBy(mode{account: account, isPermanent: around.key == cassim.DefaultKeyID})
			t.Log(told)
		})
	}
	_ = own
	_ = strings.Contains
}
