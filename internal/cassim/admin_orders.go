// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "net/http"

// adminOrders serves what steers orders.
func (s *Server) adminOrders(mux *http.ServeMux) {
	mux.HandleFunc("POST /-/orders", s.postForeignOrder)
	mux.HandleFunc("POST /-/orders/{id}/state", s.postState)
	mux.HandleFunc("POST /-/orders/{id}/chain", s.postChain)
	for name, steer := range map[string]func(*order){
		"freeze":       func(o *order) { o.steering.frozen = true },
		"thaw":         func(o *order) { o.steering.frozen = false },
		"vanish":       func(o *order) { o.vanished = true },
		"reappear":     func(o *order) { o.vanished = false },
		"ignoreCancel": func(o *order) { o.steering.ignoresCancel = true },
		"revoke":       func(o *order) { o.steering.revoked = true },
		"wrongKey":     func(o *order) { o.steering.wrongKey = true },
	} {
		mux.HandleFunc("POST /-/orders/{id}/"+name, func(w http.ResponseWriter, r *http.Request) {
			s.adminSteer(w, r, steer)
		})
	}
}

func (s *Server) adminSteer(w http.ResponseWriter, r *http.Request, change func(*order)) {
	answerWhether(w, s.trySteer(r.PathValue("id"), change), "there is no such order")
}

// postForeignOrder is AddForeignOrder.
func (s *Server) postForeignOrder(w http.ResponseWriter, r *http.Request) {
	var wanted ForeignOrder
	if !readJSON(w, r, &wanted) {
		return
	}
	id, err := s.addForeignOrder(wanted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeCreated(w, map[string]string{"ID": id})
}

// postState is ForceState, or with a reason FailReview.
func (s *Server) postState(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ State, Reason string }
	if !readJSON(w, r, &wanted) {
		return
	}
	switch {
	case wanted.State == "":
		http.Error(w, "the state is empty", http.StatusBadRequest)
	case wanted.Reason != "" && wanted.State != StateVerifyFail:
		http.Error(w, "only "+StateVerifyFail+" has a reason", http.StatusBadRequest)
	case wanted.Reason != "":
		s.adminSteer(w, r, func(o *order) { s.failReview(o, wanted.Reason) })
	default:
		s.adminSteer(w, r, func(o *order) { s.forceState(o, wanted.State, s.now()) })
	}
}

// postChain is OrderChain.
func (s *Server) postChain(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ Chain string }
	if !readJSON(w, r, &wanted) {
		return
	}
	if err := checkChain(wanted.Chain); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.adminSteer(w, r, func(o *order) { o.steering.chain = wanted.Chain })
}
