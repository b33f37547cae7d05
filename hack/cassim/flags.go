// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// config is what the flags say.
type config struct {
	options               cassim.Options
	addressFile, rootFile string
	tlsRootFile           string
}

// The environment that an AccessKey may come from. Others see the flags of a process, but not its environment.
const (
	envKeyID     = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envKeySecret = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
)

func parse(args []string, stderr io.Writer) (*config, error) {
	c, key, account := &config{}, cassim.Key{}, cassim.Account{Packages: map[string]int{}}
	var secretFile string
	flags := flag.NewFlagSet("cassim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	o := &c.options
	addressFlags(flags, o)
	flags.StringVar(&key.ID, "access-key-id", "", "id of the AccessKey; default $"+envKeyID+", else "+
		cassim.DefaultKeyID)
	flags.StringVar(&key.Secret, "access-key-secret", "", "its secret; default the file, else $"+envKeySecret+", else "+
		cassim.DefaultKeySecret)
	flags.StringVar(&secretFile, "access-key-secret-file", "", "file that holds the secret")
	flags.DurationVar(&o.RecordDelay, "record-delay", 0, "how long a new order does not tell its validation data")
	flags.DurationVar(&o.DCVDelay, "dcv-delay", 0, "how long after it is visible the CA sees the record")
	flags.DurationVar(&o.CADelay, "ca-delay", 0, "review between validation and issue")
	flags.DurationVar(&o.CancelDelay, "cancel-delay", 0, "how long a cancelled order stays in its old state")
	flags.DurationVar(&o.ListDelay, "list-delay", 0, "how long a new order is missing from listings")
	flags.StringVar(&c.addressFile, "address-file", "", "file to write the line of addresses to")
	flags.StringVar(&c.rootFile, "root-file", "", "file to write the root certificate to")
	flags.StringVar(&c.tlsRootFile, "tls-root-file", "", "file to write the root certificate of the proxy's TLS to")
	roleFlags(flags, o, &account)
	verbose := flags.Bool("v", false, "log each call to standard error, without its parameters")
	flags.Func("package", "`code=total` of a resource plan, repeatable; default "+cassim.DefaultProduct+"=20",
		func(text string) error {
			product, total, _ := strings.Cut(text, "=")
			n, err := strconv.Atoi(total)
			if product == "" || err != nil || n < 0 {
				return fmt.Errorf("%q is not code=total", text)
			}
			account.Packages[product] = n
			return nil
		})
	flags.Func("zone", "`zone` of the account in Alidns, repeatable; default "+cassim.DefaultZone,
		func(zone string) error {
			account.Zones = append(account.Zones, zone)
			return nil
		})
	flags.Func("knob", "`name=value`, repeatable: "+knobUsage(), func(text string) error {
		name, value, _ := strings.Cut(text, "=")
		return o.Knobs.Set(name, value)
	})
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("what is %q? There are only flags", flags.Arg(0))
	}
	if err := cmp.Or(complete(&account, &key, secretFile),
		checkInstanceRole(o.InstanceRole, account.Roles)); err != nil {
		return nil, err
	}
	o.Accounts = []cassim.Account{account}
	if *verbose {
		o.Logf = func(format string, args ...any) { _, _ = fmt.Fprintf(stderr, format+"\n", args...) }
	}
	return c, nil
}

// addressFlags are where the simulator listens, and whom it asks.
func addressFlags(flags *flag.FlagSet, o *cassim.Options) {
	flags.StringVar(&o.Addr, "addr", "127.0.0.1:0", "where CAS, Alidns, STS and the admin API listen")
	flags.StringVar(&o.MetadataAddr, "metadata-addr", "127.0.0.1:0", "where the metadata server of an ECS "+
		"instance listens")
	flags.StringVar(&o.ProxyAddr, "proxy-addr", "127.0.0.1:0", "where a proxy listens that shows the services under "+
		"their real names with TLS")
	flags.StringVar(&o.DNSAddr, "dns-addr", "127.0.0.1:0", "where the DNS server listens, UDP and TCP")
	flags.StringVar(&o.Resolver, "resolver", "", "DNS server that the CA asks, as host:port; default the "+
		"simulator's own")
	flags.StringVar(&o.WebAddr, "web-addr", "", "host:port that the CA fetches validation files from by HTTP, "+
		"whatever the domain")
	flags.StringVar(&o.WebTLSAddr, "web-tls-addr", "", "the same by HTTPS, with a certificate that the system trusts")
}

// complete fills in what no flag said.
func complete(account *cassim.Account, key *cassim.Key, secretFile string) error {
	if key.Secret == "" && secretFile != "" {
		secret, err := os.ReadFile(secretFile)
		if err != nil {
			return err
		}
		key.Secret = strings.TrimSpace(string(secret))
	}
	key.ID = cmp.Or(key.ID, os.Getenv(envKeyID), cassim.DefaultKeyID)
	key.Secret = cmp.Or(key.Secret, os.Getenv(envKeySecret), cassim.DefaultKeySecret)
	account.Keys = []cassim.Key{*key}
	if len(account.Packages) == 0 {
		account.Packages = cassim.DefaultAccount().Packages
	}
	if account.Zones == nil {
		account.Zones = []string{cassim.DefaultZone}
	}
	return nil
}

func knobUsage() string {
	var all []string
	for _, k := range cassim.AllKnobs() {
		all = append(all, k.Knob+"="+strings.Join(k.Values, "|"))
	}
	return strings.Join(all, " ")
}
