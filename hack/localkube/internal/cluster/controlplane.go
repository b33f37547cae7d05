// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	serviceRange = "10.0.0.0/24"
	serviceIP    = "10.0.0.1" // of kubernetes.default, the first of the range

	// patience is no measure of how fast a machine is: only what hangs reaches it. What ends is noticed by its end.
	patience = 10 * time.Minute
)

func (c *Cluster) pki() pki { return pki(c.path("pki")) }

func (c *Cluster) etcdArguments() []string {
	client, peer := "http://"+c.address(etcd), "http://"+c.address(etcdPeer)
	return []string{
		"--name", "local", "--data-dir", c.path("etcd"),
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "local=" + peer,
		// A machine that loses power loses this cluster; nothing else does.
		"--unsafe-no-fsync", "--log-level", "warn",
	}
}

func (c *Cluster) apiServerArguments() []string {
	p := c.pki()
	arguments := []string{
		"--etcd-servers", "http://" + c.address(etcd),
		"--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port",
		strconv.Itoa(c.ports[apiServer]),
		// The endpoints of kubernetes.default may not be on the loopback: leave them out.
		"--endpoint-reconciler-type", "none",
		"--tls-cert-file", p.certificate(apiServer), "--tls-private-key-file", p.key(apiServer),
		"--client-ca-file", p.certificate("ca"),
		"--anonymous-auth=false", "--authorization-mode", "Node,RBAC",
		"--service-cluster-ip-range", serviceRange,
		"--service-account-issuer", "https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file", p.publicKey(serviceAccount),
		"--service-account-signing-key-file", p.key(serviceAccount),
		// For aggregated APIs. Their Service has to be an ExternalName of localhost, because endpoints may not
		// be on the loopback; --enable-aggregator-routing would refuse just that.
		"--requestheader-client-ca-file", p.certificate("front-proxy-ca"),
		"--requestheader-allowed-names", frontProxyClient,
		"--requestheader-username-headers", "X-Remote-User",
		"--requestheader-group-headers", "X-Remote-Group",
		"--requestheader-extra-headers-prefix", "X-Remote-Extra-",
		"--proxy-client-cert-file", p.certificate(frontProxyClient), "--proxy-client-key-file", p.key(frontProxyClient),
		"--allow-privileged=true", "--profiling=false",
	}
	if c.auditEnabled() {
		arguments = append(arguments, "--audit-policy-file", c.auditPolicy(), "--audit-log-path", c.path("audit.log"))
	}
	return arguments
}

func (c *Cluster) controllerManagerArguments() []string {
	p, kubeconfig := c.pki(), c.path(controllerManager+".kubeconfig")
	return []string{
		"--kubeconfig", kubeconfig, "--authentication-kubeconfig", kubeconfig, "--authorization-kubeconfig", kubeconfig,
		"--bind-address", "127.0.0.1", "--secure-port", strconv.Itoa(c.ports[controllerManager]),
		"--tls-cert-file", p.certificate(controllerManager), "--tls-private-key-file", p.key(controllerManager),
		"--leader-elect=false", "--use-service-account-credentials=true",
		"--service-account-private-key-file", p.key(serviceAccount), "--root-ca-file", p.certificate("ca"),
		"--cluster-signing-cert-file", p.certificate("ca"), "--cluster-signing-key-file", p.key("ca"),
		"--service-cluster-ip-range", serviceRange, "--profiling=false",
	}
}

// waitHealthy waits until a process answers 200 at a path, as seen by the administrator, while those that it
// depends on run as well.
func (c *Cluster) waitHealthy(ctx context.Context, path, name string, dependencies ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := c.adminClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	url := "https://" + c.address(name) + path
	err = c.table.WaitUntil(ctx, append([]string{name}, dependencies...), func(ctx context.Context) error {
		return get(ctx, client, url)
	})
	if err == nil {
		c.say("%s is ready at %s", name, url)
	}
	return err
}

func (c *Cluster) adminClient() (*http.Client, error) {
	p := c.pki()
	pair, err := tls.LoadX509KeyPair(p.certificate(admin), p.key(admin))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(p.certificate("ca"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New(p.certificate("ca") + " holds no certificate")
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots},
	}}, nil
}

// get succeeds when a URL answers 200. An answer that stays out for ten seconds is none.
func get(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, 2<<10)) // what there is of it
	return fmt.Errorf("GET %s: %s: %s", url, response.Status, strings.TrimSpace(string(body)))
}
