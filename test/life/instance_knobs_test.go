// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// instanceLife is what a knob may be met in. The issuer lists so many instances of its own, and one on which somebody
// else has applied for a name.
type instanceLife struct {
	name  string
	own   int
	delay time.Duration // until the CA believes a record
	// isByFile says that files validate the names, and no records.
	isByFile bool
	// run ends as usual, unless otherwise says why the request that is made last waits.
	run func(e *env.Env, setting, otherwise string)
}

var (
	certified = instanceLife{name: "certified", own: 2, delay: 20 * time.Second, run: beCertified}
	served    = instanceLife{name: "served", own: 1, delay: 20 * time.Second, isByFile: true, run: beServed}
	renewed   = instanceLife{name: "renewed", own: 2, delay: 20 * time.Second, run: beRenewed}
	withdrawn = instanceLife{name: "withdrawn", own: 1, delay: time.Hour, run: beWithdrawn}
	overtaken = instanceLife{name: "withdrawn just before it is issued", own: 1, delay: 3 * time.Minute,
		run: beWithdrawn}
	refused  = instanceLife{name: "refused", own: 2, delay: time.Hour, run: beRefused}
	unproven = instanceLife{name: "never validated", own: 1, delay: 1000 * time.Hour, run: beUnproven}
)

// livesOfKnobs are those of knobs that a first certificate does not meet. All others go through certified.
var livesOfKnobs = map[string][]instanceLife{
	"reapplyOnNormal":     {renewed},
	"updateOnNormal":      {renewed, withdrawn},
	"reapplyLimit":        {renewed},
	"reapplyLimitCode":    {renewed},
	"oldCertificate":      {renewed},
	"nextValidity":        {renewed},
	"detailDuringReapply": {renewed},
	"instanceCSRReuse":    {renewed},
	"autoSubmit":          {certified, withdrawn, refused},
	"pendingDelay":        {certified, withdrawn},
	"afterFailedReview":   {refused},
	"failedTask":          {refused},
	"failedResult":        {refused},
	"failedCSR":           {refused},
	"afterCancel":         {withdrawn},
	"cancelDelay":         {withdrawn},
	"cancelRace":          {withdrawn, overtaken},
	"cancelOfReapply":     {withdrawn},
	"cancelTooEarly":      {withdrawn},
	"pendingExpiry":       {unproven},
	"recordsDelay":        {certified, served},
	"recordsShape":        {certified, served},
	"fileWord":            {served},
	"fileFields":          {served},
	"filePaths":           {served},
	"fileContents":        {served},
}

// waitsFor says why the last request of a life waits where it cannot be issued.
var waitsFor = map[string]string{
	// The only instance has issued what nobody wants any more.
	"cancelRace=loses/withdrawn just before it is issued": v1alpha1.ReasonQuotaExhausted,
	// A name without an underscore is that of a host, where nothing is published.
	"validationKey=apex/certified": v1alpha1.ReasonPresentFailed,
	// The only instance is normal after the withdrawal, and no refusal of it proves that nothing was applied for.
	"updateOnNormal=protected/withdrawn":    v1alpha1.ReasonAmbiguousSubmission,
	"updateOnNormal=applyRefused/withdrawn": v1alpha1.ReasonAmbiguousSubmission,
}

// TestInstancesServeWhateverNobodyKnows takes instances through a life at each value of each knob about them. Defaults
// of several knobs are the same CAS, and so they are tried once in each life.
func TestInstancesServeWhateverNobodyKnows(t *testing.T) {
	type world struct {
		life  string
		knobs cassim.Knobs
	}
	isUsed, isTried := map[string]bool{}, map[world]bool{}
	for _, unknown := range cassim.AllKnobs() {
		lives := livesOfKnobs[unknown.Knob]
		if !unknown.Instances {
			continue // an instance does not meet it
		} else if lives == nil {
			lives = []instanceLife{certified}
		}
		for n, value := range unknown.Values {
			knobs := cassim.Knobs{InstanceKnobs: cassim.InstanceKnobs{InstanceDNS: cassim.Off}}
			if err := knobs.Set(unknown.Knob, map[bool]string{true: cassim.Default, false: value}[n == 0]); err != nil {
				t.Fatal(err)
			}
			setting := unknown.Knob + "=" + value
			for _, life := range lives {
				title, tried := setting+"/"+life.name, world{life.name, knobs}
				isUsed[unknown.Knob], isUsed[title] = true, true
				if !isTried[tried] {
					t.Run(title, func(t *testing.T) { life.in(t, knobs, setting, waitsFor[title]) })
				}
				isTried[tried] = true
			}
		}
	}
	for _, known := range append(slices.Collect(maps.Keys(livesOfKnobs)), slices.Collect(maps.Keys(waitsFor))...) {
		if !isUsed[known] {
			t.Errorf("there is no %s", known)
		}
	}
}

// Runs the life in one CAS.
func (life instanceLife) in(t *testing.T, knobs cassim.Knobs, setting, otherwise string) {
	options := cassim.Options{DCVDelay: life.delay, CADelay: time.Minute}
	site := serve(t, &options)
	e, ids := withInstances(t, options, 1+life.own)
	if life.isByFile {
		byIngress(e, site)
	}
	e.Simulator.WriteInConsole(ids[0], "shop.example.org")
	e.Simulator.ApplyInConsole(ids[0])
	e.Simulator.SetKnobs(func(k *cassim.Knobs) { *k = knobs })
	life.run(e, setting, otherwise)
	if err := e.Simulator.InstanceHarm(); err != nil {
		t.Error(err)
	}
	others, _ := e.Simulator.Instance(ids[0])
	if len(others.Applications) != 1 || others.Applications[0].CSRFingerprint != others.CSRFingerprint ||
		!others.Applications[0].CancelledAt.IsZero() {
		t.Errorf("the instance of somebody else is now %+v", others)
	}
	if n := e.Simulator.CallsForInstance(ids[0]); n["UpdateInstance"]+n["ApplyCertificate"] > 0 {
		t.Errorf("the instance of somebody else was written on: %v", n)
	}
	if records := e.Simulator.Records(""); len(records) != 0 {
		t.Errorf("records were left behind: %v", records)
	}
	noRoutes(t, e)
}

// ends lets a request come to an end, and looks all the while whether it says what it waits for.
func ends(e *env.Env, name string, limit time.Duration, want string) {
	e.T.Helper()
	e.Until(limit, func() bool {
		ready := cmutil.GetCertificateRequestCondition(e.Request(name), cmapi.CertificateRequestConditionReady)
		if ready == nil || ready.Message == "" {
			e.T.Errorf("the request says nothing: %+v", ready)
		}
		for _, order := range e.Orders() {
			c := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
			if c == nil || c.Message == "" {
				e.T.Errorf("the order says nothing: %+v", order.Status)
			}
		}
		return ready != nil && ready.Reason == want
	})
}

// endsOr is ends with a certificate, or a wait for a reason that the request gives.
func endsOr(e *env.Env, name, otherwise string) {
	e.T.Helper()
	if otherwise == "" {
		ends(e, name, 2*time.Hour, issued)
		e.Pass(5 * time.Minute)
		return
	}
	says := func() bool {
		ready := cmutil.GetCertificateRequestCondition(e.Request(name), cmapi.CertificateRequestConditionReady)
		return ready.Reason == held && strings.Contains(ready.Message, "("+otherwise+")")
	}
	e.Until(2*time.Hour, says)
	e.Pass(10 * time.Minute)
	if !says() {
		e.T.Errorf("the request does not say %s any more: %+v", otherwise, e.Request(name).Status.Conditions)
	}
}

// wantOwn compares what became of the applications of the issuer.
func wantOwn(e *env.Env, want ...string) {
	e.T.Helper()
	var states []string
	for _, a := range e.Simulator.Applications() {
		if !a.Foreign || !a.ForeignCSR {
			states = append(states, a.State)
		}
	}
	if fmt.Sprint(states) != fmt.Sprint(want) {
		e.T.Errorf("the applications are %v, want %v", states, want)
	}
}

func beCertified(e *env.Env, _, otherwise string) {
	ask(e, "www", "www")
	endsOr(e, "www", otherwise)
	wantOwn(e, map[bool]string{true: "issued", false: cassim.InstancePending}[otherwise == ""])
}

// beServed has several names, two of which are a domain and its www.
func beServed(e *env.Env, _, otherwise string) {
	selectAlso(e, e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m",
		SingleNames: 3}))
	askForAll(e, "www", "example.com", "www.example.com", "shop.example.com")
	endsOr(e, "www", otherwise)
	wantOwn(e, "issued")
}

func beRenewed(e *env.Env, _, otherwise string) {
	ask(e, "www", "www")
	endsOr(e, "www", "")
	ask(e, "next", "www")
	endsOr(e, "next", otherwise)
	wantOwn(e, "issued", "issued")
}

// beWithdrawn deletes the request before it is issued, and makes another one.
func beWithdrawn(e *env.Env, setting, otherwise string) {
	ask(e, "www", "www")
	e.Pass(90 * time.Second)
	order := onlyOrder(e.T, e)
	remove(e, e.Request("www"))
	remove(e, order)
	e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
	if text := strings.Join(e.Events(), "\n"); strings.Contains(text, "ReleaseUnresolved") {
		e.T.Error(text)
	}
	ask(e, "again", "www")
	endsOr(e, "again", otherwise)
	if otherwise == "" {
		wantOwn(e, "withdrawn", "issued")
	} else {
		wantOwn(e, map[bool]string{true: "issued", false: "withdrawn"}[setting == "cancelRace=loses"])
	}
}

// beRefused lets the CA refuse an application. The next one, which has another key, is taken.
func beRefused(e *env.Env, _, otherwise string) {
	editPolicy(e, func(p *v1alpha1.OrderPolicy) { p.Timeout = &metav1.Duration{Duration: 3 * time.Hour} })
	ask(e, "www", "www")
	e.Pass(2 * time.Minute)
	e.Simulator.FailApplication(onlyOrder(e.T, e).Status.OrderID, "CAA forbids it")
	ends(e, "www", 4*time.Hour, failed)
	e.Pass(10 * time.Minute)
	wantOwn(e, "failed")
	ask(e, "again", "www")
	endsOr(e, "again", otherwise)
	wantOwn(e, "failed", "issued")
}

// beUnproven waits for longer than CAS may.
func beUnproven(e *env.Env, setting, _ string) {
	editPolicy(e, func(p *v1alpha1.OrderPolicy) { p.Timeout = &metav1.Duration{Duration: 170 * time.Hour} })
	ask(e, "www", "www")
	e.Pass(time.Hour)
	e.Clock.SetTime(e.Clock.Now().Add(165 * time.Hour))
	ends(e, "www", 6*time.Hour, failed)
	e.Pass(time.Hour)
	wantOwn(e, cmp.Or(map[string]string{"pendingExpiry=168h": "failed"}[setting], "withdrawn"))
}

// failed is what becomes of a request that the CA refuses, or that CAS gives up.
const failed = cmapi.CertificateRequestReasonFailed
