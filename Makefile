# Copyright the aliyun-issuer authors.
# SPDX-License-Identifier: Apache-2.0

VERSION    ?= $(shell git describe --tags --always --dirty --match 'v*' 2>/dev/null || echo unknown)
IMAGE      ?= aliyun-issuer:$(VERSION)

# Where a registry is out of reach, name a mirror: make image BASE_IMAGE=mirror.example.com/distroless/static:nonroot
BUILD_IMAGE ?= golang:1.26
BASE_IMAGE  ?= gcr.io/distroless/static:nonroot

# Tools are pinned by the modules in hack/tools.
CONTROLLER_GEN := go tool -modfile=hack/tools/go.mod controller-gen
GOLANGCI_LINT  := $(CURDIR)/bin/golangci-lint

# What of the local control plane is our own code: the rest of that module is Kubernetes.
LOCALKUBE_PACKAGES := ./cmd/localkube/... ./internal/...

.DEFAULT_GOAL := help
.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the manager into bin/.
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/aliyun-issuer .

.PHONY: generate
generate: ## Generate Go code from the API types.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: ## Generate CRDs, RBAC and the chart's copies of both.
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=manager paths=./controllers/... output:rbac:dir=config/rbac
	go run ./hack/chartgen

# The linter is built with the plugin for APIs of Kubernetes in it.
.PHONY: bin/golangci-lint
bin/golangci-lint:
	@go build -C hack/tools/golangci-lint -o $(CURDIR)/bin/golangci-lint .

.PHONY: fmt
fmt: bin/golangci-lint ## Format the code and sort its imports.
	$(GOLANGCI_LINT) fmt ./...

.PHONY: lint
lint: bin/golangci-lint ## Lint, the import law included.
	$(GOLANGCI_LINT) run ./...
	cd hack/localkube && $(GOLANGCI_LINT) run $(LOCALKUBE_PACKAGES)

.PHONY: verify
verify: ## Check in a copy that generated files, go.mod, formatting and licence headers are right.
	go run ./hack/verify

.PHONY: test
test: bin/k8s ## Compile all tests, then run them, those against a real API server too.
	@KUBEBUILDER_ASSETS="$${KUBEBUILDER_ASSETS:-$(CURDIR)/bin/k8s}" go run ./hack/test \
		-first ./test/crash,./test/life,./test/process -alone ./test/certmanager ./...
	@go run ./hack/test -C hack/localkube $(LOCALKUBE_PACKAGES)

# The random sequences can be tried in parts: make crash FROM=501 SEEDS=500.
FROM  ?= 1
SEEDS ?= 1000

.PHONY: crash
crash: bin/k8s ## Interrupt orders at every point in every way, and try SEEDS (1,000) random sequences of each source: some hours.
	KUBEBUILDER_ASSETS="$${KUBEBUILDER_ASSETS:-$(CURDIR)/bin/k8s}" go test -v -timeout=90m ./test/crash -all
	KUBEBUILDER_ASSETS="$${KUBEBUILDER_ASSETS:-$(CURDIR)/bin/k8s}" go test -v -timeout=60m ./test/process -long
	KUBEBUILDER_ASSETS="$${KUBEBUILDER_ASSETS:-$(CURDIR)/bin/k8s}" go test -v -timeout=10h -parallel 6 ./test/model -from $(FROM) -seeds $(SEEDS) -steps 20

.PHONY: e2e-extern
e2e-extern: bin/k8s bin/extern ## Validate with the real ExternalDNS, BIND and a real router. Its first build takes minutes.
	KUBEBUILDER_ASSETS="$${KUBEBUILDER_ASSETS:-$(CURDIR)/bin/k8s}" go test -tags extern -count=1 -v -timeout=20m ./test/extern

.PHONY: bin/extern
bin/extern: prerequisites
	hack/extern/bind.sh
	CGO_ENABLED=0 go build -C hack/extern/externaldns -o $(CURDIR)/bin/extern/external-dns sigs.k8s.io/external-dns
	CGO_ENABLED=0 go build -C hack/extern/traefik -o $(CURDIR)/bin/extern/traefik github.com/traefik/traefik/v3/cmd/traefik

FUZZTIME ?= 60s

.PHONY: fuzz
fuzz: ## Fuzz what comes from requests, from CAS and from DNS, FUZZTIME (60s) for each target.
	@set -e; for package in $$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./controllers/... ./internal/...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "==> $$package $$target"; \
			go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) $$package; \
		done; \
	done

# What the tests start, built once. KUBEBUILDER_ASSETS may name a folder that has etcd and kube-apiserver already.
.PHONY: bin/k8s
bin/k8s: prerequisites c-compiler
	go build -C hack/localkube -o ../../bin/localkube ./cmd/localkube
	bin/localkube build $(if $(KUBEBUILDER_ASSETS),,envtest) helm kube-controller-manager cm-controller kubectl

.PHONY: prerequisites
prerequisites:
	@hack/prerequisites.sh go

.PHONY: c-compiler
c-compiler:
	@hack/prerequisites.sh c-compiler

# What the demo orders from: plan, or instance, which goes on to the renewal.
SOURCE ?= plan

.PHONY: demo
demo: prerequisites ## Take a Certificate to its Secret on a real control plane, with a simulator of CAS.
	go run ./hack/demo up '$(SOURCE)'

.PHONY: demo-down
demo-down: ## End the demo, and remove what it left.
	go run ./hack/demo down

.PHONY: image
image: ## Build the container image.
	docker build --build-arg BUILD_IMAGE=$(BUILD_IMAGE) --build-arg BASE_IMAGE=$(BASE_IMAGE) --build-arg VERSION=$(VERSION) -t $(IMAGE) .

.PHONY: presubmit
presubmit: verify lint test ## All of what a change has to pass.
