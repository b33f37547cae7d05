// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// patience is how long a certificate may take. It takes seconds, and a renewal a minute more; only what hangs takes
// this long.
const patience = 10 * time.Minute

func cluster() (client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, cmapi.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// apply takes the samples that users start from, and points them at the simulator.
func (d *demo) apply(ctx context.Context) error {
	kube, err := cluster()
	if err != nil {
		return err
	}
	secret, issuer, certificate := &corev1.Secret{}, &v1alpha1.AliyunIssuer{}, &cmapi.Certificate{}
	err = cmp.Or(read(samples+"00-secret.yaml", secret), read(samples+d.source.issuer, issuer),
		read(samples+d.source.certificate, certificate))
	if err != nil {
		return err
	}
	secret.StringData = map[string]string{"accessKeyID": d.keyID, "accessKeySecret": d.keySecret}
	endpoint := &v1alpha1.Endpoint{URL: "http://" + d.simulator}
	issuer.Spec.Endpoint, issuer.Spec.STSEndpoint, issuer.Spec.Solvers[0].DNS.Alidns.Endpoint = endpoint, endpoint,
		endpoint
	if d.source.fit != nil {
		if err := d.source.fit(d, ctx, issuer, certificate); err != nil {
			return err
		}
	}
	d.names = certificate.Spec.DNSNames
	for _, object := range []client.Object{secret, issuer, certificate} {
		object.SetNamespace(metav1.NamespaceDefault)
		if err := kube.Create(ctx, object); err != nil {
			return err
		}
		fmt.Printf("    %T %s/%s\n", object, object.GetNamespace(), object.GetName())
	}
	return nil
}

// samples is the folder of the files that users start from.
const samples = "config/samples/"

func read(file string, object client.Object) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, object); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// watch shows how the order moves, and ends with a certificate in the Secret that was not there before.
func (d *demo) watch(ctx context.Context) error {
	kube, err := cluster()
	if err != nil {
		return err
	}
	var said string
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true,
		func(ctx context.Context) (bool, error) {
			if now := progress(ctx, kube); now != "" && now != said {
				said = now
				fmt.Printf("    [%3.0fs] %s\n", time.Since(d.began).Seconds(), now)
			}
			secret := &corev1.Secret{}
			key := client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: "www-example-com-tls"}
			if err := kube.Get(ctx, key, secret); err != nil {
				return false, client.IgnoreNotFound(err)
			}
			chain := secret.Data[corev1.TLSCertKey]
			isNew := len(chain) > 0 && !bytes.Equal(chain, d.chain)
			if isNew {
				d.chain = chain
			}
			return isNew, nil
		})
	if err != nil {
		return fmt.Errorf("no certificate after %s; last seen: %s: %w", patience, said, err)
	}
	return nil
}

func progress(ctx context.Context, kube client.Client) string {
	if order, err := newest(ctx, kube); err == nil && order != nil {
		if ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			return fmt.Sprintf("%-10s %s", order.Status.State, ready.Message)
		}
	}
	issuer := &v1alpha1.AliyunIssuer{}
	if err := kube.Get(ctx, client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: "cas"}, issuer); err == nil {
		if ready := meta.FindStatusCondition(issuer.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			return fmt.Sprintf("issuer: %s", ready.Message)
		}
	}
	return ""
}

// newest returns the AliyunOrder that was made last, or nil.
func newest(ctx context.Context, kube client.Client) (*v1alpha1.AliyunOrder, error) {
	orders := &v1alpha1.AliyunOrderList{}
	err := kube.List(ctx, orders, client.InNamespace(metav1.NamespaceDefault))
	if err != nil || len(orders.Items) == 0 {
		return nil, err
	}
	last := slices.MaxFunc(orders.Items, func(a, b v1alpha1.AliyunOrder) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return &last, nil
}

// inspect verifies the chain as a client would that trusts the authority's root, and says how its names were proved and
// what it cost.
func (d *demo) inspect(ctx context.Context) error {
	root, err := d.get(ctx, "/-/root.pem")
	if err != nil {
		return err
	}
	if err := verify(d.chain, root, d.names); err != nil {
		return err
	}
	if err := d.inspectOrder(ctx); err != nil {
		return err
	}
	calls, err := d.get(ctx, "/-/calls")
	if err != nil {
		return err
	}
	fmt.Printf("\n    calls to Alibaba Cloud: %s\n", bytes.TrimSpace(calls))
	return d.source.bill(d, ctx)
}

// inspectOrder shows the validation of each name.
func (d *demo) inspectOrder(ctx context.Context) error {
	kube, err := cluster()
	if err != nil {
		return err
	}
	order, err := newest(ctx, kube)
	if err != nil {
		return err
	}
	if order == nil {
		return fmt.Errorf("there is a certificate, and no AliyunOrder that it came from")
	}
	fmt.Printf("\n    AliyunOrder %s, at CAS %s\n", order.Name, order.Status.OrderID)
	for _, v := range order.Status.Validations {
		seen := "not seen yet when it was issued"
		if v.VisibleAt != nil {
			seen = "visible since " + v.VisibleAt.Format(time.TimeOnly)
		}
		fmt.Printf("        %-16s %s at %s, %s\n", v.Domain, v.RecordType, v.FQDN, seen)
	}
	d.orders = append(d.orders, *order)
	return nil
}

func verify(chain, root []byte, names []string) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		return fmt.Errorf("the simulator gave no root")
	}
	block, rest := pem.Decode(chain)
	if block == nil {
		return fmt.Errorf("the Secret holds no certificate")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	if !slices.Equal(slices.Sorted(slices.Values(leaf.DNSNames)), slices.Sorted(slices.Values(names))) {
		return fmt.Errorf("the certificate is for %v and its Certificate for %v: it would not be ready while "+
			"it is renewed", leaf.DNSNames, names)
	}
	intermediates.AppendCertsFromPEM(rest)
	paths, err := leaf.Verify(
		x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: "www.example.com"})
	if err != nil {
		return fmt.Errorf("the chain does not verify: %w", err)
	}
	path := paths[0]
	for _, c := range path[:len(path)-1] {
		fmt.Printf("    subject %s\n    issuer  %s\n    names   %v\n    valid   %s to %s\n\n", c.Subject, c.Issuer,
			c.DNSNames,
			c.NotBefore.Format(time.DateTime), c.NotAfter.Format(time.DateTime))
	}
	fmt.Printf("    The Secret's chain verifies against the root of the simulator's authority, %s.\n",
		path[len(path)-1].Subject)
	return nil
}

// get reads from the admin API of the simulator.
func (d *demo) get(ctx context.Context, path string) ([]byte, error) {
	return d.ask(ctx, http.MethodGet, path, nil)
}

// post has the admin API of the simulator do something.
func (d *demo) post(ctx context.Context, path string, what any) ([]byte, error) {
	body, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	return d.ask(ctx, http.MethodPost, path, body)
}

func (d *demo) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+d.simulator+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("the simulator answered %s with %s: %s", path, resp.Status, bytes.TrimSpace(answer))
	}
	return answer, err
}

func (d *demo) goOn() {
	fmt.Printf(`
==> Done in %.0f s. All of it goes on running. To look around:

    export KUBECONFIG=$PWD/%s PATH=$PWD/bin/k8s:$PATH
    kubectl get certificates,certificaterequests,aliyunissuers,aliyunorders
    kubectl describe aliyunorder
    kubectl get events
    kubectl delete secret www-example-com-tls       # cert-manager orders again, and the simulator bills again
    curl http://%s%-16s # what the simulator has billed
    tail -f %s/log/manager.log

    make demo-down                                  # ends and removes everything
`, time.Since(d.began).Seconds(), kubeconfig, d.simulator, d.source.ledger, dir)
}
