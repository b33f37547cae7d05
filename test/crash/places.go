// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
	"github.com/aliyun-issuer/aliyun-issuer/test/provider"
)

// place is where a domain is validated, and what others have there.
type place struct {
	// open puts there what others have, and lets the reconcilers reach it.
	open   func(*env.Env)
	issuer func(*v1alpha1.AliyunIssuer)
	// user does what there is to do beside the reconcilers. It is called after each step, and once at the end.
	user func(*env.Env)
	// state is what is there. At the end it has to be what it was before.
	state func(*env.Env) any
}

const others = "somebody else's"

func nobody(*env.Env) {}

// inZone is a zone of Alibaba Cloud DNS where somebody else has a record of the same name and type.
func inZone(solver v1alpha1.DNSSolver) place {
	return place{
		open:   func(e *env.Env) { e.Simulator.AddRecord(cassim.DefaultZone, "_dnsauth.www", "TXT", others) },
		issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = []v1alpha1.Solver{{DNS: &solver}} },
		user:   nobody,
		state:  func(e *env.Env) any { return e.Simulator.Records(cassim.DefaultZone) },
	}
}

func byAlidns(*testing.T, *cassim.Options) place {
	p := inZone(v1alpha1.DNSSolver{})
	p.issuer = func(*v1alpha1.AliyunIssuer) {} // has it
	return p
}

// byHand lets a person create the record that the status asks for, and keep it.
func byHand(*testing.T, *cassim.Options) place {
	p := inZone(v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}})
	added := map[string]bool{}
	p.user = func(e *env.Env) {
		for _, order := range e.Orders() {
			for _, v := range order.Status.Validations {
				if v.FQDN == "" || added[v.RecordValue] || len(order.Status.Certificate) > 0 {
					continue
				}
				added[v.RecordValue] = true
				e.Simulator.AddRecord(cassim.DefaultZone, strings.TrimSuffix(v.FQDN, "."+cassim.DefaultZone),
					v.RecordType, v.RecordValue)
			}
		}
	}
	p.state = func(e *env.Env) any {
		var rest []cassim.Record
		for _, record := range e.Simulator.Records(cassim.DefaultZone) {
			if !added[record.Value] {
				rest = append(rest, record)
			}
		}
		return rest
	}
	return p
}

// byUpdates is a primary name server, which the CA and the controller ask, too.
func byUpdates(t *testing.T, options *cassim.Options) place {
	server := primary.Start(t, cassim.DefaultZone, `_dnsauth.www.example.com. 300 IN TXT "`+others+`"`,
		"_dnsauth.www.example.com. 300 IN MX 10 mail.example.com.")
	options.Resolver = server.Addr
	return place{
		open: func(e *env.Env) {
			server.Arrives, server.Answers = func() bool { return e.Points.Arrives("UPDATE") }, e.Points.Answers
			e.Configure = func(remote *access.Remote) {
				remote.SelfCheck = &dcv.SelfCheck{Nameservers: []string{server.Addr}}
				remote.Policy.Nameservers = []string{server.Addr}
			}
			e.Restart()
			e.Create(&corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tsig"},
				StringData: map[string]string{"secret": server.Secret},
			})
		},
		issuer: func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
				Nameserver: server.Addr, TSIGKeyName: server.KeyName, TSIGAlgorithm: "HMACSHA256",
				TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{
					SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: "secret"},
			}}}}
		},
		user:  nobody,
		state: func(*env.Env) any { return server.Records() },
	}
}

// by is a webhook, which many lives share.
func by(webhook *provider.Provider) func(*testing.T, *cassim.Options) place {
	return func(*testing.T, *cassim.Options) place {
		p := inZone(v1alpha1.DNSSolver{
			Webhook: &v1alpha1.WebhookSolver{GroupName: webhook.Group, SolverName: provider.SolverName}})
		addRecord := p.open
		p.open = func(e *env.Env) {
			addRecord(e)
			webhook.Attach(e.Namespace, e.Simulator)
			e.Configure = func(remote *access.Remote) {
				remote.API = rest.CopyConfig(remote.API)
				remote.API.Wrap(e.Points.Transport)
				remote.Webhooks = []string{webhook.Group + "/" + provider.SolverName}
			}
			e.Restart()
		}
		return p
	}
}

// add is somebody else's object.
func add(e *env.Env, kind schema.GroupVersionKind, name string, spec map[string]any) {
	e.T.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetGroupVersionKind(kind)
	object.SetNamespace(e.Namespace)
	object.SetName(name)
	e.Create(object)
}

// byExternalDNS lets the user do what ExternalDNS does with TXT records. Somebody else has a DNSEndpoint of another
// type for the same name: of two of one type ExternalDNS would publish only one.
func byExternalDNS(*testing.T, *cassim.Options) place {
	p := inZone(v1alpha1.DNSSolver{DNSEndpoint: &v1alpha1.DNSEndpointSolver{}})
	addRecord := p.open
	p.open = func(e *env.Env) {
		addRecord(e)
		add(e, dnsendpoint.Kind, "theirs", map[string]any{"endpoints": []any{
			map[string]any{"dnsName": "_dnsauth.www.example.com", "recordType": "MX", "recordTTL": int64(300),
				"targets": []any{"10 mail.example.com"}},
		}})
	}
	ids := map[string]string{}
	p.user = func(e *env.Env) {
		isWanted := map[string]bool{}
		for _, object := range e.Objects(dnsendpoint.Kind) {
			list, _, _ := unstructured.NestedSlice(object.Object, "spec", "endpoints")
			for _, item := range list {
				endpoint := item.(map[string]any)
				value := endpoint["targets"].([]any)[0].(string)
				if endpoint["recordType"] != "TXT" {
					continue
				}
				isWanted[value] = true
				if ids[value] == "" {
					relative := strings.TrimSuffix(endpoint["dnsName"].(string), "."+cassim.DefaultZone)
					ids[value] = e.Simulator.AddRecord(cassim.DefaultZone, relative, "TXT", value)
				}
			}
		}
		for value, id := range ids {
			if !isWanted[value] {
				e.Simulator.RemoveRecord(id)
				delete(ids, value)
			}
		}
	}
	p.state = func(e *env.Env) any {
		return []any{e.Simulator.Records(cassim.DefaultZone), e.Objects(dnsendpoint.Kind)}
	}
	return p
}

// byFiles is a web server that follows the Ingresses of ours. Somebody else has one for the same host, and one for the
// same path, too.
func byFiles(t *testing.T, options *cassim.Options) place {
	site := httptest.NewUnstartedServer(nil)
	t.Cleanup(site.Close)
	address := site.Listener.Addr().String()
	options.WebAddr = address
	return place{
		open: func(e *env.Env) {
			site.Config.Handler = e.Router(httpfile.IngressKind)
			site.Start()
			for name, path := range map[string]string{
				"theirs": "/", "their-file": "/.well-known/pki-validation/fileauth.txt"} {
				add(e, httpfile.IngressKind, name, map[string]any{"rules": []any{map[string]any{
					"host": "www.example.com", "http": map[string]any{"paths": []any{map[string]any{
						"path": path, "pathType": "Prefix",
						"backend": map[string]any{
							"service": map[string]any{"name": "theirs", "port": map[string]any{"number": int64(80)}}},
					}}},
				}}})
			}
			e.Configure = e.Web(address)
			e.Restart()
		},
		issuer: func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Solvers = []v1alpha1.Solver{{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}}}
		},
		user:  nobody,
		state: func(e *env.Env) any { return e.Objects(httpfile.IngressKind) },
	}
}
