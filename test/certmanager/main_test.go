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

// common is a cluster with a manager and a simulator, for all tests that restart nothing and delete nothing but what
// is in namespaces of their own.
var common struct {
	once      sync.Once
	cluster   *cluster
	simulator *cassim.Server
	manager   *manager
	err       error
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // what the test's client logs is no part of it
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // what these tests do is wait
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	defer func() {
		if common.manager != nil {
			common.manager.stop()
		}
		if common.simulator != nil {
			common.simulator.Close()
		}
		if common.cluster != nil {
			if err := common.cluster.down(); err != nil {
				fmt.Fprintln(os.Stderr, "the cluster did not end:", err)
			}
		}
	}()
	return m.Run()
}

// commonWorld is a namespace in the common cluster, whose manager runs.
func commonWorld(t *testing.T, modifiers ...func(*v1alpha1.AliyunIssuer)) *world {
	t.Helper()
	common.once.Do(func() {
		dir, err := os.MkdirTemp("", "cluster-") //nolint:usetesting // the cluster outlives the test that starts it
		if common.err = err; err != nil {
			return
		}
		if common.cluster, common.err = startCluster(dir); common.err != nil {
			return
		}
		account := cassim.DefaultAccount()
		account.Packages[cassim.DefaultProduct] = 100
		// A certificate with more names than its Certificate is one that cert-manager does not take from a backup.
		// The CA comes to the manager for files, whatever the domain, as if a router led there.
		files := freeAddress()
		common.simulator = cassim.New(cassim.Options{Accounts: []cassim.Account{account}, Knobs: cassim.Knobs{ExtraNames: cassim.Off}, WebAddr: files})
		if common.err = common.simulator.Start(); common.err != nil {
			return
		}
		common.manager, common.err = common.cluster.startManager(common.simulator.DNSAddr(), "--files-bind-address="+files, "--files-service="+system+"/"+release+"-files")
	})
	if common.err != nil {
		t.Fatal(common.err)
	}
	w := worldOf(t, common.cluster, common.simulator, modifiers...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of the manager:\n%s", common.manager.linesWith(w.Namespace))
		}
	})
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
