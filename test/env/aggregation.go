// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// frontProxy is the name of the API server in its calls to aggregated APIs.
const frontProxy = "front-proxy-client"

// Lets the API server prove to aggregated APIs for whom it calls. The Services of these APIs have to be an ExternalName
// of localhost, since endpoints may not be on the loopback.
func aggregate(server *envtest.APIServer, folder string) error {
	authority, err := newIdentity(folder, "front-proxy-ca", nil)
	if err != nil {
		return err
	}
	if _, err := newIdentity(folder, frontProxy, authority); err != nil {
		return err
	}
	server.Configure().
		Set("requestheader-client-ca-file", filepath.Join(folder, "front-proxy-ca.crt")).
		Set("requestheader-allowed-names", frontProxy).
		Set("requestheader-username-headers", "X-Remote-User").
		Set("requestheader-group-headers", "X-Remote-Group").
		Set("requestheader-extra-headers-prefix", "X-Remote-Extra-").
		Set("proxy-client-cert-file", filepath.Join(folder, frontProxy+".crt")).
		Set("proxy-client-key-file", filepath.Join(folder, frontProxy+".key"))
	return nil
}

type identity struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// Writes name.crt and name.key. Without an authority, the certificate is that of a new authority.
func newIdentity(folder, name string, authority *identity) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	id := &identity{key: key, certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}}
	if authority == nil {
		authority = id
		id.certificate.IsCA, id.certificate.BasicConstraintsValid, id.certificate.KeyUsage = true, true,
			x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, id.certificate, authority.certificate, key.Public(), authority.key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	for file, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der},
		".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(folder, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, err
		}
	}
	return id, nil
}
