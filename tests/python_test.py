#!/usr/bin/python3
"""Runs unittest modules under Bazel: python_test.py tests.arrows.arrows_test ...

The working folder is the root of the runfiles, so modules are named, and files opened, by their
path in the tree. The last line is what tests/run.sh counts. In a BUILD file:

    sh_test(
        name = "arrows_test",
        srcs = ["//tests:python_test.py"],
        args = ["tests.arrows.arrows_test"],
        data = ["arrows_test.py"],
    )
"""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path[0] = os.getcwd()

suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)

# A test with many failed subtests is one failed test; a class that cannot be set up is one too.
failed = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
failed.update(test.id() for test in result.unexpectedSuccesses)
passed = max(result.testsRun - len(result.skipped) - len(failed), 0)
if passed == 0 and not failed and not result.skipped:
    print("no test was found")
    failed.add("nothing")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(1 if failed else 0)
