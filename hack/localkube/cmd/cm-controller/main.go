// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command cm-controller runs cert-manager's own control loops, those that turn a Certificate into a
// CertificateRequest and a signed request into a Secret, those that make Certificates of Ingresses and of what
// Gateways listen for, with the approver and the CA and SelfSigned issuers.
//
// cert-manager's released controller lives in a module that cannot be required by others; the loops do not.
// ACME, Vault and the rest are left out because nothing here uses them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	// Each of these registers its control loop with package controller.
	gateways "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/ingresses"
	listenersets "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/listenerset"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	utilfeature "github.com/cert-manager/cert-manager/pkg/util/feature"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// What follows are the defaults of cert-manager v1.21, so that requests fail and are retried here as they are
// in a cluster. The package that holds them is internal to cert-manager.
const (
	workers           = 5
	apiQPS            = 20
	apiBurst          = 50
	minRequestBackoff = time.Hour
	maxRequestBackoff = 32 * time.Hour
)

var copiedAnnotations = []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"}

func main() {
	// A flag set of its own: controller-runtime claims --kubeconfig in the global one.
	flags := flag.NewFlagSet("cm-controller", flag.ExitOnError)
	klog.InitFlags(flags)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig of cert-manager's ServiceAccount")
	namespace := flags.String("cluster-resource-namespace", "cert-manager",
		"namespace of the Secrets of ClusterIssuers")
	metrics := flags.String("metrics-listen-address", "127.0.0.1:9402", "address that serves /metrics")
	gatewayAPI := flags.Bool("enable-gateway-api", false, "serve Gateways and ListenerSets, whose CRDs must be there")
	_ = flags.Parse(os.Args[1:]) // ExitOnError

	logf.InitLogs()
	ctrl.SetLogger(klog.Background())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(logf.NewContext(ctx, logf.Log, "controller"), *kubeconfig, *namespace, *metrics,
		*gatewayAPI); err != nil {
		fmt.Fprintln(os.Stderr, "cm-controller:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, namespace, metricsAddress string, gatewayAPI bool) error {
	// Upstream has the loop for ListenerSets behind a feature gate. Its constant is in an internal package.
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(
		map[string]bool{"ListenerSets": gatewayAPI}); err != nil {
		return err
	}
	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig:         kubeconfig,
		KubernetesAPIQPS:   apiQPS,
		KubernetesAPIBurst: apiBurst,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: namespace},
		IngressShimOptions: controller.IngressShimOptions{DefaultIssuerKind: "Issuer",
			DefaultIssuerGroup: "cert-manager.io"},
		ConfigOptions: controller.ConfigOptions{EnableGatewayAPI: gatewayAPI, EnableGatewayAPIListenerSet: gatewayAPI},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 copiedAnnotations,
			CertificateRequestMinimumBackoffDuration: minRequestBackoff,
			CertificateRequestMaximumBackoffDuration: maxRequestBackoff,
		},
	})
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	if err := serveMetrics(ctx, group, shared, metricsAddress); err != nil {
		return err
	}
	// Every loop is built before the informers start, because a loop asks for its informers while it is built.
	for name, build := range controller.Known() {
		if needsGatewayAPI(name) && !gatewayAPI {
			continue
		}
		loop, err := build(factory)
		if err != nil {
			return fmt.Errorf("control loop %s: %w", name, err)
		}
		group.Go(func() error { return loop.Run(workers, ctx) })
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	if gatewayAPI {
		shared.GWShared.Start(ctx.Done())
	}
	return group.Wait()
}

// needsGatewayAPI says that a loop waits for ever where the CRDs of the Gateway API are missing.
func needsGatewayAPI(loop string) bool {
	return loop == gateways.ControllerName || loop == listenersets.ControllerName
}

func serveMetrics(ctx context.Context, group *errgroup.Group, shared *controller.Context, address string) error {
	certManager := shared.SharedInformerFactory.Certmanager().V1()
	shared.Metrics.SetupCertificateCollector(certManager.Certificates().Lister())
	shared.Metrics.SetupIssuerCollector(certManager.Issuers().Lister())
	shared.Metrics.SetupClusterIssuerCollector(certManager.ClusterIssuers().Lister())

	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := shared.Metrics.NewServer(listener)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	return nil
}
