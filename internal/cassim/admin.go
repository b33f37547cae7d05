// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"encoding/json"
	"net/http"
)

// admin is for people and for tests in other processes. It asks for no password: listen on a loopback address.
func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /-/root.pem", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(s.RootPEM())
	})
	mux.HandleFunc("GET /-/ledger", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Ledger()) })
	mux.HandleFunc("GET /-/orders", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Orders()) })
	mux.HandleFunc("GET /-/calls", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Calls()) })
	mux.HandleFunc("GET /-/unknowns", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Unknowns()) })
	mux.HandleFunc("GET /-/knobs", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Knobs()) })
	mux.HandleFunc("PATCH /-/knobs", s.patchKnobs)
	s.adminFaults(mux)
	s.adminOrders(mux)
	s.adminInstances(mux)
	s.adminServices(mux)
	s.adminSessions(mux)
	mux.HandleFunc("GET /-/records", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, s.Records(r.URL.Query().Get("zone")))
	})
	mux.HandleFunc("POST /-/records", s.postRecord)
	mux.HandleFunc("DELETE /-/records/{id}", s.deleteRecord)
	return mux
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value)
}

func writeCreated(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(value)
}

// Reads the body of a request, and says whether that was possible. If not, it has answered with the error. An unknown
// field is an error.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func (s *Server) patchKnobs(w http.ResponseWriter, r *http.Request) {
	var changes map[string]string
	if !readJSON(w, r, &changes) {
		return
	}
	err := s.changeKnobs(func(k *Knobs) error {
		for name, value := range changes {
			if err := k.Set(name, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, s.Knobs())
}

func (s *Server) postRecord(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ Zone, RR, Type, Value string }
	if !readJSON(w, r, &wanted) {
		return
	}
	id, err := s.addRecord(wanted.Zone, wanted.RR, wanted.Type, wanted.Value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeCreated(w, map[string]string{"ID": id})
}

func (s *Server) deleteRecord(w http.ResponseWriter, r *http.Request) {
	if !s.RemoveRecord(r.PathValue("id")) {
		http.Error(w, "there is no such record", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
