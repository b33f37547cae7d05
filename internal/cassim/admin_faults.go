// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "net/http"

// adminFaults is Inject, Faults, Lift and LiftFaults.
func (s *Server) adminFaults(mux *http.ServeMux) {
	mux.HandleFunc("GET /-/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Faults()) })
	mux.HandleFunc("POST /-/faults", s.postFault)
	mux.HandleFunc("DELETE /-/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.LiftFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /-/faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		answerWhether(w, s.Lift(r.PathValue("id")), "there is no such fault")
	})
}

func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var fault Fault
	if !readJSON(w, r, &fault) {
		return
	}
	if err := fault.check(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeCreated(w, map[string]string{"ID": s.Inject(fault)})
}

// Answers that something is done, or that what was named does not exist.
func answerWhether(w http.ResponseWriter, isDone bool, otherwise string) {
	if !isDone {
		http.Error(w, otherwise, http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
