"""What a reviewer should not have to say: formatting, sizes, places, a test for every source."""

import os
import re
import subprocess
import unittest

TREE = os.path.dirname(os.path.realpath("WORKSPACE"))

TOP = {"BUILD.bazel", "README.md", "WORKSPACE", "logs", "policy", "proxy", "tests", "third_party"}

MAX_LINES = 700

# Sources without a unit test at the same path, and why.
UNTESTED = {
    "logs/record/schema_gen.c": "main(): schema_test holds the files against what it writes",
    "policy/ca/box_files.c": "private to box.c; box_test opens a box again and breaks its files",
    "policy/ca/box_origin.c": "box_extensions_test and mint_box_test copy by it, from garbage too",
    "policy/ca/private_key.c": "authority_files_test has every error that it gives",
    "policy/config/key.c": "a table; policy_test reads, prints and documents a file by it",
    "policy/config/print.c": "policy_test reads again what it prints",
    "policy/config/reader.c": "policy_test has every error that it gives",
    "policy/config/value.c": "private to policy.c; policy_test has every bad value",
    "policy/profiles/knob.c": "a table; profile_test reads and prints a profile by it",
    "policy/profiles/knob_json.c": "profile_test reads again what it prints",
    "policy/profiles/knob_value.c": "private to profile.c; profile_test has every bad value",
    "policy/profiles/profile_check.c": "private to profile.c; profile_test has what it refuses",
    "policy/redact/redact_address.c": "private to redact.c; redact_test looks for every address",
    "policy/redact/redact_agent.c": "redact_words_test has what stays and what does not",
    "policy/redact/redact_certificate.c": "private to redact.c; redact_test reads what it wrote",
    "policy/redact/redact_collect.c": "private to redact.c; redact_test plants what it has to find",
    "proxy/cli/main.c": "main(): tests/lab runs the program itself",
}

CODE = (".bazel", ".bzl", ".c", ".h", ".inc", ".py", ".sh")

# Written so that this file does not find itself.
BANNED = {
    "unfinished work": re.compile(r"\bTO" r"DO\b|\bFIX" r"ME\b"),
    "somebody's machine": re.compile(r"(?<![\w.*$})/-])/(?:home|root|Users|work|workspace|mnt)/\w"),
    "a merge's leftovers": re.compile(r"^(<{7}|>{7}) ", re.M),
}


def files(*ends, below=("",)):
    """Paths from the tree's root, without what git and Bazel keep there and without corpora."""
    for top in below:
        for path, folders, names in os.walk(os.path.join(TREE, top)):
            here = os.path.relpath(path, TREE)
            folders[:] = sorted(
                d for d in folders
                if d not in (".git", "__pycache__") and not d.endswith("corpus")
                and not os.path.islink(os.path.join(path, d))
            )
            for name in sorted(names):
                if name != ".git" and name.endswith(ends or ("",)) and not os.path.islink(os.path.join(path, name)):
                    yield os.path.normpath(os.path.join(here, name))


def text_of(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as f:
        return f.read()


class Tree(unittest.TestCase):
    def test_top_level_holds_only_plumbing(self):
        found = {n for n in os.listdir(TREE) if not n.startswith((".", "bazel-"))}
        self.assertEqual(found - TOP - {"user.bazelrc"}, set())

    def test_text_is_clean(self):
        for path in files():
            try:
                text = text_of(path)
            except UnicodeDecodeError:
                self.assertFalse(path.endswith(CODE), f"{path} is not UTF-8")
                continue
            for what, pattern in BANNED.items():
                found = pattern.search(text)
                if found:
                    line = text.count("\n", 0, found.start()) + 1
                    with self.subTest(path=path):
                        self.fail(f"{path}:{line}: {what}: {found.group()!r}")
            if text and path.endswith(CODE):
                with self.subTest(path=path):
                    self.assertTrue(text.endswith("\n"), f"{path}: no newline at the end")
                    self.assertNotRegex(text, r"[ \t]\n", f"{path}: trailing white space")


class Readme(unittest.TestCase):
    def test_what_it_points_at_is_there(self):
        for link, name in re.findall(r"\]\(([^):]+)\)|`([\w.]+/[\w./]*)`", text_of("README.md")):
            path = link or name
            if not path.startswith("bazel-bin/"):
                with self.subTest(path=path):
                    self.assertTrue(os.path.exists(os.path.join(TREE, path)), path)


class Sources(unittest.TestCase):
    def test_format(self):
        paths = list(files(".c", ".h"))
        run = subprocess.run(
            ["clang-format", "--dry-run", "-Werror", *paths],
            cwd=TREE, stderr=subprocess.PIPE, text=True, check=False,
        )
        self.assertEqual(run.returncode, 0, "\n" + run.stderr)

    def test_size(self):
        for path in files(".c", ".h"):
            with self.subTest(path=path):
                self.assertLessEqual(text_of(path).count("\n"), MAX_LINES, path)

    def test_header_guards_are_paths(self):
        for path in files(".h"):
            guard = re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"
            with self.subTest(path=path):
                self.assertIn(f"#ifndef {guard}\n#define {guard}\n", text_of(path))


class UnitTests(unittest.TestCase):
    def test_every_source_has_one(self):
        for path in files(".c", below=("logs", "policy", "proxy")):
            test = f"tests/unit/{path[:-2]}_test.c"
            exists = os.path.exists(os.path.join(TREE, test))
            with self.subTest(path=path):
                self.assertEqual(exists, path not in UNTESTED, f"{test}, or a row in UNTESTED")

    def test_every_exclusion_is_needed(self):
        for path in UNTESTED:
            self.assertTrue(os.path.exists(os.path.join(TREE, path)), path)

    def test_every_one_is_built(self):
        rows = text_of("tests/unit/BUILD.bazel")
        for path in files("_test.c", below=("tests/unit",)):
            with self.subTest(path=path):
                self.assertIn('"' + os.path.relpath(path, "tests/unit") + '"', rows)


class Scripts(unittest.TestCase):
    def test_are_executable_and_parse(self):
        for path in files(".sh", below=("proxy", "tests", ".ci")):
            with self.subTest(path=path):
                if text_of(path).startswith("#!"):
                    self.assertTrue(os.access(os.path.join(TREE, path), os.X_OK), path)
                run = subprocess.run(
                    ["bash", "-n", path], cwd=TREE, stderr=subprocess.PIPE, text=True, check=False,
                )
                self.assertEqual(run.returncode, 0, run.stderr)
