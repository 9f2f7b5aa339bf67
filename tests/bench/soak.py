#!/usr/bin/env python3
"""Runs the proxy for an hour and looks whether it grows.

    tests/bench/soak.py [--minutes N] [--rate N]

After `bazel build -c opt //:tlsblame //tests/bench:peer`. So many connections a second to a thousand
hosts, a hundred of them with a certificate of their own; every fifth minute a download and a crowd of
idle connections as well. Each minute a line: connections done and failed, the proxy's memory and
descriptors between two loads. At the end medians of the second and of the last quarter are compared;
memory may differ by a tenth, descriptors by none. Exit status: 0 if neither grew and nothing
failed.
"""

import argparse
import os
import statistics
import sys
import time

import measure
import targets
from targets import rss_kib

CROWD = 500
DOWNLOAD = 64 * 1024 * 1024


def descriptors(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def settled(pids, at_start):
    """The descriptors once those of ended connections are closed, or after ten seconds."""
    deadline = time.monotonic() + 10
    while descriptors(pids) > at_start and time.monotonic() < deadline:
        time.sleep(0.1)
    return descriptors(pids)


def one_minute(target, core, minute, rate, seconds=55):
    done = failed = 0
    for hosts, sni, share in ((900, "h%d.bench.test", 9), (100, "new%d.bench.test", 1)):
        report = measure.load(target, core, count=int(rate * seconds * share / 10), hosts=hosts, sni=sni,
                              rate=rate)
        done, failed = done + report["done"], failed + report["failed"]
    if minute % 5 == 0:
        measure.idle(target, core, CROWD)
        measure.bulk(target, core, DOWNLOAD)
    return done, failed


def judge(samples):
    """Whether neither memory nor descriptors grew."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter:2 * quarter] or samples[:1], samples[-quarter:]
    ok = True
    for name, column, limit in (("memory, KiB", 0, 1.1), ("descriptors", 1, 1.0)):
        before, after = (statistics.median(s[column] for s in part) for part in (early, late))
        grew = after > before * limit
        ok = ok and not grew
        print(f"{name}: {before:,.0f} in the second quarter, {after:,.0f} in the last"
              f"{': GREW' if grew else ''}")
    return ok


def soak(folder, origin_port, cores, options):
    target = targets.Tlsblame(folder, origin_port, cores[0])
    pids = target.pids()
    at_start, samples, failures = descriptors(pids), [], 0
    end = time.monotonic() + options.minutes * 60
    try:
        while time.monotonic() < end:
            done, failed = one_minute(target, cores[0], len(samples) + 1, options.rate)
            failures += failed
            samples.append((rss_kib(pids), settled(pids, at_start)))
            print(f"{len(samples):3}: {done} done, {failed} failed, {samples[-1][0]:,.0f} KiB, "
                  f"{samples[-1][1]} descriptors", flush=True)
    finally:
        target.stop()
    return judge(samples) and failures == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=400, help="connections a second")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with targets.origin(cores[-1]) as (folder, port):
        return 0 if soak(folder, port, cores, options) else 1


if __name__ == "__main__":
    sys.exit(main())
