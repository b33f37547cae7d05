// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// progress reads what `go build -v` says: a line for each module that it fetches and each package that it
// compiles. What is neither is an error message, and is kept.
type progress struct {
	mu                sync.Mutex
	rest              []byte
	fetched, compiled int
	messages          []string
}

func (p *progress) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, data...)
	for {
		line, rest, found := bytes.Cut(p.rest, []byte("\n"))
		if !found {
			return len(data), nil
		}
		p.take(string(line))
		p.rest = rest
	}
}

func (p *progress) take(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.fetched++
	case line != "" && !strings.ContainsAny(line, " \t:"):
		p.compiled++
	default:
		p.messages = append(p.messages, line)
	}
}

func (p *progress) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%d modules fetched, %d packages compiled", p.fetched, p.compiled)
}

const maxMessages = 40

// errors returns the last messages.
func (p *progress) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	messages := p.messages
	if len(p.rest) > 0 {
		messages = append(messages, string(p.rest))
	}
	return strings.Join(messages[max(0, len(messages)-maxMessages):], "\n")
}
