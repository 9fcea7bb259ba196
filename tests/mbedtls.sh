#!/bin/sh
# tests/mbedtls.sh DIR [SUITE]: unpacks the mbedTLS of a Debian suite (trixie: 3.6) into DIR, beside the system's own, and prints DIR.
# `make MBEDTLS=DIR` then builds against DIR/include and DIR/lib/*.a. Installs nothing; apt's own state is not touched.
# Exit 77 and a word if there is no apt, no Debian mirror, or no way to it.
set -u
dir=${1:?usage: tests/mbedtls.sh DIR [SUITE]}
suite=${2:-trixie}

skip() { echo "mbedtls.sh: $1" >&2; exit 77; }

if [ -f "$dir/lib/libmbedtls.a" ] && [ "$(cat "$dir/suite" 2>/dev/null)" = "$suite" ]; then echo "$dir"; exit 0; fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "no apt here"
for part in apt usr include lib suite; do rm -rf "${dir:?}/$part"; done
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" || exit 1
dir=$(cd "$dir" && pwd)
: >"$dir/apt/status"

# The mirror this machine already uses; the archive of security updates has no releases to offer.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep 'debian/*$' | grep -v security | head -n 1)
[ -n "$mirror" ] || skip "the apt sources name no Debian mirror"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keys" ] || skip "no debian-archive-keyring"
echo "deb [signed-by=$keys] $mirror $suite main" >"$dir/apt/sources.list"

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
packages="libmbedtls-dev $(apt-cache depends libmbedtls-dev | awk '$1 == "Depends:" && $2 ~ /^libmbed/ {print $2}')"
(cd "$dir/apt" && apt-get -qq download $packages) >>"$log" 2>&1 || skip "download failed: $(tail -n 1 "$log")"
for deb in "$dir"/apt/*.deb; do
    dpkg-deb -x "$deb" "$dir" || exit 1
done

ln -s usr/include "$dir/include"
(cd "$dir" && ln -s usr/lib/*-linux-gnu* lib) || exit 1
[ -f "$dir/lib/libmbedtls.a" ] || skip "the packages of $suite hold no static library"
rm -rf "$dir/apt"
echo "$suite" >"$dir/suite"
echo "$dir"
