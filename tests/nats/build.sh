#!/usr/bin/env bash
# Builds nats-server for the tests.
#
#   build.sh CACHE [MODULE]
#
# CACHE   where the built server ends: CACHE/nats-HASH/nats-server, HASH being of MODULE's go.mod
#         and go.sum. Nothing is built when it is there already. Its path is the one line that
#         goes to the standard output; all else goes to the standard error.
# MODULE  the folder with go.mod and go.sum (default: the script's own).
#
# Needs go. Honours GOMODCACHE, GOCACHE, and NICE (default 15).
set -euo pipefail

cache=${1:?usage: build.sh CACHE [MODULE]}
module=$(cd "${2:-$(dirname "$0")}" && pwd)
nice=${NICE-15}
say() { echo "build.sh: $*" >&2; }

for tool in go flock; do
    command -v "$tool" >/dev/null || { say "$tool is missing"; exit 1; }
done

hash=$(cat "$module/go.mod" "$module/go.sum" | sha256sum | cut -c1-16)
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
out=$cache/nats-$hash/nats-server
if [[ -x $out ]]; then say "there already"; echo "$out"; exit 0; fi

# One build at a time; whoever waited finds the other's result.
exec 9>"$cache/.nats.lock"
flock 9
if [[ -x $out ]]; then say "there already"; echo "$out"; exit 0; fi

work=$(mktemp -d "$cache/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$module"
export GOFLAGS="-mod=readonly -buildvcs=false" GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0

say "nats-server $(go list -m -f '{{.Version}}' github.com/nats-io/nats-server/v2), $(go version | cut -d' ' -f3)"
start=$SECONDS
nice -n "$nice" go build -ldflags "-s -w" -o "$work/nats-server" github.com/nats-io/nats-server/v2 >&2
mkdir -p "$(dirname "$out")"
mv "$work/nats-server" "$out"
say "built in $((SECONDS - start)) s, $(stat -c %s "$out") bytes"
echo "$out"
