// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"net/http"
	"testing"
	"time"

	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestTheClockOfTheServicesIsWrong(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	id := w.order("example.com")
	for ahead, code := range map[time.Duration]string{
		14 * time.Minute: "", -14 * time.Minute: "", 16 * time.Minute: "InvalidTimeStamp.Expired",
		-16 * time.Minute: "InvalidTimeStamp.Expired",
	} {
		w.SetSkew(ahead)
		_, err := w.cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
		if codeOf(err) != code {
			t.Errorf("%v ahead: %v", ahead, err)
		}
		_, header, _ := w.raw(aPackage)
		if got, want := header.Get("Date"), began.Add(ahead).Format(http.TimeFormat); got != want {
			t.Errorf("%v ahead the date is %s, want %s", ahead, got, want)
		}
		if code != "" {
			continue
		}
		if got, want := w.list(nil).CertificateOrderList[0].BuyDate, began.Add(ahead).UnixMilli(); got != want {
			t.Errorf("%v ahead the order was bought at %d, want %d", ahead, got, want)
		}
	}
	w.SetSkew(10 * time.Minute)
	w.publish(id)
	w.pass(time.Hour - time.Second)
	w.wantState(id, cassim.StateProcess) // an order lives in true time
	if w.Skew() != 10*time.Minute || !w.Ledger()[0].BoughtAt.Equal(began) {
		t.Errorf("the skew is %v, bought at %v", w.Skew(), w.Ledger()[0].BoughtAt)
	}
}

func TestATemporaryKeyIsEnded(t *testing.T) {
	key := cassim.Key{ID: "STS.one", Secret: "s", SecurityToken: "token"}
	w := start(t, cassim.Options{Accounts: []cassim.Account{{
		Keys: []cassim.Key{key, {ID: "permanent", Secret: "s"}}, Packages: map[string]int{cassim.DefaultProduct: 2},
	}}})
	w.order("example.com")
	w.ExpireToken(key.ID)
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	wantCode(t, err, 400, "InvalidSecurityToken.Expired")
	w.RotateKey(key.ID, cassim.Key{ID: "STS.two", Secret: "s2", SecurityToken: "another"})
	w.cas, _ = w.clients("STS.two", "s2", "another")
	w.order("example.com")
	defer func() {
		if recover() == nil {
			t.Error("a permanent key was ended")
		}
	}()
	w.ExpireToken("permanent")
}

func TestACSRMayBeRefusedASecondTime(t *testing.T) {
	w := start(t, cassim.Options{Knobs: cassim.Knobs{CSRReuse: cassim.ReuseRefused}})
	req := w.application("example.com")
	w.create(req)
	again := w.application("example.com")
	again.Csr = req.Csr
	_, err := w.cas.CreateCertificateWithCsrRequest(again)
	if wantCode(t, err, 400, "ParamRepeat"); len(w.Ledger()) != 1 {
		t.Errorf("billed: %+v", w.Ledger())
	}
}
