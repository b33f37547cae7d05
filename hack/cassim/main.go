// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command cassim runs the simulator of CAS, its authority, Alibaba Cloud DNS and STS by itself, for the demo and for
// trying things out.
//
//	go run ./hack/cassim --package digicert-free-1-free=20 --zone example.com --ca-delay 5s --knob chain=leaf
//
// It prints one line of JSON with its addresses. People steer it under /-/ of the same address: see
// internal/cassim/admin.go. Listen on loopback addresses only: nothing there asks for a password.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "cassim: %v\n", err)
		os.Exit(1)
	}
}

// addresses is what is printed and written to the address file.
type addresses struct {
	URL      string `json:"url"`      // of CAS, Alidns, STS and the admin API
	DNS      string `json:"dns"`      // UDP and TCP
	Metadata string `json:"metadata"` // URL of the instance's metadata server, and as HTTP_PROXY the way to it
	Proxy    string `json:"proxy"`    // URL, as HTTPS_PROXY
	PID      int    `json:"pid"`
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	server := cassim.New(c.options)
	if err := server.Start(); err != nil {
		return err
	}
	defer server.Close()
	line, err := json.Marshal(addresses{server.URL(), server.DNSAddr(), server.MetadataURL(), server.ProxyURL(),
		os.Getpid()})
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if err := writeFile(c.rootFile, server.RootPEM()); err != nil {
		return err
	}
	if err := writeFile(c.tlsRootFile, server.TLSRootPEM()); err != nil {
		return err
	}
	if err := writeFile(c.addressFile, line); err != nil {
		return err
	}
	if _, err := stdout.Write(line); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// writeFile leaves no half of a file to somebody who waits for it.
func writeFile(name string, data []byte) error {
	if name == "" {
		return nil
	}
	half := name + ".tmp"
	if err := os.WriteFile(half, data, 0o644); err != nil {
		return err
	}
	return os.Rename(half, name)
}
