// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// Returns a session for an Order with this name and solver.
func at(commonName string, solver v1alpha1.Solver) *session {
	return &session{Ask: source.Ask{Order: &v1alpha1.AliyunOrder{
		Spec: v1alpha1.OrderSpec{CommonName: commonName, Solvers: []v1alpha1.OrderSolver{{Solver: solver}}}}}}
}

func TestEachStateOfCASHasItsPhase(t *testing.T) {
	for state, want := range map[cas.State]v1alpha1.OrderPhase{
		cas.StateDomainVerify: v1alpha1.PhaseAwaitingValidation, cas.StateProcess: v1alpha1.PhaseInReview,
		cas.StateCertificate: v1alpha1.PhaseIssued, cas.StateVerifyFail: v1alpha1.PhaseRefused,
		cas.StatePayed: v1alpha1.PhaseWithdrawnElsewhere, "unknow": v1alpha1.PhaseUnknown,
		"a new one": v1alpha1.PhaseOther,
	} {
		got := at("www.example.com", v1alpha1.Solver{}).observation(&cas.Order{State: state})
		compare.Same(t, *got, source.Observation{Phase: want, Word: string(state)})
	}
}

func TestAWildcardIsValidatedAtItsBase(t *testing.T) {
	got := at("*.shop.example.com", v1alpha1.Solver{}).observation(&cas.Order{State: cas.StateDomainVerify,
		Record: &cas.Record{Domain: "_dnsauth.shop", Type: "TXT", Value: "v1"},
		File:   &cas.File{URI: "/x", Content: "y"}})
	compare.Same(t, got.Validations, []v1alpha1.OrderValidation{{Domain: "shop.example.com",
		RecordName: "_dnsauth.shop", RecordType: "TXT", RecordValue: "v1"}})
}

func TestWhatCASSaysTakesBoundedRoom(t *testing.T) {
	long := strings.Repeat("x", 2000)
	got := at("www.example.com", v1alpha1.Solver{}).observation(
		&cas.Order{Record: &cas.Record{Domain: long, Type: long, Value: long}}).Validations[0]
	compare.Same(t, []int{len(got.RecordName), len(got.RecordType), len(got.RecordValue)}, []int{255, 16, 1024})
}
