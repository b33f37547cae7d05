// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

func TestAnAccountIsItsServersAndItsID(t *testing.T) {
	at := func(cas, sts, bundle string) v1alpha1.Access {
		access := v1alpha1.Access{Region: "cn-hangzhou"}
		if cas != "" {
			access.Endpoint = &v1alpha1.Endpoint{URL: cas}
		}
		if sts != "" {
			access.STSEndpoint = &v1alpha1.Endpoint{URL: sts, CABundle: []byte(bundle)}
		}
		return access
	}
	of := func(access v1alpha1.Access, id, issuer string) account {
		return account{realm: realm(access), id: id, issuer: issuer}
	}
	plain := at("", "", "")
	const vpc, theirs = "https://cas-vpc.cn-hangzhou.aliyuncs.com", "https://fake.alb.aliyuncs.com"
	for name, test := range map[string]struct {
		a, b account
		want kinship
	}{
		"two issuers of one account":                   {of(plain, "1", "a"), of(plain, "1", "b"), sameAccount},
		"two issuers of two accounts":                  {of(plain, "1", "a"), of(plain, "2", "b"), otherAccount},
		"one issuer, two accounts":                     {of(plain, "1", "a"), of(plain, "2", "a"), otherAccount},
		"one issuer, once without an answer of STS":    {of(plain, "1", "a"), of(plain, "", "a"), sameAccount},
		"two issuers, once without an answer of STS":   {of(plain, "1", "a"), of(plain, "", "b"), perhapsSameAccount},
		"one account by two documented addresses":      {of(plain, "1", "a"), of(at(vpc, "", ""), "1", "b"), sameAccount},
		"an STS of somebody's own that claims the id":  {of(plain, "1", "a"), of(at("", theirs, ""), "1", "b"), otherAccount},
		"a documented address with somebody's own CA":  {of(plain, "1", "a"), of(at("", "https://sts.cn-hangzhou.aliyuncs.com", "CA"), "1", "b"), otherAccount},
		"a CAS of somebody's own":                      {of(plain, "1", "a"), of(at(theirs, "", ""), "1", "b"), otherAccount},
		"two sites":                                    {of(plain, "1", "a"), of(v1alpha1.Access{Region: "ap-southeast-1"}, "1", "b"), otherAccount},
		"two issuers of one gateway and one account":   {of(at(theirs, theirs, ""), "1", "a"), of(at(theirs, theirs, ""), "1", "b"), sameAccount},
		"two issuers whose accounts nobody knows":      {of(plain, "", "a"), of(plain, "", "b"), perhapsSameAccount},
		"a gateway without and with somebody's own CA": {of(at("", theirs, ""), "1", "a"), of(at("", theirs, "CA"), "1", "b"), otherAccount},
	} {
		if got := test.a.to(test.b); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
		if back := test.b.to(test.a); back != test.want {
			t.Errorf("%s, the other way round: got %v, want %v", name, back, test.want)
		}
	}
}

func TestAClaimHasOneHolder(t *testing.T) {
	b := &book{}
	mine := account{realm: "r", id: "1"}
	release, isFree := b.claim(mine, "example.com")
	if !isFree {
		t.Fatal("nobody had it")
	}
	if _, isFree := b.claim(mine, "example.com"); isFree {
		t.Error("two have it")
	}
	if _, isFree := b.claim(account{realm: "r", id: "2"}, "example.com"); !isFree {
		t.Error("another account waits")
	}
	release()
	if _, isFree := b.claim(mine, "example.com"); !isFree {
		t.Error("it was not given up")
	}
}

// buying is an Order of a plan that buys.
func buying(uid types.UID) *v1alpha1.AliyunOrder {
	order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: uid, Namespace: "team", Name: string(uid)}}
	order.Spec.Source.ResourcePlan = &v1alpha1.ResourcePlan{ProductCode: "p"}
	return order
}

func TestPurchasesThatOverlapShareTheReadingOfTheFirst(t *testing.T) {
	b, reads := &book{}, 0
	read := func() (int, error) {
		reads++
		if reads == 3 {
			return 0, errors.New("CAS does not answer")
		}
		return 10 * reads, nil
	}
	begin := func(uid types.UID) *baseline {
		t.Helper()
		of, err := b.beginPurchase(buying(uid), noon, read)
		if err != nil || of == nil {
			t.Fatalf("it has to wait: %v", err)
		}
		return of
	}
	first := begin("a")
	second := begin("b")
	if !first.says() || !second.says() || second.reading.used != 10 || reads != 1 {
		t.Errorf("after %d readings: %+v and %+v", reads, first.reading, second.reading)
	}
	first.end()
	if third := begin("c"); third.reading.used != 10 {
		t.Errorf("the reading is another one while a purchase is under way that shares it: %+v", third.reading)
	} else {
		third.end()
	}
	second.end()
	if next := begin("d"); next.reading.used != 20 || len(b.plans) != 1 {
		t.Errorf("what was read for others is taken for the next: %+v", next.reading)
	} else {
		next.end()
	}
	if of, err := b.beginPurchase(buying("e"), noon, read); of != nil || err == nil {
		t.Error("it buys though the count cannot be read")
	}
	if len(b.plans) != 0 {
		t.Error("the plan is not forgotten")
	}
}

func TestNobodyBuysWhileTheCountIsReadOrAnOrderIsGivenBack(t *testing.T) {
	r := &OrderReconciler{Client: fakeCluster(t), APIReader: fakeCluster(t)}
	of, err := r.book.beginPurchase(buying("a"), noon, func() (int, error) {
		if other, _ := r.book.beginPurchase(buying("b"), noon, nil); other != nil {
			t.Error("another one buys while the count is read")
		}
		return 1, nil
	})
	if err != nil || !of.says() {
		t.Fatalf("it does not buy: %v", err)
	}
	end, err := r.beginReturn(t.Context(), buying("c"))
	if err != nil {
		t.Fatal(err)
	}
	if of.says() {
		t.Error("the count is taken for evidence though an order is given back")
	}
	if other, _ := r.book.beginPurchase(buying("b"), noon, nil); other != nil {
		t.Error("another one buys while an order is given back")
	}
	end()
	of.end()
	if len(r.book.plans) != 0 {
		t.Error("the plan is not forgotten")
	}
}

func TestOnlyWhatIsProvenAndStillChargedExplainsTheCount(t *testing.T) {
	settle := MinSettle
	began := metav1.NewTime(noon.Add(-time.Hour))
	for name, test := range map[string]struct {
		status v1alpha1.OrderStatus
		want   string
	}{
		"an answer":                           {v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer}, "explains"},
		"a certificate":                       {v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByCertificate}, "explains"},
		"what is presumed by a listing":       {v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByListing}, "may explain"},
		"what an operator named":              {v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByOperator}, "may explain"},
		"what was given back":                 {v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer, Release: &v1alpha1.OrderRelease{Outcome: v1alpha1.Released}}, "says nothing"},
		"what CAS does not know":              {v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer, Missing: &v1alpha1.OrderMissing{}}, "says nothing"},
		"what was handed over":                {v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer, HandedOverTo: "heir"}, "says nothing"},
		"a doubt that nobody has settled yet": {v1alpha1.OrderStatus{}, "may explain"},
	} {
		use := planUse{}
		test.status.Submission = &v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon.Add(-time.Minute))}
		use.add(&v1alpha1.AliyunOrder{Status: test.status}, noon, settle)
		got := "says nothing"
		if use.explained == 1 {
			got = "explains"
		} else if use.open != nil {
			got = "may explain"
		}
		if got != test.want {
			t.Errorf("%s %s, want it that it %s", name, got, test.want)
		}
	}
	use := planUse{}
	use.add(&v1alpha1.AliyunOrder{Status: v1alpha1.OrderStatus{Submission: &v1alpha1.OrderSubmission{StartedAt: began}}}, noon, settle)
	if use.open != nil {
		t.Error("a doubt is waited for that nothing settles any more")
	}
}

func TestWhatWasReadTellsBeforeFromAfter(t *testing.T) {
	reading := func(used int64, at time.Duration) *v1alpha1.OrderSubmission {
		stamp := metav1.NewMicroTime(noon.Add(at))
		return &v1alpha1.OrderSubmission{UsedCount: &used, UsedCountAt: &stamp}
	}
	mine := reading(5, 0)
	for name, test := range map[string]struct {
		other *v1alpha1.OrderSubmission
		want  bool
	}{
		"the same reading":                     {reading(5, 0), true},
		"a later one":                          {reading(3, time.Microsecond), true},
		"an earlier one":                       {reading(4, -time.Microsecond), false},
		"one of the same moment, before it":    {reading(4, 0), false},
		"none":                                 {&v1alpha1.OrderSubmission{}, false},
		"an order that was found in a listing": {nil, false},
	} {
		if got := isSince(test.other, mine); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestTheWeakerProofGivesWay(t *testing.T) {
	held := func(basis v1alpha1.OrderIDBasis, at time.Duration, uid types.UID) *v1alpha1.AliyunOrder {
		stamp := metav1.NewTime(noon.Add(at))
		return &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: uid}, Status: v1alpha1.OrderStatus{OrderIDBasis: basis, SubmittedAt: &stamp}}
	}
	ranked := []*v1alpha1.AliyunOrder{
		held(v1alpha1.OrderIDByCertificate, time.Hour, "z"), held(v1alpha1.OrderIDByAnswer, time.Hour, "z"), held(v1alpha1.OrderIDByOperator, time.Hour, "z"),
		held(v1alpha1.OrderIDByListing, 0, "z"), held(v1alpha1.OrderIDByListing, time.Hour, "a"), held(v1alpha1.OrderIDByListing, time.Hour, "b"),
	}
	for i, a := range ranked {
		for j, b := range ranked {
			if i != j && isStronger(a, b) != (i < j) {
				t.Errorf("of %d and %d it is the wrong one", i, j)
			}
		}
	}
}

func TestWhatIsExcludedIsRememberedOnceAndWithinBounds(t *testing.T) {
	status := &v1alpha1.OrderStatus{}
	for i := range 2 * maxExcluded {
		exclude(status, fmt.Sprint(i/2))
	}
	exclude(status, "new")
	if n := len(status.ExcludedOrderIDs); n != maxExcluded || status.ExcludedOrderIDs[n-1] != "new" {
		t.Errorf("%d ids are remembered: %v", n, status.ExcludedOrderIDs)
	}
}

func TestAWordWakesItsOrder(t *testing.T) {
	order := func(word string) *v1alpha1.AliyunOrder {
		o := &v1alpha1.AliyunOrder{}
		if word != "" {
			o.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word, "other": "x"}
		}
		return o
	}
	for name, test := range map[string]struct {
		before, after string
		want          bool
	}{
		"it is said": {"", "none", true}, "it is said again": {"7", "none", true}, "it is dropped": {"none", "", false}, "nothing is said": {"none", "none", false},
	} {
		if got := spoken().Update(event.UpdateEvent{ObjectOld: order(test.before), ObjectNew: order(test.after)}); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestAnOrderThatCannotServeIsNotWorthInheriting(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }
	for name, test := range map[string]struct {
		status v1alpha1.OrderStatus
		want   bool
	}{
		"not asked for yet":        {v1alpha1.OrderStatus{}, true},
		"being validated":          {v1alpha1.OrderStatus{CASState: "domain_verify", Deadline: at(time.Hour)}, true},
		"in review":                {v1alpha1.OrderStatus{CASState: "process"}, true},
		"issued, and not read yet": {v1alpha1.OrderStatus{CASState: "certificate"}, true},
		"unknown":                  {v1alpha1.OrderStatus{CASState: "unknow"}, true},
		"issued and unusable":      {v1alpha1.OrderStatus{CASState: "certificate", UnusableSince: at(0)}, false},
		"refused":                  {v1alpha1.OrderStatus{CASState: "verify_fail"}, false},
		"withdrawn":                {v1alpha1.OrderStatus{CASState: "payed"}, false},
		"in a word nobody knows":   {v1alpha1.OrderStatus{CASState: "frozen"}, false},
		"missing":                  {v1alpha1.OrderStatus{CASState: "process", Missing: &v1alpha1.OrderMissing{}}, false},
		"at its deadline":          {v1alpha1.OrderStatus{CASState: "domain_verify", Deadline: at(0)}, false},
	} {
		if got := isWorth(&v1alpha1.AliyunOrder{Status: test.status}, noon); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// shelf serves Orders by field as the API server does, and counts what it has served.
type shelf struct {
	client.Reader
	byField map[string]map[string][]v1alpha1.AliyunOrder
	served  int
	others  int
}

func (s *shelf) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	all := (&client.ListOptions{}).ApplyOptions(options)
	orders := list.(*v1alpha1.AliyunOrderList)
	if all.FieldSelector == nil {
		s.others++
		return nil
	}
	for _, need := range all.FieldSelector.Requirements() {
		for i := range s.byField[need.Field][need.Value] {
			orders.Items = append(orders.Items, *s.byField[need.Field][need.Value][i].DeepCopy())
		}
	}
	s.served += len(orders.Items)
	return nil
}

// TestTheBookReadsAHandfulOfTenThousandOrders bounds what one purchase reads and allocates, however many Orders there are.
func TestTheBookReadsAHandfulOfTenThousandOrders(t *testing.T) {
	s := &shelf{byField: map[string]map[string][]v1alpha1.AliyunOrder{fieldBaseName: {}, fieldOrderID: {}}}
	for i := range 10000 {
		order := v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: types.UID(fmt.Sprint(i))}}
		order.Spec.BaseName = fmt.Sprintf("host%d.example.com", i/2)
		order.Spec.Request, order.Status.Certificate = make([]byte, 1700), make([]byte, 5600)
		order.Status.OrderID, order.Status.OrderIDBasis = fmt.Sprint(1000+i), v1alpha1.OrderIDByAnswer
		for field, value := range map[string]string{fieldBaseName: order.Spec.BaseName, fieldOrderID: order.Status.OrderID} {
			s.byField[field][value] = append(s.byField[field][value], order)
		}
	}
	mine := s.byField[fieldBaseName]["host7.example.com"][0]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page, err := open(t.Context(), s, &mine)
	if err != nil || len(page.orders) != 1 {
		t.Fatalf("%d others have the name: %v", len(page.orders), err)
	}
	if _, err := holders(t.Context(), s, &mine, "1014"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	got := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d Orders read, %d KiB allocated", s.served, got>>10)
	if got > 256<<10 {
		t.Errorf("it allocates %d KiB", got>>10)
	}
	if s.served > 3 || s.others != 0 {
		t.Errorf("%d Orders were read, and %d lists of all", s.served, s.others)
	}
}
