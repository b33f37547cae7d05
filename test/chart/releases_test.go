// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// releases runs helm against the API server, as it is used.
type releases struct {
	t          *testing.T
	kubeconfig string
}

// run returns what helm says, and whether it was done.
func (r *releases) run(verb, name, namespace string, args ...string) (string, bool) {
	r.t.Helper()
	args = append([]string{verb, name, folder, "--kubeconfig", r.kubeconfig, "--namespace", namespace, "--set",
		"crds.enabled=false,replicaCount=0"}, args...)
	out, err := helm(r.t, args...)
	return out, err == nil
}

func (r *releases) install(name, namespace string, args ...string) {
	r.t.Helper()
	if out, isDone := r.run("install", name, namespace, args...); !isDone {
		r.t.Fatal(out)
	}
	r.t.Cleanup(func() {
		if out, err := helm(r.t, "uninstall", name, "--kubeconfig", r.kubeconfig, "--namespace",
			namespace); err != nil {
			r.t.Error(out)
		}
		forgotten(r.t)
	})
}

func TestAReleaseThatServesWhatAnotherServesIsRefused(t *testing.T) {
	kube := env.Client(t)
	one, two, a, b, c := env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube),
		env.Namespace(t, kube)
	for name, test := range map[string]struct {
		first, second string // the value namespaces
		common        string
	}{
		"all beside all":    {"null", "null", "all namespaces"},
		"one beside all":    {"null", "{" + a + "}", a},
		"all beside two":    {"{" + a + "," + b + "}", "null", a + ", " + b},
		"two that have one": {"{" + a + "," + b + "}", "{" + b + "," + c + "}", b},
		"the same":          {"{" + a + "}", "{" + a + "}", a},
	} {
		t.Run(name, func(t *testing.T) {
			r := &releases{t: t, kubeconfig: env.Kubeconfig(t)}
			r.install("first", one, "--set", "namespaces="+test.first)
			want := "the release first in the namespace " + one + " serves already, as this one would: " + test.common +
				". Two controllers must not order for one namespace. List in the value namespaces"
			for _, dry := range []string{"none", "server"} {
				out, isDone := r.run("install", "second", two, "--set", "namespaces="+test.second, "--dry-run="+dry)
				if isDone || !strings.Contains(out, want) {
					t.Errorf("with --dry-run=%s helm says %q, want %q", dry, out, want)
				}
			}
		})
	}
}

func TestReleasesOfOtherNamespacesStandSideBySide(t *testing.T) {
	kube := env.Client(t)
	one, two, a, b, c := env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube),
		env.Namespace(t, kube)
	r := &releases{t: t, kubeconfig: env.Kubeconfig(t)}
	// They have the same name, and what has no namespace does not collide.
	r.install("aliyun-issuer", one, "--set", "namespaces={"+a+"}")
	r.install("aliyun-issuer", two, "--set", "namespaces={"+b+"}")

	if out, isDone := r.run("upgrade", "aliyun-issuer", one, "--set", "namespaces={"+a+","+c+"}"); !isDone {
		t.Errorf("a release is in its own way: %s", out)
	}
	out, isDone := r.run("upgrade", "aliyun-issuer", one, "--set", "namespaces={"+a+","+b+"}")
	if want := "the release aliyun-issuer in the namespace " + two + " serves already, as this one would: " + b +
		"."; isDone || !strings.Contains(out, want) {
		t.Errorf("when it wants the other's namespace, helm says %q, want %q", out, want)
	}
}

func TestAReleaseMayServeFewerNamespacesLater(t *testing.T) {
	kube := env.Client(t)
	one, a := env.Namespace(t, kube), env.Namespace(t, kube)
	r := &releases{t: t, kubeconfig: env.Kubeconfig(t)}
	r.install("aliyun-issuer", one)
	for _, namespaces := range []string{"null", "{" + a + "}", "null"} {
		if out, isDone := r.run("upgrade", "aliyun-issuer", one, "--set", "namespaces="+namespaces); !isDone {
			t.Errorf("it cannot be changed to %s: %s", namespaces, out)
		}
	}
}

// TestTwoReleasesInOneNamespaceAreRefused since the lease of the namespace lets one of them work only.
func TestTwoReleasesInOneNamespaceAreRefused(t *testing.T) {
	kube := env.Client(t)
	one, a, b := env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube)
	r := &releases{t: t, kubeconfig: env.Kubeconfig(t)}
	r.install("first", one, "--set", "namespaces={"+a+"}")
	out, isDone := r.run("install", "second", one, "--set", "namespaces={"+b+"}")
	if want := "the release first in the namespace " + one + " would share its lease with this one"; isDone ||
		!strings.Contains(out, want) {
		t.Errorf("helm says %q, want %q", out, want)
	}
}

// TestAReleaseOfAnotherNameTakesTheCRDsOver installs again what was uninstalled, as the page on uninstalling says.
func TestAReleaseOfAnotherNameTakesTheCRDsOver(t *testing.T) {
	kube := env.Client(t)
	one, two := env.Namespace(t, kube), env.Namespace(t, kube)
	r := &releases{t: t, kubeconfig: env.Kubeconfig(t)}
	withCRDs := []string{"--set", "crds.enabled=true"}
	if out, isDone := r.run("install", "first", one,
		append(withCRDs, "--take-ownership")...); !isDone { // those of the tests are nobody's
		t.Fatal(out)
	}
	if out, err := helm(t, "uninstall", "first", "--kubeconfig", r.kubeconfig, "--namespace", one); err != nil {
		t.Fatal(out)
	}
	forgotten(t)
	if out, isDone := r.run("install", "second", two, withCRDs...); isDone ||
		!strings.Contains(out, "invalid ownership metadata") {
		t.Errorf("helm says %q", out)
	}
	r.install("second", two, append(withCRDs, "--take-ownership")...)
}
