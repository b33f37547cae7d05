# Copyright the aliyun-issuer authors.
# SPDX-License-Identifier: Apache-2.0

# Both images may come from a mirror: make image BUILD_IMAGE=... BASE_IMAGE=...
ARG BUILD_IMAGE=golang:1.26
ARG BASE_IMAGE=gcr.io/distroless/static:nonroot

# The compiler runs on the builder's own platform and builds for the target's.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
ARG GOPROXY
COPY go.mod go.sum ./
RUN go mod download
COPY main.go ./
COPY api api
COPY controllers controllers
COPY internal internal
ARG TARGETOS TARGETARCH VERSION=unknown
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /aliyun-issuer .

FROM ${BASE_IMAGE}
COPY --from=build /aliyun-issuer /aliyun-issuer
# By number: with a name the kubelet cannot tell that runAsNonRoot holds.
USER 65532:65532
ENTRYPOINT ["/aliyun-issuer"]
