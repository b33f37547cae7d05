// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo takes a cert-manager Certificate to a Secret with a signed chain, through a real kube-apiserver, real
// cert-manager controllers, the controller of this project and a simulator of CAS, all on this machine.
//
//	go run ./hack/demo up      # from the root of the repository
//	go run ./hack/demo down
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // what the client logs is no part of the demo
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		stop()
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	d := &demo{began: time.Now()}
	switch {
	case len(args) == 1 && args[0] == "up":
		return d.up(ctx)
	case len(args) == 1 && args[0] == "down":
		return d.run(ctx, localkube, "down", "--data", "--dir", dir)
	default:
		return fmt.Errorf("usage: demo up|down")
	}
}

// up makes the whole way, step by step. What it starts goes on running afterwards, for people to play with.
func (d *demo) up(ctx context.Context) error {
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"Build what is missing (minutes the first time, seconds later)", d.build},
		{"Start Kubernetes and cert-manager", d.boot},
		{"Start the simulator of CAS and of Alibaba Cloud DNS", d.startSimulator},
		{"Install the Helm chart, and run the manager with its ServiceAccount", d.install},
		{"Apply an issuer, its Secret and a Certificate", d.apply},
		{"Wait for the certificate", d.watch},
		{"Look at what came out", d.inspect},
	} {
		fmt.Printf("\n==> [%3.0fs] %s\n", time.Since(d.began).Seconds(), step.title)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w\nlogs are in %s/log; 'make demo-down' ends what still runs", step.title, err, dir)
		}
	}
	d.goOn()
	return nil
}
