#!/bin/sh
# usage: memcheck.sh FUZZER FOLDER. The kept inputs under valgrind, for what is read and was never written: the sanitizers
# of the tests do not see it, nor does a fuzzer.
if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed (make deps-test)"
    exit 77
fi
exec valgrind -q --leak-check=no --error-exitcode=9 "$@"
