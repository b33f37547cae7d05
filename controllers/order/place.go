// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// Looks where the validation record would go, as far as the solver knows, before anything is paid for that would wait
// there in vain. Costs a call to Alibaba Cloud DNS, or some questions to the name server of dynamic updates.
func (r *prechecking) checkPlace(ctx context.Context, run *orderRun, name string) outcome {
	use := useOf(run, orders.SolverFor(run.order, name), []string{name}, r.Remote.Secrets)
	if use.IsNone() {
		return proceed()
	}
	solver, err := r.Remote.Solver(use)
	if err != nil {
		return hold(holdLongest, v1alpha1.ReasonPresentFailed, fmt.Sprintf("nothing is ordered yet: the solver "+
			"cannot be used: %v", err))
	}
	placer, isPlacer := solver.(dcv.Placer)
	if !isPlacer {
		return proceed()
	}
	record, err := placer.Place(ctx, dcv.ExpectedChallenge(name))
	if end := r.checkedPlace(ctx, run, record, err); end.endsRun() || err != nil {
		return end
	}
	return r.mayPublish(ctx, run, use, record.Zone)
}

// solverIsKept is for whoever changes the issuer's solver: an AliyunOrder keeps the one that it was made with.
const solverIsKept = "After a change of the solver in the issuer, delete the CertificateRequest, for which nothing " +
	"is ordered yet. "

// Says what a look at the record's place leads to: nothing, if the issuer skips that check.
func (r *prechecking) checkedPlace(ctx context.Context, run *orderRun, record dcv.Record, err error) outcome {
	switch {
	case skips(run, v1alpha1.CheckZone):
		return proceed()
	case err == nil:
		err = r.Remote.SelfCheck.CheckPlace(ctx, record)
	case isForPerson(err):
		reason, message := verdict.Explain(err)
		return hold(holdFor(err, run.stateAge()), reason, "nothing is ordered yet: "+message)
	case rpc.IsThrottled(err):
		return wait(pollDelay(run.stateAge()))
	}
	return r.checked(ctx, run, err, solverIsKept)
}

// Says whether a person has to mend credentials, or what they may do.
func isForPerson(err error) bool {
	_, isProblem := errors.AsType[*credentials.Problem](err)
	return isProblem || rpc.IsCredentials(err) || rpc.IsPermission(err)
}
