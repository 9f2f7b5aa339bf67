"""What the benchmark measures of one proxy."""

import json
import os
import re
import shutil
import socket
import subprocess
import time

import targets
from targets import PEER, cpu_seconds, pin, rss_kib

FLOOR = os.path.join(targets.TREE, "bazel-bin/tests/bench/floor")

# What recording and judging are, in functions that hold all that they call.
RECORDING = ("observe_hello", "observe_message", "observe_alert", "observe_certificates",
             "difference_record", "verdict_decide_within", "verification_record", "log_writer_put",
             "record_new", "record_free", "thread_main")


def load_arguments(target, **options):
    arguments = [PEER, "load", f"connect=127.0.0.1:{target.port}"]
    if target.connect:
        arguments.append(f"target=localhost:{target.origin_port}")
    return arguments + [f"{key}={value}" for key, value in options.items()]


def load(target, core, **options):
    """Runs a load and returns its report with the CPU seconds of the target."""
    before = cpu_seconds(target.pids())
    done = subprocess.run(load_arguments(target, **options), stdout=subprocess.PIPE, check=True,
                          preexec_fn=pin(core), timeout=600)
    report = json.loads(done.stdout)
    report["cpu"] = cpu_seconds(target.pids()) - before
    return report


def connections(target, core, count, **options):
    """CPU microseconds of a connection."""
    count = max(20, int(count * target.scale))
    return load(target, core, count=count, **options)["cpu"] / count * 1e6


def connections_apart(targets_apart, core, count, parallel, **options):
    """CPU microseconds of a connection where each of the targets is given its share of them at once."""
    share = len(targets_apart)
    pids = [pid for target in targets_apart for pid in target.pids()]
    before = cpu_seconds(pids)
    loads = [subprocess.Popen(load_arguments(target, count=count // share,
                                             parallel=parallel // share, **options),
                              stdout=subprocess.DEVNULL, preexec_fn=pin(core))
             for target in targets_apart]
    for running in loads:
        if running.wait(600) != 0:
            raise subprocess.CalledProcessError(running.returncode, running.args)
    return (cpu_seconds(pids) - before) / count * 1e6


def bulk(target, core, size):
    """CPU seconds of 10^9 bytes."""
    size = int(size * target.scale) // 4 * 4
    return load(target, core, count=4, parallel=4, bytes=size // 4)["cpu"] / (size / 1e9)


def idle(target, core, count):
    """KiB of memory that each idle connection adds, CPU microseconds to open one, and KiB of the
    whole proxy then."""
    pids = target.pids()
    memory, cpu = rss_kib(pids), cpu_seconds(pids)
    process = subprocess.Popen(load_arguments(target, count=count, parallel=64, hold=1),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=pin(core))
    process.stdout.readline()
    pids = target.pids()
    whole, us = rss_kib(pids), (cpu_seconds(pids) - cpu) / count * 1e6
    process.stdin.close()
    process.wait(60)
    return (whole - memory) / count, us, whole


def latency(target, core, rate, seconds):
    """Of connections that begin at even times: percentiles, in microseconds, of the time to the end of
    the client's handshake and to the first byte of the answer."""
    report = load(target, core, count=int(rate * seconds), rate=int(rate))
    return {point: report[f"{point}_us"] for point in ("handshake", "answer")}


def start_ms(kind, folder, origin_port, core):
    """Milliseconds from the start of the program to the first answer."""
    before = time.monotonic()
    target = object.__new__(kind)
    target.folder, target.origin_port, target.core = folder, origin_port, core
    target.port = targets.free_port()
    target.start()
    while True:
        try:
            with socket.create_connection(("127.0.0.1", target.port), 1) as s:
                s.sendall(b"GET http://tlsblame.test/ HTTP/1.1\r\nHost: tlsblame.test\r\n\r\n")
                if s.recv(1):
                    break
        except OSError:
            time.sleep(0.0005)
    took = time.monotonic() - before
    target.stop()
    return took * 1e3


def floor(folder, core, count, megabytes):
    done = subprocess.run([FLOOR, f"{folder}/chain.pem", f"{folder}/leaf.key", f"{folder}/root.pem",
                           str(count), str(megabytes)], stdout=subprocess.PIPE, check=True,
                          preexec_fn=pin(core))
    return json.loads(done.stdout)


def recording_share(folder, origin_port, core, count):
    """The share of a connection's instructions that recording and verdict take, counted by callgrind
    after a warm-up, or None where that is not installed."""
    if shutil.which("valgrind") is None:
        return None
    out = os.path.join(folder, "callgrind")

    class Counted(targets.Tlsblame):
        def spawn(self, *arguments, **more):
            # A copy is to count as instructions that take time, not as one for each byte.
            more["env"]["GLIBC_TUNABLES"] = f"glibc.cpu.x86_rep_movsb_threshold={1 << 30}"
            super().spawn("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *arguments,
                          **more)

    target = Counted(folder, origin_port, core)
    pid = str(target.process.pid)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(load_arguments(target, count=40, parallel=8), check=True, **quiet)
    subprocess.run(["callgrind_control", "-z", pid], check=True, **quiet)
    subprocess.run(load_arguments(target, count=count, parallel=8), check=True, **quiet)
    subprocess.run(["callgrind_control", "-d", pid], check=True, **quiet)
    target.stop()
    text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100",
                           f"{out}.1"], stdout=subprocess.PIPE, check=True).stdout.decode()
    costs = {}
    for cost, name in re.findall(r"^\s*([\d,]+) \([^)]*\)\s+\S*:(\S+)", text, re.M):
        costs[name] = max(costs.get(name, 0), int(cost.replace(",", "")))
    total = costs["worker_run"] + costs.get("thread_main", 0)
    return sum(costs.get(name, 0) for name in RECORDING) / total
