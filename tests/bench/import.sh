#!/bin/bash
# Imports a capture of 1 GB and lets tshark read the same TLS fields of it: CPU seconds and memory.
#
#   tests/bench/import.sh [MEGABYTES [SHAPE]...]
#
# The shapes are those of capture_make.c. What is compared is CPU time, so the load on the other core
# does not count.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
bazel build -c opt --show_progress_rate_limit=5 //:tlsblame //tests/bench:capture_make </dev/null
capture=$(mktemp --suffix=.pcapng)
trap 'rm -f "$capture"' EXIT
# Only the time that is measured is printed: the verdicts of made-up connections are beside the point.
measure() {
    python3 - "$@" <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]}: {used.ru_utime + used.ru_stime:.2f} s of CPU, {used.ru_maxrss // 1024} MB")
PYTHON
}

megabytes=${1:-1000}
shift || true
for shape in ${@:-mixed short open}; do
    bazel-bin/tests/bench/capture_make "$megabytes" "$shape" >"$capture"
    cat "$capture" >/dev/null
    measure "$shape: tlsblame import" bazel-bin/tlsblame import --json "$capture"
    if command -v tshark >/dev/null; then
        measure "$shape: tshark" tshark -r "$capture" -Y tls -T fields -e tcp.stream \
            -e tls.handshake.version -e tls.handshake.ciphersuite -e tls.handshake.ja3 \
            -e tls.handshake.extensions_server_name -e tls.handshake.extensions_supported_group \
            -e tls.handshake.certificate -e tls.alert_message.desc
    fi
done
