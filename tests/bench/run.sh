#!/bin/bash
# Measures the proxy beside nginx `stream` with TLS on both sides, in the same run.
#
#   tests/bench/run.sh [--quick] [--json FILE]
#
# What is measured is CPU time of the proxy's process, so the load on the other core does not count.
# See tests/bench/README.md.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
source third_party/packages.sh
packages_install "${packages_build[@]}" "${packages_bench[@]}" || exit 3
bazel build -c opt --show_progress_rate_limit=5 //:tlsblame //tests/bench:peer </dev/null
exec /usr/bin/python3 tests/bench/run.py "$@"
