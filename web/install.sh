#!/bin/sh
# install.sh NPM -- fills node_modules from the lock file, once: a copy of the lock file stands there afterwards.
# Several build directories may come at the same time; the lock file itself is what they wait on.
set -eu
cd "$(dirname "$0")"
exec 9<package-lock.json
flock 9
if ! cmp -s package-lock.json node_modules/.tickcast-lock; then
    "$1" ci --ignore-scripts --no-audit --no-fund
    cp package-lock.json node_modules/.tickcast-lock
fi
