#!/bin/sh
# Puts promtool into the directory $1: from Debian's package `prometheus` where apt knows it (seconds, and nothing is
# installed), else built from source without the service discoveries, which rules do not need (minutes).
set -eu
version=v0.316.0
out=$1
fetch() { (cd "$out" && apt-get download prometheus && dpkg-deb --extract prometheus_*.deb deb); }
update() { [ "$(id -u)" = 0 ] && apt-get -qq update; }
if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && { fetch || { update && fetch; }; }; then
    mv "$out/deb/usr/bin/promtool" "$out/promtool"
else
    echo "no Debian package, building promtool $version"
    GOBIN=$out go install -tags remove_all_sd -trimpath -buildvcs=false "-ldflags=-s -w" \
        "github.com/prometheus/prometheus/cmd/promtool@$version"
fi
"$out/promtool" --version
