// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package primary

import (
	"errors"
	"net"
	"testing"

	"github.com/miekg/dns"
)

// Listen takes one port of the loopback for UDP and for TCP.
func Listen(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if listener, err := net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, listener
		}
		_ = packets.Close() // a connection has that port
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil, nil
}

// Serve answers by UDP and TCP until the test ends, and returns the address. setUp changes both servers before they
// start; nil changes nothing.
func Serve(t *testing.T, handler dns.Handler, setUp func(*dns.Server)) string {
	t.Helper()
	packets, listener := Listen(t)
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: handler},
		{Listener: listener, Handler: handler}} {
		if setUp != nil {
			setUp(server)
		}
		started, ended := make(chan struct{}), make(chan error, 1)
		server.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- server.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			if err := errors.Join(server.Shutdown(), <-ended); err != nil {
				t.Errorf("the name server ended: %v", err)
			}
		})
	}
	return listener.Addr().String()
}
