#!/bin/bash
# Installs what is missing, builds everything, runs every test, and counts.
#
#   tests/run.sh [BAZEL-TEST-OPTION | TARGET]...
#
# Without a target it is //... . The last line is "N passed, N failed", and the exit status is 0 only
# when nothing failed.
#
# How a test is counted: a test program of any language ends its output with that same line (unit.c,
# replay.c and python_test.py see to it) and the numbers are added up. A program that ends without
# the line counts as one test. See tests/count.py.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 3
source third_party/packages.sh
packages_install "${packages_build[@]}" "${packages_test[@]}" || exit 3

targets=//...
for arg; do
    case $arg in
    -*) ;;
    *) targets= ;;
    esac
done

# Without a terminal, a line of progress every few seconds.
progress=()
if [[ ! -t 2 ]]; then
    progress=(--curses=no --color=no --noshow_loading_progress --show_progress_rate_limit=5)
fi

events=$(mktemp) || exit 3
trap 'rm -f "$events"' EXIT
bazel test --keep_going --build_event_json_file="$events" "${progress[@]}" "$@" $targets </dev/null
python3 tests/count.py "$?" "$events"
