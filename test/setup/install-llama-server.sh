#!/bin/sh
# install-llama-server.sh DIR DEBS
#
# Puts a working llama-server (llama.cpp-tools of Debian's unstable suite, with the C library it wants) into DIR, without
# touching this system's packages or apt sources; then DIR/bin/llama-server runs. Does nothing when DIR is already good.
# Any user may run it, on x86-64, with apt-get, dpkg-deb and flock. The .deb files are kept in DEBS and taken from there
# next time: the mirror drops old versions, and a full folder needs no network.
set -eu

DIR=$1
DEBS=$2
system_mirror() { # the first Debian mirror that this system's apt is set up with, in either source format
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n -e 's/^URIs:[[:space:]]*//p' -e 's/^deb[[:space:]]*\(\[[^]]*\]\)*[[:space:]]*//p' | awk '$1 ~ /\/debian\/?$/ { print $1; exit }'
}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
PACKAGES="llama.cpp-tools libllama0 libggml0 libc6 libgcc-s1 libstdc++6 libgomp1 libssl3t64 zlib1g libzstd1 patchelf"

mkdir -p "$(dirname "$DIR")" "$DEBS"
DIR=$(cd "$(dirname "$DIR")" && pwd)/$(basename "$DIR")
DEBS=$(cd "$DEBS" && pwd)

exec 9>"$DIR.lock"
flock 9 # test runs that start together wait for the first one's install

# Good means: it starts, and it lies where it was put (its loader's path is absolute).
if [ -x "$DIR/bin/llama-server" ] && "$DIR/bin/llama-server" --version >/dev/null 2>&1; then exit 0; fi
if [ "$(uname -m)" != x86_64 ]; then echo "llama-server for tests: x86-64 only" >&2; exit 1; fi

TMP=$DIR.tmp.$$
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$TMP/root" "$TMP/new/bin" "$TMP/new/lib"

have_all() { for p in $PACKAGES; do ls "$DEBS/${p}"_*.deb >/dev/null 2>&1 || return 1; done; }

if ! have_all; then
  MIRROR=$(system_mirror)
  [ -n "$MIRROR" ] || { echo "llama-server for tests: no Debian mirror in the apt sources" >&2; exit 1; }
  mkdir -p "$TMP/apt/lists/partial" "$TMP/apt/cache/archives/partial"
  : >"$TMP/apt/status"
  echo "deb [arch=amd64 signed-by=$KEYRING] $MIRROR sid main" >"$TMP/apt/sources.list"
  cat >"$TMP/apt/apt.conf" <<CONF
Dir::State "$TMP/apt";
Dir::State::Lists "$TMP/apt/lists";
Dir::State::status "$TMP/apt/status";
Dir::Cache "$TMP/apt/cache";
Dir::Etc::sourcelist "$TMP/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
CONF
  export APT_CONFIG="$TMP/apt/apt.conf"
  apt-get -qq update
  # shellcheck disable=SC2086
  (cd "$DEBS" && rm -f ./*.deb && apt-get -qq download $PACKAGES) # apt checks signature and hashes
  unset APT_CONFIG
fi

for deb in "$DEBS"/*.deb; do
  dpkg-deb -x "$deb" "$TMP/root"
  dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb"
done >"$TMP/new/VERSIONS"

# One folder of programs, one of libraries; every library finds the others
# beside it ($ORIGIN), so the system's older C library is never mixed in.
lib=$TMP/root/usr/lib/x86_64-linux-gnu
for f in "$lib"/llama/*.so "$lib"/lib*.so.*; do
  case $(basename "$f") in
    *-bench-impl*|*-cli-impl*|*-quantize-impl*|*-completion-impl*) ;;
    libnss_*|libthread_db*|libanl*|libnsl*|libBroken*|libmvec*|libutil*|libc_malloc*) ;;
    *) cp -a "$f" "$TMP/new/lib/" ;;
  esac
done
cp -a "$lib/ld-linux-x86-64.so.2" "$TMP/new/lib/"
cp -a "$TMP/root/usr/bin/llama-server" "$lib"/ggml/backends*/libggml-cpu-*.so "$TMP/new/bin/" # CPU kernels are looked for beside the program
patchelf() { "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$TMP/root/usr/bin/patchelf" "$@"; }
for f in "$TMP"/new/lib/*.so*; do
  [ -L "$f" ] && continue
  case $(basename "$f") in
    ld-linux*|libc.so*|libm.so*|libdl.so*|librt.so*|libpthread.so*|libresolv.so*) ;;
    *) patchelf --set-rpath '$ORIGIN' "$f" ;;
  esac
done
for f in "$TMP"/new/bin/*.so; do patchelf --set-rpath '$ORIGIN/../lib' "$f"; done
patchelf --set-rpath '$ORIGIN/../lib' --set-interpreter "$DIR/lib/ld-linux-x86-64.so.2" "$TMP/new/bin/llama-server"

if [ -e "$DIR" ]; then mv "$DIR" "$TMP/old"; fi
mv "$TMP/new" "$DIR"
if ! "$DIR/bin/llama-server" --version; then
  rm -rf "$DIR"
  if [ -e "$TMP/old" ]; then mv "$TMP/old" "$DIR"; fi
  echo "the packages fetched do not make a working llama-server (unstable in flux?)" >&2; exit 1
fi
