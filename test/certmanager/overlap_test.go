// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"context"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestARequestSaysThatAnotherInstallationServesItsNamespace has a policy in the way such as another installation
// brings, and takes it out again.
func TestARequestSaysThatAnotherInstallationServesItsNamespace(t *testing.T) {
	t.Parallel()
	w := commonWorld(t)
	end := w.refuse(admissionregistrationv1.Create, "aliyunorders", "false", "this namespace is not for you")
	controller, err := w.cluster.as("system:serviceaccount:" + system + ":" + release)
	if err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, env.Patience, true,
		func(ctx context.Context) (bool, error) {
			return controller.Create(ctx, gen.Order(w.Namespace), client.DryRunAll) != nil, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	w.Create(w.certificate(www))
	w.untilRequestSays(www, "another installation of aliyun-issuer may serve the namespace")
	w.untilRequestSays(www, "this namespace is not for you")
	w.bought(www, 0)
	end()
	w.untilIssued(www, 1)
	w.bought(www, 1)
}
