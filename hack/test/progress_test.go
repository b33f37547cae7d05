// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told is what is printed for events of two packages.
func told(t *testing.T, events ...string) (*progress, string) {
	t.Helper()
	var out strings.Builder
	p := newProgress(&out, 2)
	t.Cleanup(p.end)
	if err := p.read(strings.NewReader(strings.Join(events, "\n"))); err != nil {
		t.Fatal(err)
	}
	return p, out.String()
}

const (
	a = `"Package":"example.com/m/n/a"`
	b = `"Package":"example.com/m/n/test/b"`
)

func TestOfAPackageThatPassesOnlyTheResultOfGoTestIsPrinted(t *testing.T) {
	p, out := told(t,
		`{"Action":"start",`+a+`}`,
		`{"Action":"run",`+a+`,"Test":"TestX"}`,
		`{"Action":"output",`+a+`,"Test":"TestX","Output":"=== RUN   TestX\n"}`,
		`{"Action":"output",`+a+`,"Test":"TestX","Output":"    ok  \tin a log\n"}`,
		`{"Action":"pass",`+a+`,"Test":"TestX","Elapsed":0.1}`,
		`{"Action":"output",`+a+`,"Output":"PASS\n"}`,
		`{"Action":"output",`+a+`,"Output":"ok  \texample.com/m/n/a\t1.234s\n"}`,
		`{"Action":"pass",`+a+`,"Elapsed":1.234}`,
		`{"Action":"start",`+b+`}`)
	if diff := cmp.Diff("ok  \texample.com/m/n/a\t1.234s\n", out); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("1 of 2 packages passed, running: test/b", p.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAPackageThatFailsPrintsAllButWhatTestsSaidThatPassed(t *testing.T) {
	p, out := told(t,
		`{"Action":"start",`+a+`}`,
		`{"Action":"output",`+a+`,"Test":"TestGood","Output":"=== RUN   TestGood\n"}`,
		`{"Action":"pass",`+a+`,"Test":"TestGood","Elapsed":0.1}`,
		`{"Action":"output",`+a+`,"Test":"TestBad","Output":"=== RUN   TestBad\n"}`,
		`{"Action":"output",`+a+`,"Output":"from TestMain\n"}`,
		`{"Action":"output",`+a+`,"Test":"TestBad","Output":"    a_test.go:1: no\n"}`,
		`{"Action":"fail",`+a+`,"Test":"TestBad","Elapsed":0.1}`,
		`{"Action":"output",`+a+`,"Output":"FAIL\texample.com/m/n/a\t1.234s\n"}`,
		`{"Action":"fail",`+a+`,"Elapsed":1.234}`)
	want := "\n==> example.com/m/n/a has failed\n=== RUN   TestBad\nfrom TestMain\n    a_test.go:1: " +
		"no\nFAIL\texample.com/m/n/a\t1.234s\n\n"
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	if err := p.verdict(); err == nil || err.Error() != "failed: a" {
		t.Errorf("the verdict is %v", err)
	}
}

func TestATestThatHangsIsPrintedWithWhatItSaid(t *testing.T) {
	_, out := told(t,
		`{"Action":"output",`+a+`,"Test":"TestHangs","Output":"=== RUN   TestHangs\n"}`,
		`{"Action":"output",`+a+`,"Test":"TestHangs","Output":"panic: test timed out\n"}`,
		`{"Action":"fail",`+a+`,"Elapsed":1.234}`)
	if !strings.Contains(out, "=== RUN   TestHangs\npanic: test timed out\n") {
		t.Errorf("what is printed is %q", out)
	}
}

func TestAPackageThatDoesNotLinkPrintsWhatTheToolsSay(t *testing.T) {
	p, out := told(t,
		`{"ImportPath":"example.com/m/n/a.test","Action":"build-output","Output":"link: no space left on device\n"}`,
		`{"ImportPath":"example.com/m/n/a.test","Action":"build-fail"}`,
		`{"Action":"start",`+a+`}`,
		`{"Action":"output",`+a+`,"Output":"FAIL\texample.com/m/n/a [build failed]\n"}`,
		`{"Action":"fail",`+a+`,"Elapsed":0,"FailedBuild":"example.com/m/n/a.test"}`)
	if !strings.Contains(out, "link: no space left on device\nFAIL\texample.com/m/n/a [build failed]\n") {
		t.Errorf("what is printed is %q", out)
	}
	if p.verdict() == nil {
		t.Error("the verdict is good")
	}
}

func TestItIsSaidWhatRunsAndWhatIsLinkedUntilAllIsDone(t *testing.T) {
	p, _ := told(t)
	for _, step := range []struct{ event, want string }{
		{`{"Action":"start",` + b + `}`, "0 of 2 packages passed, running: test/b"},
		{`{"Action":"start",` + a + `}`, "0 of 2 packages passed, running: a test/b"},
		{`{"Action":"pass",` + b + `}`, "1 of 2 packages passed, running: a"},
		{`{"Action":"fail",` + a + `}`, "1 of 2 packages passed, 1 failed"},
	} {
		if p.read(strings.NewReader(step.event)) != nil || p.String() != step.want {
			t.Errorf("after %s it is said %q, want %q", step.event, p, step.want)
		}
	}
	if q, _ := told(t); q.String() != "0 of 2 packages passed, linking" {
		t.Errorf("at first it is said %q", q)
	}
}

func TestWhatIsNoEventIsPrintedAsItIs(t *testing.T) {
	if _, out := told(t, "go: something else"); out != "go: something else" {
		t.Errorf("what is printed is %q", out)
	}
}
