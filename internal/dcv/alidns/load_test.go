// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const crowd = 100

// of makes a solver for an account, as each reconcile does.
func (w *world) of(account string) *alidns.Solver {
	w.t.Helper()
	solver, err := alidns.New(alidns.Config{Endpoint: rpc.Endpoint{URL: w.URL()}, Credentials: credentialsOf(account)})
	if err != nil {
		w.t.Fatal(err)
	}
	return solver
}

// Runs the task for every number at once. Repeats a task that our own rate limit held back, after the wait that the
// limit asks for.
func (w *world) atOnce(numbers int, task func(n int) error) {
	w.t.Helper()
	var group sync.WaitGroup
	for n := range numbers {
		group.Go(func() {
			for {
				err := task(n)
				held, ok := errors.AsType[*rpc.Error](err)
				if !ok || held.Kind != rpc.KindThrottled || held.Code != "" {
					if err != nil {
						w.t.Errorf("%d: %v", n, err)
					}
					return
				}
				select {
				case <-time.After(held.RetryAfter):
				case <-w.t.Context().Done():
					return
				}
			}
		})
	}
	group.Wait()
}

// crowded is the challenge of an order of a crowd. Four of ten are for one name.
func crowded(n int) dcv.Challenge {
	host := "www"
	if n%10 < 6 {
		host = fmt.Sprintf("host-%d", n)
	}
	return dcv.Challenge{Domain: host + ".example.com", RecordName: "_dnsauth." + host, RecordType: "TXT",
		RecordValue: fmt.Sprintf("value-%d", n)}
}

func TestAHundredOrdersAtOnceInOneZoneTakeFourCallsEachAndDisturbNobody(t *testing.T) {
	t.Parallel() // it waits for its turns
	w := startWith(t, cassim.Options{Knobs: cassim.Knobs{Throttling: cassim.On}}, "example.com")
	foreign := []cassim.Record{
		w.person("example.com", "@", "A", "192.0.2.1"),
		w.person("example.com", "_dnsauth", "TXT", "value-1"),
		w.person("example.com", "_dnsauth.www", "TXT", "a person's"),
		w.person("example.com", "_dnsauth.www", "TXT", "value-"),
		w.person("example.com", "_dnsauth.host-0", "TXT", "another order's"),
		w.person("example.com", "host-0", "CNAME", "elsewhere.example.net"),
	}
	account := fmt.Sprintf("alidns-%d", accounts.Add(1))
	records := make([]dcv.Record, crowd)
	w.atOnce(crowd, func(n int) (err error) {
		records[n], err = w.of(account).Present(t.Context(), crowded(n), nil, new(claims).claim)
		return err
	})
	standing := w.Records("example.com")
	if len(standing) != len(foreign)+crowd {
		t.Errorf("%d records stand, want %d", len(standing), len(foreign)+crowd)
	}
	for n, rec := range records {
		want := crowded(n)
		if i := slices.IndexFunc(standing, func(r cassim.Record) bool { return r.ID == rec.ProviderID }); i < 0 ||
			rec.Foreign ||
			standing[i].FQDN != want.RecordName+".example.com" || standing[i].Value != want.RecordValue {
			t.Errorf("%d: got %+v", n, rec)
		}
	}
	w.atOnce(crowd, func(n int) error { return w.of(account).CleanUp(t.Context(), records[n]) })
	w.wantRecords(foreign...)
	want := map[string]int{"DescribeDomains": crowd, "DescribeSubDomainRecords": crowd, "AddDomainRecord": crowd,
		"DeleteDomainRecord": crowd}
	if got := w.Calls(); !maps.Equal(got, want) {
		t.Errorf("called %v, want %v", got, want)
	}
	for _, request := range w.Requests() {
		if request.Code != "" {
			t.Errorf("%s was refused: %s", request.Action, request.Code)
		}
	}
}

func TestAllSolversOfAnAccountShareItsRate(t *testing.T) {
	const tries = 30
	w := start(t, "example.com")
	shared := fmt.Sprintf("alidns-%d", accounts.Add(1))
	for name, test := range map[string]struct {
		account func(n int) string
		isHeld  bool
	}{
		"one account":        {func(int) string { return shared }, true},
		"as many as solvers": {func(n int) string { return fmt.Sprintf("%s-%d", shared, n) }, false},
	} {
		began, before := time.Now(), len(w.Requests())
		held := make([]bool, tries)
		var group sync.WaitGroup
		for n := range tries {
			group.Go(func() {
				err := w.of(test.account(n)).Probe(t.Context())
				if held[n] = rpc.KindOf(err) == rpc.KindThrottled; err != nil && !held[n] {
					t.Error(err)
				}
			})
		}
		group.Wait()
		sent := len(w.Requests()) - before
		most := 1 + int(math.Ceil(time.Since(began).Seconds()*rpc.DefaultRate))
		if isHeld := slices.Contains(held, true); isHeld != test.isHeld || (isHeld && sent > most) ||
			(!isHeld && sent != tries) {
			t.Errorf("%s: %d of %d calls were sent, at most %d are allowed in this time", name, sent, tries, most)
		}
	}
}
