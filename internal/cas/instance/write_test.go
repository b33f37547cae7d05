// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

func TestAnUpdateSendsWhatItIsGivenAndAlwaysUploadsAndDisablesHosting(t *testing.T) {
	var sent url.Values
	client := newClient(t, answers.By(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.URL.Query()
		_, _ = fmt.Fprint(w, `{"RequestId":"R-1"}`)
	}))
	update := newUpdate()
	update.Names = []string{"a.example.com", "b.example.com"}
	update.ContactIDs = []string{"2", "1"}
	update.Tags = map[string]string{"b": "2", "a": "1"}
	update.CompanyID, update.Name = "3", "mine"
	done := instance.Change{Outcome: instance.Done, RequestID: "R-1"}
	if got := client.Update(context.Background(), testInstance, update, clients.Noon); got != done {
		t.Fatalf("got %+v", got)
	}
	common := []string{
		"Action", "Version", "Format", "Timestamp", "SignatureMethod", "SignatureType", "SignatureVersion",
		"SignatureNonce", "AccessKeyId",
		"RegionId", "Signature", "SecurityToken",
	}
	got := map[string]string{}
	for name := range sent {
		if !slices.Contains(common, name) {
			got[name] = sent.Get(name)
		}
	}
	want := map[string]string{
		"InstanceId": string(testInstance), "Csr": clients.CSR, "GenerateCsrMethod": "upload",
		"Domain": "a.example.com,b.example.com", "KeyAlgorithm": "ECC_256",
		"ValidationMethod": "DNS", "AutoReissue": "disable", "ContactIdList.1": "2", "ContactIdList.2": "1",
		"CompanyId": "3", "CertificateName": "mine",
		"Tags.1.TagKey": "a", "Tags.1.TagValue": "1", "Tags.2.TagKey": "b", "Tags.2.TagValue": "2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeWrittenIsNotSent(t *testing.T) {
	many := map[string]string{}
	for n := range 21 {
		many[fmt.Sprint("k", n)] = "v"
	}
	for name, spoil := range map[string]func(*instance.Update){
		"no CSR":             func(u *instance.Update) { u.CSR = "" },
		"no name":            func(u *instance.Update) { u.Names = nil },
		"an empty name":      func(u *instance.Update) { u.Names = []string{""} },
		"two names in one":   func(u *instance.Update) { u.Names = []string{"a.example.com,b.example.com"} },
		"another validation": func(u *instance.Update) { u.ValidationMethod = "FILE" },
		"a contact by name":  func(u *instance.Update) { u.ContactIDs = []string{"Zhang San"} },
		"51 contacts": func(u *instance.Update) {
			u.ContactIDs = strings.Split(strings.Repeat("1,", 50)+"1", ",")
		},
		"a company by name": func(u *instance.Update) { u.CompanyID = "x" },
		"21 tags":           func(u *instance.Update) { u.Tags = many },
		"an empty key":      func(u *instance.Update) { u.Tags = map[string]string{"": "v"} },
		"a key of 65 characters": func(u *instance.Update) {
			u.Tags = map[string]string{strings.Repeat("é", 65): "v"}
		},
		"a value of 129 characters": func(u *instance.Update) {
			u.Tags = map[string]string{"k": strings.Repeat("é", 129)}
		},
		"a key of Alibaba's":         func(u *instance.Update) { u.Tags = map[string]string{"acs:k": "v"} },
		"a URL in the value":         func(u *instance.Update) { u.Tags = map[string]string{"k": "see https://x"} },
		"another key of Alibaba's":   func(u *instance.Update) { u.Tags = map[string]string{"aliyun.com/k": "v"} },
		"a name with a space inside": func(u *instance.Update) { u.Names = []string{"a example.com"} },
	} {
		update := newUpdate()
		spoil(&update)
		got := newClient(t, answers.Never(t)).Update(context.Background(), testInstance, update, clients.Noon)
		if got.Outcome != instance.NotDone || cas.KindOf(got.Err) != cas.KindInvalid || !cas.IsNotSent(got.Err) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	client := newClient(t, answers.Never(t))
	for _, id := range []instance.ID{"", "a b", "a/b", "a&b", instance.ID(strings.Repeat("a", 65))} {
		ctx := context.Background()
		for _, got := range []instance.Change{
			client.Update(ctx, id, newUpdate(), clients.Noon), client.Apply(ctx, id, clients.Noon),
			client.Cancel(ctx, id, clients.Noon),
		} {
			if got.Outcome != instance.NotDone || cas.KindOf(got.Err) != cas.KindInvalid {
				t.Errorf("%q: got %+v", id, got)
			}
		}
		if _, err := client.Describe(context.Background(), id); cas.KindOf(err) != cas.KindInvalid {
			t.Errorf("%q: got %v", id, err)
		}
		if _, err := client.Task(context.Background(), id); cas.KindOf(err) != cas.KindInvalid {
			t.Errorf("%q: got %v", id, err)
		}
	}
	if got := client.Apply(context.Background(), testInstance, time.Time{}); got.Outcome != instance.NotDone {
		t.Errorf("without an intent: %+v", got)
	}
}

// Makes each of the writes in turn, and has its result checked.
func change(ctx context.Context, t *testing.T, client *instance.Client,
	check func(action string, got instance.Change)) {
	t.Helper()
	for _, write := range writes {
		got, _ := write.Call(ctx, client)
		check(write.Action, got.(instance.Change))
	}
}

func TestAStatusAloneProvesNothingAboutAWrite(t *testing.T) {
	for _, status := range []int{201, 204, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504} {
		for _, body := range []string{"", "{}", "<html>no</html>", `{"Code":"InvalidParameter"}`,
			`{"Code":"Throttling"}`, `{"RequestId":"R-1","Message":"Throttling"}`} {
			client := newClient(t, answers.Always(t, status, body))
			change(context.Background(), t, client, func(action string, got instance.Change) {
				isDone := status == 201 && strings.Contains(body, "RequestId")
				if isDone != (got.Outcome == instance.Done) || got.Outcome == instance.NotDone ||
					isDone != (got.Err == nil) {
					t.Errorf("%s: %d with %q: got %+v", action, status, body, got)
				}
			})
		}
	}
}

func TestAWriteIsSentOnceAndOnItsOwnConnection(t *testing.T) {
	var served atomic.Int32
	client := newClient(t, answers.By(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		answers.HangUp(t, w)
	}))
	change(context.Background(), t, client, func(action string, got instance.Change) {
		if got.Outcome != instance.Unknown || cas.KindOf(got.Err) != cas.KindNetwork || cas.IsNotSent(got.Err) {
			t.Errorf("%s: got %+v", action, got)
		}
	})
	if int(served.Load()) != len(writes) {
		t.Errorf("%d requests", served.Load())
	}
}

func TestAConnectionThatIsRefusedProvesThatNothingWasWritten(t *testing.T) {
	change(context.Background(), t, newClient(t, "http://127.0.0.1:1"), func(action string, got instance.Change) {
		if got.Outcome != instance.NotDone || !cas.IsNotSent(got.Err) {
			t.Errorf("%s: got %+v", action, got)
		}
	})
}

func TestARedirectOfAWriteIsNeverFollowed(t *testing.T) {
	elsewhere := answers.Never(t)
	url := answers.By(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", elsewhere+r.URL.String())
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	change(context.Background(), t, newClient(t, url), func(action string, got instance.Change) {
		if got.Outcome != instance.Unknown || cas.KindOf(got.Err) != cas.KindRedirect {
			t.Errorf("%s: got %+v", action, got)
		}
	})
}

func TestAWriteGoesOnWhenItsContextEndsAndIsNotBegunAfterwards(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	url := answers.By(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		_, _ = fmt.Fprint(w, `{"RequestId":"R-1"}`)
	})
	if got := newClient(t, url).Apply(ctx, testInstance, clients.Noon); got.Outcome != instance.Done {
		t.Errorf("got %+v", got)
	}
	change(ctx, t, newClient(t, answers.Never(t)), func(action string, got instance.Change) {
		if got.Outcome != instance.NotDone || !errors.Is(got.Err, context.Canceled) {
			t.Errorf("%s: got %+v", action, got)
		}
	})
}

func TestAWriteIsSentUpToTheEndOfItsWindow(t *testing.T) {
	end := clients.Noon.Add(instance.WriteWindow)
	change(context.Background(), t, newClient(t, answers.Always(t, 200, `{"RequestId":"R-1"}`), clients.At(end)),
		func(action string, got instance.Change) {
			if got.Outcome != instance.Done {
				t.Errorf("%s at its end: got %+v", action, got)
			}
		})
	client := newClient(t, answers.Never(t), clients.At(end.Add(time.Nanosecond)))
	change(context.Background(), t, client, func(action string, got instance.Change) {
		if got.Outcome != instance.NotDone || cas.KindOf(got.Err) != cas.KindLate {
			t.Errorf("%s after it: got %+v", action, got)
		}
	})
}

func TestAnOutcomeHasAName(t *testing.T) {
	var zero instance.Change
	if got := fmt.Sprint(zero.Outcome, " ", instance.NotDone, " ", instance.Done); got != "Unknown NotDone Done" {
		t.Errorf("got %q", got)
	}
}
