// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"slices"
	"strings"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const (
	// beat is how often time leaps until everything has come to its end, if the managers keep up. Of those that say
	// nothing it is not known: after idleBeats they are taken to wait.
	beat      = 500 * time.Millisecond
	idleBeats = 6
	// stride is how far it leaps while orders go on.
	stride = 12 * time.Second
	// longStride is how far it leaps when there are only doubts left.
	longStride = 2 * time.Minute
)

// finish lets time pass until all requests are issued and nobody's record is left behind.
func (s *scene) finish() {
	s.T.Helper()
	s.drive("all requests are issued", func() bool {
		return len(s.unfinished()) == 0 && len(s.Simulator.Records(cassim.DefaultZone)) == len(s.records)
	})
}

// drive lets time pass until something has come to be, and does what held orders ask for. It goes with the work of the
// managers, however slow the machine is. It gives up when they come no further for long.
func (s *scene) drive(what string, isSo func() bool) {
	s.T.Helper()
	type stage struct{ unfinished, doubts, bought, words int }
	var reached stage
	since, idle, seen := time.Now(), 0, 0
	for !isSo() {
		time.Sleep(beat)
		unfinished, doubts := s.unfinished(), s.inDoubt()
		if now := (stage{len(unfinished), len(doubts), len(s.bought()), s.words}); now != reached {
			reached, since = now, time.Now()
		}
		if time.Since(since) > env.Patience {
			for _, order := range s.Orders() {
				s.T.Logf("%s: bought are %+v, its status is %+v", order.Spec.CommonName,
					s.bought()[order.Spec.CommonName], order.Status)
			}
			s.T.Fatalf("it does not come to pass that %s: of %d requests %d are not issued, and %d are in doubt",
				what, len(s.requests), len(unfinished), len(doubts))
		}
		work := s.work()
		if idle++; s.isSending(doubts) || work == seen && idle < idleBeats {
			continue
		}
		seen, idle = work, 0
		s.pass(unfinished, doubts)
	}
}

// pass lets time leap. Managers wait by the machine's clock, so they are woken.
func (s *scene) pass(unfinished []cmapi.CertificateRequest, doubts map[string]v1alpha1.AliyunOrder) {
	s.T.Helper()
	if len(doubts) >= len(unfinished) {
		s.leap(longStride)
	} else {
		s.leap(stride)
	}
	s.operate()
	for i := range unfinished {
		s.touch(&unfinished[i])
	}
}

// work differs whenever a manager has logged or called something.
func (s *scene) work() (units int) {
	for _, m := range s.managers {
		units += len(m.Log())
	}
	for _, calls := range s.Simulator.Calls() {
		units += calls
	}
	return units
}

// isSending says whether an order that was begun may still be sent. If time leapt, none ever would on a slow machine.
func (s *scene) isSending(doubts map[string]v1alpha1.AliyunOrder) bool {
	bought := s.bought()
	for name, order := range doubts {
		if len(bought[name]) == 0 && s.clock.Since(order.Status.Submission.StartedAt.Time) < cas.SubmitWindow {
			return true
		}
	}
	return false
}

// unfinished are the requests that are not issued.
func (s *scene) unfinished() []cmapi.CertificateRequest {
	s.T.Helper()
	list := &cmapi.CertificateRequestList{}
	if err := s.Client.List(s.T.Context(), list, client.InNamespace(s.Namespace)); err != nil {
		s.T.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(r cmapi.CertificateRequest) bool {
		return cmutil.CertificateRequestReadyReason(&r) == cmapi.CertificateRequestReasonIssued
	})
}

// touch changes a request, which wakes its Order.
func (s *scene) touch(request *cmapi.CertificateRequest) {
	s.T.Helper()
	next := request.DeepCopy()
	next.Annotations = map[string]string{"touched": s.clock.Now().String()}
	if err := s.Client.Patch(s.T.Context(), next, client.MergeFrom(request)); err != nil {
		s.T.Fatal(err)
	}
}

// operate does what the message of a held order asks for: it looks in the console, and says what is there. The message
// must be about the present doubt: whoever speaks of an earlier one is not asked.
func (s *scene) operate() {
	s.T.Helper()
	for _, order := range s.Orders() {
		ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
		isAsked := ready != nil && ready.Reason == v1alpha1.ReasonAmbiguousSubmission &&
			strings.Contains(ready.Message, v1alpha1.OrderIDAnnotation)
		if !isAsked || order.Status.OrderID != "" || order.Annotations[v1alpha1.OrderIDAnnotation] != "" {
			continue
		}
		if doubt := order.Status.Submission; doubt != nil &&
			!strings.Contains(ready.Message, doubt.StartedAt.UTC().Format(time.RFC3339)) {
			continue
		}
		word := v1alpha1.NoOrder
		for _, entry := range s.bought()[order.Spec.CommonName] {
			word = entry.ID
		}
		if s.isBlind && word != v1alpha1.NoOrder {
			continue
		}
		order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word}
		switch err := s.Client.Update(s.T.Context(), &order); {
		case err == nil:
			s.words++
		case !apierrors.IsConflict(err):
			s.T.Fatal(err)
		}
	}
}

// verdict compares what was paid for with what was asked for, and looks for what must not be there.
func (s *scene) verdict() {
	s.T.Helper()
	bought := s.bought()
	for _, name := range s.requests {
		if entries := bought[domainOf(name)]; len(entries) != 1 || entries[0].IsReleased {
			s.T.Errorf("for %s these orders were billed, want one: %+v", name, entries)
		}
	}
	if len(bought) != len(s.requests) {
		s.T.Errorf("orders for %d names were billed, want %d", len(bought), len(s.requests))
	}
	for _, order := range s.Orders() {
		if entries := bought[order.Spec.CommonName]; len(entries) == 1 && order.Status.OrderID != entries[0].ID {
			s.T.Errorf("the order for %s has the id %q, want %q", order.Spec.CommonName, order.Status.OrderID,
				entries[0].ID)
		}
		if order.Status.Submission == nil {
			s.T.Errorf("the order for %s has lost its intent", order.Spec.CommonName)
		}
	}
	if err := s.from.Harm(s.Simulator); err != nil {
		s.T.Error(err)
	}
	if diff := cmp.Diff(s.records, s.Simulator.Records(cassim.DefaultZone)); diff != "" {
		s.T.Errorf("records were left behind, or lost (-want +got):\n%s", diff)
	}
	for _, m := range s.managers {
		for _, unwanted := range []string{
			cassim.DefaultKeyID, cassim.DefaultKeySecret, gen.Email, gen.Phone, gen.Person, "Signature=",
			"SignatureNonce", "PRIVATE KEY", "DATA RACE", "panic:",
		} {
			if strings.Contains(m.Log(), unwanted) {
				s.T.Errorf("%q is in the log", unwanted)
			}
		}
	}
}
