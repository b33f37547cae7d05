// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// rivalry is what clusters and a person compete for.
const (
	rivalInstances = 5
	rivalRequests  = 20
)

// rivalKnobs decide what becomes of two who want one instance, and when either can see the other.
var rivalKnobs = []string{"applyReplay", "instanceList", "autoSubmit", "pendingDelay", "afterCancel", "cancelRace"}

// rivals are two clusters and a person in the console of CAS, who have one account with a few instances.
type rivals struct {
	t         *testing.T
	rng       *rand.Rand
	simulator *cassim.Server
	clusters  []*env.Env
	instances []string
	requests  []*rival
	// cancelled are the applications that the person has cancelled, and published the records that were made.
	cancelled, published map[string]bool
}

// rival is a request in one of the clusters.
type rival struct {
	*env.Env
	name, label string
	// isAgain says that it has failed, and that its owner has made another one.
	isAgain bool
}

// TestRivalsShareAnAccount lets two clusters and a person compete for five instances with twenty requests, at each
// value of each knob about races and listings, and at some of all of them together. Defaults are the same CAS, and are
// tried once. A seed decides who is next.
func TestRivalsShareAnAccount(t *testing.T) {
	seed := uint64(0)
	run := func(title string, set func(*cassim.Knobs) error) {
		seed++
		of := seed
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			compete(t, of, set)
		})
	}
	run("defaults", func(*cassim.Knobs) error { return nil })
	var knobs []cassim.Unknown
	for _, unknown := range cassim.AllKnobs() {
		if slices.Contains(rivalKnobs, unknown.Knob) {
			knobs = append(knobs, unknown)
			for _, value := range unknown.Values[1:] {
				run(unknown.Knob+"="+value, func(k *cassim.Knobs) error { return k.Set(unknown.Knob, value) })
			}
		}
	}
	if len(knobs) != len(rivalKnobs) {
		t.Errorf("the simulator has %v of %v", knobs, rivalKnobs)
	}
	for n := range 3 {
		run(fmt.Sprintf("any %d", n+1), func(k *cassim.Knobs) (err error) {
			for i, unknown := range knobs {
				err = errors.Join(err, k.Set(unknown.Knob, unknown.Values[(n+i+1)%len(unknown.Values)]))
			}
			// What CAS submits by itself, and does not show yet, is replaced by what is applied for: nobody can see it.
			if k.ApplyReplay == cassim.ReplayReplaces {
				k.AutoSubmit = cassim.Never
			}
			return err
		})
	}
}

func compete(t *testing.T, seed uint64, set func(*cassim.Knobs) error) {
	t.Helper()
	r := newRivals(t, seed, set)
	for range 16 {
		r.sweep()
	}
	r.rest()
	r.checkEnd()
}

// newRivals are clusters whose issuers select every instance that was bought.
func newRivals(t *testing.T, seed uint64, set func(*cassim.Knobs) error) *rivals {
	t.Helper()
	account, theirs := cassim.DefaultAccount(), cassim.Key{ID: "key-of-the-other-cluster", Secret: "its secret"}
	account.Keys = append(account.Keys, theirs)
	options := cassim.Options{Accounts: []cassim.Account{account}, DCVDelay: 20 * time.Second, CADelay: time.Minute}
	options.Knobs.InstanceDNS = cassim.Off
	if err := set(&options.Knobs); err != nil {
		t.Fatal(err)
	}
	e := env.New(t, options)
	r := &rivals{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), simulator: e.Simulator, //nolint:gosec // a seed is to be guessed
		clusters:  []*env.Env{e, e.Beside("the-other-cluster", theirs)},
		cancelled: map[string]bool{}, published: map[string]bool{},
	}
	for range rivalInstances {
		r.buy()
	}
	for _, cluster := range r.clusters {
		cluster.Create(gen.Issuer(cluster.Namespace, e.Simulator.URL(), func(issuer *v1alpha1.AliyunIssuer) {
			issuer.Spec.Source = v1alpha1.Source{Instance: &v1alpha1.Instance{
				Selector:   v1alpha1.InstanceSelector{Type: v1alpha1.InstanceBought},
				ContactIDs: []string{"86400001"}}}
			issuer.Spec.Orders = &v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(0)), MaxPerDay: new(int32(1000))}
			issuer.Spec.Contact = nil
			gen.Manual(issuer) // no clock of the test bounds how often zones are listed
		}))
	}
	return r
}

func (r *rivals) buy() {
	r.instances = append(r.instances,
		r.simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1}))
}

// ask makes a request. Both clusters ask for the same names, with keys of their own.
func (r *rivals) ask(cluster *env.Env, label string) {
	a := &rival{Env: cluster, name: fmt.Sprintf("r%d", len(r.requests)), label: label}
	ask(cluster, a.name, label)
	r.requests = append(r.requests, a)
}

// sweep runs the reconcilers of both clusters on all that they have, in any order. In between come the person and new
// requests, and some run is held for a while.
func (r *rivals) sweep() {
	r.t.Helper()
	turns, met := slices.Concat(r.clusters[0].Turns(), r.clusters[1].Turns()), r.requests
	act := func(do func()) { turns = append(turns, func() time.Duration { do(); return 0 }) }
	for range r.rng.IntN(4) {
		act(r.workInConsole)
	}
	if made := len(r.requests); made < rivalRequests && r.rng.IntN(2) == 0 {
		act(func() { r.ask(r.clusters[made%2], fmt.Sprintf("n%d", made/2)) })
	}
	if r.rng.IntN(3) == 0 {
		cluster := r.clusters[r.rng.IntN(2)]
		cluster.Hold(rivalPoints[r.rng.IntN(len(rivalPoints))])
		act(cluster.LetGo)
	}
	r.rng.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	for _, run := range turns {
		run()
		r.checkInstances()
	}
	for _, cluster := range r.clusters {
		cluster.LetGo()
	}
	r.checkClusters(met)
	r.publish()
	clock := r.clusters[0].Clock
	clock.SetTime(clock.Now().Add(time.Duration(1+r.rng.IntN(45)) * time.Second))
}

// rivalPoints are where a run may be held while the other cluster and the person go on: wherever nothing hangs on a
// look that was taken before. Between a look and the call that follows it, nothing keeps others from an instance: CAS
// has no call with a condition. What becomes of those is in TestWhoeverComesBetweenALookAndACall.
var rivalPoints = []string{"ListInstances", "answer to ListInstances", "GetInstanceDetail", "answer to UpdateInstance",
	"answer to ApplyCertificate", "answer to GetUserCertificateDetail"}

// rest lets the clusters go on alone until all that they wait for is somebody else's turn.
func (r *rivals) rest() {
	r.t.Helper()
	for made := len(r.requests); made < rivalRequests; made++ {
		r.ask(r.clusters[made%2], fmt.Sprintf("n%d", made/2))
	}
	r.settleAll(time.Hour, func() {
		r.checkInstances()
		r.checkClusters(r.requests)
		r.askAgain()
	})
}

// settleAll lets time pass for everybody, and does something after each step.
func (r *rivals) settleAll(d time.Duration, after func()) {
	r.t.Helper()
	clock := r.clusters[0].Clock
	for end := clock.Now().Add(d); clock.Now().Before(end); {
		next := time.Hour
		for _, cluster := range r.clusters {
			next = min(next, cluster.Settle())
		}
		r.publish()
		after()
		clock.SetTime(clock.Now().Add(max(next, 4*time.Minute)))
	}
}

// askAgain does what cert-manager does with a Certificate whose request has failed.
func (r *rivals) askAgain() {
	for _, a := range slices.Clone(r.requests) {
		if !a.isAgain && r.readyOf(a).Reason == cmapi.CertificateRequestReasonFailed {
			a.isAgain = true
			r.ask(a.Env, a.label)
		}
	}
}

// workInConsole is what the person does now and then. The person writes wherever nothing is under way and nothing is
// issued, applies for what this person has written, and cancels that again, or what somebody else has applied for.
func (r *rivals) workInConsole() {
	seen, _ := r.simulator.Instance(r.instances[r.rng.IntN(len(r.instances))])
	isOwn, do := seen.CSRBy == "console", r.rng.IntN(10)
	switch last := lastOf(&seen); {
	case last != nil && last.State == cassim.InstancePending && (isOwn && do < 3 || do == 0):
		r.cancelled[idOf(last)] = true
		r.simulator.CancelInConsole(seen.InstanceID)
	case last != nil && (last.EndedAt.IsZero() || last.CertificateID != ""):
	case isOwn && do < 6:
		r.simulator.ApplyInConsole(seen.InstanceID)
	case do < 2:
		r.simulator.WriteInConsole(seen.InstanceID, fmt.Sprintf("n%d.%s", r.rng.IntN(rivalRequests/2),
			cassim.DefaultZone))
	}
}

// idOf tells applications from each other.
func idOf(a *cassim.ApplicationView) string { return fmt.Sprintf("%s %d", a.InstanceID, a.Number) }

func lastOf(seen *cassim.InstanceView) *cassim.ApplicationView {
	if len(seen.Applications) == 0 {
		return nil
	}
	return &seen.Applications[len(seen.Applications)-1]
}

// publish makes the records that are told to the person, and by the Orders of the clusters.
func (r *rivals) publish() {
	for _, a := range r.simulator.Applications() {
		for _, record := range a.Records {
			if r.published[record.Value] || record.ToldAt.After(r.clusters[0].Clock.Now()) {
				continue
			}
			r.published[record.Value] = true
			r.simulator.AddRecord(cassim.DefaultZone, strings.TrimSuffix(record.FQDN, "."+cassim.DefaultZone),
				record.Type, record.Value)
		}
	}
}
