// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
)

// authority is the CA that sells, on the loopback. It looks into DNS before it issues, bills every order that it takes,
// and takes as many as it is sent: nothing but the care of those who ask keeps two from being billed. It shares no code
// with the source: an oracle must not share its bugs.
type authority struct {
	*testing.T
	url string
	now func() time.Time
	// nameserver is asked for the validation records.
	nameserver string
	root       *x509.Certificate
	sign       func(template *x509.Certificate, request *x509.CertificateRequest) []byte

	mutex sync.Mutex
	// ledger is everything that was ever billed.
	ledger []*sold
	// mishaps befall the next call of a verb, once.
	mishaps map[string]mishap
	// underWay are calls that were cut off on their way, and come in later.
	underWay []delayed
	// refuses says that it takes no order, and forgot that it knows no keys.
	refuses, forgot bool
	calls           map[string]int
}

// sold is an order, as the CA tells it.
type sold struct {
	ID, Reference, Request  string
	State                   string
	RecordName, RecordValue string
	Certificate             string
}

// mishap is what becomes of a call. The zero value loses it on its way to the CA.
type mishap struct {
	// isExecuted says that it arrives, and that the answer is lost instead.
	isExecuted bool
	// after is when it arrives, if it does so late.
	after time.Duration
	// status is what somebody on the way answers in its place, with what is no id and no code.
	status int
}

type delayed struct {
	at time.Time
	do func()
}

// answer is a status with what is answered.
type answer struct {
	status int
	body   any
}

func refusal(status int, code, message string) answer {
	return answer{status, map[string]string{"Code": code, "Message": message}}
}

// open starts a CA whose intermediate issues.
func open(t *testing.T, now func() time.Time, nameserver string) *authority {
	t.Helper()
	lasting := func(template *x509.Certificate) {
		template.NotBefore, template.NotAfter = now().Add(-time.Hour), now().AddDate(10, 0, 0)
	}
	root := certs.AuthorityBy(t, nil, "root", certs.NewKey(t), lasting)
	key := certs.NewKey(t)
	intermediate := certs.AuthorityBy(t, root, "example CA", key, lasting).Certificate
	a := &authority{T: t, now: now, nameserver: nameserver, root: root.Certificate, mishaps: map[string]mishap{},
		calls: map[string]int{}}
	a.sign = func(template *x509.Certificate, request *x509.CertificateRequest) []byte {
		der, err := x509.CreateCertificate(rand.Reader, template, intermediate, request.PublicKey, key)
		if err != nil {
			t.Error(err)
		}
		leaf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		return append(leaf, certs.Bundle(intermediate)...)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /orders", a.verb("order", a.order))
	mux.Handle("GET /orders", a.verb("find", a.find))
	mux.Handle("GET /orders/{id}", a.verb("describe", a.describe))
	mux.Handle("POST /orders/{id}/cancel", a.verb("cancel", a.cancel))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// verb is what all verbs have in common: keys, mishaps, and one call at a time.
func (a *authority) verb(name string, do func(*http.Request, []byte) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		a.mutex.Lock()
		defer a.mutex.Unlock()
		a.calls[name]++
		a.catchUp()
		what, isHit := a.mishaps[name]
		delete(a.mishaps, name)
		if what.isExecuted {
			a.underWay = append(a.underWay, delayed{a.now().Add(what.after), func() { do(r, body) }})
			a.catchUp()
		}
		switch {
		case what.status != 0:
			w.Header().Set("Location", a.url+r.RequestURI)
			w.WriteHeader(what.status)
			_, _ = io.WriteString(w, `{"ID":"a/b"}`) // whoever asked has gone
			return
		case isHit:
			panic(http.ErrAbortHandler) // which cuts the connection
		}
		reply := refusal(http.StatusUnauthorized, "UnknownKeys", "who are you?")
		id, secret, _ := r.BasicAuth()
		if id == cassim.DefaultKeyID && secret == cassim.DefaultKeySecret && !a.forgot {
			reply = do(r, body)
		}
		w.WriteHeader(reply.status)
		_ = json.NewEncoder(w).Encode(reply.body) // whoever asked has gone
	}
}

// catchUp does what has become due: it takes calls that were late, and issues what is proved.
func (a *authority) catchUp() {
	a.underWay = slices.DeleteFunc(a.underWay, func(late delayed) bool {
		isDue := !a.now().Before(late.at)
		if isDue {
			late.do()
		}
		return isDue
	})
	for _, order := range a.ledger {
		if order.State == "pending" && a.sees(order.RecordName, order.RecordValue) {
			a.issue(order)
		}
	}
}

// sees asks DNS for a record.
func (a *authority) sees(name, value string) bool {
	reply, err := dns.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeTXT), a.nameserver)
	if err != nil {
		a.Error(err)
		return false
	}
	return slices.ContainsFunc(reply.Answer, func(rr dns.RR) bool {
		txt, isTXT := rr.(*dns.TXT)
		return isTXT && slices.Equal(txt.Txt, []string{value})
	})
}

func (a *authority) issue(order *sold) {
	request, err := pki.DecodeX509CertificateRequestBytes([]byte(order.Request))
	if err != nil {
		a.Error(err)
		return
	}
	order.State, order.RecordName, order.RecordValue = "issued", "", ""
	order.Certificate = string(a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(int64(len(a.ledger))), Subject: pkix.Name{CommonName: request.Subject.CommonName},
		DNSNames: request.DNSNames, NotBefore: a.now().Add(-time.Minute), NotAfter: a.now().AddDate(0, 0, 90),
	}, request))
}

func (a *authority) order(_ *http.Request, body []byte) answer {
	ask := struct {
		Reference, Request string
		GoodUntil          time.Time
	}{}
	err := json.Unmarshal(body, &ask)
	switch {
	case err != nil, a.refuses:
		return refusal(http.StatusUnprocessableEntity, "Refused", "the CA does not like the request")
	case a.now().After(ask.GoodUntil):
		return refusal(http.StatusGone, "TooLate", "nobody waits for this any more")
	}
	return answer{http.StatusOK, a.bill(ask.Reference, ask.Request)}
}

// bill is where money is spent.
func (a *authority) bill(reference, request string) *sold {
	csr, err := pki.DecodeX509CertificateRequestBytes([]byte(request))
	if err != nil {
		a.Error(err)
		return nil
	}
	order := &sold{ID: fmt.Sprint("ex-", len(a.ledger)+1), Reference: reference, Request: request, State: "pending",
		RecordName: "_example." + csr.Subject.CommonName, RecordValue: fmt.Sprint("token ", len(a.ledger)+1)}
	a.ledger = append(a.ledger, order)
	return order
}

func (a *authority) find(r *http.Request, _ []byte) answer {
	found := slices.DeleteFunc(slices.Clone(a.ledger), func(o *sold) bool {
		return o.Reference != r.FormValue("reference")
	})
	return answer{http.StatusOK, map[string]any{"Now": a.now(), "Orders": found}}
}

func (a *authority) describe(r *http.Request, _ []byte) answer {
	at := slices.IndexFunc(a.ledger, func(o *sold) bool { return o.ID == r.PathValue("id") })
	if at < 0 {
		return refusal(http.StatusNotFound, "NoSuchOrder", "there is none")
	}
	return answer{http.StatusOK, a.ledger[at]}
}

func (a *authority) cancel(r *http.Request, _ []byte) answer {
	found := a.describe(r, nil)
	order, isOrder := found.body.(*sold)
	switch {
	case !isOrder:
		return found
	case order.State == "pending":
		order.State = "cancelled"
		return found
	default:
		return refusal(http.StatusConflict, "NotPending", "it is "+order.State)
	}
}

// befall has the next call of a verb go wrong.
func (a *authority) befall(verb string, what mishap) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.mishaps[verb] = what
}

// set changes what the CA does from now on.
func (a *authority) set(refuses, forgot bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.refuses, a.forgot = refuses, forgot
}

// byHand orders with a reference, as somebody else does.
func (a *authority) byHand(reference string, request []byte) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.bill(reference, string(request))
}

// billed are the states of all that is in the ledger.
func (a *authority) billed() []string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	var states []string
	for _, order := range a.ledger {
		states = append(states, order.State)
	}
	return states
}

func (a *authority) called(verb string) int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.calls[verb]
}
