// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"strconv"
	"strings"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const anotherKind = "other issuers sign what CAS does not"

// certificateAdvice is what to change about a Certificate that could never be ordered. cert-manager then makes another
// request.
var certificateAdvice = map[string][]advised{
	"no common name": {
		{to: "set the common name", says: []string{`set (spec\.commonName) of the Certificate to "([^"]+)"`},
			follow: (*reader).setsField, billed: 1},
		{to: "annotate the Ingress", says: []string{`or the annotation (\S+) of the Ingress or Gateway`},
			follow: (*reader).annotatesTheIngress, billed: 1},
	},
	"bare no common name": {{
		to: "make it anew", says: []string{`make the signing request anew with the common name "([^"]+)"`}, billed: 1,
		follow: func(r *reader) string { return r.anew(r.words[0]) },
	}},
	"only a long name": {
		{to: "choose a shorter name", says: []string{`a common name takes at most (\d+): choose a shorter name`},
			follow: (*reader).choosesAShorterName, billed: 1},
		{to: "take the wildcard", says: []string{`or the wildcard "([^"]+)" and an issuer with a wildcard product`},
			follow: (*reader).takesTheWildcard, billed: 1},
	},
	"underscore": {{
		to: "write a DNS name", says: []string{`write a DNS name such as "([^"]+)" in (spec\.commonName) and ` +
			`(spec\.dnsNames) of the Certificate`}, follow: (*reader).writesTheName, billed: 1,
	}},
	"dot at the end": {{
		to:     "write the name without it",
		says:   []string{`write "([^"]+)" in (spec\.commonName) and (spec\.dnsNames) of the Certificate`},
		follow: (*reader).writesTheName, billed: 1,
	}},
	"U-label": {{to: "write the A-label", says: []string{`write "([^"]+)" in (spec\.commonName) of the Certificate`},
		follow: (*reader).writesTheName, billed: 1}},
	"single label": {{
		to: "write a DNS name", says: []string{`write a DNS name such as "([^"]+)" in (spec\.commonName) of the ` +
			`Certificate`}, follow: (*reader).writesTheName, billed: 1,
	}},
	"weak key": {{
		to: "make another key", says: []string{`those that the issuer takes \(([^)]+)\): set (spec\.privateKey) of ` +
			`the Certificate`}, follow: (*reader).makesEachKey, billed: 2,
	}},
	"IP address": {{to: "remove it", says: []string{`remove (spec\.ipAddresses) from the Certificate`},
		follow: (*reader).removesFields, billed: 1}},
	"otherName": {{to: "remove it", says: []string{`remove (spec\.otherNames) from the Certificate`},
		follow: (*reader).removesFields, billed: 1}},
	"CA": {{to: "remove it", says: []string{`remove (spec\.isCA) from the Certificate`},
		follow: (*reader).removesFields, billed: 1}},
	"foreign name": {
		{to: "remove it", says: []string{`"([^"]+)" is another one: remove it from (spec\.dnsNames)`},
			follow: (*reader).removesTheName, billed: 1},
		{to: "use another Certificate", says: []string{`or use a Certificate of its own for it`},
			follow: (*reader).writesTwoCertificates, billed: 2},
	},
	"second Secret of an Ingress": {
		{to: "remove it", says: []string{`"([^"]+)" is another one: remove it from (spec\.dnsNames)`},
			follow: (*reader).removesTheName, billed: 1},
		{to: "use another Certificate", says: []string{`, or use a Certificate of its own for it`, `holds for all ` +
			`its Secrets: write Certificates instead`}, follow: (*reader).writesTwoCertificates, billed: 2},
	},
	"apex not opted": {
		{to: "remove it", says: []string{`some brands add "([^"]+)" by themselves: remove it from (spec\.dnsNames)`},
			follow: (*reader).removesTheName, billed: 1},
		{to: "opt in", says: []string{`or add (\w+) to (spec\.source\.resourcePlan\.additionalNames) of the issuer`},
			billed: 1, follow: func(r *reader) string {
				r.set(r.issuer(), r.words[1], list(r.words[0]))
				return r.again()
			}},
	},
	"wildcard": {{to: "use another issuer", says: []string{`"([^"]+)" is a wildcard: use an issuer with a ` +
		`wildcard product`}, follow: (*reader).takesTheWildcard, billed: 1}},
	"client certificate": {
		{to: "add server auth", says: []string{`add "(server auth)" to (spec\.usages) of the Certificate`},
			follow: (*reader).addsTheUsage, billed: 1},
		{to: "use another issuer", says: []string{`or use an issuer of another kind`}, elsewhere: anotherKind},
	},
	"all at once": {
		{to: "mend all", billed: 1, follow: (*reader).mendsAll, says: []string{
			`remove (spec\.isCA) from the Certificate`, `remove (spec\.ipAddresses) from the Certificate`,
			`for "(code signing)": leave that out of (spec\.usages) of the Certificate`,
			`add "(server auth)" to (spec\.usages) of the Certificate`,
			`set (spec\.commonName) of the Certificate to "([^"]+)"`,
			`the name "([^"]+)" has an underscore: remove it from (spec\.dnsNames) of the Certificate`,
			`those that the issuer takes \(([^)]+)\): set (spec\.privateKey) of the Certificate`,
			`"(other[^"]+)" is another one: remove it from (spec\.dnsNames)`,
			`"(\*[^"]+)" is another one: remove it from (spec\.dnsNames)`,
		}},
		{to: "annotate the Ingress", says: []string{`or the annotation (\S+) of the Ingress or Gateway`},
			elsewhere: "it is the message of a single fault"},
		{to: "use another Certificate", says: []string{`or use a Certificate of its own for it`},
			elsewhere: "it is the message of a single fault"},
		{to: "use another issuer", says: []string{`or use an issuer of another kind`}, elsewhere: anotherKind},
	},
	"names added": {{
		to: "list them", follow: (*reader).listsTheAddedNames, billed: 2, says: []string{addedNames},
	}},
}

// addedNames is the advice about names that the CA has added.
const addedNames = `First add (\w+) to (spec\.source\.resourcePlan\.additionalNames) of the AliyunIssuer "([^"]+)", ` +
	`then list ([^ ]+) in (spec\.dnsNames) of the Certificate`

func (r *reader) setsField() string {
	crt := r.certificate()
	r.edit(crt, r.words[0], r.words[1])
	return r.renew(crt, "again")
}

// annotatesTheIngress does what cert-manager's shim for Ingresses does with the annotation.
func (r *reader) annotatesTheIngress() string {
	r.is(0, cmapi.CommonNameAnnotationKey)
	return r.again(func(crt *cmapi.Certificate) { crt.Spec.CommonName = gen.Domain })
}

func (r *reader) choosesAShorterName() string {
	most, err := strconv.Atoi(r.words[0])
	if err != nil {
		r.T.Fatal(err)
	}
	name := strings.Repeat("a", most-len(".example.com")) + ".example.com"
	return r.again(func(crt *cmapi.Certificate) { crt.Spec.CommonName, crt.Spec.DNSNames = name, []string{name} })
}

func (r *reader) takesTheWildcard() string {
	issuer := r.wildcardIssuer()
	return r.again(referTo(issuer), func(crt *cmapi.Certificate) {
		crt.Spec.CommonName, crt.Spec.DNSNames = r.words[0], []string{r.words[0]}
	})
}

func (r *reader) writesTheName() string {
	if zone := "xn--fsqu00a.com"; strings.HasSuffix(r.words[0], zone) {
		r.Simulator.AddZone(zone, account)
	}
	crt := r.certificate()
	for _, field := range r.words[1:] {
		if field == "spec.dnsNames" {
			r.edit(crt, field, list(r.words[0]))
		} else {
			r.edit(crt, field, r.words[0])
		}
	}
	return r.renew(crt, "again")
}

// keyOf is the privateKey of a Certificate for a key that a message names.
func keyOf(algorithm string) map[string]any {
	if curve, isECDSA := strings.CutPrefix(algorithm, "ECDSAP"); isECDSA {
		size, _ := strconv.ParseInt(curve, 10, 64)
		return map[string]any{"algorithm": string(cmapi.ECDSAKeyAlgorithm), "size": size}
	}
	size, _ := strconv.ParseInt(strings.TrimPrefix(algorithm, "RSA"), 10, 64)
	return map[string]any{"algorithm": string(cmapi.RSAKeyAlgorithm), "size": size}
}

// makesEachKey tries the first and the last of those that are named; the others take long to make.
func (r *reader) makesEachKey() string {
	names := strings.Split(r.words[0], ", ")
	for i, name := range []string{names[0], names[len(names)-1]} {
		crt := r.certificate()
		r.edit(crt, r.words[1], keyOf(name))
		r.isIssued(r.renew(crt, "again-"+strconv.Itoa(i)))
	}
	return ""
}

func (r *reader) removesFields() string {
	crt := r.certificate()
	for _, field := range r.words {
		r.edit(crt, field, nil)
	}
	if len(crt.Spec.DNSNames) == 0 {
		crt.Spec.DNSNames = []string{gen.Domain}
	}
	return r.renew(crt, "again")
}

func (r *reader) removesTheName() string {
	crt := r.certificate()
	r.without(crt, r.words[1], r.words[0])
	if len(crt.Spec.DNSNames) == 0 {
		crt.Spec.DNSNames = []string{crt.Spec.CommonName}
	}
	return r.renew(crt, "again")
}

// writesTwoCertificates writes one for each name.
func (r *reader) writesTwoCertificates() string {
	crt := r.certificate()
	for i, name := range []string{crt.Spec.CommonName, crt.Spec.DNSNames[len(crt.Spec.DNSNames)-1]} {
		if zone := "example.net"; strings.HasSuffix(name, zone) {
			r.Simulator.AddZone(zone, account)
		}
		one := r.certificate()
		one.Spec.CommonName, one.Spec.DNSNames = name, []string{name}
		r.isIssued(r.renew(one, "again-"+strconv.Itoa(i)))
	}
	return ""
}

func (r *reader) addsTheUsage() string {
	crt := r.certificate()
	usages := make([]string, 0, len(crt.Spec.Usages)+1)
	for _, usage := range crt.Spec.Usages {
		usages = append(usages, string(usage))
	}
	r.edit(crt, r.words[1], list(append(usages, r.words[0])...))
	return r.renew(crt, "again")
}

func (r *reader) mendsAll() string {
	crt, words := r.certificate(), r.words
	r.edit(crt, words[0], nil)
	r.edit(crt, words[1], nil)
	r.without(crt, words[3], words[2])
	usages := []string{words[4]}
	for _, usage := range crt.Spec.Usages {
		usages = append(usages, string(usage))
	}
	r.edit(crt, words[5], list(usages...))
	r.edit(crt, words[6], words[7])
	r.without(crt, words[9], words[8])
	first, _, _ := strings.Cut(words[10], ", ")
	r.edit(crt, words[11], keyOf(first))
	r.without(crt, words[13], words[12])
	r.without(crt, words[15], words[14])
	return r.renew(crt, "again")
}

// listsTheAddedNames looks, too, whether more is said then, for the Certificate has what it asks for.
func (r *reader) listsTheAddedNames() string {
	issuer := r.issuer()
	issuer.Name = r.words[2]
	r.set(issuer, r.words[1], list(r.words[0]))
	crt := r.certificate()
	r.edit(crt, r.words[4], list(append(crt.Spec.DNSNames, r.words[3])...))
	r.renew(crt, "again")
	r.isIssued("again")
	if message := readyMessage(r.Env, "again"); strings.Contains(message, "added") {
		r.T.Errorf("the advice was of no use: %s", message)
	}
	return ""
}

// referenceAdvice is about what a request names.
var referenceAdvice = map[string][]advised{
	"unknown kind": {{to: "correct it", says: []string{`has (AliyunIssuer) and AliyunClusterIssuer: correct ` +
		`issuerRef\.kind`}, billed: 1, follow: func(r *reader) string {
		return r.again(func(crt *cmapi.Certificate) { r.edit(crt, "spec.issuerRef.kind", r.words[0]) })
	}}},
	"missing issuer": {
		{to: "create it", says: []string{`the AliyunIssuer "([^"]+)" does not exist in the namespace ` +
			`"([^"]+)": create it`}, billed: 1, follow: func(r *reader) string {
			r.Create(gen.Issuer(r.words[1], r.Simulator.URL(), func(i *v1alpha1.AliyunIssuer) { i.Name = r.words[0] }))
			return "www"
		}},
		{to: "correct the reference", says: []string{`or correct issuerRef`}, billed: 1,
			follow: func(r *reader) string {
				return r.again(referTo(gen.IssuerName))
			}},
	},
	"missing cluster": {
		{to: "create it", says: []string{`the AliyunClusterIssuer "([^"]+)" does not exist: create it`}, billed: 1,
			follow: func(r *reader) string {
				issuer := r.clusterIssuer()
				issuer.Name, issuer.Spec.IssuerSpec = r.words[0], gen.IssuerSpec(r.Simulator.URL())
				r.Create(issuer)
				r.T.Cleanup(func() { // the next test is in the same cluster
					if err := r.Client.Delete(context.WithoutCancel(r.T.Context()), issuer); err != nil {
						r.T.Error(err)
					}
				})
				return "www"
			}},
		{to: "correct the reference", says: []string{`or correct issuerRef`}, billed: 1,
			follow: func(r *reader) string {
				return r.again(referTo(gen.IssuerName))
			}},
	},
	"not approved": {{
		to: "have it approved", billed: 1,
		says: []string{`lacks the verb (approve) on (signers\.cert-manager\.io) "([^"]+)": the Helm chart grants ` +
			`it with ([a-z.]+[a-z])`},
		follow: (*reader).letsItBeApproved,
	}},
	"domain that is not allowed": {
		{to: "use another issuer", says: []string{`use another issuer`}, follow: (*reader).usesAnIssuerOfTheNamespace,
			billed: 1},
		{to: "have it allowed", says: []string{`does not order for "([^"]+)"`, `or let its operator add the domain ` +
			`to (spec\.allowedDomains)`}, billed: 1, follow: func(r *reader) string {
			r.set(r.clusterIssuer(), r.words[1], list("example.net", r.words[0]))
			return r.again()
		}},
	},
	"namespace that is not allowed": {
		{to: "use another issuer", says: []string{`use another issuer`}, follow: (*reader).usesAnIssuerOfTheNamespace,
			billed: 1},
		{to: "have it allowed", says: []string{`does not serve the namespace "([^"]+)"`, `or let its operator add ` +
			`the namespace to (spec\.allowedNamespaces)`}, billed: 1, follow: func(r *reader) string {
			r.set(r.clusterIssuer(), r.words[1], map[string]any{"names": list("team-a", r.words[0])})
			return r.again()
		}},
	},
}

func (r *reader) usesAnIssuerOfTheNamespace() string {
	r.Create(gen.Issuer(r.Namespace, r.Simulator.URL()))
	return r.again(referTo(gen.IssuerName))
}

// letsItBeApproved is cert-manager's approver, which approves what the chart lets it; test/certmanager has it do so.
func (r *reader) letsItBeApproved() string {
	if isGranted := r.chart(r.words[3]); isGranted != true {
		r.T.Errorf("%s of the chart is %v", r.words[3], isGranted)
	}
	r.Decide("www", cmapi.CertificateRequestConditionApproved)
	return "www"
}

// endAdvice is about orders that have ended, or are about to be, without a certificate.
var endAdvice = map[string][]advised{
	"verify_fail": {{to: "look at CAA records", says: []string{`Look at CAA records of the domain, or ask the ` +
		`support of Alibaba Cloud what the CA says`}, follow: func(r *reader) string { return r.again() }, billed: 2}},
	"validation deadline": {{
		to: "publish the next record", says: []string{lateRecord + ` sooner`}, follow: (*reader).publishesTheNextRecord,
		billed: 2,
	}},
	"early validation deadline": {
		{to: "publish the next record", says: []string{lateRecord}, follow: (*reader).publishesTheNextRecord,
			billed: 2},
		{to: "give it more time", says: []string{`or give it more time in (spec\.orders\.timeout) of the issuer`},
			billed: 2, follow: func(r *reader) string {
				r.set(r.issuer(), r.words[0], "24h0m0s")
				r.again()
				r.Pass(time.Minute)
				leap(r.Env, 20*time.Hour)
				r.publishesWhatIsAskedFor()
				return "again"
			}},
	},
	"review deadline": {{to: "ask the support",
		says:   []string{`Ask the support of Alibaba Cloud what the CA waits for`},
		follow: func(r *reader) string { return r.again() }, billed: 2}},
	"order vanished": {{
		to: "give it the right account", billed: 2,
		says: []string{`in that case, put those of the account that made it into the Secret`},
		follow: func(r *reader) string {
			r.Simulator.Reappear(mine(r.Env)) // as it is with credentials of that account
			return r.again()
		},
	}},
	"released but not given back": {{
		to:   "do it in the console",
		says: []string{`CAS order (\d+) for "[^"]+" could not be given back: cancel and delete it in the console of CAS`}, billed: 1,
		follow: func(r *reader) string { r.cancelAndDelete(r.words[0]); return "" },
	}},
	"released though presumed": {{
		to: "do it in the console", billed: 1,
		says: []string{`CAS order (\d+) for "[^"]+" is only presumed to be this one's, and was not given back\. ` +
			`Look at it in the console of CAS, and cancel and delete it there if it is this one's, tagged (\S+)=(\S+)`},
		follow: func(r *reader) string {
			r.is(0, r.inConsole(r.words[1], r.words[2]))
			r.cancelAndDelete(r.words[0])
			return ""
		},
	}},
	"released in doubt": {{
		to: "look in the console", billed: 1,
		says: []string{`Look in the console of CAS for an order for this name of that time, tagged ([^=]+)=(\S+), ` +
			`and cancel and delete it there if there is one`},
		follow: func(r *reader) string {
			if id := r.inConsole(r.words[0], r.words[1]); id != v1alpha1.NoOrder {
				r.T.Errorf("there is %s", id)
			}
			r.Simulator.LiftFaults()
			return r.again()
		},
	}},
	"restored request": {{to: "delete it", says: []string{`delete it\. cert-manager makes a new one if its ` +
		`Certificate needs one`}, billed: 1, follow: func(r *reader) string {
		crt := r.certificate()
		remove(r.Env, r.Request("www"))
		return r.renew(crt, "again")
	}}},
}

// lateRecord is the advice about a validation record that nobody has seen.
const lateRecord = `Its validation record could not be seen in DNS: publish that of the next order`

func (r *reader) publishesTheNextRecord() string {
	r.again()
	r.publishesWhatIsAskedFor()
	return "again"
}

// publishesWhatIsAskedFor publishes the record of the newest order.
func (r *reader) publishesWhatIsAskedFor() {
	r.T.Helper()
	var record []string
	r.Until(time.Hour, func() bool {
		record = wantedRecord.FindStringSubmatch(readyMessage(r.Env, "again"))
		return record != nil
	})
	r.publish(record[1], record[2])
}
