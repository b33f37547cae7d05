// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// stage is where the features are asked for: two namespaces of a cluster, in one of which the chart's policy fills
// common names in. A simulator and a manager serve both.
type stage struct {
	plain, filled *world
	simulator     *cassim.Server
}

func newStage(t *testing.T) *stage {
	t.Helper()
	account := cassim.DefaultAccount()
	account.Packages[cassim.DefaultProduct], account.Packages[wildcardProduct],
		account.Packages[wildcardProductWithBase] = 200, 20, 20
	s := &stage{}
	s.simulator = cassim.New(
		cassim.Options{Accounts: []cassim.Account{account}, Knobs: cassim.Knobs{ExtraNames: cassim.Off},
			OnExecuted: s.addBase})
	if err := s.simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.simulator.Close)
	c := newCluster(t)
	c.serveGateways(t)
	s.filled = worldOf(t, c, s.simulator)
	s.plain = worldOf(t, c, s.simulator)
	s.plain.Create(gen.Issuer(s.plain.Namespace, s.simulator.URL(), forWildcards(wildcards, wildcardProduct)))
	s.plain.Create(gen.Issuer(s.plain.Namespace, s.simulator.URL(),
		forWildcards(wildcardsWithBase, wildcardProductWithBase, v1alpha1.AdditionalNameWildcardBase)))
	s.plain.Create(gen.Secret(system, cassim.DefaultKeyID, cassim.DefaultKeySecret))
	s.plain.Create(&v1alpha1.AliyunClusterIssuer{
		ObjectMeta: metav1.ObjectMeta{Name: gen.IssuerName},
		Spec:       v1alpha1.ClusterIssuerSpec{IssuerSpec: gen.IssuerSpec(s.simulator.URL())},
	})
	s.filled.fillCommonNames()
	s.plain.startManager()
	return s
}

// addBase is the brand that adds the base name of a wildcard.
func (s *stage) addBase(r cassim.Request) (drop bool) {
	if order, isThere := s.simulator.Order(r.OrderID); isThere && r.Action == "CreateCertificateWithCsrRequest" &&
		order.ProductCode == wildcardProductWithBase {
		s.simulator.ExtraNames(r.OrderID, strings.TrimPrefix(order.Domain, "*."))
	}
	return false
}

// serveGateways has cert-manager make Certificates of Gateways and of ListenerSets, too.
func (c *cluster) serveGateways(t *testing.T) {
	t.Helper()
	module, err := ofModule("Dir", "sigs.k8s.io/gateway-api")
	if err != nil {
		t.Fatal(err)
	}
	apply := []string{"apply", "--server-side"}
	for _, kind := range []string{"gateways", "listenersets"} {
		apply = append(apply, "-f", filepath.Join(module, "config/crd/standard/gateway.networking.k8s.io_"+kind+
			".yaml"))
	}
	for _, step := range []func() error{
		func() error { return c.run(c.program("kubectl"), apply...) },
		func() error {
			return c.run(c.program("kubectl"), "wait", "--for=condition=Established", "--timeout="+
				env.Patience.String(), "crd",
				"gateways.gateway.networking.k8s.io", "listenersets.gateway.networking.k8s.io")
		},
		func() error { return c.localkube("stop", "certificates") },
		func() error { return c.runCertManager("--enable-gateway-api") },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// fillCommonNames applies the chart's policy, to the namespace alone, and returns once it is in force.
func (w *world) fillCommonNames() {
	w.T.Helper()
	helm := w.cluster.command(w.cluster.program("helm"), "template", release, filepath.Join(w.cluster.root, chart),
		"--namespace", system,
		"--show-only", "templates/common-name-policy.yaml", "--set", "commonNamePolicy.enabled=true,namespaces={"+
			w.Namespace+"}")
	policy, err := helm.CombinedOutput()
	if err != nil {
		w.T.Fatalf("%v: %v\n%s", helm, err, policy)
	}
	apply := w.cluster.command(w.cluster.program("kubectl"), "apply", "--server-side", "-f", "-")
	apply.Stdin = strings.NewReader(string(policy))
	if out, err := apply.CombinedOutput(); err != nil {
		w.T.Fatalf("%v: %v\n%s", apply, err, out)
	}
	err = wait.PollUntilContextTimeout(w.T.Context(), 100*time.Millisecond, env.Patience, true,
		func(ctx context.Context) (bool, error) {
			probe := feature{id: "probe"}.certificate(w.Namespace)
			probe.Spec.CommonName = ""
			err := w.Client.Create(ctx, probe, client.DryRunAll)
			return probe.Spec.CommonName != "", err
		})
	if err != nil {
		w.T.Fatalf("the policy that fills common names in is not in force: %v", err)
	}
}

// observed is what came of a feature.
type observed struct {
	outcome outcome
	// words are what the user reads.
	words []string
}

// observe asks for a feature, as a user does, and returns what comes of it once that is as the feature promises.
func (s *stage) observe(t *testing.T, f feature) observed {
	t.Helper()
	of := s.plain
	if f.isFilled {
		of = s.filled
	}
	w := &world{World: &env.World{T: t, Client: of.Client, Simulator: of.Simulator, Namespace: of.Namespace},
		cluster: of.cluster}
	w.ask(f)
	name, revision := f.id, 1
	if f.follows != nil {
		name, revision = f.follows(w, f)
	}
	o := w.untilEnded(name, revision)
	if o.outcome == served && f.want == leftOut {
		o.outcome = leftOut // nobody is told
	}
	if o.outcome != f.want {
		t.Fatalf("the feature is %q, want %q: %q", o.outcome, f.want, o.words)
	}
	if o.outcome == refusal {
		w.isRefused(name, revision, o.words[0])
		w.billed(f, 0)
		return o
	}
	i := w.issued(name)
	i.isGood(t, w.Simulator.RootPEM(), f)
	if f.also != nil {
		f.also(t, i)
	}
	w.billed(f, *i.certificate.Status.Revision-revision)
	return o
}

// ask makes what the user writes, and waits until cert-manager has a Certificate of it.
func (w *world) ask(f feature) {
	w.T.Helper()
	if f.shim == "" {
		w.Create(f.certificate(w.Namespace))
		return
	}
	text := strings.NewReplacer("ID", f.id, "DOMAIN", f.domain()).Replace(f.shim)
	for manifest := range strings.SplitSeq(text, "---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
			w.T.Fatal(err)
		}
		object.SetNamespace(w.Namespace)
		w.Create(object)
	}
	w.until("cert-manager has made a Certificate of it", &cmapi.CertificateList{},
		func() bool { return w.get(w.certificate(f.id)) })
}

// untilEnded waits for the end of the request for a revision, and for all of its events: the last tells the end.
func (w *world) untilEnded(name string, revision int) (o observed) {
	w.T.Helper()
	request := w.request(name, revision)
	w.until("the request of "+name+" has ended", &cmapi.CertificateRequestList{}, func() bool {
		reason := ""
		if w.get(request) {
			reason = cmutil.CertificateRequestReadyReason(request)
		}
		return reason == cmapi.CertificateRequestReasonIssued || reason == cmapi.CertificateRequestReasonFailed
	})
	ready := cmutil.GetCertificateRequestCondition(request, cmapi.CertificateRequestConditionReady)
	told := w.untilEvent(request, ready.Reason)
	if ready.Reason == cmapi.CertificateRequestReasonFailed {
		return observed{outcome: refusal, words: []string{ready.Message}}
	}
	o.outcome = served
	for _, event := range told {
		if strings.HasSuffix(event.Reason, "NotHonoured") || event.Reason == v1alpha1.ReasonNamesRespelled {
			o.outcome, o.words = warned, append(o.words, event.Reason+": "+event.Note)
		}
	}
	slices.Sort(o.words)
	return o
}

// request is that of a revision of a Certificate.
func (w *world) request(name string, revision int) *cmapi.CertificateRequest {
	return gen.Request(w.Namespace, fmt.Sprintf("%s-%d", name, revision), nil)
}

// untilEvent waits for an event of the request, and returns all that the controller has told of it.
func (w *world) untilEvent(request *cmapi.CertificateRequest, reason string) (told []eventsv1.Event) {
	w.T.Helper()
	w.until("it is told that "+request.Name+" has ended", &eventsv1.EventList{}, func() bool {
		list := &eventsv1.EventList{}
		w.list(list)
		told = slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool { return e.Regarding.UID != request.UID })
		return slices.ContainsFunc(told, func(e eventsv1.Event) bool { return e.Reason == reason })
	})
	return told
}

// failedBefore is what the Certificate says before the words of its request.
const failedBefore = "The certificate request has failed to complete and will be retried: "

// isRefused fails the test unless the Certificate says the words, too, and its request has neither an Order nor a
// certificate.
func (w *world) isRefused(name string, revision int, words string) {
	w.T.Helper()
	certificate := w.certificate(name)
	w.until("the Certificate "+name+" has failed", &cmapi.CertificateList{}, func() bool {
		return w.get(certificate) && certificate.Status.LastFailureTime != nil
	})
	issuing := cmutil.GetCertificateCondition(certificate, cmapi.CertificateConditionIssuing)
	if issuing == nil || issuing.Status != cmmeta.ConditionFalse || issuing.Message != failedBefore+words {
		w.T.Errorf("the Certificate says %+v, want %q", issuing, failedBefore+words)
	}
	request := w.request(name, revision)
	w.get(request)
	invalid := cmutil.GetCertificateRequestCondition(request, cmapi.CertificateRequestConditionInvalidRequest)
	if invalid == nil || invalid.Status != cmmeta.ConditionTrue || invalid.Message != words ||
		request.Status.FailureTime == nil {
		w.T.Errorf("the request says %+v", request.Status)
	}
	if slices.ContainsFunc(w.Orders(), func(o v1alpha1.AliyunOrder) bool {
		return o.Spec.RequestRef.UID == request.UID
	}) {
		w.T.Error("the request has an AliyunOrder")
	}
	if hasSecret := w.get(w.secret(name)); hasSecret != (revision > 1) {
		w.T.Errorf("it is %t that there is a Secret", hasSecret)
	}
}

// billed fails the test unless the feature has cost as many orders as it should. Where cert-manager has asked again by
// itself, with another key, it does when it sees the Certificate before the Secret: each time that it asks costs one.
func (w *world) billed(f feature, again int) {
	w.T.Helper()
	n := 0
	for _, entry := range w.Simulator.Ledger() {
		if f.has(entry.Domain) {
			n++
		}
	}
	if again > 0 {
		w.T.Logf("cert-manager has asked %d times more than it had to", again)
	}
	if want := f.billed() + again; n != want {
		w.T.Errorf("%d orders were billed, want %d", n, want)
	}
}
