#!/usr/bin/env bash
# Copyright the aliyun-issuer authors.
# SPDX-License-Identifier: Apache-2.0
#
# Makes bin/extern/named: BIND from PATH, or from Debian's packages, which are unpacked below bin/extern and not installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$PWD/bin/extern
mkdir -p "$target"
[ ! -x "$target/named" ] || exit 0

wrap() {
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$2" "$1" >"$target/named.new"
	chmod +x "$target/named.new"
	"$target/named.new" -V >/dev/null
	mv "$target/named.new" "$target/named"
}

if named=$(command -v named); then
	wrap "$named" '"$LD_LIBRARY_PATH"'
	exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
	echo "make: BIND is needed, and there is neither a named in PATH nor apt-get to fetch one" >&2
	exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt-get fetches as a user of its own
cd "$work"
# What bind9 needs, without what every Debian has.
packages=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances bind9 |
	grep -E '^(bind9|bind9-libs|lib(fstrm|jemalloc|json-c|lmdb|maxminddb|nghttp2|protobuf-c|uv|xml2|icu|lua|edit|liburcu|bsd|md)[a-z0-9.+-]*)$' | sort -u)
# shellcheck disable=SC2086 # a list of words
apt-get -q download $packages
for package in *.deb; do
	dpkg -x "$package" "$target/bind"
done
libraries=$(dirname "$(find "$target/bind" -name 'libuv.so.1' | head -n 1)")
wrap "$target/bind/usr/sbin/named" "$libraries"
