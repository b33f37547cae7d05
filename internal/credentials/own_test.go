// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

const (
	asNode = "assumed-role/node/i-0000000000000000"
	asUser = "user/" + cassim.DefaultKeyID
)

var asUserEnv = []string{"env ALIBABA_CLOUD_ACCESS_KEY_ID " + cassim.DefaultKeyID,
	"env ALIBABA_CLOUD_ACCESS_KEY_SECRET " + cassim.DefaultKeySecret}

func TestTheInstanceGivesItsRole(t *testing.T) {
	w := newWorld(t)
	p := w.process()
	for _, mode := range []cassim.MetadataMode{cassim.V1AndV2, cassim.V2Only} {
		w.SetMetadata(mode)
		for _, command := range []string{"ecs - -", "ecs node -", "ecs - PreferV2", "ecs - RequireV2",
			"ecs node RequireV2"} {
			p.change("pass 10s")
			p.wantARN(command, asNode)
		}
	}
	p.wantNone("ecs another -", "404")
}

// oldInstance is a metadata server that gives no token, as behind a hop limit that is too low for Pods.
func (w *world) oldInstance() (proxy string) {
	session, err := sts.New(
		sts.Config{Endpoint: rpc.Endpoint{Region: "cn-hangzhou", URL: w.URL()}, Rate: fast}).AssumeRole(w.t.Context(),
		rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret},
		sts.Role{ARN: w.RoleARN("node"), SessionName: "old", Duration: time.Hour})
	if err != nil {
		w.t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]string{
			"Code": "Success", "AccessKeyId": session.Keys.AccessKeyID, "AccessKeySecret": session.Keys.AccessKeySecret,
			"SecurityToken": session.Keys.SecurityToken, "Expiration": session.Expires.UTC().Format(
				"2006-01-02T15:04:05Z"),
		})
	}))
	w.t.Cleanup(server.Close)
	return "HTTP_PROXY=" + server.URL
}

func TestAnInstanceWithoutTokensIsAskedUnlessTheyAreRequired(t *testing.T) {
	w := newWorld(t)
	p := w.process(w.oldInstance())
	p.wantARN("ecs node PreferV2", "assumed-role/node/old")
	p.wantARN("ecs node -", "assumed-role/node/old")
	p.wantNone("ecs node RequireV2", "refresh Ecs sts token err")
}

func TestAMetadataServerThatFailsIsAProblemUntilItHeals(t *testing.T) {
	for _, command := range []string{"ecs - -", "ecs - RequireV2", "ambient"} {
		for _, mode := range []cassim.MetadataMode{cassim.Down, cassim.Garbled} {
			w := newWorld(t)
			w.SetMetadata(mode)
			p := w.process()
			because := map[cassim.MetadataMode]string{cassim.Down: "", cassim.Garbled: "the answer lacks what " +
				"it must have"}[mode]
			message := p.wantNone(command, because)
			p.change("pass 10s")
			if again := p.wantNone(command, because); again != message {
				t.Errorf("%s, %s: the message is first %q, and then %q", command, mode, message, again)
			}
			w.SetMetadata(cassim.V1AndV2)
			p.wantNone(command, because) // nobody asks again so soon
			p.change("pass 10s")
			p.wantARN(command, asNode)
			w.SetMetadata(mode)
			p.change("pass 10s")
			p.wantARN(command, asNode) // the keys are good
		}
	}
}

func TestARefusedSessionOfTheInstanceIsReplaced(t *testing.T) {
	w := newWorld(t)
	p := w.process()
	for _, command := range []string{"ecs - -", "ambient"} {
		p.wantARN(command, asNode)
		w.RevokeSessions("node")
		p.change("pass 10s")
		if said := p.do(command); said.Error == "" {
			t.Errorf("%s: got %+v with a session that was revoked", command, said)
		}
		p.change("pass 10s")
		p.wantARN(command, asNode)
	}
}

func TestTheSurroundingsAreSearchedInOrder(t *testing.T) {
	w := newWorld(t)
	file := w.ownToken()
	oidc := []string{"ALIBABA_CLOUD_ROLE_ARN=" + w.RoleARN("issuer"), "ALIBABA_CLOUD_OIDC_PROVIDER_ARN=" +
		w.OIDCProviderARN("cluster"), "ALIBABA_CLOUD_OIDC_TOKEN_FILE=" + file}
	p := w.process(append(oidc, "ALIBABA_CLOUD_ACCESS_KEY_ID="+cassim.DefaultKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+
		cassim.DefaultKeySecret)...)
	p.wantARN("ambient", asUser)
	w.wantCalls("AssumeRoleWithOIDC", 0)

	p = w.process(oidc...)
	if said := p.do("ambient"); len(said.ARN) < 20 || said.ARN[:20] != "assumed-role/issuer/" {
		t.Errorf("with a token of the Pod got %+v", said)
	}
	for _, request := range w.Requests() {
		if request.Action == "AssumeRoleWithOIDC" && request.Host != "sts.aliyuncs.com" {
			t.Errorf("the SDK asked %s", request.Host)
		}
	}

	p = w.process()
	if err := os.Mkdir(filepath.Join(p.home, ".aliyun"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.write(filepath.Join(p.home, ".aliyun", "config.json"),
		`{"current":"default","profiles":[{"name":"default","mode":"AK","access_key_id":"`+keyID+
			`","access_key_secret":"`+secret+`"}]}`)
	p.wantARN("ambient", "user/alice")

	w.process().wantARN("ambient", asNode)
}

// The SDK's chain remembers the last provider that it asked, also if that failed, and asks no other any more.
func TestWhatAppearsAfterAFailureIsFound(t *testing.T) {
	w := newWorld(t)
	w.SetMetadata(cassim.Down)
	p := w.process()
	p.wantNone("ambient", "ALIBABA_CLOUD_ACCESS_KEY_ID is not set")
	p.change(asUserEnv...)
	p.change("pass 10s")
	p.wantARN("ambient", asUser)

	p.change("env ALIBABA_CLOUD_ACCESS_KEY_ID -", "pass 3m") // the keys that are known have ended
	p.wantNone("ambient", "ALIBABA_CLOUD_ACCESS_KEY_ID")
	w.SetMetadata(cassim.V1AndV2)
	p.change("pass 10s")
	p.wantARN("ambient", asNode)
}

func TestChangedVariablesAreFoundAfterARefusal(t *testing.T) {
	w := newWorld(t)
	p := w.process("ALIBABA_CLOUD_ACCESS_KEY_ID="+cassim.DefaultKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=wrong")
	if said := p.do("ambient"); said.Error == "" {
		t.Errorf("got %+v with a wrong secret", said)
	}
	p.change(asUserEnv...)
	p.change("pass 10s")
	p.wantARN("ambient", asUser)
}

func TestNoProviderOfTheSDKQuotesAFileOrAnAnswer(t *testing.T) {
	w := newWorld(t)
	w.SetMetadata(cassim.Down)
	for _, file := range map[string]struct{ env, path, text, because string }{
		"a CLI profile that is cut short": {"X=", ".aliyun/config.json", `{"profiles":[{"access_key_secret":"` +
			secret + `"`, "unmarshal aliyun cli config from"},
		"a profile that is none": {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true", ".alibabacloud/credentials",
			"[default]\n" + secret + "\n", "key-value delimiter not found"},
	} {
		p := w.process(file.env)
		path := filepath.Join(p.home, file.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		w.write(path, file.text)
		p.wantNone("ambient", file.because)
	}
}

func TestAnAnswerFromElsewhereIsNotQuoted(t *testing.T) {
	w := newWorld(t)
	w.SetMetadata(cassim.Down)
	session, err := sts.New(
		sts.Config{Endpoint: rpc.Endpoint{Region: "cn-hangzhou", URL: w.URL()}, Rate: fast}).AssumeRole(w.t.Context(),
		rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret},
		sts.Role{ARN: w.RoleARN("issuer"), SessionName: "elsewhere", Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var isBad atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		answer := map[string]string{"Code": "Success", "AccessKeyId": session.Keys.AccessKeyID,
			"AccessKeySecret": session.Keys.AccessKeySecret,
			"SecurityToken":   session.Keys.SecurityToken, "Expiration": time.Now().UTC().Add(time.Minute).Format(
				"2006-01-02T15:04:05Z")}
		if isBad.Load() {
			answer = map[string]string{"AccessKeySecret": secret}
		}
		_ = json.NewEncoder(rw).Encode(answer)
	}))
	defer server.Close()
	p := w.process("ALIBABA_CLOUD_CREDENTIALS_URI=" + server.URL)
	p.wantARN("ambient", "assumed-role/issuer/elsewhere")
	isBad.Store(true)
	p.change("pass 3m") // after which the chain asks this one alone
	p.wantNone("ambient", "refresh credentials from")
}
