// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// refusalLifetime is how long refused keys are not used again. It ends, since a key may be enabled again.
const refusalLifetime = 30 * time.Second

// refusals remembers keys that a service did not accept. So orders that wait for another key can look often whether the
// Secret has one, without a call each time. The zero value is empty. It is safe for concurrent use.
type refusals struct {
	mutex sync.Mutex
	known map[rpc.Credentials]refusal
}

type refusal struct {
	at  time.Time
	why *Problem
}

// note takes down that the keys were refused.
func (r *refusals) note(keys rpc.Credentials, why *Problem, now time.Time) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for known, e := range r.known {
		if now.Sub(e.at) >= refusalLifetime {
			delete(r.known, known)
		}
	}
	if r.known == nil {
		r.known = map[rpc.Credentials]refusal{}
	}
	keys = keys.Keys()
	r.known[keys] = refusal{at: now, why: why}
}

// forget takes down that the keys were accepted.
func (r *refusals) forget(keys rpc.Credentials) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	keys = keys.Keys()
	delete(r.known, keys)
}

// check returns a problem if the keys were refused a moment ago.
func (r *refusals) check(keys rpc.Credentials, now time.Time) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	keys = keys.Keys()
	if e, ok := r.known[keys]; ok && now.Sub(e.at) < refusalLifetime {
		return e.why
	}
	return nil
}

// Returns what the refusal of the login's keys means to people, whichever call was refused.
func (l Login) refused(why *rpc.Error) *Problem {
	what, advice := "the controller's own credentials are", "see to what gives them to the controller"
	if ref := l.Credentials.AccessKeySecretRef; ref != nil {
		what, advice = fmt.Sprintf("the AccessKey in the Secret %q in the namespace %q is", ref.Name, l.Namespace),
			"put a valid one there"
	}
	return &Problem{v1alpha1.ReasonCredentialsRefused,
		fmt.Sprintf("%s refused (%s: %s): %s", what, why.Code, strings.TrimSuffix(why.Message, "."), advice)}
}
