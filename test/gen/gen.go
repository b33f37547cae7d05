// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package gen builds objects for tests: a good one first, and what is different about it by modifiers.
package gen

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// The names that good objects have.
const (
	Domain     = "www.example.com"
	Product    = "digicert-free-1-free"
	IssuerName = "cas"
	SecretName = "aliyun-access-key"
	Email      = "zhangsan@example.com"
	Phone      = "13800138000"
	Person     = "Zhang San"
)

// Secret holds an AccessKey.
func Secret(namespace, id, secret string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: SecretName, Namespace: namespace},
		Data:       map[string][]byte{"accessKeyID": []byte(id), "accessKeySecret": []byte(secret)},
	}
}

// IssuerSpec orders from the endpoint, and validates in Alibaba Cloud DNS at the same one.
func IssuerSpec(url string) v1alpha1.IssuerSpec {
	endpoint := &v1alpha1.Endpoint{URL: url}
	return v1alpha1.IssuerSpec{
		Access: v1alpha1.Access{
			Endpoint: endpoint, STSEndpoint: endpoint,
			Credentials: v1alpha1.Credentials{AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
				SecretReference: v1alpha1.SecretReference{Name: SecretName},
			}},
		},
		Source:  v1alpha1.Source{ResourcePlan: &v1alpha1.ResourcePlan{ProductCode: Product}},
		Contact: &v1alpha1.Contact{Name: Person, Email: Email, Phone: Phone},
		Solvers: []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Alidns: &v1alpha1.AlidnsSolver{Endpoint: endpoint}}}},
	}
}

// Issuer is an AliyunIssuer with IssuerSpec.
func Issuer(namespace, url string, modifiers ...func(*v1alpha1.AliyunIssuer)) *v1alpha1.AliyunIssuer {
	issuer := &v1alpha1.AliyunIssuer{ObjectMeta: metav1.ObjectMeta{Name: IssuerName, Namespace: namespace},
		Spec: IssuerSpec(url)}
	for _, modify := range modifiers {
		modify(issuer)
	}
	return issuer
}

// Manual lets a person publish the validation records.
func Manual(issuer *v1alpha1.AliyunIssuer) {
	issuer.Spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}}}
}

// Request is a CertificateRequest for Domain, to the issuer IssuerName.
func Request(namespace, name string, csr []byte,
	modifiers ...func(*cmapi.CertificateRequest)) *cmapi.CertificateRequest {
	request := &cmapi.CertificateRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: cmapi.CertificateRequestSpec{
			Request:   csr,
			IssuerRef: cmmeta.IssuerReference{Group: v1alpha1.Group, Kind: v1alpha1.AliyunIssuerKind, Name: IssuerName},
		},
	}
	for _, modify := range modifiers {
		modify(request)
	}
	return request
}

// OfCertificate makes a request one that cert-manager made for a Certificate, which nobody has to make.
func OfCertificate(request *cmapi.CertificateRequest) {
	request.Annotations = map[string]string{cmapi.CertificateNameKey: request.Name}
	request.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: cmapi.SchemeGroupVersion.String(), Kind: cmapi.CertificateKind, Name: request.Name,
		UID: "of-a-certificate", Controller: new(true),
	}}
}

// Certified is a request that cert-manager made for a Certificate.
func Certified(csr []byte, modifiers ...func(*cmapi.CertificateRequest)) *cmapi.CertificateRequest {
	return Bare(csr, append(modifiers, func(r *cmapi.CertificateRequest) {
		r.Annotations = map[string]string{cmapi.CertificateNameKey: "www"}
		r.OwnerReferences = []metav1.OwnerReference{{Kind: cmapi.CertificateKind, Name: "www", Controller: new(true)}}
	})...)
}

// Bare is a request that somebody made without a Certificate.
func Bare(csr []byte, modifiers ...func(*cmapi.CertificateRequest)) *cmapi.CertificateRequest {
	request := &cmapi.CertificateRequest{Spec: cmapi.CertificateRequestSpec{Request: csr}}
	for _, modify := range modifiers {
		modify(request)
	}
	return request
}

// Key is a fresh P-256 key.
func Key() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// CSR is a signing request for Domain.
func CSR(key crypto.Signer, modifiers ...func(*x509.CertificateRequest)) []byte {
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: Domain}, DNSNames: []string{Domain}}
	for _, modify := range modifiers {
		modify(template)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// Order is what nobody but the controller may make.
func Order(namespace string) *v1alpha1.AliyunOrder {
	spec := IssuerSpec("https://cas.example.com")
	return &v1alpha1.AliyunOrder{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "forged-", Namespace: namespace},
		Spec: v1alpha1.OrderSpec{
			RequestRef: v1alpha1.RequestReference{Name: "www", UID: "uid"}, IssuerRef: v1alpha1.IssuerReference{
				Kind: v1alpha1.AliyunIssuerKind, Name: IssuerName},
			Request: []byte("x"), CommonName: Domain, BaseName: "example.com", DNSNames: []string{Domain},
			SecretNamespace: namespace, Access: spec.Access,
			Source:  spec.Source,
			Solvers: []v1alpha1.OrderSolver{{DNSNames: []string{Domain}, Solver: spec.Solvers[0]}},
		},
	}
}
