// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

func TestAPageIsReadInWhicheverWayItsNumbersAreWritten(t *testing.T) {
	const body = `{"RequestId":"R-1","TotalCount":%s,"CurrentPage":1,"ShowSize":50,"CertificateOrderList":[
		{"OrderId":98987582437920968,"InstanceId":"cas-1","Domain":"a.example.com","Status":"ISSUED","ProductCode":"bykj123456",
		 "BuyDate":1772452800000,"CertStartTime":"1772452800000","CertEndTime":1789732800000,"New":1},
		{"OrderId":"2","Domain":"b.example.com,c.example.com","Status":"CHECKING","BuyDate":null,"CertStartTime":""},
		{"OrderId":null,"Domain":"d.example.com","Status":"NEW_STATUS","BuyDate":-1},
		{"OrderId":1e17,"Domain":"e.example.com","BuyDate":1.5}]}`
	want := cas.Page{
		Total: 4, RequestID: "R-1", Date: clients.Noon,
		Items: []cas.ListItem{
			{
				OrderID: "98987582437920968", InstanceID: "cas-1", Domain: "a.example.com", Status: cas.ListIssued,
				ProductCode: "bykj123456",
				BoughtAt:    clients.Noon, NotBefore: clients.Noon, NotAfter: clients.Noon.AddDate(0, 0, 200),
			},
			{OrderID: "2", Domain: "b.example.com,c.example.com", Status: cas.ListChecking},
			{Domain: "d.example.com", Status: "NEW_STATUS"},
			{Domain: "e.example.com"},
		},
	}
	for _, total := range []string{`4`, `"4"`} {
		url := answers.By(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", clients.Noon.Format(http.TimeFormat))
			_, _ = fmt.Fprintf(w, body, total)
		})
		got, err := newClient(t, url).List(context.Background(), cas.ListQuery{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
	}
}

func TestAReplyWithoutADateHasNone(t *testing.T) {
	url := answers.By(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		_, _ = io.WriteString(w, `{"RequestId":"R-1","TotalCount":0,"CertificateOrderList":[]}`)
	})
	got, err := newClient(t, url).List(context.Background(), cas.ListQuery{})
	if err != nil || !got.Date.Equal(time.Time{}) {
		t.Errorf("got %v and %v", got.Date, err)
	}
}

func TestAnEmptyPageIsOneOnlyIfTheServiceSaysSo(t *testing.T) {
	tests := map[string]struct {
		page  int
		body  string
		empty bool
	}{
		"no orders": {1, `{"RequestId":"R-1","TotalCount":0,"CertificateOrderList":[]}`,
			true},
		"no orders, as text": {0, `{"RequestId":"R-1","TotalCount":"0","CertificateOrderList":[]}`,
			true},
		"no orders and no list": {1, `{"RequestId":"R-1","TotalCount":0}`, true},
		"no orders and null": {1, `{"RequestId":"R-1","TotalCount":0,"CertificateOrderList":null}`,
			true},
		"past the end": {3, `{"RequestId":"R-1","TotalCount":100,"CertificateOrderList":[]}`,
			true},
		"nothing":         {1, ``, false},
		"an empty object": {1, `{}`, false},
		"HTML":            {1, `<html></html>`, false},
		"no total":        {1, `{"RequestId":"R-1"}`, false},
		"a null total": {1, `{"RequestId":"R-1","TotalCount":null,"CertificateOrderList":[]}`,
			false},
		"a total that is no number": {
			1, `{"RequestId":"R-1","TotalCount":"many","CertificateOrderList":[]}`, false},
		"a negative total": {1, `{"RequestId":"R-1","TotalCount":-1,"CertificateOrderList":[]}`,
			false},
		"orders, and no list": {1, `{"RequestId":"R-1","TotalCount":1}`, false},
		"orders, and an empty list": {0, `{"RequestId":"R-1","TotalCount":1,"CertificateOrderList":[]}`,
			false},
		"orders on a later page, and none on it": {2, `{"RequestId":"R-1","TotalCount":51,"CertificateOrderList":[]}`,
			false},
		"a list of another name": {1, `{"RequestId":"R-1","TotalCount":1,"certificateOrderList":[{"OrderId":1}]}`,
			false},
		"a list that is none": {1, `{"RequestId":"R-1","TotalCount":0,"CertificateOrderList":"x"}`, false},
	}
	for name, test := range tests {
		got, err := newClient(t, answers.Always(t, 200, test.body)).List(context.Background(),
			cas.ListQuery{Page: test.page})
		switch {
		case test.empty && (err != nil || len(got.Items) != 0):
			t.Errorf("%s: got %+v and %v", name, got, err)
		case !test.empty && cas.KindOf(err) != cas.KindUndecodable:
			t.Errorf("%s: got %+v and %v, want an error", name, got, err)
		}
	}
}

func TestAResourcePlanIsReadInWhicheverWayItsNumbersAreWritten(t *testing.T) {
	tests := map[string]struct {
		body string
		want cas.Package
		left int
	}{
		"numbers": {`{"RequestId":"R-1","ProductCode":"x","TotalCount":20,"UsedCount":5,"IssuedCount":3}`,
			cas.Package{Total: 20, Used: 5, Issued: 3}, 15},
		"text": {`{"RequestId":"R-1","TotalCount":"20","UsedCount":"20","IssuedCount":null}`,
			cas.Package{Total: 20, Used: 20}, 0},
		"no issued ones":      {`{"RequestId":"R-1","TotalCount":20,"UsedCount":0}`, cas.Package{Total: 20}, 20},
		"more used than had":  {`{"RequestId":"R-1","TotalCount":1,"UsedCount":2}`, cas.Package{Total: 1, Used: 2}, 0},
		"nothing left at all": {`{"RequestId":"R-1","TotalCount":0,"UsedCount":0,"IssuedCount":0}`, cas.Package{}, 0},
	}
	for name, test := range tests {
		got, err := newClient(t, answers.Always(t, 200, test.body)).Package(context.Background(), testProduct)
		if err != nil || got != test.want || got.Remaining() != test.left {
			t.Errorf("%s: got %+v with %d left and %v", name, got, got.Remaining(), err)
		}
	}
}

func TestAReplyWithoutTheNumbersOfAResourcePlanIsAnError(t *testing.T) {
	for _, body := range []string{
		``, `{}`, `<html>`, `{"RequestId":"R-1"}`,
		`{"RequestId":"R-1","TotalCount":null,"UsedCount":"","IssuedCount":null}`,
		`{"RequestId":"R-1","TotalCount":20,"IssuedCount":1}`, `{"RequestId":"R-1","TotalCount":20,"UsedCount":null}`,
		`{"RequestId":"R-1","UsedCount":20}`,
		`{"RequestId":"R-1","TotalCount":"x","UsedCount":1}`, `{"RequestId":"R-1","TotalCount":1.5,"UsedCount":1}`,
		`{"RequestId":"R-1","TotalCount":1,"UsedCount":-1}`,
	} {
		got, err := newClient(t, answers.Always(t, 200, body)).Package(context.Background(), testProduct)
		if cas.KindOf(err) != cas.KindUndecodable || got != (cas.Package{}) {
			t.Errorf("%s: got %+v and %v", body, got, err)
		}
	}
}

func TestAResourcePlanIsNotAskedForWithoutAProduct(t *testing.T) {
	// The service would take the empty product for digicert-free-1-free.
	_, err := newClient(t, answers.Never(t)).Package(context.Background(), "")
	if cas.KindOf(err) != cas.KindInvalid || !cas.IsNotSent(err) {
		t.Errorf("got %v", err)
	}
}
