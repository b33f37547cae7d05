// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestAnExhaustedPlanIsTriedByOneOrderOfItsAccount has one order meet with exhaustion: the other issuers of the account
// know of it for that product, and nobody else does.
func TestAnExhaustedPlanIsTriedByOneOrderOfItsAccount(t *testing.T) {
	run := func(issuer types.UID, account, product string, now time.Time) *orderRun {
		of := &v1alpha1.AliyunIssuer{ObjectMeta: metav1.ObjectMeta{UID: issuer, Name: string(issuer)}}
		if issuer == "liar" {
			of.Spec.STSEndpoint = &v1alpha1.Endpoint{URL: "https://sts.liar.example.com"}
		}
		if account != "" {
			of.Status.Identity = &v1alpha1.IssuerIdentity{AccountID: account}
		}
		order := &v1alpha1.AliyunOrder{}
		order.Spec.Source.ResourcePlan = &v1alpha1.ResourcePlan{ProductCode: product}
		run := runOf(order, now)
		run.issuer = of
		return run
	}
	spent := &spending{}
	pause := spent.noteTry(run("a", "1", "dv", noon).supply(), true, noon)
	spent.noteTry(run("unknown", "", "dv", noon).supply(), true, noon)
	for _, test := range []struct {
		run  *orderRun
		want outcomeKind
	}{
		{run("a", "1", "dv", noon), outcomeHold},
		{run("b", "1", "dv", noon), outcomeHold},
		{run("b", "1", "wildcard", noon), outcomeProceed},
		{run("c", "2", "dv", noon), outcomeProceed},
		{run("liar", "1", "dv", noon), outcomeProceed},
		{run("unknown", "", "dv", noon), outcomeHold},
		{run("another", "", "dv", noon), outcomeProceed},
		{run("b", "1", "dv", noon.Add(pause)), outcomeProceed},
		{run("a", "1", "dv", noon.Add(pause)), outcomeHold}, // while the one above tries
	} {
		if got := spent.takeTry(test.run).kind; got != test.want {
			t.Errorf("%s, of the account %+v: got %v, want %v", test.run.issuer.GetUID(),
				test.run.issuer.GetStatus().Identity, got, test.want)
		}
	}
}
