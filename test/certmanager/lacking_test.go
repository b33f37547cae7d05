// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestWhatAnInstallationLacksIsToldUntilItIsThere installs next to nothing, and does what the issuers say: with the
// commands that they print, with CRDs, and with values of the chart. Each step takes the minute after which an issuer
// is checked again.
func TestWhatAnInstallationLacksIsToldUntilItIsThere(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	simulator := cassim.New(cassim.Options{})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	upgrade := func(values ...string) {
		t.Helper()
		err := c.run(c.program("helm"), "upgrade", release, filepath.Join(c.root, chart), "--namespace", system,
			"--reset-values",
			"--set", strings.Join(append(values, "replicaCount=0", "secretAccess.namespaces={"+system+"}"), ","))
		if err != nil {
			t.Fatal(err)
		}
	}
	crds := filepath.Join(c.root, "test/env/crds")
	kubectl := func(arguments ...string) {
		t.Helper()
		if err := c.run(c.program("kubectl"), arguments...); err != nil {
			t.Fatal(err)
		}
	}
	upgrade()
	kubectl("delete", "-f", crds)
	m, err := c.startManager(simulator.DNSAddr(), "--secret-reader-role=ClusterRole/"+release+"-secrets",
		"--files-bind-address="+freeAddress(), "--files-service="+system+"/"+release+"-files")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.stop)

	team := worldOf(t, c, simulator)
	issuer := gen.Issuer(team.Namespace, "")
	told := team.untilSays(issuer, v1alpha1.ConditionCredentialsValid, v1alpha1.ReasonSecretForbidden)
	command := regexp.MustCompile(
		`grant it that: (kubectl create rolebinding \S+-reads-secrets .*)$`).FindStringSubmatch(told)
	if command == nil {
		t.Fatalf("the issuer prints no command: %s", told)
	}
	lacking := []*lack{
		{solver: v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}},
			says: [2]string{"install the CRD of ExternalDNS", "set the chart value solvers.dnsEndpoint"}},
		{solver: v1alpha1.Solver{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}},
			says: [2]string{"set the chart value solvers.ingress", "set the chart value solvers.ingress"}},
		{solver: onGateway, says: [2]string{"install the Gateway API", "set the chart value solvers.gatewayHTTPRoute"}},
	}
	for _, l := range lacking {
		l.world = emptyWorld(t, c, simulator)
		l.shareIssuer(l.solver)
	}
	for step := range 2 {
		for _, l := range lacking {
			l.untilSays(step)
		}
		if step == 0 {
			c.follow(t, command[1])
			kubectl("apply", "--server-side", "-f", crds)
		}
	}
	team.untilReady(issuer)
	team.Create(team.certificate(www))
	team.untilIssued(www, 1)
	upgrade("solvers.dnsEndpoint=true", "solvers.ingress=true", "solvers.gatewayHTTPRoute=true")
	for _, l := range lacking {
		l.untilReady(l.shared())
	}
}

// lack is an AliyunClusterIssuer whose solver lacks something, and then something else.
type lack struct {
	*world
	solver v1alpha1.Solver
	says   [2]string
}

func (l *lack) shared() *v1alpha1.AliyunClusterIssuer {
	return &v1alpha1.AliyunClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: l.issuer}}
}

// onGateway attaches the route to a file to a Gateway.
var onGateway = v1alpha1.Solver{File: &v1alpha1.FileSolver{GatewayHTTPRoute: &v1alpha1.HTTPRouteSolver{
	ParentRefs: []v1alpha1.ParentReference{{Name: "web", Namespace: "gateways"}},
}}}

// untilSays waits until a condition of the issuer tells what is lacking.
func (l *lack) untilSays(step int) {
	l.T.Helper()
	l.until("the issuer says "+l.says[step], &v1alpha1.AliyunClusterIssuerList{}, func() bool {
		return slices.ContainsFunc(l.read(l.shared()).Conditions,
			func(c metav1.Condition) bool { return strings.Contains(c.Message, l.says[step]) })
	})
}
