// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// beat is how often it is said that something goes on.
const beat = 30 * time.Second

// counter reads what go says with -v: a line for each module that it fetches and each package that it compiles. What is
// neither is a message of the compiler, and is kept.
type counter struct {
	out   io.Writer
	began time.Time
	stop  func()

	mutex             sync.Mutex
	rest              []byte
	fetched, compiled int
	total             int
	other             []string
}

func newCounter(out io.Writer, total int) *counter {
	c := &counter{out: out, began: time.Now(), total: total}
	if total > 0 {
		fmt.Fprintf(out, "compiling up to %d packages before anything runs\n", total)
	}
	c.stop = every(beat, c.say)
	return c
}

func (c *counter) Write(text []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.rest = append(c.rest, text...)
	for {
		line, rest, found := bytes.Cut(c.rest, []byte("\n"))
		if !found {
			return len(text), nil
		}
		c.take(string(line))
		c.rest = rest
	}
}

func (c *counter) take(line string) {
	path, _, _ := strings.Cut(line, " [") // a package that is compiled for the test of another one has that behind it
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		c.fetched++
	case strings.HasSuffix(line, ".test"): // is linked anew each time, and so no part of the total
	case path != "" && !strings.ContainsAny(path, " \t:#"):
		c.compiled++
	default:
		c.other = append(c.other, line)
	}
}

func (c *counter) say() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	fmt.Fprintf(c.out, "%s %d of up to %d packages compiled", since(c.began), c.compiled, c.total)
	if c.fetched > 0 {
		fmt.Fprintf(c.out, ", %d modules fetched", c.fetched)
	}
	fmt.Fprintln(c.out)
}

// end says a last time what was done, unless that is nothing.
func (c *counter) end() {
	if c.stop(); c.compiled > 0 {
		c.say()
	}
}

// messages are those of the compiler.
func (c *counter) messages() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return strings.Join(append(c.other, string(c.rest)), "\n")
}

// every calls a function again and again until the function is called that it returns.
func every(period time.Duration, do func()) (stop func()) {
	ticker, done := time.NewTicker(period), make(chan struct{})
	var over sync.WaitGroup
	over.Go(func() {
		for {
			select {
			case <-ticker.C:
				do()
			case <-done:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		over.Wait()
	}
}

// since is the time that has passed, as minutes and seconds.
func since(began time.Time) string {
	seconds := int(time.Since(began).Seconds())
	return fmt.Sprintf("[%2d:%02d]", seconds/60, seconds%60)
}
