// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

const (
	credentialsPath = "/latest/meta-data/ram/security-credentials/"
	tokenHeader     = "X-aliyun-ecs-metadata-token"
	ttlHeader       = tokenHeader + "-ttl-seconds"
)

// withInstance has an instance with the role "node".
func withInstance() cassim.Options {
	opts := withRoles(cassim.Role{Name: "node", Services: []string{"ecs.aliyuncs.com"}},
		cassim.Role{Name: "spare", Services: []string{"ecs.aliyuncs.com"}})
	opts.InstanceRole = "node"
	return opts
}

// metadata asks the metadata server. The status is 0 without an answer.
func (w *world) metadata(method, path, header, value string) (status int, text string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.MetadataURL()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if header != "" {
		req.Header.Set(header, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// instanceSession is what the metadata server gives out.
type instanceSession struct {
	sdksts.Credentials
	Code, LastUpdated string
}

func (w *world) instanceSession(role string) instanceSession {
	w.t.Helper()
	var session instanceSession
	status, text := w.metadata("GET", credentialsPath+role, "", "")
	if err := json.Unmarshal([]byte(text), &session); err != nil || status != 200 {
		w.t.Fatalf("HTTP %d: %s %v", status, text, err)
	}
	return session
}

func TestTheInstanceGetsASessionOfItsRole(t *testing.T) {
	w := start(t, withInstance())
	if status, text := w.metadata("GET", credentialsPath, "", ""); status != 200 || text != "node" {
		t.Errorf("HTTP %d: %s", status, text)
	}
	session := w.instanceSession("node")
	if session.Code != "Success" || session.LastUpdated == "" {
		t.Errorf("the session is %+v", session)
	}
	if err := w.ask(session.Credentials); err != nil {
		t.Error(err)
	}
	if status, _ := w.metadata("GET", credentialsPath+"spare", "", ""); status != 404 {
		t.Errorf("another role: HTTP %d", status)
	}
	w.SetInstanceRole("spare")
	if next := w.instanceSession("spare"); next.AccessKeyId == session.AccessKeyId {
		t.Error("the session is that of the old role")
	}
	w.SetRole("spare", func(r *cassim.Role) { r.Services = nil })
	for _, path := range []string{credentialsPath, credentialsPath + "spare"} {
		if status, _ := w.metadata("GET", path, "", ""); status != 404 {
			t.Errorf("%s: HTTP %d, though the role trusts no instance any more", path, status)
		}
	}
	w.SetInstanceRole("")
	if status, _ := w.metadata("GET", credentialsPath, "", ""); status != 404 {
		t.Errorf("HTTP %d without a role", status)
	}
}

func TestTheSessionOfAnInstanceIsRenewedInTime(t *testing.T) {
	gateway := clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second))
	opts := withInstance()
	opts.GatewayClock = gateway
	w := start(t, opts)
	first := w.instanceSession("node")
	if want := gateway.Now().Add(6 * time.Hour).UTC().Format(time.RFC3339); first.Expiration != want {
		t.Errorf("it ends at %s, want %s", first.Expiration, want)
	}
	gateway.SetTime(gateway.Now().Add(5*time.Hour + 30*time.Minute - time.Second))
	if next := w.instanceSession("node"); next != first {
		t.Errorf("renewed too early: %+v", next)
	}
	gateway.SetTime(gateway.Now().Add(time.Second))
	second := w.instanceSession("node")
	if second.AccessKeyId == first.AccessKeyId || w.Sessions() != 2 {
		t.Errorf("not renewed, or at the cost of the first: %d sessions", w.Sessions())
	}
	w.RevokeSessions("node")
	third := w.instanceSession("node")
	w.ExpireSessions()
	if fourth := w.instanceSession("node"); third.AccessKeyId == second.AccessKeyId ||
		fourth.AccessKeyId == third.AccessKeyId {
		t.Error("a session that was ended is given out")
	}
}

func TestMetadataTokens(t *testing.T) {
	gateway := clocktesting.NewFakePassiveClock(time.Now())
	opts := withInstance()
	opts.GatewayClock = gateway
	w := start(t, opts)
	for ttl, want := range map[string]int{"1": 200, "21600": 200, "0": 400, "21601": 400, "": 400, "an hour": 400} {
		if status, _ := w.metadata("PUT", "/latest/api/token", ttlHeader, ttl); status != want {
			t.Errorf("for %q seconds: HTTP %d, want %d", ttl, status, want)
		}
	}
	get := func(token string, want int) {
		t.Helper()
		header := tokenHeader
		if token == "" {
			header = ""
		}
		if status, _ := w.metadata("GET", credentialsPath, header, token); status != want {
			t.Errorf("HTTP %d, want %d", status, want)
		}
	}
	_, token := w.metadata("PUT", "/latest/api/token", ttlHeader, "60")
	get("", 200)
	get(token, 200)
	get("guess", 403)
	w.SetMetadata(cassim.V2Only)
	get("", 403)
	get(token, 200)
	gateway.SetTime(gateway.Now().Add(time.Minute - time.Nanosecond))
	get(token, 200)
	gateway.SetTime(gateway.Now().Add(time.Nanosecond))
	get(token, 403)
}

func TestTheMetadataServerIsOutOfOrder(t *testing.T) {
	w := start(t, withInstance())
	w.SetMetadata(cassim.Down)
	for _, method := range []string{"PUT", "GET"} {
		if status, _ := w.metadata(method, "/latest/api/token", ttlHeader, "60"); status != 0 {
			t.Errorf("%s: HTTP %d", method, status)
		}
	}
	w.SetMetadata(cassim.Garbled)
	status, text := w.metadata("GET", credentialsPath+"node", "", "")
	var told map[string]string
	if err := json.Unmarshal([]byte(text), &told); err != nil || status != 200 || told["AccessKeyId"] == "" {
		t.Errorf("HTTP %d: %s %v", status, text, err)
	}
	if told["Code"] != "" || told["Expiration"] != "" {
		t.Errorf("told %s", text)
	}
	w.SetMetadata(cassim.V1AndV2)
	if session := w.instanceSession("node"); session.Code != "Success" {
		t.Errorf("the session is %+v", session)
	}
}

func TestTheInstanceIsSteeredFromAnotherProcess(t *testing.T) {
	w := start(t, withInstance())
	session := w.instanceSession("node")
	if got := w.admin(200, "GET", "sessions", ""); !strings.Contains(got, `"alive": 1`) {
		t.Errorf("sessions: %s", got)
	}
	w.admin(204, "POST", "sessions/expire", "")
	wantCode(t, w.ask(session.Credentials), 400, "InvalidSecurityToken.Expired")
	session = w.instanceSession("node")
	w.admin(204, "POST", "roles/node/revoke", "")
	wantCode(t, w.ask(session.Credentials), 400, "InvalidSecurityToken.Malformed")
	w.admin(204, "PUT", "metadata/role", `{"role": "spare"}`)
	w.instanceSession("spare")
	w.admin(204, "PUT", "metadata/mode", `{"mode": "V2Only"}`)
	if status, _ := w.metadata("GET", credentialsPath, "", ""); status != 403 {
		t.Errorf("HTTP %d", status)
	}
	w.admin(204, "DELETE", "roles/spare", "")
	w.admin(404, "DELETE", "roles/spare", "")
	w.admin(404, "POST", "roles/spare/revoke", "")
	w.admin(404, "PUT", "metadata/role", `{"role": "spare"}`)
	w.admin(404, "PUT", "metadata/mode", `{"mode": "Slow"}`)
	if got := w.admin(200, "GET", "tls-root.pem", ""); got != string(w.TLSRootPEM()) || got == string(w.RootPEM()) {
		t.Errorf("the root is %s", got)
	}
}
