#!/usr/bin/env bash
# Copyright the aliyun-issuer authors.
# SPDX-License-Identifier: Apache-2.0
#
# Says what is missing before a build fails with something harder to read: go, or the c-compiler that only tests need.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
	echo "make: $*" >&2
	exit 1
}

case $1 in
go)
	want=$(sed -n 's/^go //p' go.mod)
	command -v go >/dev/null || fail "Go $want or newer is needed, and there is no go in PATH: https://go.dev/doc/install"
	have=$(GOTOOLCHAIN=local go env GOVERSION)
	have=${have#go}
	oldest=$(printf '%s\n%s\n' "$want" "${have%%[ -]*}" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)
	if [ "$oldest" != "$want" ] && [ "$(go env GOTOOLCHAIN)" = local ]; then
		fail "Go $want or newer is needed, this is Go $have: https://go.dev/doc/install"
	fi
	;;
c-compiler)
	cc=$(go env CC)
	command -v "${cc%% *}" >/dev/null || fail "a C compiler is needed for the race detector, and there is no ${cc%% *} in PATH (Debian: apt-get install gcc libc6-dev; or set CC)"
	;;
esac
