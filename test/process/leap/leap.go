// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package leap is a clock that several processes share, and that a test moves.
package leap

import (
	"fmt"
	"os"
	"time"
)

// Variable is the environment variable that tells a process the Path of its Clock.
const Variable = "LEAP_CLOCK"

// Clock goes with the machine's, and is ahead of it by all leaps so far. It is a clock.PassiveClock.
type Clock struct {
	// Path is the file that holds how far it is ahead.
	Path string
}

// FromEnvironment is the clock of a process that a test has started.
func FromEnvironment() *Clock { return &Clock{Path: os.Getenv(Variable)} }

// Now panics if the file cannot be read: a process whose time is wrong proves nothing.
func (c *Clock) Now() time.Time {
	ahead, err := c.ahead()
	if err != nil {
		panic(fmt.Sprintf("the clock has stopped: %v", err))
	}
	return time.Now().Add(ahead)
}

// Since is how long ago a time was.
func (c *Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Leap moves the clock of all processes. It is called by one goroutine.
func (c *Clock) Leap(by time.Duration) error {
	ahead, err := c.ahead()
	if err != nil {
		return err
	}
	return c.Set(ahead + by)
}

// Set makes it be ahead of the machine's. The file is replaced, so that nobody reads half of it.
func (c *Clock) Set(ahead time.Duration) error {
	if err := os.WriteFile(c.Path+".next", []byte(ahead.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(c.Path+".next", c.Path)
}

func (c *Clock) ahead() (time.Duration, error) {
	text, err := os.ReadFile(c.Path)
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(string(text))
}
