// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command cm-webhook serves cert-manager's admission webhook on 127.0.0.1.
//
// The chain of admission plugins is internal to cert-manager. The one public door to it is the function that
// cert-manager's own integration tests call, which wants a *testing.T; package testing's Main, kept for
// programs that imitate `go test`, provides one.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"os"
	"os/signal"
	"syscall"
	"testing"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/admission"
	"github.com/cert-manager/cert-manager/pkg/webhook/server"
	webhooktesting "github.com/cert-manager/cert-manager/test/webhook"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

func main() {
	// A flag set of its own: controller-runtime claims --kubeconfig in the global one.
	flags := flag.NewFlagSet("cm-webhook", flag.ExitOnError)
	klog.InitFlags(flags)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig of the webhook's ServiceAccount")
	port := flags.Int("secure-port", 10250, "port on 127.0.0.1 that serves admission reviews")
	namespace := flags.String("namespace", "cert-manager", "namespace of the Secret with the webhook's CA")
	secret := flags.String("ca-secret", "cert-manager-webhook-ca", "name of that Secret, which the webhook "+
		"makes and renews")
	_ = flags.Parse(os.Args[1:]) // ExitOnError
	os.Args = os.Args[:1]        // package testing parses what is left

	args := []string{
		"--kubeconfig", *kubeconfig,
		"--dynamic-serving-ca-secret-namespace", *namespace,
		"--dynamic-serving-ca-secret-name", *secret,
		"--dynamic-serving-dns-names", "localhost",
	}
	testing.Main(
		func(_, _ string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "Webhook", F: func(t *testing.T) { serve(t, args, *port) }}},
		nil, nil)
}

// serve answers admission reviews until the process is told to end.
func serve(t *testing.T, args []string, port int) {
	var upstream server.Server
	webhooktesting.StartWebhookServer(t, args, func(s *server.Server) {
		upstream = *s
		// Upstream listens on every address. Without certificates it refuses to listen at all; with a port it
		// does not wait until it does.
		s.CertificateSource, s.ListenAddr = nil, port
	})

	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := listen(logf.NewContext(ctx, logf.Log, "webhook"), &upstream, port); err != nil {
		t.Fatal(err)
	}
}

func listen(ctx context.Context, upstream *server.Server, port int) error {
	ctrl.SetLogger(klog.Background())
	hooks := webhook.NewServer(webhook.Options{
		Host: "127.0.0.1",
		Port: port,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) {
			c.GetCertificate = upstream.CertificateSource.GetCertificate
		}},
	})
	hooks.Register("/mutate", admission.NewCustomMutationWebhook(upstream.MutationWebhook))
	hooks.Register("/validate", admission.NewCustomValidationWebhook(upstream.ResourceScheme,
		upstream.ValidationWebhook))

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return upstream.CertificateSource.Start(ctx) })
	group.Go(func() error { return hooks.Start(ctx) })
	return group.Wait()
}
