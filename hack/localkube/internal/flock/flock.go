// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package flock keeps two runs of localkube from working on the same folder at the same time.
package flock

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Hold takes the lock of a folder, which it makes if need be, and returns the function that gives it back.
// While another process has the lock it calls waiting once, and waits. The kernel drops the lock of a process
// that dies, so no stale lock is ever left.
func Hold(dir string, waiting func()) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	fd := int(file.Fd())
	err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		waiting()
		err = retryInterrupted(func() error { return syscall.Flock(fd, syscall.LOCK_EX) })
	}
	if err != nil {
		return nil, errors.Join(&os.PathError{Op: "lock", Path: file.Name(), Err: err}, file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func retryInterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
