// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func TestARequestIsFinishedByItsReasonAlone(t *testing.T) {
	for reason, want := range map[string]bool{
		"Issued": true, "Failed": true, "Denied": true, "Pending": false, "": false, "Ready": false,
	} {
		for _, status := range []cmmeta.ConditionStatus{cmmeta.ConditionTrue, cmmeta.ConditionFalse} {
			request := &cmapi.CertificateRequest{}
			request.Status.Conditions = []cmapi.CertificateRequestCondition{
				{Type: cmapi.CertificateRequestConditionReady, Status: status, Reason: reason},
			}
			if got := IsFinished(request); got != want {
				t.Errorf("%s, %s: finished is %t", reason, status, got)
			}
		}
	}
	if IsFinished(&cmapi.CertificateRequest{}) {
		t.Error("a request without conditions is finished")
	}
}

// TestEachRequestHasANameForItsOrder makes requests again under one name, and with the longest name that there is.
func TestEachRequestHasANameForItsOrder(t *testing.T) {
	long := strings.Repeat("a", 243) + ".bcdefghi"
	for name, test := range map[string]struct{ name, uid, want string }{
		"a request":           {"www-1", "0123456789", "www-1-01234567"},
		"it was made again":   {"www-1", "9876543210", "www-1-98765432"},
		"the longest name":    {long, "0123456789", strings.Repeat("a", 243) + "-01234567"},
		"a UID that is short": {"www-1", "0", "www-1-0"},
	} {
		got := OrderName(&cmapi.CertificateRequest{
			ObjectMeta: metav1.ObjectMeta{Name: test.name, UID: types.UID(test.uid)}})
		compare.Same(t, got, test.want)
		if faults := validation.IsDNS1123Subdomain(got); len(faults) > 0 {
			t.Errorf("%s: %q is no name: %v", name, got, faults)
		}
	}
}
