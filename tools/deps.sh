#!/bin/sh
# Installs what is missing, in sets: tools/deps.sh run web test browser sanitize lint compare profile
#
#   run       what the program needs to be built
#   web       nodejs and npm, which bundle the dashboard
#   test      what the tests need (frameworks, peers, python)
#   browser   chromium, for the dashboard's test
#   sanitize  clang 14, for the fuzzers
#   lint      clang-format, clang-tidy
#   compare   the servers of `make compare`; what cannot be installed is left out there
#   profile   perf, for `make bench-profile`
#
# A package that is there is not touched, and where nothing is missing no network is needed.
set -eu

RUN="gcc libc6-dev make cmake ninja-build pkg-config ca-certificates liburing-dev libssl-dev libck-dev
     libjansson-dev libhttp-parser-dev zlib1g-dev libzstd-dev libzip-dev"
TEST="g++ libbenchmark-dev libcmocka-dev libseccomp-dev iproute2 nftables procps python3 python3-pytest
      python3-websockets nginx-light haproxy nats-server git valgrind libc6-dbg"
SANITIZE="clang-14 llvm-14 lld-14 libclang-rt-14-dev"
LINT="clang-format clang-tidy"
COMPARE="libnginx-mod-nchan mosquitto libwebsockets-dev nats-server"

die() {
    echo "deps: $1" >&2
    exit 1
}

# Packages of a list that dpkg does not know as installed.
missing() {
    for package in "$@"; do
        status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || printf '%s ' "$package"
    done
}

# Tools that may come from elsewhere are asked for by name: Debian's npm conflicts with others' nodejs.
missing_tools() {
    case $1 in
    web)
        if command -v node >/dev/null && command -v npm >/dev/null; then return; fi
        if command -v node >/dev/null && ! dpkg-query -W nodejs >/dev/null 2>&1; then
            die "node is here, but not from a package, and npm is missing: install npm beside it"
        fi
        printf 'nodejs npm '
        ;;
    profile) command -v perf >/dev/null || printf 'linux-perf ' ;;
    browser) command -v chromium >/dev/null || printf 'chromium ' ;;
    esac
}

# A container often has no sudo and needs none; a user needs one.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root and no sudo; as root run: $*"
    fi
}

wanted=
for set in "$@"; do
    case $set in
    run) wanted="$wanted $(missing $RUN)" ;;
    test) wanted="$wanted $(missing $TEST)" ;;
    sanitize) wanted="$wanted $(missing $SANITIZE)" ;;
    lint) wanted="$wanted $(missing $LINT)" ;;
    compare) wanted="$wanted $(missing $COMPARE)" ;;
    web | browser | profile) wanted="$wanted $(missing_tools "$set")" ;;
    *) die "no such set: $set (run, web, test, browser, sanitize, lint, compare, profile)" ;;
    esac
done
wanted=$(echo $wanted)
[ -n "$wanted" ] || exit 0

command -v apt-get >/dev/null || die "no apt-get here; please install: $wanted"
echo "deps: installing $wanted"
as_root apt-get update -qq || die "apt-get update failed: is there a network?"
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted ||
    die "apt-get install failed for: $wanted"
echo "deps: done"
