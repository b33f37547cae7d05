// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// params are those of a verb.
type params map[string]string

// do calls a verb of CAS by its name, for the SDK has no requests for those of instances.
func (w *world) do(action string, given params) (map[string]any, error) {
	w.t.Helper()
	req := requests.NewCommonRequest()
	req.Method, req.Product, req.Version, req.ApiName = requests.POST, "cas", "2020-04-07", action
	req.Scheme, req.Domain = "http", strings.TrimPrefix(w.URL(), "http://")
	maps.Copy(req.QueryParams, given)
	resp, err := w.cas.ProcessCommonRequest(req)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(resp.GetHttpContentBytes()))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		w.t.Fatal(err)
	}
	return answer, nil
}

func (w *world) must(action string, given params) map[string]any {
	w.t.Helper()
	answer, err := w.do(action, given)
	if err != nil {
		w.t.Fatalf("%s: %v", action, err)
	}
	return answer
}

func (w *world) detail(id string) map[string]any {
	w.t.Helper()
	return w.must("GetInstanceDetail", params{"InstanceId": id})
}

func (w *world) wantStatus(id, want string) {
	w.t.Helper()
	if got := w.detail(id)["Status"]; got != want {
		w.t.Fatalf("the instance is %v, not %s", got, want)
	}
}

// update writes a CSR of a new key for the names on the instance, and all that an application needs.
func (w *world) update(id string, names ...string) (csr string) {
	w.t.Helper()
	csr = newCSR(w.t, newKey(w.t), names[0], names...)
	w.must("UpdateInstance", params{
		"InstanceId": id, "Csr": csr, "GenerateCsrMethod": "upload", "Domain": strings.Join(names, ","),
		"KeyAlgorithm":     "ECC_256",
		"ValidationMethod": "DNS", "AutoReissue": "disable", "ContactIdList.1": "86400001",
	})
	return csr
}

func (w *world) apply(id string) {
	w.t.Helper()
	w.must("ApplyCertificate", params{"InstanceId": id})
}

// applied is an instance that is pending, and tells its records.
func (w *world) applied(wanted cassim.NewInstance, names ...string) (id string) {
	w.t.Helper()
	id = w.AddInstance(wanted)
	w.update(id, names...)
	w.apply(id)
	w.pass(time.Minute)
	return id
}

// prove publishes what the instance wants and nobody has published, as a person does.
func (w *world) prove(id string) {
	w.t.Helper()
	view, _ := w.Instance(id)
	for _, r := range view.Applications[len(view.Applications)-1].Records {
		rr := strings.TrimSuffix(strings.TrimSuffix(r.FQDN, cassim.DefaultZone), ".")
		if rr == "" {
			rr = "@"
		}
		if slices.ContainsFunc(w.Records(cassim.DefaultZone),
			func(there cassim.Record) bool { return there.RR == rr && there.Value == r.Value }) {
			continue
		}
		w.AddRecord(cassim.DefaultZone, rr, r.Type, r.Value)
	}
}

// issued is an instance with a certificate.
func (w *world) issued(wanted cassim.NewInstance, names ...string) (id string) {
	w.t.Helper()
	id = w.applied(wanted, names...)
	w.prove(id)
	w.wantStatus(id, cassim.InstanceNormal)
	return id
}
