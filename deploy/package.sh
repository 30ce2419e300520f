#!/bin/sh
# Packs a built citybrain for machines that have no compiler: the program, the files of deploy/, the
# documents, manual pages, completions for shells. The same input gives the same archive, byte by byte.
#
# usage: deploy/package.sh CITYBRAIN FOLDER [BILL]
#
# Writes FOLDER/citybrain-VERSION-ARCHITECTURE-linux.tar.gz and FOLDER/SHA256SUMS, and prints the archive's
# path. The program needs the C library of the system that it was built on, or a newer one.
set -eu
program=$(realpath "${1:?usage: package.sh CITYBRAIN FOLDER}")
mkdir -p "${2:?usage: package.sh CITYBRAIN FOLDER}"
folder=$(realpath "$2")
here=$(realpath "$(dirname "$0")/..")
version=$("$program" --version | cut -d' ' -f2)
name=citybrain-$version-$(uname -m)-linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
# The bill of materials, if there is one: `cargo xtask release` writes it.
[ -z "${3:-}" ] || install -m 644 "$3" "$work/$name/citybrain.cdx.json"
install -m 755 "$program" "$work/$name/citybrain"
cp -r "$here/deploy" "$here/docs" "$here/LICENSE" "$here/README.md" "$here/CHANGELOG.md" "$work/$name/"
"$program" man --to "$work/$name/man/man1"
mkdir "$work/$name/completions"
"$program" completions bash >"$work/$name/completions/citybrain.bash"
"$program" completions zsh >"$work/$name/completions/_citybrain"
"$program" completions fish >"$work/$name/completions/citybrain.fish"
mkdir "$work/$name/dashboards"
cp -r "$here/dashboards/grafana/dashboards" "$work/$name/dashboards/grafana"
chmod -R u=rwX,go=rX "$work/$name"
tar --create --gzip --file "$folder/$name.tar.gz" --directory "$work" --sort=name --owner=0 --group=0 \
    --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}" "$name"
(cd "$folder" && sha256sum "$name.tar.gz" >SHA256SUMS)
echo "$folder/$name.tar.gz"
