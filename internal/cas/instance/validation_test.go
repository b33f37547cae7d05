// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
)

func TestAFileIsFoundInWhicheverFieldsTellIt(t *testing.T) {
	const path = "/.well-known/pki-validation/fileauth.txt"
	for name, test := range map[string]struct{ key, value, path, content string }{
		"the path":                     {path, "content", path, "content"},
		"the path without a slash":     {path[1:], "content", path[1:], "content"},
		"the name":                     {"fileauth.txt", "content", path, "content"},
		"the address":                  {"https://example.com" + path, "content", "https://example.com" + path, "content"},
		"the content":                  {"content", path, path, "content"},
		"the content, with slashes":    {"a/b+c==", path, path, "a/b+c=="},
		"the path, and a path in it":   {path, "see " + path, path, "see " + path},
		"a path elsewhere":             {"/elsewhere.txt", "content", "/elsewhere.txt", "content"},
		"the zone, as for a record":    {"@", "content", "@", "content"},
		"a record's name, as for such": {"_dnsauth", "content", "_dnsauth", "content"},
	} {
		v := instance.Validation{Domain: "example.com", Type: "HTTP", Key: test.key, Value: test.value}
		if path, content := v.File(); path != test.path || content != test.content {
			t.Errorf("%s: got %q, %q", name, path, content)
		}
	}
}

func TestWhatIsMissingOfAValidationIsWaitedFor(t *testing.T) {
	record := instance.Validation{Domain: "a.example.com", RootDomain: "example.com", Key: "_dnsauth.a", Type: "TXT",
		Value: "v"}
	file := instance.Validation{Domain: "a.example.com", Key: "fileauth.txt", Type: "HTTP", Value: "v"}
	for _, whole := range []instance.Validation{record, file} {
		if !whole.IsComplete() {
			t.Errorf("%+v is not complete", whole)
		}
		for name, remove := range map[string]func(*instance.Validation){
			"domain": func(v *instance.Validation) { v.Domain = "" },
			"key":    func(v *instance.Validation) { v.Key = "" },
			"type":   func(v *instance.Validation) { v.Type = "" },
			"value":  func(v *instance.Validation) { v.Value = "" },
		} {
			v := whole
			if remove(&v); v.IsComplete() {
				t.Errorf("it is complete without its %s: %+v", name, v)
			}
		}
	}
	if record.RootDomain = ""; record.IsComplete() {
		t.Error("a record is complete without the domain that its name is relative to")
	}
}
