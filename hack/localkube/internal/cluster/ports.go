// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// portNames are what each port is kept under: the process that listens there, or its second port.
var portNames = []string{etcd, etcdPeer, apiServer, controllerManager, cmWebhook, cmController}

const etcdPeer = "etcd-peer"

// Ports are taken from below the ranges that systems use for outgoing connections, so that a port which was
// free yesterday is not some client's today. The start is random so that two clusters seldom meet.
const (
	firstPort = 20000
	lastPort  = 29999
)

// choosePorts reads the ports that the folder's cluster had before, replaces those that somebody else listens
// on by now, unless the cluster runs, and writes them down for the next time.
func (c *Cluster) choosePorts() error {
	path := c.path("ports.json")
	kept := map[string]int{}
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err == nil {
		if err := json.Unmarshal(content, &kept); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if c.ports = kept; c.anyRuns(processes...) && hasAll(kept) {
		return nil
	}
	if c.ports, err = freePorts(kept, firstPort+rand.IntN(lastPort-firstPort)); err != nil {
		return err
	}
	if content, err = json.MarshalIndent(c.ports, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o644)
}

// readPorts reads the ports of a cluster that has been up.
func (c *Cluster) readPorts() error {
	content, err := os.ReadFile(c.path("ports.json"))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s holds no cluster: run `localkube up --dir %s` first", c.dir, c.dir)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(content, &c.ports)
}

func hasAll(ports map[string]int) bool {
	for _, name := range portNames {
		if ports[name] == 0 {
			return false
		}
	}
	return true
}

// freePorts returns a port for each name: the kept one if it is free, else the next free one from start on.
// All are held open until the last is found, so that they differ.
func freePorts(kept map[string]int, start int) (map[string]int, error) {
	chosen := maps.Clone(kept)
	var held []net.Listener
	defer func() {
		for _, listener := range held {
			_ = listener.Close()
		}
	}()
	take := func(port int) bool {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			held = append(held, listener)
		}
		return err == nil
	}

	var missing []string
	for _, name := range portNames {
		if kept[name] == 0 || !take(kept[name]) {
			missing = append(missing, name)
		}
	}
	next := start
	for _, name := range missing {
		for ; !take(next); next++ {
			if next > lastPort {
				return nil, fmt.Errorf("no free port on 127.0.0.1 from %d to %d", start, lastPort)
			}
		}
		chosen[name] = next
	}
	return chosen, nil
}
