// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package process starts processes that outlive their starter, remembers them in a folder, and ends exactly
// those, however much later and whatever their pids have become since.
package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errGone says that a pid belongs to no living process.
var errGone = errors.New("no such process")

// Table is the folder in which processes are remembered: pid/NAME and log/NAME.log for each.
type Table struct {
	Dir string
}

// Record is what pid/NAME holds, one line each.
type Record struct {
	PID int
	// Identity tells the process from a later one with the same pid.
	Identity string
	// Started is when the record was written, to the precision of the file system.
	Started time.Time
}

var nameSyntax = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckName refuses names that would not be one plain file name.
func CheckName(name string) error {
	if !nameSyntax.MatchString(name) {
		return fmt.Errorf("%q is no name for a process: use up to 63 of a-z, 0-9 and -", name)
	}
	return nil
}

// LogPath is the file that receives the output of a process. Every start appends to it.
func (t Table) LogPath(name string) string {
	return filepath.Join(t.Dir, "log", name+".log")
}

func (t Table) pidPath(name string) string {
	return filepath.Join(t.Dir, "pid", name)
}

// Running tells whether the process that was started under this name still lives.
func (t Table) Running(name string) (Record, bool) {
	record, err := t.read(name)
	if err != nil {
		return Record{}, false
	}
	identity, err := identify(record.PID)
	return record, err == nil && identity == record.Identity
}

// Names lists what is remembered, running or not, in the order of their start.
func (t Table) Names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(t.Dir, "pid"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	started := map[string]time.Time{}
	var names []string
	for _, entry := range entries {
		record, err := t.read(entry.Name())
		if err != nil {
			return nil, err
		}
		started[entry.Name()] = record.Started
		names = append(names, entry.Name())
	}
	slices.SortStableFunc(names, func(a, b string) int { return started[a].Compare(started[b]) })
	return names, nil
}

func (t Table) read(name string) (Record, error) {
	path := t.pidPath(name)
	content, err := os.ReadFile(path)
	if err != nil {
		return Record{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return Record{}, err
	}
	first, second, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil || pid <= 1 || second == "" {
		return Record{}, fmt.Errorf("%s is no record of a process: remove it", path)
	}
	return Record{PID: pid, Identity: second, Started: info.ModTime()}, nil
}

func (t Table) write(name string, record Record) error {
	content := fmt.Sprintf("%d\n%s\n", record.PID, record.Identity)
	temporary := filepath.Join(t.Dir, ".pid-"+name)
	if err := os.WriteFile(temporary, []byte(content), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, t.pidPath(name))
}
