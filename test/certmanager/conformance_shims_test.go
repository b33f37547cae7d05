// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

var shimFeatures = []feature{
	{id: "ingress", title: "Ingress", want: refusal, shim: ingressWith("", oneSecret)},
	{id: "ingress-filled", title: "Ingress, with the chart value `commonNamePolicy.enabled`", want: served,
		isFilled: true, shim: ingressWith("", oneSecret)},
	{id: "ingress-named", title: "Ingress with the annotation `cert-manager.io/common-name`", want: served,
		shim: ingressWith(commonName, oneSecret)},
	{id: "ingress-fields", title: "Ingress with that and annotations for other fields, `duration` among them",
		want: warned, shim: ingressWith(commonName+fields, oneSecret)},
	{id: "ingress-two-hosts", title: "Ingress with that, and a Secret for two hosts", want: refusal, shim: ingressWith(commonName, `
    - {hosts: [DOMAIN, a.DOMAIN], secretName: ID}`)},
	{
		id: "ingress-two-secrets", title: "Ingress with that, and a second Secret", want: refusal, earlier: 1,
		note: "The first Secret is served.",
		shim: ingressWith(commonName, oneSecret+`
    - {hosts: [a.DOMAIN], secretName: ID-2}`),
		follows: func(w *world, f feature) (string, int) {
			w.untilIssued(f.id, 1)
			return f.id + "-2", 1
		},
	},
	{id: "gateway", title: "Gateway", want: refusal, shim: gatewayWith("")},
	{id: "gateway-filled", title: "Gateway, with the chart value `commonNamePolicy.enabled`", want: served,
		isFilled: true, shim: gatewayWith("")},
	{id: "gateway-named", title: "Gateway with the annotation `cert-manager.io/common-name`", want: served,
		shim: gatewayWith(commonName)},
	{id: "listener-set", title: "`ListenerSets`: ListenerSet", want: refusal, shim: listenerSetWith("")},
	{id: "listener-set-filled", title: "`ListenerSets`: ListenerSet, with the chart value `commonNamePolicy.enabled`",
		want: served, isFilled: true, shim: listenerSetWith("")},
	{id: "listener-set-named", title: "`ListenerSets`: ListenerSet with the annotation `cert-manager.io/common-name`",
		want: served, shim: listenerSetWith(commonName)},
}

// What Ingresses, Gateways and ListenerSets of the features have in common. A Secret is that of a feature: its
// Certificate has its name.
const (
	commonName = `
    cert-manager.io/common-name: DOMAIN`
	fields = `
    cert-manager.io/duration: 999h0m0s
    cert-manager.io/renew-before: 111h0m0s
    cert-manager.io/private-key-algorithm: ECDSA
    cert-manager.io/private-key-rotation-policy: Always`
	oneSecret = `
    - {hosts: [DOMAIN], secretName: ID}`
	ours = `
metadata:
  name: ID
  annotations:
    cert-manager.io/issuer: cas
    cert-manager.io/issuer-kind: AliyunIssuer
    cert-manager.io/issuer-group: certmanager.aliyun.com`
	listeners = `
  listeners:
    - name: https
      hostname: DOMAIN
      port: 443
      protocol: HTTPS
      tls: {mode: Terminate, certificateRefs: [{name: ID}]}
`
)

func ingressWith(annotations, secrets string) string {
	return `apiVersion: networking.k8s.io/v1
kind: Ingress` + ours + annotations + `
spec:
  defaultBackend: {service: {name: shop, port: {number: 80}}}
  tls:` + secrets
}

func gatewayWith(annotations string) string {
	return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway` + ours + annotations + `
spec:
  gatewayClassName: any` + listeners
}

func listenerSetWith(annotations string) string {
	return `apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet` + ours + annotations + `
spec:
  parentRef: {name: ID}` + listeners + `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ID}
spec:
  gatewayClassName: any
  allowedListeners: {namespaces: {from: Same}}
  listeners: [{name: http, port: 80, protocol: HTTP}]
`
}
