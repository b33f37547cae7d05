// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Probe asks, with one read call, whether the webhook is installed and can be reached, before an order is paid for that
// it could not validate. Every ServiceAccount may make this call. Whether the controller may create is not asked: the
// first refusal tells.
func (s *Solver) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := s.client.Get().MaxRetries(0).Do(ctx).Raw()
	if err != nil {
		return s.explain(err)
	}
	var offered metav1.APIResourceList
	if err := json.Unmarshal(reply, &offered); err != nil {
		return fmt.Errorf("%s answered with something else than a list of its resources", s.name())
	}
	if !slices.ContainsFunc(offered.APIResources,
		func(r metav1.APIResource) bool { return r.Name == s.config.SolverName }) {
		return &dcv.Problem{Message: fmt.Sprintf("the API server does not know %s: the APIService %q has no solver "+
			"of that name, correct solverName",
			s.name(), s.apiService())}
	}
	return nil
}
