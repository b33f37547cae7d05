// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// roleFlags are the flags about who may become whom.
func roleFlags(flags *flag.FlagSet, o *cassim.Options, account *cassim.Account) {
	flags.StringVar(&o.InstanceRole, "instance-role", "", "name of the --role with service=ecs.aliyuncs.com that "+
		"the metadata server gives out")
	flags.Func("role", "RAM role of the account, repeatable: `name=...` and, separated by commas, any of "+
		"trusted=ARN service=HOST (both "+
		"repeatable) external-id=ID max-session=2h, and who may assume it with a token: oidc-provider=NAME "+
		"audience=ID subject=SUB", func(text string) error {
		role, err := parseRole(text)
		account.Roles = append(account.Roles, role)
		return err
	})
	flags.Func("oidc-provider", "issuer of tokens that the account knows, repeatable: "+
		"`name=...,issuer=URL,client-id=ID,jwks-file=FILE`; "+
		"client-id is repeatable, and the file is read for each token", func(text string) error {
		provider, err := parseProvider(text)
		account.OIDCProviders = append(account.OIDCProviders, provider)
		return err
	})
}

func parseRole(text string) (cassim.Role, error) {
	var role cassim.Role
	var trust cassim.OIDCTrust
	err := eachPair(text, func(name, value string) (err error) {
		switch name {
		case "name":
			role.Name = value
		case "trusted":
			role.Trusted = append(role.Trusted, value)
		case "service":
			role.Services = append(role.Services, value)
		case "external-id":
			role.ExternalID = value
		case "max-session":
			role.MaxSession, err = time.ParseDuration(value)
		case "oidc-provider":
			trust.Provider = value
		case "audience":
			trust.Audience = value
		case "subject":
			trust.Subject = value
		default:
			err = fmt.Errorf("a role has no %q", name)
		}
		return err
	})
	if trust != (cassim.OIDCTrust{}) {
		role.OIDC = []cassim.OIDCTrust{trust}
	}
	return role, cmp.Or(err, missing("name", role.Name))
}

func parseProvider(text string) (cassim.OIDCProvider, error) {
	var provider cassim.OIDCProvider
	var file string
	err := eachPair(text, func(name, value string) error {
		switch name {
		case "name":
			provider.Name = value
		case "issuer":
			provider.Issuer = value
		case "client-id":
			provider.ClientIDs = append(provider.ClientIDs, value)
		case "jwks-file":
			file = value
		default:
			return fmt.Errorf("an OIDC provider has no %q", name)
		}
		return nil
	})
	provider.Keys = func(context.Context) ([]byte, error) { return os.ReadFile(file) }
	return provider, cmp.Or(err, missing("name", provider.Name), missing("issuer", provider.Issuer),
		missing("jwks-file", file))
}

func eachPair(text string, do func(name, value string) error) error {
	for pair := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(pair, "=")
		if err := do(name, value); err != nil {
			return err
		}
	}
	return nil
}

func missing(name, value string) error {
	if value == "" {
		return fmt.Errorf("%s is missing", name)
	}
	return nil
}

// checkInstanceRole finds early what cassim.New panics about.
func checkInstanceRole(name string, roles []cassim.Role) error {
	isMeant := func(r cassim.Role) bool { return r.Name == name && slices.Contains(r.Services, "ecs.aliyuncs.com") }
	if name != "" && !slices.ContainsFunc(roles, isMeant) {
		return fmt.Errorf("there is no role %q with service=ecs.aliyuncs.com", name)
	}
	return nil
}
