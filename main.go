// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command aliyun-issuer makes Alibaba Cloud Certificate Management Service an issuer of cert-manager.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"go.uber.org/zap/zapcore"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // for kubeconfigs of cloud providers
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/controllers"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/issuer"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/order"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/request"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source/plan"
)

// version is set by the build.
var version = "dev"

// gracefulShutdown is how long reconcilers may take to end. It is longer than order.SubmissionGrace, and is covered by
// the Deployment's terminationGracePeriodSeconds, since both run at the same time.
const gracefulShutdown = order.SubmissionGrace + 5*time.Second

type flags struct {
	leaderElect              bool
	leaderElectionNamespace  string
	clusterResourceNamespace string
	clusterID                string
	metricsAddress           string
	probeAddress             string
	nameservers              string
	checkAuthoritative       bool
	webhookSolvers           string
	namespaces               string
	issuerEndpointHosts      string
	issuerNameservers        string
	issuerRouteDomains       string
	issuerRouteKeys          string
	issuerGatewayNamespaces  string
	secretReaderRole         string
	issuerAmbient            bool
	clusterIssuerAmbient     bool
	filesAddress             string
	filesService             string
	printVersion             bool
	log                      zap.Options
}

func main() {
	set := parse()
	if set.printVersion {
		fmt.Println(version)
		return
	}
	ctrl.SetLogger(apiserver.Quiet(zap.New(zap.UseFlagOptions(&set.log))))
	if err := run(ctrl.SetupSignalHandler(), set); err != nil {
		ctrl.Log.Error(err, "the manager ended")
		os.Exit(1)
	}
}

func parse() flags {
	// The fields of an error say what it is about. Stack traces come with --zap-stacktrace-level=error.
	set := flags{log: zap.Options{StacktraceLevel: zapcore.PanicLevel}}
	flag.BoolVar(&set.leaderElect, "leader-elect", false, "work only while holding the lease, so that several "+
		"replicas can run")
	flag.StringVar(&set.leaderElectionNamespace, "leader-election-namespace", "", "namespace of the lease; default: "+
		"the manager's own")
	flag.StringVar(&set.clusterResourceNamespace, "cluster-resource-namespace", "aliyun-issuer-system",
		"namespace of the Secrets that AliyunClusterIssuers name")
	flag.StringVar(&set.clusterID, "cluster-id", "", "what tags of orders call this cluster; default: the UID of "+
		"its namespace kube-system")
	flag.StringVar(&set.metricsAddress, "metrics-bind-address", ":8080", "address of the metrics; 0 for none")
	flag.StringVar(&set.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	flag.StringVar(&set.nameservers, "dns-nameservers", "", "name servers that the self-check asks, as host:port or "+
		"as URLs of DNS over HTTPS, separated by commas; default: those of the system")
	flag.BoolVar(&set.checkAuthoritative, "dns-check-authoritative", true, "let the self-check ask the zone's own "+
		"name servers")
	flag.StringVar(&set.webhookSolvers, "webhook-solvers", "", "DNS01 webhooks that issuers may use, as "+
		"groupName/solverName, separated by commas")
	flag.StringVar(&set.filesAddress, "files-bind-address", "0", "address that validation files are served "+
		"at; 0 for none")
	flag.StringVar(&set.filesService, "files-service", "", "namespace/name of the Service that leads port 80 to "+
		"files-bind-address; routes to files stand beside it")
	flag.StringVar(&set.namespaces, "namespaces", "", "namespaces to serve, separated by commas, without any "+
		"AliyunClusterIssuer; default: all, and these too")
	flag.BoolVar(&set.issuerAmbient, "issuer-ambient-credentials", false, "let AliyunIssuers use the controller's "+
		"own identity: whoever may write one acts with it")
	flag.BoolVar(&set.clusterIssuerAmbient, "cluster-issuer-ambient-credentials", true, "let AliyunClusterIssuers "+
		"use the controller's own identity")
	flag.StringVar(&set.issuerEndpointHosts, "issuer-endpoint-hosts", "", "hosts that AliyunIssuers may name in "+
		"endpoints beside those that Alibaba Cloud documents, separated by commas; .example.com stands for all below "+
		"it")
	flag.StringVar(&set.issuerNameservers, "issuer-nameservers", "", "name servers that AliyunIssuers may have "+
		"updated by rfc2136, as host or host:port, separated by commas; default: none")
	flag.StringVar(&set.issuerRouteDomains, "issuer-route-domains", "", "domains that AliyunIssuers may have files "+
		"routed for, as namespace/domain, separated by commas; default: none")
	flag.StringVar(&set.issuerRouteKeys, "issuer-route-keys", "", "keys of labels and annotations that "+
		"AliyunIssuers may put on routes to files, separated by commas; default: none")
	flag.StringVar(&set.issuerGatewayNamespaces, "issuer-route-gateway-namespaces", "", "namespaces of the Gateways "+
		"that HTTPRoutes of AliyunIssuers may attach to, separated by commas; default: none")
	flag.StringVar(&set.secretReaderRole, "secret-reader-role", "", "ClusterRole/name or Role/name that may read "+
		"Secrets, for the command that is printed where the manager may not")
	flag.BoolVar(&set.printVersion, "version", false, "print the version and exit")
	set.log.BindFlags(flag.CommandLine)
	flag.Parse()
	return set
}

// Runs the manager, and after its end, whatever ended it, waits for the submissions in flight: even after a lost lease,
// CAS may be about to answer with the id of an order that is paid for.
func run(ctx context.Context, set flags) error {
	mgr, err := newManager(set)
	if err != nil {
		return err
	}
	submissions := &order.Submissions{}
	if err := setUp(ctx, mgr, set, submissions); err != nil {
		return err
	}
	ctrl.Log.Info("starting", "version", version)
	ended := mgr.Start(ctx)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), order.SubmissionGrace)
	defer cancel()
	if err := submissions.Drain(grace); err != nil {
		return errors.Join(ended, fmt.Errorf("submissions were still in flight: %w", err))
	}
	return ended
}

func newManager(set flags) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, authenticationv1.AddToScheme,
		cmapi.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	// The client's own limit of 20 writes a second would be the slowest part; the API server has priority and fairness.
	config.QPS = -1
	return ctrl.NewManager(config, manager.Options{
		Scheme:                        scheme,
		Cache:                         cache.Options{DefaultNamespaces: cached(set.namespaces)},
		Metrics:                       metricsserver.Options{BindAddress: set.metricsAddress},
		HealthProbeBindAddress:        set.probeAddress,
		LeaderElection:                set.leaderElect,
		LeaderElectionID:              "aliyun-issuer." + v1alpha1.Group,
		LeaderElectionNamespace:       set.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       new(gracefulShutdown),
	})
}

// setUp wires the reconcilers.
func setUp(ctx context.Context, mgr ctrl.Manager, set flags, submissions *order.Submissions) error {
	api, err := newAPI(mgr, set)
	if err != nil {
		return err
	}
	cluster, err := clusterID(ctx, api, set)
	if err != nil {
		return err
	}
	recorder := mgr.GetEventRecorder("aliyun-issuer")
	remote, err := newRemote(ctx, mgr, api, set)
	if err != nil {
		return err
	}
	fresh, isListed := &orders.Fresh{}, set.namespaces != ""
	sources := source.Registry{
		&plan.Source{Kube: mgr.GetClient(), APIReader: api, Remote: remote, Cluster: cluster,
			Settle: plan.DefaultSettle},
		&instance.Source{APIReader: api, Remote: remote, Cluster: cluster},
	}
	reconcilers := []interface{ SetupWithManager(ctrl.Manager) error }{
		&request.Reconciler{
			Client: mgr.GetClient(), APIReader: api, Recorder: recorder, Clock: remote.Clock, Fresh: fresh,
			Sources:                  sources,
			ClusterResourceNamespace: set.clusterResourceNamespace, Listed: isListed,
		},
		order.New(order.Config{
			Client: mgr.GetClient(), APIReader: api, Recorder: recorder, Remote: remote, Submissions: submissions,
			Sources: sources, Fresh: fresh,
			ClusterResourceNamespace: set.clusterResourceNamespace, Listed: isListed,
		}),
	}
	kinds := []string{v1alpha1.AliyunIssuerKind, v1alpha1.AliyunClusterIssuerKind}
	if isListed {
		kinds = kinds[:1]
	}
	for _, kind := range kinds {
		reconcilers = append(reconcilers, &issuer.Reconciler{
			Client: mgr.GetClient(), Recorder: recorder, Remote: remote, Sources: sources, Kind: kind,
			ClusterResourceNamespace: set.clusterResourceNamespace,
			CheckBound:               issuer.DefaultCheckBound,
		})
	}
	if err := controllers.SetupIndexes(ctx, mgr, sources); err != nil {
		return err
	}
	for _, reconciler := range reconcilers {
		if err := reconciler.SetupWithManager(mgr); err != nil {
			return err
		}
	}
	if set.filesAddress != "0" {
		if err := mgr.Add(&httpfile.Server{Address: set.filesAddress,
			Files: &order.Files{Orders: mgr.GetClient()}}); err != nil {
			return err
		}
	}
	return errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping))
}

// Returns a client that goes past the cache, which would want to list and watch all objects of a kind. Secrets,
// namespaces, and what solvers make in the cluster are read by name, when they are needed.
func newAPI(mgr ctrl.Manager, set flags) (client.Client, error) {
	api, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(),
		Mapper: mgr.GetRESTMapper()})
	return &controllers.ServedClient{Client: api, Namespaces: split(set.namespaces)}, err
}

// Returns what the reconcilers reach outside of the cache.
func newRemote(ctx context.Context, mgr ctrl.Manager, api client.Client, set flags) (*access.Remote, error) {
	self, err := whoAmI(ctx, mgr.GetConfig())
	if err != nil {
		return nil, err
	}
	wall := clock.RealClock{}
	return &access.Remote{
		Secrets: &credentials.Store{Reader: api, Tokens: api, Self: self, SecretReaderRole: set.secretReaderRole,
			Now: wall.Now},
		Policy: access.Policy{
			OwnIdentityForIssuers: set.issuerAmbient, OwnIdentityForClusterIssuers: set.clusterIssuerAmbient,
			EndpointHosts: split(set.issuerEndpointHosts),
			Nameservers:   split(set.issuerNameservers),
			Routes: access.RoutePolicy{
				Domains: byNamespace(set.issuerRouteDomains), Keys: split(set.issuerRouteKeys),
				GatewayNamespaces: split(set.issuerGatewayNamespaces),
			},
		},
		SelfCheck: &dcv.SelfCheck{Nameservers: split(set.nameservers), Authoritative: set.checkAuthoritative},
		FileCheck: &httpfile.SelfCheck{},
		Clock:     wall,
		Kube:      api,
		Backend:   backend(set.filesService),
		API:       mgr.GetConfig(),
		Webhooks:  split(set.webhookSolvers),
	}, nil
}

// Returns the id that is set, or else the UID of a namespace, which no other cluster shares and no upgrade changes: of
// kube-system, or, if the installation serves listed namespaces and so may not read others, of its own.
func clusterID(ctx context.Context, from client.Reader, set flags) (string, error) {
	if set.clusterID != "" {
		return set.clusterID, nil
	}
	name := metav1.NamespaceSystem
	if set.namespaces != "" {
		name = cmp.Or(set.leaderElectionNamespace, split(set.namespaces)[0])
	}
	namespace := &corev1.Namespace{}
	if err := from.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return "", fmt.Errorf("the cluster has no id yet: set --cluster-id, or let the manager read the "+
			"namespace %s: %w", name, err)
	}
	return string(namespace.UID), nil
}

// whoAmI asks for the name by which the controller is granted permissions. Anybody may ask for their own.
func whoAmI(ctx context.Context, config *rest.Config) (credentials.Self, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", err
	}
	review, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{},
		metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("the API server does not tell as whom the manager talks to it: %w", err)
	}
	return credentials.Self(review.Status.UserInfo.Username), nil
}

// cached are the namespaces that are listed and watched; nil stands for all.
func cached(namespaces string) map[string]cache.Config {
	if namespaces == "" {
		return nil
	}
	only := map[string]cache.Config{}
	for _, name := range split(namespaces) {
		only[name] = cache.Config{}
	}
	return only
}

func backend(service string) httpfile.Backend {
	namespace, name, _ := strings.Cut(service, "/")
	return httpfile.Backend{Namespace: namespace, Name: name, Port: 80}
}

// byNamespace reads a list of namespace/domain.
func byNamespace(list string) map[string][]string {
	domains := map[string][]string{}
	for _, pair := range split(list) {
		namespace, domain, _ := strings.Cut(pair, "/")
		domains[namespace] = append(domains[namespace], domain)
	}
	return domains
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
