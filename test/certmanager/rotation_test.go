// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"fmt"
	"strings"
	"testing"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestTwentyTeamsRotateTheirKeysWhileTheyOrder runs the manager with the race detector. Each team has a key of its own,
// all of one account: every second one assumes a role with it. Keys are replaced in the account before the Secrets are,
// and sessions end, while two hundred orders are under way. The account throttles, by its own number and not by keys.
func TestTwentyTeamsRotateTheirKeysWhileTheyOrder(t *testing.T) {
	t.Parallel()
	const teams, each, rounds = 20, 10, 3
	account := cassim.DefaultAccount()
	account.Packages[cassim.DefaultProduct] = teams * each
	account.Roles = []cassim.Role{{Name: "cas"}}
	account.Keys = nil
	for team := range teams {
		account.Keys = append(account.Keys, teamKey(team, 0))
	}
	simulator := cassim.New(
		cassim.Options{Accounts: []cassim.Account{account}, Knobs: cassim.Knobs{Throttling: cassim.On}})
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simulator.Close)
	c := newCluster(t)
	worlds := make([]*world, teams)
	for team := range worlds {
		worlds[team] = worldOf(t, c, simulator, keepNothing, func(i *v1alpha1.AliyunIssuer) {
			if team%2 == 1 {
				i.Spec.Credentials.AssumeRole = &v1alpha1.AssumeRole{RoleARN: simulator.RoleARN("cas")}
			}
		})
		worlds[team].putKey(teamKey(team, 0))
	}
	m := worlds[0].startManager()
	for _, w := range worlds {
		for i := range each {
			w.Create(w.newRequest(fmt.Sprintf("w%d", i)))
		}
	}
	for round := range rounds {
		worlds[0].until(fmt.Sprintf("%d orders are submitted", (round+1)*teams*each/(rounds+1)),
			&v1alpha1.AliyunOrderList{}, func() bool {
				return len(simulator.Ledger()) >= (round+1)*teams*each/(rounds+1)
			})
		for team, w := range worlds {
			simulator.RotateKey(teamKey(team, round).ID, teamKey(team, round+1))
			w.putKey(teamKey(team, round+1))
		}
		simulator.ExpireSessions()
	}
	for _, w := range worlds {
		w.untilAllIssued(each)
	}
	if billed := len(simulator.Ledger()); billed != teams*each {
		t.Errorf("%d orders were billed for %d requests", billed, teams*each)
	}
	refused := map[string]int{}
	for _, request := range simulator.Requests() {
		if request.Code != "" {
			refused[request.Code]++
		}
	}
	t.Logf("calls: %v; refused: %v", simulator.Calls(), refused)
	for code := range refused {
		if strings.Contains(code, "Throttling") || strings.Contains(code, "FlowControl") {
			t.Errorf("%d calls were throttled with %s: keys of one account do not share its rate", refused[code], code)
		}
	}
	if races := m.linesWith("DATA RACE"); races != "" {
		t.Error(races)
	}
}

func teamKey(team, round int) cassim.Key {
	return cassim.Key{ID: fmt.Sprintf("team-%d-key-%d", team, round), Secret: fmt.Sprintf("secret-%d-%d", team, round),
		User: fmt.Sprintf("team-%d", team)}
}

// putKey is what whoever rotates a key does.
func (w *world) putKey(key cassim.Key) {
	w.T.Helper()
	secret := w.secret(gen.SecretName)
	w.edit(secret, func() { secret.Data = gen.Secret("", key.ID, key.Secret).Data })
}

// untilAllIssued waits for so many requests, and fails the test if one of them has failed.
func (w *world) untilAllIssued(want int) {
	w.T.Helper()
	w.until(fmt.Sprintf("%d requests are issued", want), &cmapi.CertificateRequestList{}, func() bool {
		issued, list := 0, &cmapi.CertificateRequestList{}
		w.list(list)
		for i := range list.Items {
			switch reason := cmutil.CertificateRequestReadyReason(&list.Items[i]); reason {
			case cmapi.CertificateRequestReasonIssued:
				issued++
			case cmapi.CertificateRequestReasonFailed:
				w.T.Fatalf("a request has failed: %+v", list.Items[i].Status.Conditions)
			}
		}
		return issued == want
	})
}
