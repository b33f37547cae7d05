// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const (
	uninstallPage = "docs/uninstall.md"
	rightOrder    = "The right order"
	goneOrder     = "Namespaces that are deleted with their issuer"
	wrongOrder    = "When the controller was removed first"
)

func TestAnUninstallInTheRightOrderGivesBackWhatIsUnfinishedAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	w := newWorld(t, c)
	m := w.startManager()
	w.Create(w.certificate("issued"))
	w.untilIssued("issued", 1)
	w.editIssuer(gen.Manual) // nobody publishes records any more
	w.Create(w.certificate("pending"))
	w.untilOrdered("pending")

	steps := c.commands(t, uninstallPage, rightOrder, 2)
	c.follow(t, steps[0])
	m.stop()
	if !w.bought("pending", 1).Released {
		t.Error("the unfinished order was not given back")
	}
	if w.bought("issued", 1).Released || !w.get(w.secret("issued")) {
		t.Error("the issued certificate is no longer there")
	}
	c.follow(t, steps[1])
	if out := c.follow(t, "kubectl api-resources --api-group=certmanager.aliyun.com --no-headers; helm list "+
		"--all-namespaces --short"); strings.TrimSpace(out) != "" {
		t.Errorf("what is left is %s", out)
	}
	w.deleteNamespace()
	w.untilNamespaceGone()
}

func TestWhatAnUninstallHasLeftIsGivenBackOnceTheChartIsInstalledAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	w := newWorld(t, c, gen.Manual)
	order := w.orderAndUninstall()
	c.follow(t, "kubectl delete aliyunorders --all -A --wait=false")
	if !w.get(&order) || order.DeletionTimestamp == nil {
		t.Fatalf("an unfinished order is gone that nobody has given back: %+v", order)
	}
	if err := c.installChart(); err != nil {
		t.Fatal(err)
	}
	m := w.startManager()
	w.untilGone("the Orders", &v1alpha1.AliyunOrderList{})
	m.stop()
	if !w.bought(www, 1).Released {
		t.Error("the order was not given back")
	}
}

func TestWhatAnUninstallHasLeftIsFreedByTheDocumentedCommand(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	w := newWorld(t, c, gen.Manual)
	order := w.orderAndUninstall()
	c.follow(t, "kubectl delete crd aliyunorders.certmanager.aliyun.com --wait=false")
	w.deleteNamespace()
	w.untilStuck()
	steps := c.commands(t, uninstallPage, wrongOrder, 2)
	if out := c.follow(t, steps[0]); !strings.Contains(out, order.Status.OrderID) {
		t.Errorf("the list of what is left lacks order %s", order.Status.OrderID)
	}
	c.follow(t, steps[1])
	w.untilNamespaceGone()
	c.follow(t, "kubectl wait --for=delete crd aliyunorders.certmanager.aliyun.com --timeout=10m")
	if w.bought(www, 1).Released {
		t.Error("the order was given back by nobody")
	}
}

// TestANamespaceThatWentWithItsIssuerIsGivenBackByTheClusterIssuerThatTheDocumentationLetsDoIt deletes the namespace
// while no controller runs: the Secret is gone before anybody could use it.
func TestANamespaceThatWentWithItsIssuerIsGivenBackByTheClusterIssuerThatTheDocumentationLetsDoIt(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	w := newWorld(t, c, gen.Manual)
	m := w.startManager()
	w.Create(w.certificate(www))
	w.untilOrdered(www)
	m.stop()
	w.deleteNamespace()
	w.untilGone("the Secrets", &corev1.SecretList{})
	w.Create(gen.Secret(system, cassim.DefaultKeyID, cassim.DefaultKeySecret))
	w.Create(&v1alpha1.AliyunClusterIssuer{
		ObjectMeta: metav1.ObjectMeta{Name: "cas"},
		Spec:       v1alpha1.ClusterIssuerSpec{IssuerSpec: gen.IssuerSpec(w.Simulator.URL())},
	})
	c.follow(t, c.commands(t, uninstallPage, goneOrder, 1)[0])
	m = w.startManager()
	w.untilNamespaceGone()
	m.stop()
	if !w.bought(www, 1).Released {
		t.Error("the order was not given back")
	}
}

// orderAndUninstall removes the controller while an order is unfinished.
func (w *world) orderAndUninstall() v1alpha1.AliyunOrder {
	w.T.Helper()
	m := w.startManager()
	w.Create(w.certificate(www))
	order := w.untilOrdered(www)
	m.stop()
	w.cluster.follow(w.T, "helm uninstall "+release+" --namespace "+system)
	return order
}

// untilStuck waits until the namespace says that it waits for our finalizer, and for nothing else.
func (w *world) untilStuck() {
	w.T.Helper()
	w.untilGone("the requests", &cmapi.CertificateRequestList{})
	w.until("the namespace waits for the order", &corev1.NamespaceList{}, func() bool {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}}
		if !w.get(namespace) {
			w.T.Fatal("the namespace is gone, and an unfinished order with it")
		}
		for _, condition := range namespace.Status.Conditions {
			if condition.Type == corev1.NamespaceFinalizersRemaining &&
				strings.Contains(condition.Message, v1alpha1.OrderFinalizer) {
				return true
			}
		}
		return false
	})
}

func TestTheNotesOfTheChartHaveTheCommandsOfTheDocumentation(t *testing.T) {
	t.Parallel()
	c := &cluster{root: root}
	notes, err := os.ReadFile(filepath.Join(root, chart, "templates/NOTES.txt"))
	if err != nil {
		t.Fatal(err)
	}
	inOneLine := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	for _, command := range []string{c.commands(t, uninstallPage, rightOrder, 2)[0],
		c.commands(t, uninstallPage, wrongOrder, 2)[1]} {
		for line := range strings.Lines(command) {
			if !strings.Contains(inOneLine(string(notes)), inOneLine(line)) {
				t.Errorf("NOTES.txt lacks %s", line)
			}
		}
	}
}
