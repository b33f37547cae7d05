// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

// Knobs are what the CAS contract does not know (§10). The zero value is what is most likely.
type Knobs struct {
	// Chain is what an issued order gives.
	Chain ChainForm
	// PrivateKeyReturned puts a private key into the answer for an issued order.
	PrivateKeyReturned bool
	// RecordDomain is how the name of the validation record is written.
	RecordDomain RecordDomainForm
	// RecordType is TXT, or CNAME.
	RecordType string
	// UsedStaysAfterDelete keeps UsedCount when an order is deleted.
	UsedStaysAfterDelete bool
	// OrderIDNumber sends order ids as JSON numbers instead of strings.
	OrderIDNumber bool
	// DuplicateDomainRefused refuses a second unfinished order for a domain with DomainRepeat.
	DuplicateDomainRefused bool
	// CSRReuseRefused lets the review of an order fail whose CSR was used before.
	CSRReuseRefused bool
	// AutomaticDNS lets CAS publish the record by itself in a zone of the same account.
	AutomaticDNS bool
	// MaxShowSize bounds the page of a listing; 0 means as much as is asked for.
	MaxShowSize int
	// OldestFirst turns the order of a listing round.
	OldestFirst bool
}

// ChainForm is what the PEM text of an issued order holds.
type ChainForm string

// The forms of a chain.
const (
	ChainFull      ChainForm = ""
	ChainLeafOnly  ChainForm = "LeafOnly"
	ChainWithRoot  ChainForm = "WithRoot"
	ChainShuffled  ChainForm = "Shuffled"
	ChainUnrelated ChainForm = "Unrelated"
)

// RecordDomainForm is how the name of a validation record is written.
type RecordDomainForm string

// The forms of a record's name.
const (
	RecordRelative    RecordDomainForm = ""
	RecordFQDN        RecordDomainForm = "FQDN"
	RecordTrailingDot RecordDomainForm = "TrailingDot"
	RecordUpperCase   RecordDomainForm = "UpperCase"
)

// SetKnobs changes knobs while the server runs.
func (s *Server) SetKnobs(change func(*Knobs)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	change(&s.knobs)
}
