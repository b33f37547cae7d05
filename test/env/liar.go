// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
)

// Proof is a record as DescribeCertificateState tells it, or a file, which has no Type: Name is its path then. With a
// Domain alone it is what GetInstanceDetail tells, but for another domain.
type Proof struct{ Type, Name, Value, Domain string }

// Liar stands before the simulator of CAS, and asks for another record or file than the simulator does.
type Liar struct {
	URL   string
	mutex sync.Mutex
	shown Proof
}

// StartLiar has a CAS ask for a record or a file, until the test ends. Without a Value it asks for the true one.
func StartLiar(e *Env, asks Proof) *Liar {
	e.T.Helper()
	target, err := url.Parse(e.Simulator.URL())
	if err != nil {
		e.T.Fatal(err)
	}
	l := &Liar{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		var reply map[string]any
		name, value := "RecordDomain", "RecordValue"
		if asks.Type == "" {
			name, value = "Uri", "Content"
		}
		if json.Unmarshal(body, &reply) == nil && reply[value] != nil {
			l.mutex.Lock()
			defer l.mutex.Unlock()
			kind, _ := reply["RecordType"].(string)
			l.shown = Proof{Type: kind, Name: reply[name].(string), Value: reply[value].(string)}
			reply["RecordType"], reply[name], reply[value] = asks.Type, asks.Name, cmp.Or(asks.Value, l.shown.Value)
			if body, err = json.Marshal(reply); err != nil {
				return err
			}
		}
		if list, _ := reply["DomainValidationList"].([]any); len(list) > 0 && asks.Domain != "" {
			for _, entry := range list {
				entry.(map[string]any)["Domain"] = asks.Domain
			}
			if body, err = json.Marshal(reply); err != nil {
				return err
			}
		}
		r.Header.Del("Content-Length")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return nil
	}
	server := httptest.NewServer(proxy)
	e.T.Cleanup(server.Close)
	l.URL = server.URL
	return l
}

// Console is what people see who look into the console of CAS.
func (l *Liar) Console() Proof {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.shown
}
