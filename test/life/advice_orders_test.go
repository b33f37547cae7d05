// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// wantedRecord is the record that a message asks for.
var wantedRecord = regexp.MustCompile(`create the DNS record (\S+) TXT "([0-9a-f]+)"`)

// undecided is the advice about an order whose answer was lost.
const undecided = `Look in the console of CAS for an order for this name of that time, tagged ([^=]+)=([^,]+), and ` +
	`annotate this AliyunOrder with its id, or with "(\w+)" if there is none: (kubectl annotate .+?)<id or none>`

// skipped is the way past a check of a domain.
const skipped = `The check can be switched off: add (\w+) to (spec\.orders\.skipChecks) of the issuer`

// keptSolver is what there is to do beside a change of the solver.
const keptSolver = `After a change of the solver in the issuer, delete the CertificateRequest`

var orderAdvice = map[string][]advised{
	"paused": {{to: "remove the pause", says: []string{`the AliyunIssuer "([^"]+)" has (spec\.orders\.paused): ` +
		`nothing is ordered until it is removed`}, billed: 1, follow: func(r *reader) string {
		r.is(0, gen.IssuerName)
		r.set(r.issuer(), r.words[1], nil)
		return "www"
	}}},
	"one order too many in a day": {{
		to: "allow more", says: []string{`set (spec\.orders\.maxPerDay) of the AliyunIssuer "([^"]+)" to ` +
			`more than (\d+)`}, billed: 4,
		follow: func(r *reader) string {
			r.is(1, gen.IssuerName)
			most, err := strconv.Atoi(r.words[2])
			if err != nil {
				r.T.Fatal(err)
			}
			r.set(r.issuer(), r.words[0], most+1)
			return "www"
		},
	}},
	"exhausted package":          exhausted,
	"plan known to be exhausted": exhausted,
	"manual DNS": {{to: "create the record", says: []string{wantedRecord.String()}, billed: 1,
		follow: func(r *reader) string {
			r.publish(r.words[0], r.words[1])
			return "www"
		}}},
	"no permission in DNS": {{to: "allow it", says: []string{`allow alidns:(\w+) to the RAM user or role in ` +
		`a RAM policy`}, follow: (*reader).allowsTheAction, billed: 1}},
	"no permission to order": forbidden,
	"no zone": {
		{to: "register the domain", says: []string{`no zone that holds "([^"]+)": register the domain and delegate ` +
			`it to name servers`}, billed: 1, follow: func(r *reader) string {
			_, zone, _ := strings.Cut(r.words[0], ".")
			r.Simulator.AddZone(zone, account)
			return "www"
		}},
		{to: "correct the name", says: []string{`or correct the name`}, billed: 1, follow: func(r *reader) string {
			return r.again(func(crt *cmapi.Certificate) {
				crt.Spec.CommonName, crt.Spec.DNSNames = "www.example.net", []string{"www.example.net"}
			})
		}},
		{to: "switch off the check", says: []string{skipped}, follow: (*reader).skipsTheChecks, billed: 1},
	},
	"zone elsewhere": {
		{to: "add the zone", says: []string{`add the zone there`}, elsewhere: "a zone is in one account only, here " +
			"as at Alibaba Cloud"},
		{to: "use the other account", says: []string{`use credentials of the account that holds it`, keptSolver},
			billed: 1, follow: func(r *reader) string {
				secret := gen.Secret(r.Namespace, otherKey, otherSecret)
				secret.Name = "dns"
				r.Create(secret)
				solver := theIssuer(r.Env).Spec.Solvers[0]
				solver.DNS.Alidns.Credentials = &v1alpha1.Credentials{
					AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
						SecretReference: v1alpha1.SecretReference{Name: "dns"}}}
				r.set(r.issuer(), "spec.solvers", []v1alpha1.Solver{solver})
				return r.ordersAnew()
			}},
		{to: "choose another solver", says: []string{`or choose another solver for this name`, keptSolver}, billed: 1,
			follow: func(r *reader) string {
				r.set(r.issuer(), "spec.solvers",
					[]v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}}})
				r.ordersAnew()
				r.publishesWhatIsAskedFor()
				return "again"
			}},
		{to: "switch off the check", says: []string{skipped}, follow: (*reader).skipsTheChecks, billed: 1},
	},
	"key of another account": {{to: "give it back", says: []string{`give the issuer credentials of (\d+) again ` +
		`until the order has ended`}, billed: 1, follow: func(r *reader) string {
		r.is(0, account)
		replaceKey(r.Env, cassim.DefaultKeyID, cassim.DefaultKeySecret)
		return "www"
	}}},
	"order just vanished": {{to: "give it the right account", says: []string{`check that the credentials are of the ` +
		`account that made it`}, billed: 1, follow: func(r *reader) string {
		r.Simulator.Reappear(mine(r.Env)) // as it is with credentials of that account
		return "www"
	}}},
	"certificate for another key": unusable,
	"certificate for other names": append(unusable[1:2:2], advised{
		to: "ask the support", says: []string{`ask the support of Alibaba Cloud about the order`}, billed: 1,
		follow: func(r *reader) string {
			r.Simulator.WrongNames(mine(r.Env)) // who has it mended
			r.Simulator.ForceState(mine(r.Env), cassim.StateCertificate)
			return "www"
		},
	}),
	"ambiguous without candidates": {
		{to: "say which it is", says: []string{undecided}, follow: (*reader).saysWhichItIs, billed: 1}},
	"ambiguous console order": {
		{to: "say which it is", says: []string{undecided}, follow: (*reader).saysWhichItIs, billed: 2}},
	"ambiguous cluster order": {
		{to: "say which it is", says: []string{undecided}, follow: (*reader).saysWhichItIs, billed: 2}},
	"ambiguous wildcard order": {
		{to: "say which it is", says: []string{undecided}, follow: (*reader).saysWhichItIs, billed: 2}},
}

var exhausted = []advised{
	{to: "buy more", says: []string{`the plan for "([^"]+)" has no certificate left: buy more`}, billed: 1,
		follow: func(r *reader) string {
			r.Simulator.SetPackage(r.words[0], 20, 3)
			return "www"
		}},
	{to: "delete orders", says: []string{`or delete orders that nobody needs`}, billed: 1,
		follow: func(r *reader) string {
			r.Simulator.SetPackage(gen.Product, 3, 2)
			return "www"
		}},
}

var unusable = []advised{
	{to: "ask the support", says: []string{`ask the support of Alibaba Cloud about the order`},
		elsewhere: "no CA signs another key for an order that it has issued"},
	{to: "order anew", says: []string{`or delete the CertificateRequest to order anew`}, follow: (*reader).ordersAnew,
		billed: 2},
}

// forbidden is the advice about what RAM has refused to an order.
var forbidden = []advised{{to: "allow it", says: []string{`allow yundun-cert:(\w+) to the RAM user or role in ` +
	`a RAM policy`}, follow: (*reader).allowsTheAction, billed: 1}}

// lacking is the advice about what RAM refuses to a check.
var lacking = []advised{{
	to: "allow it", billed: 1,
	says: []string{`the RAM user or role lacks yundun-cert:(\w+): allow it in a RAM policy \((\S+) has one ` +
		`that suffices\)`},
	follow: func(r *reader) string {
		if page, err := os.ReadFile(filepath.Join(root, r.words[1])); err != nil ||
			!strings.Contains(string(page), `"yundun-cert:`+r.words[0]+`"`) {
			r.T.Errorf("%s has no policy with %s: %v", r.words[1], r.words[0], err)
		}
		return r.allowsTheAction()
	},
}}

// ordersAnew deletes the request. cert-manager makes another one.
func (r *reader) ordersAnew() string {
	crt := r.certificate()
	remove(r.Env, r.Request("www"))
	for _, order := range r.Orders() { // as the garbage collector does
		remove(r.Env, &order)
	}
	return r.renew(crt, "again")
}

// saysWhichItIs runs the command of the message with what the console shows.
func (r *reader) saysWhichItIs() string {
	r.is(2, v1alpha1.NoOrder)
	r.Simulator.LiftFaults()
	r.run(r.words[3] + r.inConsole(r.words[0], r.words[1]))
	return "www"
}

func (r *reader) allowsTheAction() string {
	r.Simulator.AllowAction(cassim.DefaultKeyID, r.words[0])
	return "www"
}

// skipsTheChecks gets the order made. Its record is for whoever has the zone then.
func (r *reader) skipsTheChecks() string {
	r.set(r.issuer(), r.words[1], list(r.words[0]))
	r.Until(time.Hour, func() bool { return orderOf(r.Env, "www").Status.OrderID != "" })
	return ""
}

// accessAdvice is about what keeps an issuer from being ready.
var accessAdvice = map[string][]advised{
	"missing Secret": {{to: "create it", says: []string{`the Secret "([^"]+)" does not exist in the namespace ` +
		`"([^"]+)": create it`}, billed: 1, follow: func(r *reader) string {
		secret := gen.Secret(r.words[1], cassim.DefaultKeyID, cassim.DefaultKeySecret)
		secret.Name = r.words[0]
		r.Create(secret)
		return "www"
	}}},
	"Secret without its key": {{to: "add it", says: []string{`the Secret "([^"]+)" in the namespace "([^"]+)" has ` +
		`no key "([^"]+)": add it`}, billed: 1, follow: func(r *reader) string {
		r.changesTheSecret(map[string]string{r.words[2]: cassim.DefaultKeyID})
		return "www"
	}}},
	"wrong AccessKey secret": refusedKey,
	"unknown AccessKey":      refusedKey,
	"no permission to read":  lacking,
	"no package": {
		{to: "buy a plan", says: []string{`buy a resource plan for the product code`}, billed: 1,
			follow: func(r *reader) string {
				r.Simulator.SetPackage(gen.Product, 20, 0)
				return "www"
			}},
		{to: "correct the product code", says: []string{`or correct (spec\.source\.resourcePlan\.productCode) ` +
			`of the issuer`}, billed: 1, follow: func(r *reader) string {
			r.Simulator.SetPackage("geotrust-dv-1-starter", 20, 0)
			r.set(r.issuer(), r.words[0], "geotrust-dv-1-starter")
			return "www"
		}},
	},
	"unknown product": {{to: "say its kind", says: []string{`set (spec\.source\.resourcePlan\.domainType) to (\w+) ` +
		`or Wildcard`}, billed: 1, follow: func(r *reader) string {
		r.set(r.issuer(), r.words[0], r.words[1])
		return "www"
	}}},
	"clock that is wrong":             wrongClock,
	"clock that is wrong for a role":  wrongClock,
	"clock that is wrong for a token": wrongClock,
	"clock that is wrong by less than is tolerated": {
		{to: "set the clocks", says: []string{`set the clocks of its nodes`}, follow: (*reader).setsTheClock,
			billed: 1},
		{to: "see to the kubelet", says: []string{`and if it is the controller's own, see that the kubelet renews it`},
			elsewhere: "the token is that of a ServiceAccount"},
	},
	"role for an unknown AccessKey": {
		{to: "put a valid one there", says: []string{`put valid ones in their place`}, billed: 1,
			follow: func(r *reader) string {
				replaceKey(r.Env, cassim.DefaultKeyID, cassim.DefaultKeySecret)
				return "www"
			}}},
}

var refusedKey = []advised{{to: "put a valid one there", says: []string{`the AccessKey in the Secret "([^"]+)" in ` +
	`the namespace "([^"]+)" is refused`, `put a valid one there`}, billed: 1, follow: func(r *reader) string {
	r.changesTheSecret(map[string]string{"accessKeyID": cassim.DefaultKeyID,
		"accessKeySecret": cassim.DefaultKeySecret})
	return "www"
}}}

var wrongClock = []advised{
	{to: "set the clock", says: []string{`set the clock of the controller's node`}, follow: (*reader).setsTheClock,
		billed: 1}}

func (r *reader) setsTheClock() string {
	r.Simulator.SetSkew(0)
	return "www"
}

// changesTheSecret sets keys of the Secret that is named first, in the namespace that is named next.
func (r *reader) changesTheSecret(values map[string]string) {
	r.T.Helper()
	secret := &corev1.Secret{}
	if err := r.Client.Get(r.T.Context(), client.ObjectKey{Namespace: r.words[1], Name: r.words[0]},
		secret); err != nil {
		r.T.Fatal(err)
	}
	for key, value := range values {
		secret.Data[key] = []byte(value)
	}
	if err := r.Client.Update(r.T.Context(), secret); err != nil {
		r.T.Fatal(err)
	}
}

// identityAdvice is about who the controller is.
var identityAdvice = map[string][]advised{
	"role that does not trust the token": {
		{to: "correct the trust policy", says: []string{trustPolicy}, follow: (*reader).correctsTheTrustPolicy,
			billed: 1}},
	"token for another audience": {
		{to: "correct the trust policy", says: []string{trustPolicy}, follow: (*reader).correctsTheTrustPolicy,
			billed: 1}},
	"provider that is not registered": {
		{to: "name that of the cluster", says: []string{trustPolicy}, billed: 1, follow: func(r *reader) string {
			r.set(r.issuer(), "spec.credentials.oidc.providerARN", r.Simulator.OIDCProviderARN(provider))
			return "www"
		}}},
	"role that is gone": {
		{to: "create it", says: []string{`the role (\S+) cannot be assumed`, `create it`},
			elsewhere: "the simulator has the roles that it began with"},
		{to: "correct the reference", says: []string{`or correct (roleARN)`}, billed: 1,
			follow: func(r *reader) string {
				r.set(r.issuer(), "spec.credentials.oidc."+r.words[0], roleARN("team"))
				return "www"
			}},
	},
	"role of another contract":  untrusting,
	"role without its contract": untrusting,
	"no right to request tokens": {{
		to: "grant it", says: []string{`grant it that, and no more: (kubectl create role .+)\. It is checked again`},
		billed: 1,
		follow: func(r *reader) string { r.run(r.words[0]); return "www" },
	}},
	"missing ServiceAccount": {
		{to: "create it", says: []string{`the ServiceAccount "([^"]+)" does not exist in the namespace ` +
			`"([^"]+)": create it`}, billed: 1, follow: func(r *reader) string {
			r.Create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: r.words[0], Namespace: r.words[1]}})
			return "www"
		}},
		{to: "correct the reference", says: []string{`or correct (serviceAccountRef)`}, billed: 1,
			follow: func(r *reader) string {
				r.Create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "another", Namespace: r.Namespace}})
				r.trusts("team", provider, audience, "system:serviceaccount:"+r.Namespace+":another")
				r.set(r.issuer(), "spec.credentials.oidc."+r.words[0]+".name", "another")
				return "www"
			}},
	},
	"no token of its own": {
		{to: "have it mounted", says: []string{`set (oidcToken)\.(enabled) of the Helm chart`},
			follow: (*reader).hasTheTokenMounted, billed: 1},
		{to: "have it injected", says: []string{`or let the webhook of ACK inject it`}, elsewhere: "it sets the " +
			"same variable as the chart does"},
		{to: "name a ServiceAccount", says: []string{`or name a (serviceAccountRef)`}, billed: 1,
			follow: func(r *reader) string {
				trusted(r.Env)
				r.set(r.clusterIssuer(), "spec.credentials.oidc."+r.words[0], map[string]any{"name": holder})
				return "www"
			}},
	},
	"ambient in an AliyunIssuer": {
		{to: "name a Secret", says: []string{`may not use the controller's own identity: set (accessKeySecretRef)`},
			billed: 1, follow: func(r *reader) string {
				return r.takesCredentials(r.words[0], map[string]any{"name": gen.SecretName})
			}},
		{to: "name a ServiceAccount", says: []string{`or (oidc) with a (serviceAccountRef), in its credentials`},
			billed: 1, follow: func(r *reader) string {
				trusted(r.Env)
				from := oidc("").OIDC
				return r.takesCredentials(r.words[0], map[string]any{
					"roleARN": from.RoleARN, "providerARN": from.ProviderARN,
					r.words[1]: map[string]any{"name": holder},
				})
			}},
		{to: "have it allowed", says: []string{`or let the operator allow it \(chart value (ambientCredentials)\)`},
			elsewhere: "its endpoint would be that of Alibaba Cloud; TestTheControllerOrdersAsWhatSurroundsIt has " +
				"it behind a proxy"},
	},
}

// trustPolicy is the advice about a role that does not trust a token.
const trustPolicy = `its trust policy must name the provider (\S+), the provider must be that of this cluster, and ` +
	`what they ask of oidc:aud and oidc:sub must fit the audience "([^"]+)" and the subject (\S+)\. It is checked`

var untrusting = []advised{{
	to: "correct the trust policy",
	says: []string{`the role (\S+) cannot be assumed`, `let its trust policy name whoever assumes it, with the same ` +
		`(externalID), and grant sts:AssumeRole to them`}, billed: 1,
	follow: func(r *reader) string {
		r.Simulator.SetRole(path.Base(r.words[0]), func(role *cassim.Role) {
			role.ExternalID = theIssuer(r.Env).Spec.Credentials.AssumeRole.ExternalID
		})
		return "www"
	},
}}

func (r *reader) trusts(role, provider, audience, subject string) {
	r.Simulator.SetRole(role, func(changed *cassim.Role) {
		changed.OIDC = []cassim.OIDCTrust{{Provider: provider, Audience: audience, Subject: subject}}
	})
}

func (r *reader) correctsTheTrustPolicy() string {
	r.is(0, r.Simulator.OIDCProviderARN(provider))
	r.trusts("team", path.Base(r.words[0]), r.words[1], r.words[2])
	return "www"
}

// hasTheTokenMounted gives the Pod the token that the chart mounts.
func (r *reader) hasTheTokenMounted() string {
	r.chart(r.words[0] + "." + r.words[1])
	trusted(r.Env)
	token := &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{r.chart(r.words[0] + ".audience").(string)}}}
	if err := r.Client.SubResource("token").Create(r.T.Context(), serviceAccount(r.Env), token); err != nil {
		r.T.Fatal(err)
	}
	file := filepath.Join(r.T.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token.Status.Token), 0o600); err != nil {
		r.T.Fatal(err)
	}
	r.T.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", file)
	r.Restart()
	return "www"
}

// takesCredentials gives the issuer credentials in place of the controller's, and the endpoints of the simulator.
func (r *reader) takesCredentials(member string, value any) string {
	endpoint := map[string]any{"url": r.Simulator.URL()}
	r.set(r.issuer(), "spec", map[string]any{
		"credentials": map[string]any{"ambient": nil, member: value}, "endpoint": endpoint, "stsEndpoint": endpoint,
	})
	return "www"
}

const atAlibabaCloud = "it would be called; TestOnlyEndpointsThatAreDocumentedAreTakenForAlibabaClouds has " +
	"which they are"

// policyAdvice is about what an operator allows.
var policyAdvice = map[string][]advised{
	"endpoint that is not allowed":             hostNotAllowed,
	"endpoint of STS that is not allowed":      hostNotAllowed,
	"endpoint of a solver that is not allowed": hostNotAllowed,
	"CA bundle that is not allowed": {
		{to: "remove the bundle", says: []string{`remove the caBundle`}, elsewhere: atAlibabaCloud},
		{to: "have it allowed", says: []string{`may not bring a caBundle for "([^"]+)"`, `or let the operator allow ` +
			`the host \(chart value (\w+)\)`}, follow: func(r *reader) string {
			r.operate(r.words[1], func(remote *access.Remote) {
				remote.Policy.EndpointHosts = []string{"127.0.0.1", r.words[0]}
			})
			r.Until(time.Minute, func() bool { return readyOf(r.Env).Reason != v1alpha1.ReasonEndpointNotAllowed })
			return ""
		}},
	},
	"name server that is not allowed": {
		{to: "have it allowed", says: []string{`may not have the name server "([^"]+)" updated: let the operator ` +
			`allow it \(chart value (\w+)\)`}, follow: func(r *reader) string {
			r.operate(r.words[1], func(remote *access.Remote) { remote.Policy.Nameservers = []string{r.words[0]} })
			r.Until(time.Minute, func() bool { return readyOf(r.Env).Reason != v1alpha1.ReasonNameserverNotAllowed })
			return ""
		}},
		{to: "use another solver", says: []string{`or use another solver`}, billed: 1, follow: func(r *reader) string {
			r.set(r.issuer(), "spec.solvers", gen.IssuerSpec(r.Simulator.URL()).Solvers)
			return "www"
		}},
	},
}

var hostNotAllowed = []advised{
	{to: "use a documented one", says: []string{`use an endpoint that Alibaba Cloud documents for the service`},
		elsewhere: atAlibabaCloud},
	{to: "have it allowed", says: []string{`may not name the host "([^"]+)" in an endpoint`, `or let the operator ` +
		`allow it \(chart value (\w+)\)`}, billed: 1, follow: func(r *reader) string {
		r.operate(r.words[1], func(remote *access.Remote) {
			remote.Policy.EndpointHosts = []string{"127.0.0.1", r.words[0]}
		})
		return "www"
	}},
}
