// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// occupy listens on a port that the choice would come upon, and returns it.
func occupy(t *testing.T) int {
	t.Helper()
	for port := firstPort; port < lastPort; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			t.Cleanup(func() { _ = listener.Close() })
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func TestPortsAreFreeAndDiffer(t *testing.T) {
	taken := occupy(t)
	ports, err := freePorts(map[string]int{}, taken)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(portNames)), slices.Sorted(maps.Keys(ports))); diff != "" {
		t.Error(diff)
	}
	seen := map[int]string{taken: "somebody else"}
	for name, port := range ports {
		if other := seen[port]; other != "" {
			t.Errorf("port %d is for %s and %s", port, name, other)
		}
		seen[port] = name
	}
}

func TestAPortIsKeptWhileItIsFree(t *testing.T) {
	first, err := freePorts(map[string]int{}, occupy(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first[apiServer])))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	second, err := freePorts(first, firstPort)
	if err != nil {
		t.Fatal(err)
	}
	if second[apiServer] == first[apiServer] {
		t.Error("the port that somebody else has is kept")
	}
	delete(first, apiServer)
	delete(second, apiServer)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

func TestWhenNoPortIsLeftThatIsSaid(t *testing.T) {
	if _, err := freePorts(map[string]int{}, lastPort); err == nil {
		t.Error("six ports were found where there is one")
	}
}

func TestTheNextUpUsesTheSamePorts(t *testing.T) {
	c, _ := newCluster(t)
	if err := c.choosePorts(); err != nil {
		t.Fatal(err)
	}
	first := c.ports
	again, err := Open(c.dir, c.bin, c.out)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.choosePorts(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again.ports); diff != "" {
		t.Error(diff)
	}
}

func TestTheOwnListenersOfARunningClusterAreNotTakenForStrangers(t *testing.T) {
	c, _ := newCluster(t)
	if err := c.choosePorts(); err != nil {
		t.Fatal(err)
	}
	first := maps.Clone(c.ports)
	startStandIn(t, c, apiServer)
	listener, err := net.Listen("tcp", c.address(apiServer)) // as the stand-in would
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := c.choosePorts(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, c.ports); diff != "" {
		t.Error(diff)
	}
}

func TestATokenNeedsAClusterThatHasBeenUp(t *testing.T) {
	c, _ := newCluster(t)
	if err := c.readPorts(); err == nil {
		t.Error("a folder without ports is no cluster")
	}
}
