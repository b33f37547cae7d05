// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestTheManagerUsesEveryPermissionThatItHasAndLacksNone compares what the API server has seen with what the chart
// grants. The life that it leads has all that a manager ever does in it: whoever grants more has to say here what for.
func TestTheManagerUsesEveryPermissionThatItHasAndLacksNone(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "--audit")
	if err := c.run(c.program("helm"), "upgrade", release, filepath.Join(c.root, chart), "--namespace", system,
		"--reuse-values", "--set", "solvers.gatewayHTTPRoute=true"); err != nil {
		t.Fatal(err)
	}
	// The CA takes its time: orders are edited while they wait for it.
	simulator := cassim.New(cassim.Options{CADelay: 20 * time.Second})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	// Without this, and with an API server as new as this one, it watches only, and lists nothing.
	environment := []string{"KUBE_FEATURE_WatchListClient=false"}
	m, err := c.startManagerIn(environment, simulator.DNSAddr(), "--leader-elect", "--leader-election-namespace="+
		system, "--files-bind-address="+freeAddress(), "--files-service="+system+"/"+release+"-files")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.stop()
		if t.Failed() {
			t.Logf("the log of the manager:\n%s", m.log.String())
		}
	})
	t.Run("its life", func(t *testing.T) { // its parts are over when it returns
		for name, live := range map[string]func(*testing.T, *cluster, *cassim.Server){
			"an id that cannot be written": refuseAnOrderID, "two orders for one name": orderTwice,
			"a cluster issuer": issueForTheCluster, "a request is orphaned": orphanAnOrder,
			"a Secret is deleted": orderTooOften,
			"ExternalDNS": handOver(
				v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}}}),
			"an Ingress":   handOver(v1alpha1.Solver{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}}),
			"an HTTPRoute": handOver(v1alpha1.Solver{File: &v1alpha1.FileSolver{GatewayHTTPRoute: gateway()}}),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				live(t, c, simulator)
			})
		}
	})
	m.stop() // which gives the lease back
	granted, used := c.granted(t), c.used(t)
	for _, permission := range slices.Sorted(maps.Keys(granted)) {
		if !used[permission] {
			t.Errorf("it is granted and not used: %s", permission)
		}
	}
	for _, permission := range slices.Sorted(maps.Keys(used)) {
		if strings.HasPrefix(permission, "forbidden") {
			t.Error(permission)
		}
	}
}

func gateway() *v1alpha1.HTTPRouteSolver {
	return &v1alpha1.HTTPRouteSolver{ParentRefs: []v1alpha1.ParentReference{{Name: "gateway"}}}
}

// handOver edits a Certificate whose proof is published: what a solver has made in the cluster then gets another owner.
func handOver(solver v1alpha1.Solver) func(*testing.T, *cluster, *cassim.Server) {
	return func(t *testing.T, c *cluster, simulator *cassim.Server) {
		w := emptyWorld(t, c, simulator)
		w.shareIssuer(solver)
		certificate := w.certificate(www)
		w.Create(certificate)
		isPresented := func(o v1alpha1.AliyunOrder) bool {
			return len(o.Status.Validations) > 0 && o.Status.Validations[0].PresentedAt != nil
		}
		before := w.untilOrder(www, "the proof is published", isPresented)
		w.edit(certificate, func() {
			certificate.Spec.Usages = []cmapi.KeyUsage{cmapi.UsageDigitalSignature, cmapi.UsageServerAuth}
		})
		w.untilOrder(www, "the proof is published for the new request", func(o v1alpha1.AliyunOrder) bool {
			return o.UID != before.UID && isPresented(o)
		})
		w.delete(certificate)
		w.untilGone("the Orders", &v1alpha1.AliyunOrderList{}) // with what was published for them
	}
}

// refuseAnOrderID keeps an id from being written that CAS has given. The controller says so again and again, which is a
// patch of the first event, and loses nothing.
func refuseAnOrderID(t *testing.T, c *cluster, simulator *cassim.Server) {
	w := worldOf(t, c, simulator)
	end := w.refuse(admissionregistrationv1.Update, "aliyunorders/status", "!has(object.status.orderID)",
		"no ids today")
	w.Create(w.certificate(www))
	w.until("it is said twice that the id cannot be written", &eventsv1.EventList{}, func() bool {
		told := &eventsv1.EventList{}
		w.list(told)
		return slices.ContainsFunc(told.Items, func(e eventsv1.Event) bool {
			return e.Reason == "OrderIDNotWritten" &&
				e.Series != nil
		})
	})
	end()
	w.untilIssued(www, 1)
	w.bought(www, 1)
}

// orderTwice lets a second Order ask what has become of the first one for the same name.
func orderTwice(t *testing.T, c *cluster, simulator *cassim.Server) {
	w := worldOf(t, c, simulator)
	w.Create(w.certificate(www))
	w.untilOrdered(www)
	second := w.certificate("second")
	second.Spec.CommonName, second.Spec.DNSNames = w.domain(www), []string{w.domain(www)}
	w.Create(second)
	w.until("both are issued", &cmapi.CertificateList{}, func() bool {
		ready := cmapi.CertificateCondition{Type: cmapi.CertificateConditionReady, Status: cmmeta.ConditionTrue}
		return w.get(second) && cmutil.CertificateHasCondition(second, ready)
	})
	w.untilIssued(www, 1)
}

// orderTooOften lets a Certificate be asked why it is ordered again.
func orderTooOften(t *testing.T, c *cluster, simulator *cassim.Server) {
	w := worldOf(t, c, simulator,
		func(i *v1alpha1.AliyunIssuer) { i.Spec.Orders = &v1alpha1.OrderPolicy{MaxPerDay: new(int32(1))} })
	w.Create(w.certificate(www))
	w.untilIssued(www, 1)
	w.delete(w.secret(www))
	w.untilOrder(www, "the second order is held", isHeld(v1alpha1.ReasonOrderRateExceeded))
}

func issueForTheCluster(t *testing.T, c *cluster, simulator *cassim.Server) {
	w := worldOf(t, c, simulator)
	secret := gen.Secret(system, cassim.DefaultKeyID, cassim.DefaultKeySecret)
	issuer := &v1alpha1.AliyunClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace},
		Spec: v1alpha1.ClusterIssuerSpec{IssuerSpec: gen.IssuerSpec(simulator.URL())}}
	certificate := w.certificate(www)
	certificate.Spec.IssuerRef.Kind, certificate.Spec.IssuerRef.Name = v1alpha1.AliyunClusterIssuerKind, w.Namespace
	for _, object := range []client.Object{secret, issuer, certificate} {
		w.Create(object)
	}
	w.untilIssued(www, 1)
}

// orphanAnOrder deletes a request without its Order, which the controller deletes then.
func orphanAnOrder(t *testing.T, c *cluster, simulator *cassim.Server) {
	w := worldOf(t, c, simulator)
	request := w.newRequest(www)
	w.Create(request)
	w.untilOrdered(www)
	if err := w.Client.Delete(t.Context(), request,
		client.PropagationPolicy(metav1.DeletePropagationOrphan)); err != nil {
		t.Fatal(err)
	}
	w.untilGone("the Orders", &v1alpha1.AliyunOrderList{})
}

// granted are the permissions of the manager's ServiceAccount, each with the binding that gives it.
func (c *cluster) granted(t *testing.T) map[string]bool {
	t.Helper()
	granted := map[string]bool{}
	add := func(binding, kind, namespace, name string) {
		for _, rule := range c.rules(t, kind, namespace, name) {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						granted[strings.Join([]string{binding, verb, resource, group}, " ")] = true
					}
				}
			}
		}
	}
	isOurs := func(subjects []rbacv1.Subject) bool {
		return slices.Contains(subjects, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: release,
			Namespace: system})
	}
	wide, narrow := &rbacv1.ClusterRoleBindingList{}, &rbacv1.RoleBindingList{}
	for _, list := range []client.ObjectList{wide, narrow} {
		if err := c.kube.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range wide.Items {
		if isOurs(b.Subjects) {
			add(b.Name, b.RoleRef.Kind, "", b.RoleRef.Name)
		}
	}
	for _, b := range narrow.Items {
		if isOurs(b.Subjects) {
			add(b.Namespace+"/"+b.Name, b.RoleRef.Kind, b.Namespace, b.RoleRef.Name)
		}
	}
	if len(granted) == 0 {
		t.Fatal("the manager may do nothing")
	}
	return granted
}

func (c *cluster) rules(t *testing.T, kind, namespace, name string) []rbacv1.PolicyRule {
	t.Helper()
	if kind == "ClusterRole" {
		role := &rbacv1.ClusterRole{}
		if err := c.kube.Get(t.Context(), client.ObjectKey{Name: name}, role); err != nil {
			t.Fatal(err)
		}
		return role.Rules
	}
	role := &rbacv1.Role{}
	if err := c.kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}

// audited is a line of the API server's audit log.
type audited struct {
	User      struct{ Username string }
	Verb      string
	ObjectRef *struct{ APIGroup, Resource, Subresource, Namespace string }
	// Annotations tell which binding has allowed the request.
	Annotations map[string]string
}

// used is what the API server has let the manager do, as granted, and what it has not, as "forbidden ...".
func (c *cluster) used(t *testing.T) map[string]bool {
	t.Helper()
	file, err := os.Open(filepath.Join(c.dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	used, lines := map[string]bool{}, bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var line audited
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.User.Username != "system:serviceaccount:"+system+":"+release || line.ObjectRef == nil {
			continue
		}
		resource := line.ObjectRef.Resource
		if line.ObjectRef.Subresource != "" {
			resource += "/" + line.ObjectRef.Subresource
		}
		binding := "forbidden"
		if line.Annotations["authorization.k8s.io/decision"] == "allow" {
			binding = bindingIn(line.Annotations["authorization.k8s.io/reason"])
		}
		used[strings.Join([]string{binding, line.Verb, resource, line.ObjectRef.APIGroup}, " ")] = true
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return used
}

// bindingIn finds the name in RBAC: allowed by RoleBinding "name/namespace" of ...
func bindingIn(reason string) string {
	_, quoted, _ := strings.Cut(reason, `"`)
	name, _, _ := strings.Cut(quoted, `"`)
	if binding, namespace, isNarrow := strings.Cut(name, "/"); isNarrow {
		return namespace + "/" + binding
	}
	return name
}
