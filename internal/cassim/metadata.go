// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// MetadataMode is how the metadata server of the instance behaves.
type MetadataMode string

const (
	// V1AndV2 answers with a token (IMDSv2) and without (IMDSv1).
	V1AndV2 MetadataMode = "V1AndV2"
	// V2Only refuses a GET without a token.
	V2Only MetadataMode = "V2Only"
	// Down closes every connection without an answer.
	Down MetadataMode = "Down"
	// Garbled answers credentials that lack Code and Expiration, on which some SDKs panic (docs/design/cas.md §7.2).
	Garbled MetadataMode = "Garbled"
)

var metadataModes = []MetadataMode{V1AndV2, V2Only, Down, Garbled}

// metadataHost is the address of the metadata server as the instance knows it.
const metadataHost = "100.100.100.200"

// Lives of things: a token at most https://help.aliyun.com/zh/ecs/user-guide/obtain-a-temporary-authorization-token.
// The six hours are what examples on many pages show, and that the next session comes half an hour before is a choice.
const (
	maxMetadataToken = 21600
	instanceSession  = 6 * time.Hour
	instanceRenewal  = 30 * time.Minute
)

// instance is the ECS instance.
type instance struct {
	mode      MetadataMode
	role      string
	tokens    map[string]time.Time // until when they are good
	key       *key                 // of the present session
	updatedAt time.Time
}

// MetadataURL is where the instance's metadata server is. It may be used as a forward proxy, too, for requests to
// 100.100.100.200.
func (s *Server) MetadataURL() string { return s.imds.url() }

// SetMetadata changes how the metadata server behaves. It panics if there is no such mode.
func (s *Server) SetMetadata(mode MetadataMode) {
	if !s.trySetMetadata(mode) {
		panic(fmt.Sprintf("cassim: there is no metadata mode %q", mode))
	}
}

func (s *Server) trySetMetadata(mode MetadataMode) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	isKnown := slices.Contains(metadataModes, mode)
	if isKnown {
		s.instance.mode = mode
	}
	return isKnown
}

// SetInstanceRole gives the instance another role of the first account, or takes it away with "". It panics if there is
// none or if it does not trust ecs.aliyuncs.com.
func (s *Server) SetInstanceRole(name string) {
	if !s.trySetInstanceRole(name) {
		panic(fmt.Sprintf("cassim: there is no role %q that trusts %s", name, serviceECS))
	}
}

func (s *Server) trySetInstanceRole(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != "" && !s.firstAccount().roles[name].isForInstances() {
		return false
	}
	s.instance.role = name
	return true
}

func (r *role) isForInstances() bool { return r != nil && slices.Contains(r.Services, serviceECS) }

// metadata serves the instance, directly or as its proxy.
func (s *Server) metadata() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", s.putMetadataToken)
	const credentials = "GET /latest/meta-data/ram/security-credentials/"
	mux.HandleFunc(credentials+"{$}", func(w http.ResponseWriter, r *http.Request) {
		s.metadataText(w, r, s.instanceRole)
	})
	mux.HandleFunc(credentials+"{role}", func(w http.ResponseWriter, r *http.Request) {
		s.metadataText(w, r, func() any { return s.instanceCredentials(r.PathValue("role")) })
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			panic(http.ErrAbortHandler) // closes the connection without a word
		}
		defer s.done.Done()
		switch {
		case s.metadataIsDown():
			panic(http.ErrAbortHandler)
		case r.URL.Host != "" && r.URL.Hostname() != metadataHost:
			http.Error(w, "this is the metadata server", http.StatusForbidden)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

func (s *Server) metadataIsDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.instance.mode == Down
}

// putMetadataToken begins IMDSv2. That a bad lifetime is a 400 is a choice.
func (s *Server) putMetadataToken(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.Header.Get("X-aliyun-ecs-metadata-token-ttl-seconds"))
	if err != nil || seconds < 1 || seconds > maxMetadataToken {
		http.Error(w, "X-aliyun-ecs-metadata-token-ttl-seconds is not between 1 and 21600", http.StatusBadRequest)
		return
	}
	token := rand.Text() + rand.Text()
	s.mu.Lock()
	s.instance.tokens[token] = s.gatewayNow().Add(time.Duration(seconds) * time.Second)
	s.mu.Unlock()
	_, _ = w.Write([]byte(token))
}

// Answers with what tell returns under the lock, as text or as JSON, or with 404 for nil. A token that is not good is
// refused even where none is needed; the page says only that it leads to nothing.
func (s *Server) metadataText(w http.ResponseWriter, r *http.Request, tell func() any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.Header.Get("X-aliyun-ecs-metadata-token")
	isNeeded := s.instance.mode == V2Only
	if (token != "" || isNeeded) && !s.gatewayNow().Before(s.instance.tokens[token]) {
		http.Error(w, "403 - Forbidden", http.StatusForbidden)
		return
	}
	switch told := tell().(type) {
	case nil:
		http.Error(w, "404 - Not Found", http.StatusNotFound)
	case string:
		_, _ = w.Write([]byte(told))
	default:
		writeJSON(w, told)
	}
}

// Returns the role that the instance has now, or nil: the role may have been removed, or may not trust ECS any more.
func (s *Server) attached() *role {
	if r := s.firstAccount().roles[s.instance.role]; r.isForInstances() {
		return r
	}
	return nil
}

func (s *Server) instanceRole() any {
	if r := s.attached(); r != nil {
		return r.Name
	}
	return nil
}

// Returns the credentials of the present session, or of a new one when that is due. A session that was ended is not
// given out again.
func (s *Server) instanceCredentials(name string) any {
	r, now := s.attached(), s.gatewayNow()
	if r == nil || r.Name != name {
		return nil
	}
	current := s.instance.key
	if current == nil || current.session.role != r || !current.isAlive(now.Add(instanceRenewal)) {
		current = s.begin(r, "i-0000000000000000", instanceSession)
		s.instance.key, s.instance.updatedAt = current, now
	}
	told := map[string]string{
		"AccessKeyId": current.ID, "AccessKeySecret": current.Secret, "SecurityToken": current.SecurityToken,
	}
	if s.instance.mode != Garbled {
		told["Code"] = "Success"
		told["Expiration"] = current.ExpiresAt.UTC().Format(timestampForm)
		told["LastUpdated"] = s.instance.updatedAt.UTC().Format(timestampForm)
	}
	return told
}
