// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package model lets random sequences of all that users, operators, Alibaba Cloud and crashes can do befall the
// controller, and holds it to its promises: an order is never bought twice, never lost, and always ends. It does so
// over each source of certificates.
package model

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// asked is a CertificateRequest that somebody has made.
type asked struct {
	*party
	name, domain string
	names        []string // the domain is the first of them
	uid          types.UID
	key          crypto.Signer
	madeAt       time.Time
	csr          []byte
	isDecided    bool
	isDenied     bool
	isDeleted    bool
	// isDeletedAmid says that it was deleted while a run was held, which may have been on its way to buy.
	isDeletedAmid bool
	// isForced says that somebody has taken an Order of it away with all that it knew.
	isForced bool
	// certificate is what it was given, once it was.
	certificate []byte
}

// world is one sequence: what has happened in it, and what has been seen.
type world struct {
	*env.Env
	// sources are the one that the world is of, and the other one. hasMoved says that an issuer was moved there.
	sources  [2]source
	hasMoved bool

	of   string // the name of the first one
	seed uint64
	// rng is of the present step, so that what a step does hangs on the seed and on the step's number alone.
	rng *rand.Rand
	did []string

	tenants   []string // namespaces
	gone      map[string]bool
	secrets   []*secret
	parties   []*party
	web       *files
	requests  []*asked
	byCSR     map[string]*asked       // by the fingerprint of the CSR
	byUID     map[types.UID]*asked    // by the request's UID
	mutex     sync.Mutex              // of the next three, which writes of the controller change
	requestOf map[types.UID]types.UID // of an Order, by its UID
	hadID     map[types.UID]bool      // Orders that had an id at some time
	heirs     map[types.UID]types.UID // Orders that took over from that of a request, by the request's UID
	known     map[string]bool         // purchases that were seen, by their keys
	published map[string]bool         // records that people made
	strangers []cassim.Record         // records that were there before
	forced    map[string]bool         // values of records, and purchases, that only an Order knew that was taken away
	keys      int
	// isAmid says that a run is held meanwhile, at heldAt, and isDown that no controller runs.
	isAmid, isDown bool
	heldAt         string
	seen           *seen
	// isExclusive says that an issuer has promised that nobody else orders, and hasOthers that somebody has.
	isExclusive, hasOthers bool
	// wrongAt is when a listing was last seen to lack an order.
	wrongAt   time.Time
	listDelay time.Duration
	// excused are purchases that the design allows though they were wrong.
	excused []string
}

func newWorld(t *testing.T, of string, seed uint64) *world {
	t.Helper()
	w := &world{
		sources: sources[of](), of: of,
		seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // a seed is to be guessed
		byCSR: map[string]*asked{}, byUID: map[types.UID]*asked{}, requestOf: map[types.UID]types.UID{},
		hadID: map[types.UID]bool{},
		heirs: map[types.UID]types.UID{},
		known: map[string]bool{}, published: map[string]bool{}, forced: map[string]bool{},
		gone: map[string]bool{},
		web:  newFiles(), seen: newSeen(),
	}
	t.Cleanup(w.web.Close)
	options := w.options()
	options.Accounts, options.WebAddr = w.accounts(), w.web.Listener.Addr().String()
	w.Env = env.New(t, options)
	w.Configure = w.Web(options.WebAddr)
	w.OneClock()
	if isLagging := w.chance(25); isLagging {
		w.note("the cache is behind")
		w.Lag()
	}
	w.BeforeWrite, w.BeforeCall = w.beforeWrite, w.beforeCall
	for _, from := range w.sources {
		from.open(w)
	}
	w.openParties(options.Accounts)
	w.Simulator.AddRecord(zone, "_dnsauth.www", "TXT", "somebody else's")
	w.strangers = w.Simulator.Records(zone)
	w.note("the account is exclusive: %t", w.isExclusive)
	w.settle()
	return w
}

// newKey is one that no other sequence has: the controller counts its calls by it. All keys of an account are of one
// user, so that CAS tells ours from others'.
func (w *world) newKey(account int) cassim.Key {
	w.keys++
	id := fmt.Sprintf("key-%s-%d-%d", w.of, w.seed, w.keys)
	return cassim.Key{ID: id, Secret: "secret of " + id, User: fmt.Sprintf("user-%d", account)}
}

// options are the world that a seed lives in.
func (w *world) options() cassim.Options {
	o := cassim.Options{
		CADelay:     pick(w.rng, 0, time.Minute, 30*time.Minute, 5*time.Hour),
		DCVDelay:    pick(w.rng, 0, time.Minute),
		RecordDelay: pick(w.rng, 0, 5*time.Second, 3*time.Minute),
		CancelDelay: pick(w.rng, 0, 0, time.Minute, 5*time.Minute),
		ListDelay:   pick(w.rng, 0, 0, 2*time.Minute, 10*time.Minute, 3*time.Hour),
	}
	w.listDelay = o.ListDelay
	o.Knobs.DateHeader = pick(w.rng, cassim.Present, cassim.Present, cassim.Absent)
	for _, from := range w.sources {
		from.knobs(w, &o.Knobs)
	}
	w.note("the world: CADelay %s, DCVDelay %s, RecordDelay %s, CancelDelay %s, ListDelay %s, knobs %+v",
		o.CADelay, o.DCVDelay, o.RecordDelay, o.CancelDelay, o.ListDelay, o.Knobs)
	return o
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// chance is true in so many of a hundred cases.
func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func (w *world) note(format string, args ...any) {
	w.did = append(w.did, fmt.Sprintf(format, args...))
}

// csrFor asks for names, of which the first is the common name.
func csrFor(key crypto.Signer, names ...string) []byte {
	return gen.CSR(key, func(c *x509.CertificateRequest) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: names[0]}, names
	})
}

func fingerprintOf(csr []byte) string {
	block, _ := pem.Decode(csr)
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:])
}

// live takes the steps, each with random numbers of its own.
func (w *world) live(steps int) {
	for i := 0; i < steps && !w.T.Failed(); i++ {
		w.rng = rand.New(rand.NewPCG(w.seed, uint64(i)+1)) //nolint:gosec // a seed is to be guessed
		w.did = append(w.did, fmt.Sprintf("-- step %d at %s", i+1, w.Clock.Now().UTC().Format(time.DateTime)))
		w.act()
		if w.chance(70) {
			w.settle()
		}
		if w.chance(60) {
			w.pass(pick(w.rng, 3*time.Second, 20*time.Second, 2*time.Minute, 2*time.Minute, 12*time.Minute,
				25*time.Minute))
		}
	}
	w.note("-- the end at %s", w.Clock.Now().UTC().Format(time.DateTime))
}

// settle runs the reconcilers until they wait, and looks at what they did. If one of them is held, the world goes on
// meanwhile.
func (w *world) settle() time.Duration {
	w.T.Helper()
	if w.isDown {
		return time.Hour
	}
	next := w.Settle()
	if w.Held() && !w.isAmid {
		w.amid()
		next = w.Settle()
	}
	w.observe()
	return next
}

// pass lets time pass, in no more than twelve steps: the reconcilers may come late, and then all that is due comes at
// once.
func (w *world) pass(d time.Duration) {
	w.T.Helper()
	for end := w.Clock.Now().Add(d); w.Clock.Now().Before(end); {
		next := max(w.settle(), d/12)
		w.Clock.SetTime(w.Clock.Now().Add(min(next, end.Sub(w.Clock.Now()))))
	}
	w.settle()
}
