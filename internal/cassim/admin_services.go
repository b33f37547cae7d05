// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"errors"
	"net/http"
	"time"
)

// adminServices serves what makes the services as a whole go wrong, and what tells what callers did wrong.
func (s *Server) adminServices(mux *http.ServeMux) {
	mux.HandleFunc("GET /-/listing", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Listing()) })
	mux.HandleFunc("PUT /-/listing", s.putListing)
	mux.HandleFunc("GET /-/skew", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]string{"ahead": s.Skew().String()})
	})
	mux.HandleFunc("PUT /-/skew", s.putSkew)
	mux.HandleFunc("POST /-/keys/{id}/expire", func(w http.ResponseWriter, r *http.Request) {
		answerWhether(w, s.expireToken(r.PathValue("id")), "there is no such temporary key")
	})
	mux.HandleFunc("GET /-/harm", func(w http.ResponseWriter, _ *http.Request) {
		if harm := errors.Join(s.ForeignHarm(), s.EndingHarm()); harm != nil {
			_, _ = w.Write([]byte(harm.Error() + "\n"))
		}
	})
}

// putListing is SteerListing.
func (s *Server) putListing(w http.ResponseWriter, r *http.Request) {
	var wanted Listing
	if readJSON(w, r, &wanted) {
		s.SteerListing(wanted)
		writeJSON(w, s.Listing())
	}
}

// putSkew is SetSkew.
func (s *Server) putSkew(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ Ahead string }
	if !readJSON(w, r, &wanted) {
		return
	}
	ahead, err := time.ParseDuration(wanted.Ahead)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.SetSkew(ahead)
	w.WriteHeader(http.StatusNoContent)
}
