#!/bin/sh
# tests/mbedtls.sh DIR [SUITE [COMPILER]]: unpacks the mbedTLS of a Debian suite (trixie: 3.6) into DIR, beside the system's own, or makes
# it there from its source by COMPILER, and prints DIR. `make MBEDTLS=DIR` then builds against DIR/include and DIR/lib/*.a. Installs
# nothing; apt's own state is not touched.
# Exit 77 and a word if there is no apt, no Debian mirror, or no way to it.
set -u
dir=${1:?usage: tests/mbedtls.sh DIR [SUITE]}
suite=${2:-trixie}
compiler=${3-}

skip() { echo "mbedtls.sh: $1" >&2; exit 77; }

if [ -f "$dir/lib/libmbedtls.a" ] && [ "$(cat "$dir/suite" 2>/dev/null)" = "$suite $compiler" ]; then echo "$dir"; exit 0; fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "no apt here"
for part in apt usr source include lib suite; do rm -rf "${dir:?}/$part"; done
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" || exit 1
dir=$(cd "$dir" && pwd)
: >"$dir/apt/status"

# The mirror this machine already uses; the archive of security updates has no releases to offer.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep 'debian/*$' | grep -v security | head -n 1)
[ -n "$mirror" ] || skip "the apt sources name no Debian mirror"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keys" ] || skip "no debian-archive-keyring"
echo "deb${compiler:+-src} [signed-by=$keys] $mirror $suite main" >"$dir/apt/sources.list"

cat >"$dir/apt/conf" <<CONF
Dir::State "$dir/apt";
Dir::State::status "$dir/apt/status";
Dir::State::lists "$dir/apt/lists";
Dir::Cache "$dir/apt/cache";
Dir::Etc::SourceList "$dir/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
CONF
export APT_CONFIG="$dir/apt/conf"
log=$dir/apt/log

apt-get -qq --error-on=any update >"$log" 2>&1 || skip "apt-get update for $suite failed: $(head -n 1 "$log")"
unpack_packages() {
    packages="libmbedtls-dev $(apt-cache depends libmbedtls-dev | awk '$1 == "Depends:" && $2 ~ /^libmbed/ {print $2}')"
    (cd "$dir/apt" && apt-get -qq download $packages) >>"$log" 2>&1 || skip "download failed: $(tail -n 1 "$log")"
    for deb in "$dir"/apt/*.deb; do
        dpkg-deb -x "$deb" "$dir" || exit 1
    done
    ln -s usr/include "$dir/include"
    (cd "$dir" && ln -s usr/lib/*-linux-gnu* lib) || exit 1
}

make_source() {
    (cd "$dir/apt" && apt-get -qq source --download-only mbedtls) >>"$log" 2>&1 || skip "download failed: $(tail -n 1 "$log")"
    mkdir "$dir/source" && tar -xf "$dir"/apt/mbedtls_*.orig.tar.* -C "$dir/source" --strip-components 1 &&
        make -s -C "$dir/source/library" CC="$compiler" CFLAGS='-Os -w' static >>"$log" 2>&1 ||
        skip "$compiler cannot make it: $(grep -i error "$log" | head -n 1)"
    ln -s source/include "$dir/include" && ln -s source/library "$dir/lib" || exit 1
}

if [ -n "$compiler" ]; then make_source; else unpack_packages; fi
[ -f "$dir/lib/libmbedtls.a" ] || skip "the packages of $suite hold no static library"
rm -rf "$dir/apt"
echo "$suite $compiler" >"$dir/suite"
echo "$dir"
