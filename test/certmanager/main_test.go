// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// shared is a cluster with a manager and a simulator, for all tests that restart nothing and delete nothing but what is
// in namespaces of their own.
type shared struct {
	once      sync.Once
	cluster   *cluster
	simulator *cassim.Server
	manager   *manager
	err       error
}

// common is for most tests, and surrounded for those whose manager has what a Pod has on an instance of Alibaba Cloud.
var common, surrounded shared

func TestMain(m *testing.M) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // what the test's client logs is no part of it
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // what these tests do is wait; places bounds their clusters
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	defer common.end()
	defer surrounded.end()
	return m.Run()
}

func (s *shared) end() {
	if s.manager != nil {
		s.manager.stop()
	}
	if s.simulator != nil {
		s.simulator.Close()
	}
	if s.cluster != nil {
		if err := s.cluster.down(); err != nil {
			fmt.Fprintln(os.Stderr, "the cluster did not end:", err)
		}
	}
}

// begin starts the cluster, and what start starts in it, for the first test that needs it. It returns an empty world.
func (s *shared) begin(t *testing.T, start func() error) *world {
	t.Helper()
	s.once.Do(func() {
		dir, err := os.MkdirTemp("", "cluster-") //nolint:usetesting // the cluster outlives the test that starts it
		if s.err = err; err != nil {
			return
		}
		if s.cluster, s.err = startCluster(dir); s.err == nil {
			s.err = start()
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	w := emptyWorld(t, s.cluster, s.simulator)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of the manager:\n%s", s.manager.linesWith(w.Namespace))
		}
	})
	return w
}

// commonWorld is a namespace in the common cluster, whose manager runs.
func commonWorld(t *testing.T, modifiers ...func(*v1alpha1.AliyunIssuer)) *world {
	t.Helper()
	w := common.begin(t, func() (err error) {
		account := cassim.DefaultAccount()
		account.Packages[cassim.DefaultProduct] = 100
		// A certificate with more names than its Certificate is one that cert-manager does not take from a backup.
		// The CA comes to the manager for files, whatever the domain, as if a router led there.
		files := freeAddress()
		common.simulator = cassim.New(
			cassim.Options{Accounts: []cassim.Account{account}, Knobs: cassim.Knobs{ExtraNames: cassim.Off},
				WebAddr: files})
		if err = common.simulator.Start(); err != nil {
			return err
		}
		common.manager, err = common.cluster.startManager(common.simulator.DNSAddr(), "--files-bind-address="+files,
			"--files-service="+system+"/"+release+"-files")
		return err
	})
	w.addIssuer(modifiers...)
	return w
}

// freeAddress is one that nobody listens at, unless somebody else takes it.
func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = listener.Close() }() // nobody has connected
	return listener.Addr().String()
}

// surroundedWorld is a namespace in the cluster whose manager finds all of Alibaba Cloud around it.
func surroundedWorld(t *testing.T) *world {
	t.Helper()
	return surrounded.begin(t, func() error {
		var variables []string
		var err error
		if surrounded.simulator, variables, err = surrounded.cluster.surround(); err != nil {
			return err
		}
		surrounded.manager, err = surrounded.cluster.startManagerIn(variables, surrounded.simulator.DNSAddr())
		return err
	})
}
