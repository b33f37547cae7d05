// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// envSTS makes this test binary a controller that has an identity of its own, or none: it does what it reads, line by
// line, and tells what came of it. The providers of the SDK ask STS and the metadata server under their real names,
// with the proxies and roots that a process has from its start on.
const envSTS = "CREDENTIALS_TEST_STS"

func TestMain(m *testing.M) {
	if url := os.Getenv(envSTS); url != "" {
		newController(url).obey(os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// outcome is what a controller tells.
type outcome struct {
	ARN             string
	Reason, Message string // of a Problem
	Error           string // of what is none
}

type controller struct {
	*credentials.Store
	url   string
	clock *clocktesting.FakePassiveClock
}

func newController(url string) *controller {
	clock := clocktesting.NewFakePassiveClock(time.Now())
	return &controller{&credentials.Store{Now: clock.Now, STSRate: fast}, url, clock}
}

// obey knows these commands, each of which is answered with an outcome:
//
//	ambient             signs in with what surrounds it
//	ecs ROLE METADATA   signs in as the instance; - is nothing
//	pass DURATION       lets time pass
//	env NAME VALUE      changes its environment
func (c *controller) obey(commands io.Reader, answers io.Writer) {
	for lines := bufio.NewScanner(commands); lines.Scan(); {
		words := strings.Fields(lines.Text())
		for i := range words {
			words[i] = strings.TrimPrefix(words[i], "-")
		}
		var said outcome
		switch words[0] {
		case "ambient":
			said = c.signIn(v1alpha1.Credentials{})
		case "ecs":
			said = c.signIn(v1alpha1.Credentials{
				ECSRAMRole: &v1alpha1.ECSRAMRoleCredentials{
					RoleName: words[1], Metadata: v1alpha1.MetadataVersion(words[2])}})
		case "pass":
			d, err := time.ParseDuration(words[1])
			said.Error = fmt.Sprint(err)
			c.clock.SetTime(c.clock.Now().Add(d))
		case "env":
			said.Error = fmt.Sprint(os.Setenv(words[1], words[2]))
		}
		_ = json.NewEncoder(answers).Encode(said)
	}
}

func (c *controller) signIn(from v1alpha1.Credentials) (said outcome) {
	told, err := c.Identity(context.Background(),
		credentials.Login{Credentials: from, MayUseOwn: true, STS: rpc.Endpoint{Region: "cn-hangzhou", URL: c.url}})
	said.ARN = strings.TrimPrefix(told.ARN, "acs:ram::"+accountID+":")
	if problem, ok := errors.AsType[*credentials.Problem](err); ok {
		said.Reason, said.Message = problem.Reason, problem.Message
	} else if err != nil {
		said.Error = err.Error()
	}
	return said
}

// process is a controller of its own.
type process struct {
	t        *testing.T
	home     string
	commands io.Writer
	answers  *json.Decoder
}

// process starts one with no more of the environment than it is given.
func (w *world) process(env ...string) *process {
	w.t.Helper()
	p := &process{t: w.t, home: w.t.TempDir()}
	roots := filepath.Join(p.home, "roots.pem")
	w.write(roots, string(w.TLSRootPEM()))
	child := exec.Command(os.Args[0]) // which ends with its input
	child.Env = append([]string{
		envSTS + "=" + w.URL(), "HOME=" + p.home, "HTTPS_PROXY=" + w.ProxyURL(), "HTTP_PROXY=" + w.MetadataURL(),
		"SSL_CERT_FILE=" + roots,
		"GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + w.t.TempDir(),
	}, env...)
	child.Stderr = os.Stderr
	in, err1 := child.StdinPipe()
	out, err2 := child.StdoutPipe()
	if err := errors.Join(err1, err2, child.Start()); err != nil {
		w.t.Fatal(err)
	}
	p.commands, p.answers = in, json.NewDecoder(out)
	w.t.Cleanup(func() {
		if err := errors.Join(in.Close(), child.Wait()); err != nil {
			w.t.Errorf("the process: %v", err)
		}
	})
	return p
}

func (p *process) do(command string) (said outcome) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.commands, command); err != nil {
		p.t.Fatal(err)
	}
	if err := p.answers.Decode(&said); err != nil {
		p.t.Fatalf("%s: %v", command, err)
	}
	return said
}

// change does what has to work.
func (p *process) change(commands ...string) {
	p.t.Helper()
	for _, command := range commands {
		if said := p.do(command); said != (outcome{Error: "<nil>"}) {
			p.t.Fatalf("%s: %+v", command, said)
		}
	}
}

func (p *process) wantARN(command, want string) {
	p.t.Helper()
	if said := p.do(command); said != (outcome{ARN: want}) {
		p.t.Errorf("%s: got %+v, want %s", command, said, want)
	}
}

// wantNone wants no credentials to be found, for the reason that is in parentheses.
func (p *process) wantNone(command, because string) (message string) {
	p.t.Helper()
	said := p.do(command)
	if said.Reason != "MetadataUnavailable" ||
		!strings.HasPrefix(said.Message, "the controller finds no credentials of its own (") ||
		!strings.Contains(said.Message, because) {
		p.t.Errorf("%s: got %+v, want %s", command, said, because)
	}
	for _, secret := range []string{secret, keyID, "STS.", "eyJ"} {
		if strings.Contains(said.Message, secret) {
			p.t.Errorf("%s: %q is in %s", command, secret, said.Message)
		}
	}
	return said.Message
}
