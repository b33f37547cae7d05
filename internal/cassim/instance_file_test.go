// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

const fileAuth = "/.well-known/pki-validation/fileauth.txt"

// pages are what hosts serve, by host and path.
type pages struct{ sync.Map }

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, isThere := p.Load(r.Host + r.URL.Path)
	switch {
	case !isThere:
		http.NotFound(w, r)
	case strings.HasPrefix(content.(string), "/"):
		http.Redirect(w, r, content.(string), http.StatusFound)
	default:
		_, _ = w.Write([]byte(content.(string) + "\n"))
	}
}

// byFile is an instance that was applied with for names by HTTP, and what each of them has to serve.
func (w *world) byFile(names ...string) (id string, wanted []cassim.InstanceRecord) {
	w.t.Helper()
	id = w.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 3})
	w.update(id, names...)
	w.must("UpdateInstance", params{"InstanceId": id, "ValidationMethod": "HTTP"})
	w.apply(id)
	w.pass(time.Minute)
	view, _ := w.Instance(id)
	return id, view.Applications[0].Records
}

func TestAFileOfEachNameIsFetched(t *testing.T) {
	site := &pages{}
	web := httptest.NewServer(site)
	t.Cleanup(web.Close)
	w := start(t, cassim.Options{WebAddr: web.Listener.Addr().String()})
	id, wanted := w.byFile("shop.example.com", "example.com")
	shop, apex := wanted[0], wanted[1]
	if shop.Value == apex.Value || shop.URI != fileAuth || apex.URI != fileAuth {
		t.Errorf("wanted are %+v", wanted)
	}
	w.wantStatus(id, "pending")
	site.Store("shop.example.com"+fileAuth, shop.Value)
	site.Store("example.com"+fileAuth, apex.Value)
	w.wantStatus(id, "pending")
	site.Store("www.example.com"+fileAuth, "/moved")
	site.Store("www.example.com/moved", apex.Value)
	w.wantStatus(id, "pending")
	site.Store("www.example.com"+fileAuth, shop.Value)
	w.wantStatus(id, "pending")
	site.Store("www.example.com"+fileAuth, apex.Value)
	w.wantStatus(id, "normal")
	if added := w.Records("example.com"); len(added) > 0 {
		t.Errorf("CAS has added %+v", added)
	}
}

// TestADomainAndItsWWWHaveAFileEach has both in one application.
func TestADomainAndItsWWWHaveAFileEach(t *testing.T) {
	for paths, isShared := range map[string]bool{cassim.FilesShared: true, cassim.FilesOwn: false} {
		site := &pages{}
		web := httptest.NewServer(site)
		t.Cleanup(web.Close)
		options := cassim.Options{WebAddr: web.Listener.Addr().String()}
		options.Knobs.FilePaths = paths
		w := start(t, options)
		id, wanted := w.byFile("example.com", "www.example.com")
		for _, file := range wanted {
			site.Store(file.Domain+file.URI, file.Value)
		}
		w.wantStatus(id, map[bool]string{true: "normal", false: "pending"}[isShared])
		for _, file := range wanted {
			site.Store("example.com"+file.URI, file.Value)
			site.Store("www.example.com"+file.URI, file.Value)
		}
		if !isShared {
			w.wantStatus(id, "normal")
		}
	}
}

func TestHowFilesAreTold(t *testing.T) {
	first := func(w *world) string {
		id, _ := w.byFile("example.com")
		return w.records(id)[0]
	}
	each(t, "fileWord", map[string]string{"HTTP": "HTTP", "FILE": "FILE"},
		func(t *testing.T, w *world, want string) {
			if diff := cmp.Diff("example.com "+fileAuth+" "+want+" true", first(w)); diff != "" {
				t.Error(diff)
			}
		})
	each(t, "fileFields", map[string]string{"path": fileAuth, "name": "fileauth.txt",
		"url": "http://example.com" + fileAuth, "content": ""}, func(t *testing.T, w *world, want string) {
		id, wanted := w.byFile("example.com")
		entry := w.detail(id)["DomainValidationList"].([]any)[0].(map[string]any)
		value := wanted[0].Value
		if want == "" {
			want, value = value, fileAuth
		}
		if entry["ValidationKey"] != want || entry["ValidationValue"] != value {
			t.Errorf("got %v", entry)
		}
	})
	each(t, "filePaths", map[string]bool{"shared": true, "own": false}, func(t *testing.T, w *world, isShared bool) {
		_, wanted := w.byFile("a.example.com", "b.example.com")
		if (wanted[0].URI == wanted[1].URI) != isShared || !strings.HasPrefix(wanted[1].URI,
			"/.well-known/pki-validation/") {
			t.Errorf("got %+v", wanted)
		}
	})
	each(t, "fileContents", map[string]bool{"own": false, "shared": true},
		func(t *testing.T, w *world, isShared bool) {
			_, wanted := w.byFile("a.example.com", "b.example.com")
			if (wanted[0].Value == wanted[1].Value) != isShared {
				t.Errorf("got %+v", wanted)
			}
		})
}

// TestByWhichSchemeAFileIsFetched serves one of the two ports at a time.
func TestByWhichSchemeAFileIsFetched(t *testing.T) {
	site := &pages{}
	web, secure := httptest.NewServer(site), httptest.NewTLSServer(site)
	t.Cleanup(web.Close)
	t.Cleanup(secure.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(secure.Certificate())
	for scheme, want := range map[string][]string{"http": {"plain"}, "https": {"secure"},
		"either": {"plain", "secure"}} {
		for served, options := range map[string]cassim.Options{
			"plain":     {WebAddr: web.Listener.Addr().String()},
			"secure":    {WebTLSAddr: secure.Listener.Addr().String(), WebRoots: trusted},
			"untrusted": {WebTLSAddr: secure.Listener.Addr().String(), WebRoots: x509.NewCertPool()},
		} {
			options.Knobs.FileScheme = scheme
			w := start(t, options)
			id, wanted := w.byFile("shop.example.com")
			site.Store("shop.example.com"+fileAuth, wanted[0].Value)
			w.pass(time.Minute)
			if got := w.detail(id)["Status"] == "normal"; got != slices.Contains(want, served) {
				t.Errorf("by %s where %s is served: it is seen: %t", scheme, served, got)
			}
		}
	}
}

// TestAWildcardIsNotValidatedByAFile tries it in either order.
func TestAWildcardIsNotValidatedByAFile(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(bought)
	w.must("UpdateInstance", params{"InstanceId": id, "ValidationMethod": "HTTP"})
	for _, given := range []params{{"Domain": "example.com,*.example.com"}, {"Domain": "*.example.com"}} {
		given["InstanceId"] = id
		if _, err := w.do("UpdateInstance", given); codeOf(err) != "InvalidParameter.ValidationMethod" {
			t.Errorf("%v: %v", given, err)
		}
	}
	w.must("UpdateInstance", params{"InstanceId": id, "ValidationMethod": "DNS", "Domain": "*.example.com"})
	if _, err := w.do("UpdateInstance", params{"InstanceId": id, "ValidationMethod": "HTTP"}); codeOf(err) !=
		"InvalidParameter.ValidationMethod" {
		t.Errorf("got %v", err)
	}
}
