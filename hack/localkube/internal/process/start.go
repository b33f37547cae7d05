// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Start runs a program in a session of its own, so that it survives the starter and its terminal, and
// remembers it. It refuses a name that is running.
func (t Table) Start(name, program string, args ...string) (Record, error) {
	if record, running := t.Running(name); running {
		return record, fmt.Errorf("%s is running already, as process %d", name, record.PID)
	}
	for _, dir := range []string{"pid", "log"} {
		if err := os.MkdirAll(filepath.Join(t.Dir, dir), 0o755); err != nil {
			return Record{}, err
		}
	}
	log, err := os.OpenFile(t.LogPath(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return Record{}, err
	}
	defer log.Close()

	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return Record{}, err
	}
	// Collected as soon as it ends, so that an early death is seen as one.
	defer func() { go func() { _ = command.Wait() }() }()

	pid := command.Process.Pid
	identity, err := identify(pid)
	if err != nil {
		return Record{}, fmt.Errorf("%s ended at once:\n%s", name, t.Tail(name))
	}
	record := Record{PID: pid, Identity: identity}
	if err := t.write(name, record); err != nil {
		_ = command.Process.Kill() // better than a process that nobody remembers
		return Record{}, err
	}
	return record, nil
}

const (
	tailLines = 20
	tailBytes = 16 << 10
)

// Tail returns the last lines of a process's log, indented, for an error message.
func (t Table) Tail(name string) string {
	path := t.LogPath(name)
	file, err := os.Open(path)
	if err != nil {
		return "    (no log: " + err.Error() + ")"
	}
	defer file.Close()
	size, err := file.Seek(0, 2)
	if err != nil {
		return "    (no log: " + err.Error() + ")"
	}
	content := make([]byte, min(size, tailBytes))
	n, _ := file.ReadAt(content, size-int64(len(content)))
	text := strings.TrimRight(string(content[:n]), "\n")
	if text == "" {
		return "    (" + path + " is empty)"
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return "    end of " + path + ":\n    " + strings.Join(lines, "\n    ")
}
