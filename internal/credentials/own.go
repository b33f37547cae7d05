// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	sdk "github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

// sdkKeeps is how long keys from a provider of the SDK are good at least: the provider renews keys that have less left
// (docs/design/cas.md §7.2). It does not tell how much they have left, so it is asked again after each renewPause.
const sdkKeeps = 180 * time.Second

// own asks a provider of the SDK. The SDK's providers race, panic, and one of them forgets its chain after a failure
// (docs/design/cas.md §7.2): so this one is asked by one goroutine at a time, under recover, and built anew after a
// failure.
type own struct {
	now   func() time.Time
	build func() (sdk.CredentialsProvider, error)
	// advice is what helps if there are no credentials.
	advice string

	provider sdk.CredentialsProvider
}

// surroundings is the SDK's default chain: environment, token of the Pod, profile files, metadata server, URI.
func surroundings(now func() time.Time) source {
	return &own{
		now:   now,
		build: func() (sdk.CredentialsProvider, error) { return sdk.NewDefaultCredentialsProvider(), nil },
		advice: "give the controller an identity (env of the Helm chart, RRSA, or a RAM role for its instance), or " +
			"name credentials in the issuer",
	}
}

// instanceRole is the RAM role of the ECS instance.
func instanceRole(now func() time.Time, from v1alpha1.ECSRAMRoleCredentials) source {
	return &own{
		now: now,
		build: func() (sdk.CredentialsProvider, error) {
			return sdk.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(from.RoleName).
				WithDisableIMDSv1(from.Metadata == v1alpha1.MetadataRequireV2).Build()
		},
		advice: "attach a RAM role to the ECS instance that the controller runs on, let its Pod reach " +
			"100.100.100.200, and correct roleName if it is set",
	}
}

func (o *own) fetch(_ context.Context, wasRefused bool) (session sts.Session, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the answer lacks what it must have")
		}
		if err != nil {
			o.provider = nil
			err = &Problem{v1alpha1.ReasonMetadataUnavailable, "the controller finds no credentials of its own (" +
				shown(err) + "): " + o.advice}
		}
	}()
	if o.provider == nil || wasRefused {
		if o.provider, err = o.build(); err != nil {
			return sts.Session{}, err
		}
	}
	keys, err := o.provider.GetCredentials()
	if err != nil {
		return sts.Session{}, err
	}
	return sts.Session{
		Keys: rpc.Credentials{AccessKeyID: keys.AccessKeyId, AccessKeySecret: keys.AccessKeySecret,
			SecurityToken: keys.SecurityToken},
		Expires: o.now().Add(sdkKeeps),
	}, nil
}

// quoting matches an error in which the SDK quotes a file or an answer. Keys in the quotation have no form by which
// they could be found.
var quoting = regexp.MustCompile(`(?s)(unmarshal aliyun cli config from '[^']*' failed|(get|refresh) credentials ` +
	`from \S+ failed|key-value delimiter not found): .*`)

// wordy drops or shortens what the chain says in every error, which would leave no room for what matters.
var wordy = strings.NewReplacer(
	"unable to get credentials from any of the providers in the chain: ", "",
	"unable to get credentials from enviroment variables, Access key ID must be specified via environment variable "+
		"(ALIBABA_CLOUD_ACCESS_KEY_ID)", "ALIBABA_CLOUD_ACCESS_KEY_ID is not set",
)

// shown is an error of a provider of the SDK, safe to show.
func shown(err error) string {
	return rpc.Scrub(wordy.Replace(quoting.ReplaceAllString(err.Error(), "$1")))
}
