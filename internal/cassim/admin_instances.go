// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"net/http"
	"time"
)

// adminInstances serves what buys, steers and shows instances.
func (s *Server) adminInstances(mux *http.ServeMux) {
	mux.HandleFunc("GET /-/instances", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Instances()) })
	mux.HandleFunc("GET /-/applications", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, s.Applications())
	})
	mux.HandleFunc("POST /-/instances", s.postInstance)
	mux.HandleFunc("POST /-/instances/{id}/{verb}", s.postInstanceVerb)
}

// postInstance is AddInstance.
func (s *Server) postInstance(w http.ResponseWriter, r *http.Request) {
	var wanted NewInstance
	if !readJSON(w, r, &wanted) {
		return
	}
	id, err := s.tryAddInstance(wanted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeCreated(w, map[string]string{"ID": id})
}

// instanceVerb is the body of postInstanceVerb. Each verb reads some of its fields.
type instanceVerb struct {
	Names                      []string
	Status, Reason, Chain      string
	Lasts                      string
	SingleNames, WildcardNames int
}

// instanceVerbs are the methods of Server that people may call. Only people ask for "lasts": how long the certificates
// of an instance live from now on, 0s being as long as usual, so that nobody has to wait months for a renewal.
var instanceVerbs = map[string]func(*Server, *subscription, instanceVerb) error{
	"write":      func(s *Server, i *subscription, v instanceVerb) error { return s.writeInConsole(i, v.Names) },
	"apply":      func(s *Server, i *subscription, _ instanceVerb) error { return s.applyInConsole(i) },
	"cancel":     func(s *Server, i *subscription, _ instanceVerb) error { return s.cancelInConsole(i) },
	"host":       func(s *Server, i *subscription, _ instanceVerb) error { return s.replaceHosted(i, s.now()) },
	"fail":       func(s *Server, i *subscription, v instanceVerb) error { return s.failNow(i, v.Reason) },
	"enableHost": func(_ *Server, i *subscription, _ instanceVerb) error { i.setHosting(true); return nil },
	"status":     func(_ *Server, i *subscription, v instanceVerb) error { i.forced = v.Status; return nil },
	"upgrade": func(_ *Server, i *subscription, v instanceVerb) error {
		return i.upgrade(v.SingleNames, v.WildcardNames)
	},
	"refuse": func(_ *Server, i *subscription, v instanceVerb) error { return i.refuseNext(v.Reason) },
	"freeze": func(_ *Server, i *subscription, _ instanceVerb) error { i.steering.frozen = true; return nil },
	"thaw":   func(_ *Server, i *subscription, _ instanceVerb) error { i.steering.frozen = false; return nil },
	"ignoreCancel": func(_ *Server, i *subscription, _ instanceVerb) error {
		i.steering.ignoresCancel = true
		return nil
	},
	"wrongKey": func(_ *Server, i *subscription, _ instanceVerb) error { i.steering.wrongKey = true; return nil },
	"vanish":   func(_ *Server, i *subscription, _ instanceVerb) error { i.vanished = true; return nil },
	"reappear": func(_ *Server, i *subscription, _ instanceVerb) error { i.vanished = false; return nil },
	"revoke":   func(s *Server, i *subscription, _ instanceVerb) error { return s.revokeLatest(i) },
	"lasts": func(_ *Server, i *subscription, v instanceVerb) (err error) {
		i.steering.lasts, err = time.ParseDuration(v.Lasts)
		return err
	},
	"chain": func(_ *Server, i *subscription, v instanceVerb) error {
		err := checkChain(v.Chain)
		if err == nil {
			i.steering.chain = v.Chain
		}
		return err
	},
}

func (s *Server) postInstanceVerb(w http.ResponseWriter, r *http.Request) {
	do, ok := instanceVerbs[r.PathValue("verb")]
	if _, exists := s.Instance(r.PathValue("id")); !ok || !exists {
		http.Error(w, "there is no such instance, or nothing that is called so", http.StatusNotFound)
		return
	}
	var wanted instanceVerb
	if r.ContentLength != 0 && !readJSON(w, r, &wanted) {
		return
	}
	err := s.trySteerInstance(r.PathValue("id"), func(i *subscription) error { return do(s, i, wanted) })
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
