// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestWhateverSomebodyElseWroteIsWhatAnApplicationSubmits(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(bought)
	csr := w.update(id, "example.com")
	w.WriteInConsole(id, "www.example.com")
	if got := w.detail(id); got["Csr"] == csr || got["Domain"] != "www.example.com" {
		t.Errorf("got %v", got)
	}
	w.apply(id)
	got := w.Applications()
	if len(got) != 1 || got[0].Foreign || !got[0].ForeignCSR || got[0].CSRBy != "console" {
		t.Errorf("got %+v", got)
	}
	if err := w.InstanceHarm(); err == nil || !strings.Contains(err.Error(), "console") {
		t.Errorf("the harm is %v", err)
	}
}

func TestSomebodyElseSubmitsWhatACallerWrote(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(bought)
	w.update(id, "example.com")
	w.ApplyInConsole(id)
	_, err := w.do("ApplyCertificate", params{"InstanceId": id})
	wantCode(t, err, 400, denied)
	got := w.Applications()
	if len(got) != 1 || !got[0].Foreign || got[0].ForeignCSR || w.InstanceHarm() != nil {
		t.Errorf("got %+v", got)
	}
	w.pass(time.Minute)
	w.CancelInConsole(id)
	w.pass(time.Hour)
	w.wantStatus(id, "normal")
}

func TestWritingOverSomebodyElseIsCounted(t *testing.T) {
	w := start(t, cassim.Options{})
	overwritten := func(id string) int {
		view, _ := w.Instance(id)
		return view.Overwritten
	}
	own, theirs, used := w.AddInstance(bought), w.AddInstance(bought), w.issued(bought, "www.example.com")
	w.update(own, "example.com")
	w.update(own, "example.com")
	w.WriteInConsole(theirs, "example.com")
	w.must("UpdateInstance", params{"InstanceId": theirs, "CertificateName": "a name alone"})
	if overwritten(own) != 0 || overwritten(theirs) != 0 {
		t.Errorf("%d, %d", overwritten(own), overwritten(theirs))
	}
	w.update(theirs, "example.com")
	w.HostInstance(used)
	w.update(used, "www.example.com")
	if overwritten(theirs) != 1 || overwritten(used) != 0 {
		t.Errorf("%d, %d", overwritten(theirs), overwritten(used))
	}
}

func TestHarmIsToldOfWhoeverDoesIt(t *testing.T) {
	other := cassim.Key{ID: "two", Secret: "s2"}
	account := cassim.DefaultAccount()
	account.Keys = append(account.Keys, other)
	for name, do := range map[string]func(w *world, id string){
		"one CSR for two instances": func(w *world, id string) {
			csr, second := newCSR(w.t, newKey(w.t), "example.com"), w.AddInstance(bought)
			for _, id := range []string{id, second} {
				w.must("UpdateInstance", params{"InstanceId": id, "Csr": csr, "GenerateCsrMethod": "upload"})
				w.apply(id)
			}
		},
		"a foreign application is cancelled": func(w *world, id string) {
			w.WriteInConsole(id, "example.com")
			w.ApplyInConsole(id)
			w.pass(time.Minute)
			w.must("CancelPendingCertificate", params{"InstanceId": id})
		},
		"another user's application is cancelled": func(w *world, id string) {
			w.update(id, "example.com")
			w.apply(id)
			w.pass(time.Minute)
			w.cas, _ = w.clients(other.ID, other.Secret, "")
			w.must("CancelPendingCertificate", params{"InstanceId": id})
		},
		"another user's CSR is applied with": func(w *world, id string) {
			w.update(id, "example.com")
			w.cas, _ = w.clients(other.ID, other.Secret, "")
			w.apply(id)
		},
		"an application is replaced": func(w *world, id string) {
			w.SetKnobs(func(k *cassim.Knobs) { k.ApplyReplay = cassim.ReplayReplaces })
			w.update(id, "example.com")
			w.apply(id)
			w.apply(id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, cassim.Options{Accounts: []cassim.Account{account}})
			id := w.AddInstance(bought)
			if err := w.InstanceHarm(); err != nil {
				t.Fatal(err)
			}
			do(w, id)
			if err := w.InstanceHarm(); err == nil {
				t.Errorf("no harm in %+v", w.Applications())
			}
		})
	}
}

func TestARequestThatWasWithdrawnMayBeAppliedForAgain(t *testing.T) {
	w := start(t, cassim.Options{})
	id, other := w.AddInstance(bought), w.AddInstance(bought)
	csr := newCSR(t, newKey(t), "example.com")
	write := params{"InstanceId": id, "Csr": csr, "GenerateCsrMethod": "upload"}
	w.must("UpdateInstance", write)
	w.apply(id)
	w.pass(time.Minute)
	w.must("CancelPendingCertificate", params{"InstanceId": id})
	w.pass(5 * time.Minute)
	write["InstanceId"] = other
	w.must("UpdateInstance", write)
	w.apply(other)
	if err := w.InstanceHarm(); err != nil {
		t.Error(err)
	}
}

func TestASecondApplication(t *testing.T) {
	each(t, "applyReplay", map[string]struct {
		code         string
		applications int
	}{"refused": {denied, 1}, "ignored": {"", 1}, "replaces": {"", 2}}, func(t *testing.T, w *world, want struct {
		code         string
		applications int
	}) {
		id := w.applied(bought, "example.com")
		_, err := w.do("ApplyCertificate", params{"InstanceId": id})
		if got := w.Applications(); codeOf(err) != want.code || len(got) != want.applications {
			t.Errorf("got %v, %+v", err, got)
		}
	})
}

func TestHostingPutsAForeignCertificateOnAnInstance(t *testing.T) {
	each(t, "hosting", map[string]int{"720h": 2, "never": 1}, func(t *testing.T, w *world, want int) {
		id := w.issued(bought, "example.com")
		w.SetHosting(id, true)
		first := w.detail(id)["CertificateId"]
		w.pass(171 * 24 * time.Hour)
		got := w.detail(id)
		applications := w.Applications()
		if len(applications) != want || (got["CertificateId"] != first) != (want > 1) ||
			got["AutoReissue"] != "enable" {
			t.Fatalf("got %v, %+v", got, applications)
		}
		if last := applications[want-1]; last.Foreign != (want > 1) || last.ForeignCSR != (want > 1) {
			t.Errorf("got %+v", last)
		}
	})
	w := start(t, cassim.Options{})
	id := w.issued(bought, "example.com")
	w.pass(400 * 24 * time.Hour)
	w.wantStatus(id, "expired")
	test := w.issued(cassim.NewInstance{}, "example.com")
	w.SetHosting(test, true)
	w.pass(89 * 24 * time.Hour)
	w.HostInstance(w.issued(bought, "www.example.com"))
	if view, _ := w.Instance(test); view.Status != "willExpire" || len(view.Applications) != 1 {
		t.Errorf("an instance that ends with its certificate: %+v", view)
	}
}

func TestAnInstanceMayDieUnderItsApplication(t *testing.T) {
	for _, status := range []string{"expired", "refund", "closed"} {
		w := start(t, cassim.Options{})
		id := w.applied(bought, "example.com")
		w.SetInstanceStatus(id, status)
		w.prove(id)
		w.pass(time.Hour)
		w.wantStatus(id, status)
		if got := w.again(id); got != [2]string{"InvalidStatus.UpdateProtection", denied} {
			t.Errorf("%s: %v", status, got)
		}
		w.SetInstanceStatus(id, "")
		w.wantStatus(id, "normal")
	}
	w := start(t, cassim.Options{})
	id := w.applied(bought, "example.com")
	w.SetInstanceStatus(id, "willExpire")
	w.prove(id)
	w.wantStatus(id, "willExpire")
	if got := w.detail(id)["CertificateStatus"]; got != "issued" {
		t.Errorf("got %v", got)
	}
}

func TestAnUpgradeChangesTheNumbersOfNames(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(cassim.NewInstance{})
	w.UpgradeInstance(id, 2, 1)
	w.update(id, "example.com", "www.example.com", "*.example.com")
	if got := w.detail(id); got["UpgradeStatus"] != "payed" ||
		got["FullDomainCount"].(interface{ String() string }).String() != "2" {
		t.Errorf("got %v", got)
	}
}

func TestAnApplicationMayExpire(t *testing.T) {
	each(t, "pendingExpiry", map[string]string{"never": "pending", "168h": "inactive"},
		func(t *testing.T, w *world, want string) {
			w.SetKnobs(func(k *cassim.Knobs) { k.InstanceDNS = cassim.Off })
			id := w.applied(bought, "example.com")
			w.pass(169 * time.Hour)
			w.wantStatus(id, want)
		})
}

func TestTheAuthorityMayDoWrong(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(bought)
	w.InstanceWrongKey(id)
	w.InstanceWrongNames(id, "wrong.example.com")
	w.InstanceExtraNames(id, "extra.example.com")
	w.InstanceWrongDates(id, began.Add(-time.Hour), began.Add(time.Hour))
	w.InstanceChain(id, cassim.ChainLeafOnly)
	w.FreezeInstance(id)
	csr := w.update(id, "example.com")
	w.apply(id)
	w.pass(time.Hour)
	w.wantStatus(id, "inactive")
	w.ThawInstance(id)
	w.prove(id)
	w.wantStatus(id, "normal")
	view, _ := w.Instance(id)
	stored := w.must("GetUserCertificateDetail", params{"CertId": view.Applications[0].CertificateID})
	certs := chain(t, stored["Cert"].(string))
	if len(certs) != 1 || strings.Join(certs[0].DNSNames, ",") != "wrong.example.com,extra.example.com" ||
		!certs[0].NotAfter.Equal(began.Add(time.Hour)) {
		t.Errorf("got %d certificates, of %v until %v", len(certs), certs[0].DNSNames, certs[0].NotAfter)
	}
	if strings.Contains(csr, stored["Cert"].(string)) || view.Applications[0].State != "issued" {
		t.Errorf("got %+v", view)
	}
	w.RevokeLatest(id)
	if view, _ = w.Instance(id); !view.Applications[0].Revoked || w.detail(id)["CertificateStatus"] == "issued" {
		t.Errorf("it is not revoked: %+v", view)
	}
}

func TestACancellationMayBeIgnored(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.applied(bought, "example.com")
	w.IgnoreInstanceCancel(id)
	w.must("CancelPendingCertificate", params{"InstanceId": id})
	w.prove(id)
	if got := w.detail(id); got["CertificateStatus"] != "issued" {
		t.Errorf("got %v", got)
	}
}

// TestACallThatEndsWhatSomebodyHasPaidForIsHarm calls verbs that the simulator has, and such as it has not: whoever
// asks for one has done wrong, whatever is answered.
func TestACallThatEndsWhatSomebodyHasPaidForIsHarm(t *testing.T) {
	for _, verb := range []string{"RefundInstance", "DeleteInstance", "RevokeCertificate",
		"CancelCertificateForPackageRequest", "DeleteUserCertificate"} {
		w := start(t, cassim.Options{})
		id := w.AddInstance(bought)
		w.detail(id)
		if err := w.EndingHarm(); err != nil {
			t.Fatal(err)
		}
		_, _ = w.do(verb, params{"InstanceId": id})
		if err := w.EndingHarm(); err == nil || !strings.Contains(err.Error(), verb) {
			t.Errorf("%s: %v", verb, err)
		}
	}
}
