// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestAnExhaustedPlanIsTriedByOneOrderOfItsAccount lets other issuers of the account know, and nobody else.
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
		return &orderRun{issuer: of, order: order, now: now}
	}
	spent := &spending{}
	pause := spent.found(plan(run("a", "1", "dv", noon)), true, noon)
	spent.found(plan(run("unknown", "", "dv", noon)), true, noon)
	for _, test := range []struct {
		run  *orderRun
		want outcomeKind
	}{
		{run("a", "1", "dv", noon), outcomeStall},
		{run("b", "1", "dv", noon), outcomeStall},
		{run("b", "1", "wildcard", noon), outcomeProceed},
		{run("c", "2", "dv", noon), outcomeProceed},
		{run("liar", "1", "dv", noon), outcomeProceed},
		{run("unknown", "", "dv", noon), outcomeStall},
		{run("another", "", "dv", noon), outcomeProceed},
		{run("b", "1", "dv", noon.Add(pause)), outcomeProceed},
		{run("a", "1", "dv", noon.Add(pause)), outcomeStall}, // while that one tries
	} {
		if got := spent.mayTry(test.run).kind; got != test.want {
			t.Errorf("%s, of the account %+v: got %v, want %v", test.run.issuer.GetUID(), test.run.issuer.GetStatus().Identity, got, test.want)
		}
	}
}
