// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package flock

import (
	"os"
	"testing"
)

func TestTheSecondHolderWaitsForTheFirst(t *testing.T) {
	dir := t.TempDir() + "/not/there/yet"
	releaseFirst, err := Hold(dir, func() { t.Error("nobody has the lock, and yet it waits") })
	if err != nil {
		t.Fatal(err)
	}
	waits, held := make(chan struct{}), make(chan func())
	go func() {
		release, err := Hold(dir, func() { close(waits) })
		if err != nil {
			t.Error(err)
		}
		held <- release
	}()
	<-waits
	select {
	case <-held:
		t.Fatal("two have the lock")
	default:
	}
	releaseFirst()
	(<-held)()
}

func TestAFolderThatCannotBeMadeIsAnError(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Hold(file, func() {}); err == nil {
		t.Error("a file was locked as a folder")
	}
}
