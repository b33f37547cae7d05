// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"regexp"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const (
	describe     = "DescribeCertificateState"
	cancel       = "CancelOrderRequest"
	deleteRecord = "DeleteDomainRecord"
)

// fail makes every call of an action fail, until faults are lifted.
func fail(e *env.Env, action string) {
	e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.Refuse, Status: 500, Code: "InternalError",
		Message: "because", Times: -1})
}

// abandon deletes the request, and its Order as the garbage collector does.
func abandon(t *testing.T, e *env.Env) {
	t.Helper()
	order := onlyOrder(t, e)
	if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
		t.Fatal(err)
	}
	if err := e.Client.Delete(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

// down lets time pass in which no controller runs.
func down(e *env.Env, d time.Duration) {
	e.Clock.SetTime(e.Clock.Now().Add(d))
	e.Restart()
}

func isReleasing(t *testing.T, e *env.Env) func() bool {
	return func() bool { return onlyOrder(t, e).Status.Release != nil }
}

func isGone(e *env.Env) func() bool { return func() bool { return len(e.Orders()) == 0 } }

func wantReleased(t *testing.T, e *env.Env, id string) {
	t.Helper()
	if order, _ := e.Simulator.Order(id); !order.Released {
		t.Errorf("it is still paid for: %+v; %s", order, strings.Join(e.Events(), "\n"))
	}
	if text := strings.Join(e.Events(), "\n"); strings.Contains(text, "ReleaseUnresolved") {
		t.Errorf("somebody is told to give it back: %s", text)
	}
}

// terminate deletes the namespace, as far as nothing in it has a finalizer.
func terminate(t *testing.T, e *env.Env) {
	t.Helper()
	if err := e.Client.Delete(
		t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.Namespace}}); err != nil {
		t.Fatal(err)
	}
}

// TestADowntimeIsNoReasonToGiveUpARelease stops the controller amid a release for longer than the release may take.
func TestADowntimeIsNoReasonToGiveUpARelease(t *testing.T) {
	e, id := bought(t, slow)
	fail(e, describe)
	abandon(t, e)
	e.Until(5*time.Minute, isReleasing(t, e))
	e.Simulator.LiftFaults()
	down(e, 11*time.Minute)
	e.Until(10*time.Minute, isGone(e))
	wantReleased(t, e, id)
}

// TestAnOrderThatIsUnknownAfterADowntimeIsLookedForAgain lets CAS be consistent in the end only.
func TestAnOrderThatIsUnknownAfterADowntimeIsLookedForAgain(t *testing.T) {
	e, id := bought(t, slow)
	fail(e, describe)
	abandon(t, e)
	e.Until(5*time.Minute, isReleasing(t, e))
	e.Simulator.LiftFaults()
	e.Simulator.Vanish(id)
	down(e, 11*time.Minute)
	e.Pass(20 * time.Second)
	e.Simulator.Reappear(id)
	e.Until(10*time.Minute, isGone(e))
	wantReleased(t, e, id)
}

// TestTheEndOfANamespaceIsNoReasonToGiveUpARelease shortens the time for a release that has taken longer already.
func TestTheEndOfANamespaceIsNoReasonToGiveUpARelease(t *testing.T) {
	e, id := bought(t, slow)
	fail(e, cancel)
	abandon(t, e)
	e.Pass(5 * time.Minute)
	terminate(t, e)
	e.Pass(75 * time.Second) // tries are a minute apart by now
	e.Simulator.LiftFaults()
	e.Until(5*time.Minute, isGone(e))
	wantReleased(t, e, id)
}

// TestThrottlesAreNoReasonToGiveUpARelease goes on for an hour, with a moment without at its end.
func TestThrottlesAreNoReasonToGiveUpARelease(t *testing.T) {
	for _, action := range []string{describe, cancel, "DeleteCertificateRequest"} {
		t.Run(action, func(t *testing.T) {
			e, id := bought(t, slow)
			e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.Throttle, Times: -1})
			abandon(t, e)
			e.Pass(time.Hour)
			e.Simulator.LiftFaults()
			e.Until(5*time.Minute, isGone(e))
			wantReleased(t, e, id)
		})
	}
}

// TestOneBadMomentLeavesNoValidationRecordBehind comes after a release that took all the time that it may take.
func TestOneBadMomentLeavesNoValidationRecordBehind(t *testing.T) {
	for name, bad := range map[string]cassim.Fault{
		"a throttle":           {Action: deleteRecord, Kind: cassim.Throttle},
		"an hour of throttles": {Action: deleteRecord, Kind: cassim.Throttle, Times: -1},
		"a failure":            {Action: deleteRecord, Kind: cassim.Refuse, Status: 500, Code: "InternalError"},
		"nine minutes of failure": {Action: deleteRecord, Kind: cassim.Refuse, Status: 500, Code: "InternalError",
			Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := bought(t, slow)
			fail(e, cancel)
			abandon(t, e)
			e.Until(15*time.Minute, func() bool {
				release := onlyOrder(t, e).Status.Release
				if release != nil && release.Outcome == "" && e.Clock.Since(release.StartedAt.Time) > 9*time.Minute &&
					bad.Action != "" {
					e.Simulator.Inject(bad)
					bad.Action = ""
				}
				return release != nil && release.Outcome == v1alpha1.Unresolved
			})
			patience := map[bool]time.Duration{true: time.Hour, false: 9 * time.Minute}[bad.Kind == cassim.Throttle]
			e.Pass(patience)
			e.Simulator.LiftFaults()
			e.Until(5*time.Minute, isGone(e))
			if left := e.Simulator.Records(cassim.DefaultZone); len(left) != 0 {
				t.Errorf("it is left: %+v; %s", left, strings.Join(e.Events(), "\n"))
			}
		})
	}
}

// TestACleanUpThatCannotSucceedEndsInWords lets RAM forbid it for good.
func TestACleanUpThatCannotSucceedEndsInWords(t *testing.T) {
	e, _ := bought(t, slow)
	e.Simulator.DenyAction(cassim.DefaultKeyID, deleteRecord)
	abandon(t, e)
	e.Pass(9 * time.Minute)
	if len(e.Orders()) == 0 {
		t.Error("it is given up too early")
	}
	e.Until(5*time.Minute, isGone(e))
	if text := strings.Join(e.Events(), "\n"); !strings.Contains(text, "CleanUpFailed") ||
		!strings.Contains(text, `the TXT record "_dnsauth.www.example.com" could not be removed`) {
		t.Errorf("nobody is told: %s", text)
	}
}

// TestWhatCannotBeGivenBackIsToldWithItsCause looks at the ways in which a release can come to nothing.
func TestWhatCannotBeGivenBackIsToldWithItsCause(t *testing.T) {
	for name, test := range map[string]struct {
		options cassim.Options
		begin   func(e *env.Env, id string)
		cause   string
	}{
		"the CA goes on": {slow, func(e *env.Env, id string) { e.Simulator.IgnoreCancel(id) },
			"CAS has not carried out yet that it is cancelled"},
		"CAS is slow": {cassim.Options{CADelay: slow.CADelay, CancelDelay: time.Hour},
			func(*env.Env, string) {}, "CAS has not carried out yet that it is cancelled"},
		"a state without name": {slow, func(e *env.Env, id string) { e.Simulator.ForceState(id, "unknow") },
			`CAS gives its state as "unknow"`},
		"CAS fails": {slow, func(e *env.Env, _ string) { fail(e, describe) }, "CAS did not give it back in time"},
	} {
		t.Run(name, func(t *testing.T) {
			e, id := bought(t, test.options)
			test.begin(e, id)
			abandon(t, e)
			e.Until(20*time.Minute, isGone(e))
			if text := strings.Join(e.Events(), "\n"); !strings.Contains(text, "ReleaseUnresolved") ||
				!strings.Contains(text, test.cause) {
				t.Errorf("want %q: %s", test.cause, text)
			}
			wantLoss(t, e, id)
		})
	}
}

// wantLoss looks for the line that is left once nothing else is: a namespace takes its events with it.
func wantLoss(t *testing.T, e *env.Env, id string) {
	t.Helper()
	if line := regexp.MustCompile(`(?m)^.*\tERROR\t.*could not be given back.*` + id + `.*$`); !line.MatchString(
		e.Logs()) {
		t.Errorf("no error with the id %s is in the log: %s", id, e.Logs())
	}
	if n := unresolvedReleases(t, e.Namespace); n != 1 {
		t.Errorf("%v orders of the namespace are counted as not given back, want one", n)
	}
}

// unresolvedReleases is what a scrape shows for the issuers of a namespace.
func unresolvedReleases(t *testing.T, namespace string) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return env.Metrics(families).Sum("aliyun_issuer_releases_unresolved_total",
		map[string]string{"namespace": namespace})
}

// TestATerminatingNamespaceIsNotToldToMakeWhatNobodyCanMakeThere loses the Secret first, while no controller runs.
func TestATerminatingNamespaceIsNotToldToMakeWhatNobodyCanMakeThere(t *testing.T) {
	e, id := bought(t, slow)
	if err := e.Client.Delete(t.Context(), gen.Secret(e.Namespace, "", "")); err != nil {
		t.Fatal(err)
	}
	abandon(t, e)
	terminate(t, e)
	down(e, time.Hour)
	e.Pass(time.Minute)
	ready := onlyOrder(t, e).Status.Conditions
	text := ""
	for _, c := range ready {
		text += c.Message
	}
	if strings.Contains(text, "create it") || !strings.Contains(text, "nobody can create them there any more") {
		t.Errorf("they are told: %s", text)
	}
	e.Until(3*time.Minute, isGone(e))
	for _, event := range e.Events() {
		if strings.Contains(event, id) && strings.Contains(event, "create it") ||
			strings.Contains(event, "CleanUpFailed") &&
				!strings.Contains(event, "nobody can create them there any more") {
			t.Errorf("they are told: %s", event)
		}
	}
	if text := strings.Join(e.Events(), "\n"); !strings.Contains(text, "cancel and delete it in the console of CAS") {
		t.Errorf("they are told: %s", text)
	}
	wantLoss(t, e, id)
}

// TestAClusterIssuerThatOffersItGivesBackWhatWentWithItsNamespace loses the Secret of the order's own issuer with the
// namespace, while an AliyunClusterIssuer has a Secret of its own. What it offers, its account and its servers decide.
func TestAClusterIssuerThatOffersItGivesBackWhatWentWithItsNamespace(t *testing.T) {
	for name, test := range map[string]struct {
		releases     v1alpha1.ReleaseScope
		isOfOther    bool
		otherServers bool
		isGivenBack  bool
	}{
		"offered":                           {releases: v1alpha1.ReleasesAccount, isGivenBack: true},
		"not offered":                       {releases: v1alpha1.ReleasesOwn},
		"offered by another account":        {releases: v1alpha1.ReleasesAccount, isOfOther: true},
		"offered for the account elsewhere": {releases: v1alpha1.ReleasesAccount, otherServers: true},
	} {
		t.Run(name, func(t *testing.T) {
			other := cassim.Account{ID: otherAccount, Keys: []cassim.Key{{ID: otherKey, Secret: otherSecret}},
				Packages: map[string]int{gen.Product: 1}}
			e, id := bought(t, cassim.Options{Accounts: []cassim.Account{cassim.DefaultAccount(), other},
				CADelay: slow.CADelay})
			keyID, secret, url := cassim.DefaultKeyID, cassim.DefaultKeySecret, e.Simulator.URL()
			if test.isOfOther {
				keyID, secret = otherKey, otherSecret
			}
			if test.otherServers {
				elsewhere := cassim.New(cassim.Options{})
				if err := elsewhere.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(elsewhere.Close)
				url = elsewhere.URL()
			}
			keys := gen.Secret(e.Namespace, keyID, secret)
			keys.Name = "of-the-operator"
			e.Create(keys)
			lender := clusterIssuer(e, nil, nil, func(spec *v1alpha1.IssuerSpec) {
				endpoint := &v1alpha1.Endpoint{URL: url}
				spec.Endpoint, spec.STSEndpoint, spec.Credentials.AccessKeySecretRef.Name = endpoint, endpoint,
					keys.Name
			})
			lender.Spec.Releases = test.releases
			if err := e.Client.Update(t.Context(), lender); err != nil {
				t.Fatal(err)
			}
			e.Pass(time.Minute)
			if err := e.Client.Delete(t.Context(), gen.Secret(e.Namespace, "", "")); err != nil {
				t.Fatal(err)
			}
			abandon(t, e)
			terminate(t, e)
			down(e, time.Hour)
			e.Until(5*time.Minute, isGone(e))
			order, _ := e.Simulator.Order(id)
			if order.Released != test.isGivenBack {
				t.Errorf("given back: %t, want %t; %s", order.Released, test.isGivenBack,
					strings.Join(e.Events(), "\n"))
			}
			if want := map[bool]float64{false: 1}[test.isGivenBack]; unresolvedReleases(t, e.Namespace) != want {
				t.Errorf("%v orders are counted as not given back, want %v", unresolvedReleases(t, e.Namespace), want)
			}
		})
	}
}

// TestAnEditDuringADowntimeIsFollowedAsAnyOther lets the request be replaced while nobody looks.
func TestAnEditDuringADowntimeIsFollowedAsAnyOther(t *testing.T) {
	key := gen.Key()
	e := env.New(t, slow)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Settle()
	id := e.Simulator.Ledger()[0].OrderID
	abandon(t, e)
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	down(e, 11*time.Minute)
	e.Pass(10 * time.Second) // approvers come back, too
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Pass(5 * time.Minute)
	if got := onlyOrder(t, e).Status.OrderID; got != id {
		t.Errorf("its order is %q, want %q", got, id)
	}
	billed(t, e, 1)
}
