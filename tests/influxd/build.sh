#!/usr/bin/env bash
# Builds influxd, the InfluxDB server, for the tests.
#
#   build.sh CACHE [MODULE]
#
# CACHE   where the built server ends: CACHE/influxd-HASH/influxd, HASH being of MODULE's go.mod
#         and go.sum. Nothing is built when it is there already. Its path is the one line that
#         goes to the standard output; all else goes to the standard error.
# MODULE  the folder with go.mod and go.sum (default: the script's own).
#
# Needs go, cargo, a C compiler (gcc) and the system's own pkg-config. Honours GOMODCACHE, GOCACHE,
# CARGO_HOME, RUSTUP_TOOLCHAIN, and NICE (default 15).
set -euo pipefail

cache=${1:?usage: build.sh CACHE [MODULE]}
module=$(cd "${2:-$(dirname "$0")}" && pwd)
nice=${NICE-15}
say() { echo "build.sh: $*" >&2; }

for tool in go cargo gcc pkg-config flock; do
    command -v "$tool" >/dev/null || { say "$tool is missing"; exit 1; }
done

hash=$(cat "$module/go.mod" "$module/go.sum" | sha256sum | cut -c1-16)
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
out=$cache/influxd-$hash/influxd
if [[ -x $out ]]; then say "there already"; echo "$out"; exit 0; fi

# One build at a time; whoever waited finds the other's result.
exec 9>"$cache/.lock"
flock 9
if [[ -x $out ]]; then say "there already"; echo "$out"; exit 0; fi

work=$(mktemp -d "$cache/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$module"

# The wrapper looks for cargo's results in libflux/target of its copy of flux, and builds in the
# module cache itself if that is writable: nothing from outside may change either.
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET CARGO_BUILD_TARGET_DIR CARGO_ENCODED_RUSTFLAGS CGO_CFLAGS CGO_LDFLAGS
export GOFLAGS="-mod=readonly -buildvcs=false" GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=1
# flux brings a rust-toolchain.toml asking for Rust 1.72, which rustup would want to download.
if command -v rustup >/dev/null; then
    export RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-$(cd / && rustup show active-toolchain | cut -d' ' -f1)}
fi
# flux denies all warnings, and today's compiler has more of them. RUSTFLAGS alone does not do: the
# wrapper gives cargo a --target, and then RUSTFLAGS are not for what build.rs needs - flux-core too.
unset RUSTFLAGS RUSTC RUSTC_WORKSPACE_WRAPPER
printf '#!/bin/sh\nexec "$@" --cap-lints=warn\n' >"$work/rustc-wrapper"
chmod +x "$work/rustc-wrapper"
export RUSTC_WRAPPER=$work/rustc-wrapper

influxdb=$(go list -m -f '{{.Version}}' github.com/influxdata/influxdb/v2)
flux=$(go list -m -f '{{.Version}}' github.com/influxdata/flux)

# The wrapper copies flux to GOCACHE/pkgconfig and takes a copy that is there for a whole one: one
# left by an interrupted run goes.
copy=$(go env GOCACHE)/pkgconfig/github.com/influxdata/flux@$flux
if [[ -d $copy && -z $(find "$copy/libflux/target" -name libflux.a -print -quit 2>/dev/null) ]]; then
    say "removing an unfinished copy of flux: $copy"
    rm -rf "$copy"
fi

tags=sqlite_foreign_keys,sqlite_json
[[ $(go env GOARCH) == amd64 ]] || tags+=,noasm

say "influxd $influxdb with flux $flux, $(go version | cut -d' ' -f3), Rust ${RUSTUP_TOOLCHAIN:-of the system}"
start=$SECONDS
nice -n "$nice" go mod download github.com/influxdata/flux >&2
nice -n "$nice" go build -o "$work/pkg-config" github.com/influxdata/pkg-config >&2
say "pkg-config built after $((SECONDS - start)) s"
# Absolute, and not on PATH: it starts the system's pkg-config, which it looks for there.
export PKG_CONFIG=$work/pkg-config PKG_CONFIG_LOG=$work/pkg-config.log
if ! nice -n "$nice" go build -tags "$tags" \
    -ldflags "-s -w -X main.version=$influxdb -X main.commit=none" \
    -o "$work/influxd" github.com/influxdata/influxdb/v2/cmd/influxd >&2; then
    say "failed; the wrapper's log:"; tail -n 60 "$PKG_CONFIG_LOG" >&2 || true
    exit 1
fi
mkdir -p "$(dirname "$out")"
mv "$work/influxd" "$out"
say "built in $((SECONDS - start)) s, $(stat -c %s "$out") bytes"
echo "$out"
