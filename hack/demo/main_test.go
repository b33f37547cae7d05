// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestEachSourceHasItsSamples reads what the demo of each source changes: files that users start from.
func TestEachSourceHasItsSamples(t *testing.T) {
	for name, of := range map[string]func(v1alpha1.Source) bool{
		"plan":     func(s v1alpha1.Source) bool { return s.ResourcePlan != nil },
		"instance": func(s v1alpha1.Source) bool { return s.Instance != nil },
	} {
		found, err := sourceOf(name)
		if err != nil {
			t.Fatal(err)
		}
		issuer, certificate := &v1alpha1.AliyunIssuer{}, &cmapi.Certificate{}
		if err := cmp.Or(read("../../"+samples+found.issuer, issuer),
			read("../../"+samples+found.certificate, certificate)); err != nil {
			t.Fatal(err)
		}
		if !of(issuer.Spec.Source) || certificate.Spec.IssuerRef.Name != issuer.Name {
			t.Errorf("%s: the issuer %+v, and the Certificate asks %+v", name, issuer.Spec.Source,
				certificate.Spec.IssuerRef)
		}
	}
}

// TestWhatCannotBeDoneIsSaidBeforeAnythingIsBuilt names a mistake and what is possible.
func TestWhatCannotBeDoneIsSaidBeforeAnythingIsBuilt(t *testing.T) {
	for arguments, want := range map[string]string{
		"up Instance": `there is no demo of the source "Instance": set SOURCE to one of instance, plan`,
		"up ":         `there is no demo of the source "": set SOURCE to one of instance, plan`,
		"up":          "usage: demo up SOURCE | demo down",
		"down plan":   "usage: demo up SOURCE | demo down",
	} {
		err := command(t.Context(), strings.Split(arguments, " "))
		if err == nil || err.Error() != want {
			t.Errorf("demo %s: %v", arguments, err)
		}
	}
}
