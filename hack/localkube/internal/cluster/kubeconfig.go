// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"encoding/json"
	"os"
)

// user is how a kubeconfig's owner proves who it is: by certificate and key, or by token.
type user struct {
	Certificate []byte `json:"client-certificate-data,omitempty"`
	Key         []byte `json:"client-key-data,omitempty"`
	Token       string `json:"token,omitempty"`
}

type server struct {
	URL string `json:"server"`
	CA  []byte `json:"certificate-authority-data"`
}

type kubeContext struct {
	Cluster   string `json:"cluster"`
	User      string `json:"user"`
	Namespace string `json:"namespace,omitempty"`
}

type named[T any] struct {
	Name    string `json:"name"`
	Cluster *T     `json:"cluster,omitempty"`
	User    *T     `json:"user,omitempty"`
	Context *T     `json:"context,omitempty"`
}

// kubeconfig is written as JSON, which is YAML without its surprises (a user called "n" would be false).
type kubeconfig struct {
	APIVersion     string               `json:"apiVersion"`
	Kind           string               `json:"kind"`
	Clusters       []named[server]      `json:"clusters"`
	Users          []named[user]        `json:"users"`
	Contexts       []named[kubeContext] `json:"contexts"`
	CurrentContext string               `json:"current-context"`
}

// writeKubeconfig writes the one file that a client needs, with everything inline, readable by its owner only.
func (c *Cluster) writeKubeconfig(path, namespace, name string, credentials user) error {
	ca, err := os.ReadFile(c.pki().certificate("ca"))
	if err != nil {
		return err
	}
	const localkube = "localkube"
	content, err := json.MarshalIndent(kubeconfig{
		APIVersion: "v1",
		Kind:       "Config",
		Clusters: []named[server]{
			{Name: localkube, Cluster: &server{URL: "https://" + c.address(apiServer), CA: ca}}},
		Users: []named[user]{{Name: name, User: &credentials}},
		Contexts: []named[kubeContext]{
			{Name: localkube, Context: &kubeContext{Cluster: localkube, User: name, Namespace: namespace}}},
		CurrentContext: localkube,
	}, "", "  ")
	if err != nil {
		return err
	}
	return writeSecretly(path, append(content, '\n'))
}

// writeCertificateKubeconfig writes a kubeconfig for a client whose key and certificate are in the PKI.
func (c *Cluster) writeCertificateKubeconfig(path, name string) error {
	certificate, err := os.ReadFile(c.pki().certificate(name))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.pki().key(name))
	if err != nil {
		return err
	}
	return c.writeKubeconfig(path, "", name, user{Certificate: certificate, Key: key})
}
