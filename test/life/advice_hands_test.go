// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// root is the repository.
const root = "../.."

// is fails the test unless the message names what is meant.
func (r *reader) is(word int, want string) {
	r.T.Helper()
	if r.words[word] != want {
		r.T.Fatalf("the message names %q, want %q", r.words[word], want)
	}
}

// certificate is one for which cert-manager makes the request www.
func (r *reader) certificate() *cmapi.Certificate {
	r.T.Helper()
	request := r.Request("www")
	csr, err := pki.DecodeX509CertificateRequestBytes(request.Spec.Request)
	if err != nil {
		r.T.Fatal(err)
	}
	crt := &cmapi.Certificate{Spec: cmapi.CertificateSpec{
		CommonName: csr.Subject.CommonName, DNSNames: csr.DNSNames, SecretName: "www", IsCA: request.Spec.IsCA,
		Usages: request.Spec.Usages, IssuerRef: request.Spec.IssuerRef,
	}}
	for _, ip := range csr.IPAddresses {
		crt.Spec.IPAddresses = append(crt.Spec.IPAddresses, ip.String())
	}
	for _, extension := range csr.Extensions {
		names, err := pki.UnmarshalSANs(extension.Value)
		if err != nil || extension.Id.String() != "2.5.29.17" {
			continue
		}
		for _, other := range names.OtherNames {
			crt.Spec.OtherNames = append(
				crt.Spec.OtherNames, cmapi.OtherName{OID: other.TypeID.String(), UTF8Value: "u@example.com"})
		}
	}
	switch key := csr.PublicKey.(type) {
	case *rsa.PublicKey:
		crt.Spec.PrivateKey = &cmapi.CertificatePrivateKey{Algorithm: cmapi.RSAKeyAlgorithm, Size: key.N.BitLen()}
	case *ecdsa.PublicKey:
		crt.Spec.PrivateKey = &cmapi.CertificatePrivateKey{Algorithm: cmapi.ECDSAKeyAlgorithm,
			Size: key.Curve.Params().BitSize}
	}
	return crt
}

// edit changes a field of a Certificate, which must have one of that name. Nil removes it.
func (r *reader) edit(crt *cmapi.Certificate, path string, value any) {
	r.T.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(crt)
	if err != nil {
		r.T.Fatal(err)
	}
	steps := strings.Split(path, ".")
	if value != nil {
		err = unstructured.SetNestedField(fields, value, steps...)
	} else if _, isThere, _ := unstructured.NestedFieldNoCopy(fields, steps...); !isThere {
		r.T.Fatalf("the Certificate has no field %s", path)
	}
	if value == nil {
		unstructured.RemoveNestedField(fields, steps...)
	}
	if err != nil {
		r.T.Fatal(err)
	}
	*crt = cmapi.Certificate{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(fields, crt, true); err != nil {
		r.T.Fatalf("%s: %v", path, err)
	}
}

// without takes a name out of a list of a Certificate.
func (r *reader) without(crt *cmapi.Certificate, path, name string) {
	r.T.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(crt)
	if err != nil {
		r.T.Fatal(err)
	}
	names, _, err := unstructured.NestedStringSlice(fields, strings.Split(path, ".")...)
	if err != nil || !slices.Contains(names, name) {
		r.T.Fatalf("%s has no %q: %q", path, name, names)
	}
	r.edit(crt, path, list(slices.DeleteFunc(names, func(n string) bool { return n == name })...))
}

func list(values ...string) []any {
	all := make([]any, 0, len(values))
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

// renew makes the request that cert-manager makes for a Certificate, and has it approved.
func (r *reader) renew(crt *cmapi.Certificate, name string) string {
	r.T.Helper()
	key, err := pki.GeneratePrivateKeyForCertificate(crt)
	if err != nil {
		r.T.Fatal(err)
	}
	template, err := pki.GenerateCSR(crt, pki.WithUseLiteralSubject(true)) // as cert-manager does by default
	if err != nil {
		r.T.Fatal(err)
	}
	der, err := pki.EncodeCSR(template, key)
	if err != nil {
		r.T.Fatal(err)
	}
	request := gen.Request(r.Namespace, name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		gen.OfCertificate)
	request.Spec.IsCA, request.Spec.Usages, request.Spec.IssuerRef = crt.Spec.IsCA, crt.Spec.Usages, crt.Spec.IssuerRef
	r.Create(request)
	r.Decide(name, cmapi.CertificateRequestConditionApproved)
	return name
}

// again is renew for the Certificate of the request www, as it is or changed.
func (r *reader) again(change ...func(*cmapi.Certificate)) string {
	r.T.Helper()
	crt := r.certificate()
	for _, c := range change {
		c(crt)
	}
	return r.renew(crt, "again")
}

// anew makes a request without a Certificate, for a common name.
func (r *reader) anew(commonName string) string {
	r.T.Helper()
	request := gen.Request(r.Namespace, "again", gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
		c.Subject.CommonName, c.DNSNames = commonName, []string{commonName}
	}))
	request.Spec.IssuerRef = r.Request("www").Spec.IssuerRef
	r.Create(request)
	r.Decide("again", cmapi.CertificateRequestConditionApproved)
	return "again"
}

// set changes a field of an issuer, as kubectl does: the API server refuses one that it does not know. Nil removes it.
func (r *reader) set(issuer client.Object, path string, value any) {
	r.T.Helper()
	steps := strings.Split(path, ".")
	for _, step := range slices.Backward(steps) {
		value = map[string]any{step: value}
	}
	patch, err := json.Marshal(value)
	if err != nil {
		r.T.Fatal(err)
	}
	if err := r.Client.Patch(r.T.Context(), issuer, client.RawPatch(types.MergePatchType, patch),
		&client.PatchOptions{Raw: &metav1.PatchOptions{FieldValidation: "Strict"}}); err != nil {
		r.T.Fatalf("%s: %v", path, err)
	}
}

func (r *reader) issuer() *v1alpha1.AliyunIssuer { return gen.Issuer(r.Namespace, "") }

func (r *reader) clusterIssuer() *v1alpha1.AliyunClusterIssuer {
	return &v1alpha1.AliyunClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: gen.IssuerName}}
}

// wildcardIssuer makes an issuer with a wildcard product, and returns its name.
func (r *reader) wildcardIssuer() string {
	r.T.Helper()
	const product = "geotrust-dv-w-starter"
	r.Simulator.SetPackage(product, 3, 0)
	r.Create(gen.Issuer(r.Namespace, r.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) {
		i.Name, i.Spec.Source.ResourcePlan.ProductCode = "wildcards", product
	}))
	return "wildcards"
}

// chart is a value of the Helm chart, which must have it.
func (r *reader) chart(path string) any {
	r.T.Helper()
	text, err := os.ReadFile(filepath.Join(root, "charts/aliyun-issuer/values.yaml"))
	if err != nil {
		r.T.Fatal(err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		r.T.Fatal(err)
	}
	value, isThere, err := unstructured.NestedFieldNoCopy(values, strings.Split(path, ".")...)
	if err != nil || !isThere {
		r.T.Fatalf("the chart has no value %s", path)
	}
	return value
}

// operate starts the controller with what a value of the chart becomes; test/chart has which flag that is.
func (r *reader) operate(value string, change func(*access.Remote)) {
	r.T.Helper()
	r.chart(value)
	r.Configure = change
	r.Restart()
}

// shell runs a command as a person does who administers the cluster, and returns what it prints.
func shell(e *env.Env, command string) string {
	e.T.Helper()
	absolute, err := filepath.Abs(root)
	if err != nil {
		e.T.Fatal(err)
	}
	cmd := exec.CommandContext(e.T.Context(), "sh", "-c", command)
	cmd.Env = docs.Environment(absolute, env.Kubeconfig(e.T), e.T.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		e.T.Fatalf("%s: %v: %s", command, err, out)
	}
	return string(out)
}

// run runs a command, and wakes all Orders.
func (r *reader) run(command string) {
	r.T.Helper()
	shell(r.Env, command)
	for _, order := range r.Orders() { // what is remembered of them is forgotten by a write only
		if err := r.Client.Patch(r.T.Context(), &order,
			client.RawPatch(types.MergePatchType, []byte("{}"))); err != nil {
			r.T.Fatal(err)
		}
	}
}

// inConsole is the order with a tag, by the console of CAS, or "none".
func (r *reader) inConsole(key, value string) string {
	for _, order := range r.Simulator.Ledger() {
		if order.Tags[key] == value && !order.Released {
			return order.OrderID
		}
	}
	return "none"
}

// cancelAndDelete does so in the console, and looks whether the plan has its certificate back.
func (r *reader) cancelAndDelete(order string) {
	r.T.Helper()
	r.Simulator.LiftFaults() // the console is not the API
	console, err := cas.New(cas.Config{
		Endpoint: rpc.Endpoint{Region: "cn-hangzhou", URL: r.Simulator.URL()},
		Credentials: rpc.StaticCredentials(
			rpc.Credentials{AccessKeyID: cassim.DefaultKeyID, AccessKeySecret: cassim.DefaultKeySecret}), Rate: 1e6,
	})
	if err != nil {
		r.T.Fatal(err)
	}
	id, isID := cas.ParseOrderID(order)
	if !isID {
		r.T.Fatalf("%q is no id", order)
	}
	if err := console.Cancel(r.T.Context(), id); err != nil {
		r.T.Fatal(err)
	}
	if err := console.Delete(r.T.Context(), id); err != nil {
		r.T.Fatal(err)
	}
	if order, _ := r.Simulator.Order(order); !order.Released {
		r.T.Errorf("the order is still paid for: %+v", order)
	}
}

// publish makes a record that a message asks for.
func (r *reader) publish(name, value string) {
	r.Simulator.AddRecord(cassim.DefaultZone, strings.TrimSuffix(name, "."+cassim.DefaultZone), "TXT", value)
}

// referTo names an AliyunIssuer.
func referTo(name string) func(*cmapi.Certificate) {
	return func(crt *cmapi.Certificate) {
		crt.Spec.IssuerRef.Kind, crt.Spec.IssuerRef.Name = v1alpha1.AliyunIssuerKind, name
	}
}
