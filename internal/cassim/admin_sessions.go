// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "net/http"

// adminSessions serves what ends sessions, and what steers the metadata server that gives sessions out.
func (s *Server) adminSessions(mux *http.ServeMux) {
	mux.HandleFunc("GET /-/tls-root.pem", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(s.TLSRootPEM())
	})
	mux.HandleFunc("GET /-/sessions", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]int{"alive": s.Sessions()})
	})
	mux.HandleFunc("POST /-/sessions/expire", func(w http.ResponseWriter, _ *http.Request) {
		s.ExpireSessions()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /-/roles/{name}/revoke", func(w http.ResponseWriter, r *http.Request) {
		answerWhether(w, s.tryChangeRole(r.PathValue("name"), s.revokeSessions), "there is no such role")
	})
	mux.HandleFunc("DELETE /-/roles/{name}", func(w http.ResponseWriter, r *http.Request) {
		answerWhether(w, s.tryChangeRole(r.PathValue("name"), (*role).remove), "there is no such role")
	})
	mux.HandleFunc("PUT /-/metadata/mode", s.putMetadataMode)
	mux.HandleFunc("PUT /-/metadata/role", s.putInstanceRole)
}

// putMetadataMode is SetMetadata.
func (s *Server) putMetadataMode(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ Mode MetadataMode }
	if readJSON(w, r, &wanted) {
		answerWhether(w, s.trySetMetadata(wanted.Mode), "there is no such mode")
	}
}

// putInstanceRole is SetInstanceRole.
func (s *Server) putInstanceRole(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ Role string }
	if readJSON(w, r, &wanted) {
		answerWhether(w, s.trySetInstanceRole(wanted.Role), "there is no such role that trusts "+serviceECS)
	}
}
