// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Outcome is how a process came to its end.
type Outcome string

const (
	// Gone is a process that had ended before, or whose pid belongs to somebody else by now.
	Gone Outcome = "had ended before"
	// Stopped is a process that ended when asked to.
	Stopped Outcome = "stopped"
	// Killed is a process that did not end in time when asked to.
	Killed Outcome = "killed"
)

const (
	stopInterval = 20 * time.Millisecond
	// killWait is for the kernel to take down a process that was killed.
	killWait = time.Minute
)

// Stop ends the process of this name, and the children that stayed in its process group: it asks (SIGTERM),
// waits up to grace, then kills. Then it forgets the name. A process that is not ours is never signalled.
func (t Table) Stop(name string, grace time.Duration) (Outcome, error) {
	outcome := Gone
	if record, running := t.Running(name); running {
		outcome = Stopped
		if err := signalGroup(record.PID, syscall.SIGTERM); err != nil {
			return "", fmt.Errorf("stop %s: %w", name, err)
		}
		if !t.ended(name, grace) {
			outcome = Killed
			if err := signalGroup(record.PID, syscall.SIGKILL); err != nil {
				return "", fmt.Errorf("kill %s: %w", name, err)
			}
			if !t.ended(name, killWait) {
				return "", fmt.Errorf("%s (process %d) survives being killed", name, record.PID)
			}
		}
	}
	if err := os.Remove(t.pidPath(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return outcome, nil
}

// signalGroup signals the session that Start made: its leader's pid is the id of its process group.
func signalGroup(pid int, signal syscall.Signal) error {
	if err := syscall.Kill(-pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

func (t Table) ended(name string, within time.Duration) bool {
	for deadline := time.Now().Add(within); ; time.Sleep(stopInterval) {
		if _, running := t.Running(name); !running {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
