// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo takes a cert-manager Certificate to a Secret with a signed chain, through a real kube-apiserver, real
// cert-manager controllers, the controller of this project and a simulator of CAS, all on this machine.
//
//	go run ./hack/demo up plan       # from the root of the repository
//	go run ./hack/demo up instance   # and through its renewal
//	go run ./hack/demo down
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
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
	switch {
	case len(args) == 2 && args[0] == "up":
		from, err := sourceOf(args[1])
		if err != nil {
			return err
		}
		return (&demo{source: from, began: time.Now()}).up(ctx)
	case len(args) == 1 && args[0] == "down":
		return run(ctx, localkube, "down", "--data", "--dir", dir)
	default:
		return fmt.Errorf("usage: demo up SOURCE | demo down")
	}
}

// step is a part of the way.
type step struct {
	title string
	do    func(*demo, context.Context) error
}

// steps are those of all demos.
var steps = []step{
	{"Build what is missing (minutes the first time, seconds later)", (*demo).build},
	{"Start Kubernetes and cert-manager", (*demo).boot},
	{"Start the simulator of CAS and of Alibaba Cloud DNS", (*demo).startSimulator},
	{"Install the Helm chart, and run the manager with its ServiceAccount", (*demo).install},
	{"Apply an issuer, its Secret and a Certificate", (*demo).apply},
	{"Wait for the certificate", (*demo).watch},
	{"Look at what came out", (*demo).inspect},
}

// up makes the whole way, step by step. What it starts goes on running afterwards, for people to play with.
func (d *demo) up(ctx context.Context) error {
	for _, step := range slices.Concat(steps, d.source.more) {
		fmt.Printf("\n==> [%3.0fs] %s\n", time.Since(d.began).Seconds(), step.title)
		if err := step.do(d, ctx); err != nil {
			return fmt.Errorf("%s: %w\nlogs are in %s/log; 'make demo-down' ends what still runs", step.title, err, dir)
		}
	}
	d.goOn()
	return nil
}
