"""Adds up what the tests of one `bazel test` counted: count.py BAZEL-STATUS BUILD-EVENTS-FILE."""

import json
import re
import sys
from urllib.parse import unquote, urlparse

NO_TESTS_FOUND = 4

COUNT = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
# What a test wants to be shown although it passed: a block up to an empty line.
SHOWN = re.compile(r"^== .*?(?=^$)", re.M | re.S)


def count(status, log):
    """(passed, failed) of one test program."""
    lines = COUNT.findall(log)
    passed, failed = map(int, lines[-1]) if lines else (0, 0)
    if status != "PASSED" and failed == 0:
        failed = 1  # it crashed, hung, or a sanitizer spoke at its end
    elif status == "PASSED" and not lines:
        passed = 1
    return passed, failed


def main(bazel_status, path):
    results, shown = {}, []
    with open(path, encoding="utf-8") as f:
        for event in map(json.loads, f):
            label = next(iter(event["id"].values())).get("label")
            if "testSize" in event.get("configured", {}):
                results.setdefault(label, (0, 1))  # until it has run it is one that failed
            if "testResult" in event:
                result = event["testResult"]
                log = ""
                for output in result.get("testActionOutput", []):
                    if output["name"] == "test.log":
                        with open(
                            unquote(urlparse(output["uri"]).path), encoding="utf-8", errors="replace"
                        ) as g:
                            log = g.read()
                results[label] = count(result["status"], log)
                shown += SHOWN.findall(log)
    passed = sum(p for p, _ in results.values())
    failed = sum(f for _, f in results.values())
    if bazel_status not in (0, NO_TESTS_FOUND) and failed == 0:
        failed = 1  # something that is no test did not build
    print("".join(shown), end="")
    for label, (_, bad) in sorted(results.items()):
        if bad:
            print(f"FAILED: {label}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main(int(sys.argv[1]), sys.argv[2]))
