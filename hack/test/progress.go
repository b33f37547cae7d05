// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of a package that is built
}

// progress reads events, prints go test's own line for each package that is done, with its output if it has failed, and
// now and then what runs.
type progress struct {
	out   io.Writer
	began time.Time
	stop  func()

	mutex          sync.Mutex
	total, passed  int
	running        map[string]*output
	failed         []string
	built          strings.Builder // what the compiler and the linker say
	saidSinceABeat bool
}

// output is what a package has written so far, in its order, but for that of tests that have passed.
type output struct {
	lines []event
}

func newProgress(out io.Writer, total int) *progress {
	p := &progress{out: out, began: time.Now(), total: total, running: map[string]*output{}}
	p.stop = every(beat, p.say)
	return p
}

func (p *progress) end() { p.stop() }

// read returns at the end of the events.
func (p *progress) read(events io.Reader) error {
	reader := bufio.NewReader(events)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 0 {
			p.take(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *progress) take(line []byte) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		_, _ = p.out.Write(line) // of go itself
		return
	}
	switch {
	case e.Action == "build-output":
		p.built.WriteString(e.Output)
	case e.Package == "":
	case e.Action == "output":
		o := p.of(e.Package)
		o.lines = append(o.lines, e)
	case e.Test != "" && (e.Action == "pass" || e.Action == "skip"):
		p.of(e.Package).forget(e.Test)
	case e.Test == "" && (e.Action == "pass" || e.Action == "skip" || e.Action == "fail"):
		p.finish(e.Package, e.Action)
	default:
		p.of(e.Package)
	}
}

func (p *progress) of(name string) *output {
	if p.running[name] == nil {
		p.running[name] = &output{}
	}
	return p.running[name]
}

func (o *output) forget(test string) {
	o.lines = slices.DeleteFunc(o.lines, func(e event) bool { return e.Test == test })
}

func (p *progress) finish(name, action string) {
	o := p.of(name)
	delete(p.running, name)
	p.saidSinceABeat = true
	if action == "fail" {
		p.failed = append(p.failed, name)
		fmt.Fprintf(p.out, "\n==> %s has failed\n%s", name, p.built.String())
		p.built.Reset()
		for _, line := range o.lines {
			fmt.Fprint(p.out, line.Output)
		}
		fmt.Fprintln(p.out)
		return
	}
	p.passed++
	for _, line := range o.lines {
		if isResult(line) {
			fmt.Fprint(p.out, line.Output)
		}
	}
}

// isResult tells the line by which go test says what has become of a package.
func isResult(line event) bool {
	return line.Test == "" && (strings.HasPrefix(line.Output, "ok  \t") || strings.HasPrefix(line.Output, "?   \t"))
}

// say tells how far it is, unless a package was done a moment ago.
func (p *progress) say() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.saidSinceABeat {
		fmt.Fprintf(p.out, "%s %s\n", since(p.began), p)
	}
	p.saidSinceABeat = false
}

func (p *progress) String() string {
	text := fmt.Sprintf("%d of %d packages passed", p.passed, p.total)
	if len(p.failed) > 0 {
		text += fmt.Sprintf(", %d failed", len(p.failed))
	}
	if p.passed+len(p.failed) == p.total {
		return text
	}
	if len(p.running) == 0 {
		return text + ", linking"
	}
	return text + ", running: " + strings.Join(shortened(slices.Sorted(maps.Keys(p.running))), " ")
}

// shortened leaves out what the packages have in common: the path of their module.
func shortened(packages []string) []string {
	short := slices.Clone(packages)
	for i, name := range short {
		if elements := strings.Split(name, "/"); len(elements) > 3 {
			short[i] = strings.Join(elements[3:], "/")
		}
	}
	return short
}

func (p *progress) hasFailed() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.failed) > 0
}

// verdict says at the end what has become of all packages.
func (p *progress) verdict() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fmt.Fprintf(p.out, "%s %s\n", since(p.began), p)
	if len(p.failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(shortened(p.failed), " "))
	}
	return nil
}
