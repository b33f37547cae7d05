// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command cassim runs the simulator of CAS and Alibaba Cloud DNS by itself, for the demo and for trying things out.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "cassim:", err)
		os.Exit(1)
	}
}

func run() error {
	account := cassim.Account{Packages: map[string]int{}}
	options := cassim.Options{}
	key := cassim.Key{}
	flag.StringVar(&options.Addr, "addr", "127.0.0.1:0", "address of the API")
	flag.StringVar(&options.DNSAddr, "dns-addr", "127.0.0.1:0", "address of the DNS server, UDP and TCP")
	flag.StringVar(&key.ID, "access-key-id", cassim.DefaultKeyID, "AccessKey ID of the account")
	flag.StringVar(&key.Secret, "access-key-secret", cassim.DefaultKeySecret, "AccessKey Secret of the account")
	flag.DurationVar(&options.RecordDelay, "record-delay", 0, "from an order to its validation record")
	flag.DurationVar(&options.DCVDelay, "dcv-delay", 0, "from the visible record to the review")
	flag.DurationVar(&options.CADelay, "ca-delay", 0, "how long the review takes")
	flag.Func("package", "plan of the account, as productCode=total; may be given several times", func(text string) error {
		product, number, found := strings.Cut(text, "=")
		total, err := strconv.Atoi(number)
		if !found || err != nil {
			return errors.New("productCode=total is expected")
		}
		account.Packages[product] = total
		return nil
	})
	flag.Func("zone", "zone of the account; may be given several times", func(zone string) error {
		account.Zones = append(account.Zones, zone)
		return nil
	})
	flag.Parse()
	account.Keys = []cassim.Key{key}
	options.Accounts = []cassim.Account{account}
	server := cassim.New(options)
	if err := server.Start(); err != nil {
		return err
	}
	defer server.Close()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": server.URL(), "dns": server.DNSAddr()}); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	return nil
}
