#!/bin/bash
# Measures the proxy beside others that do less or as much, in the same run.
#
#   tests/bench/run.sh [--quick] [--json FILE] [--plot FILE]
#
# What is measured is CPU time of each proxy's processes, so the load on the other core does not
# count. Peers that cannot be installed are left out. See tests/bench/README.md.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
source third_party/packages.sh
packages_install "${packages_build[@]}" || exit 3
if ! packages_install "${packages_bench[@]}"; then
    for package in "${packages_bench[@]}"; do
        packages_install "$package" || echo "$package cannot be installed" >&2
    done
fi
bazel build -c opt --show_progress_rate_limit=5 //:tlsblame //tests/bench:peer //tests/bench:floor \
    </dev/null
exec /usr/bin/python3 tests/bench/run.py "$@"
