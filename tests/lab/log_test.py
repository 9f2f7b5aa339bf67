"""list and show over a log of samples: what they print, and how they exit."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

SAMPLES = "tests/unit/logs/view/samples.ndjson"


class Log(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.log = os.path.join(self.folder, "log.ndjson")
        shutil.copy(SAMPLES, self.log)

    def run_it(self, *args, env=None, stdout=subprocess.PIPE):
        clean = {"PATH": os.environ["PATH"], "HOME": self.folder, **(env or {})}
        return subprocess.run(
            ["./tlsblame", *args],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=clean,
            check=False,
        )

    def list(self, *args, **kwargs):
        return self.run_it("list", "--log", self.log, *args, **kwargs)

    def show(self, *args, **kwargs):
        return self.run_it("show", "--log", self.log, *args, **kwargs)

    def ids(self, run):
        return [line.split()[0] for line in run.stdout.splitlines()[1:]]


class List(Log):
    def test_all_newest_last(self):
        run = self.list()
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual([i[-1] for i in self.ids(run)], ["1", "2", "3", "4", "5"])
        self.assertTrue(run.stdout.startswith("id "))
        self.assertIn("old.example.test:443", run.stdout)
        self.assertIn("server: server-cert-expired", run.stdout)

    def test_failed_is_a_finding(self):
        run = self.list("--failed")
        self.assertEqual(run.returncode, 1)
        self.assertEqual([i[-1] for i in self.ids(run)], ["2", "3", "4"])
        run = self.list("--failed", "--host", "www.*")
        self.assertEqual((run.returncode, run.stdout), (0, ""))

    def test_host_globs(self):
        run = self.list("--host", "*.EXAMPLE.test", "--limit", "2")
        self.assertEqual([i[-1] for i in self.ids(run)], ["4", "5"])
        self.assertEqual([i[-1] for i in self.ids(self.list("--host", "old*"))], ["2"])

    def test_limit_counts_what_matches(self):
        run = self.list("--failed", "--limit", "2")
        self.assertEqual([i[-1] for i in self.ids(run)], ["3", "4"])
        self.assertEqual(len(self.ids(self.list("--limit", "99"))), 5)

    def test_json_holds_the_verdict(self):
        run = self.list("--json")
        self.assertEqual(run.returncode, 0)
        records = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(len(records), 5)
        for record in records:
            self.assertLessEqual({"id", "host", "port"}, set(record))
            self.assertLessEqual({"party", "cause", "confidence"}, set(record["verdict"]))
        self.assertEqual(self.list("--json", "--failed").returncode, 1)

    def test_broken_lines_are_reported_and_skipped(self):
        with open(self.log, encoding="utf-8") as f:
            lines = f.read().splitlines(keepends=True)
        with open(self.log, "w", encoding="utf-8") as f:
            f.write(lines[0] + lines[1][:500] + "\n" + "garbage\n" + lines[2] + lines[3][:-30])
        run = self.list()
        self.assertEqual(run.returncode, 0)
        self.assertEqual([i[-1] for i in self.ids(run)], ["1", "3"])
        for number in 2, 3, 5:
            self.assertRegex(run.stderr, rf"(?m)^tlsblame list: {self.log}:{number}: skipped")

    def test_the_last_line_of_an_id_counts(self):
        with open(self.log, encoding="utf-8") as f:
            first = json.loads(f.readline())
        first["host"] = "again.example.test"
        with open(self.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(first) + "\n")
        run = self.list()
        self.assertEqual([i[-1] for i in self.ids(run)], ["2", "3", "4", "5", "1"])
        self.assertNotIn("www.example.test", run.stdout)

    def test_rotated_files_are_read_first(self):
        os.rename(self.log, self.log + ".1")
        with open(self.log + ".1", encoding="utf-8") as f, open(
            self.log, "w", encoding="utf-8"
        ) as new:
            new.write(f.readline().replace("01hv6k2m9q0000000001", "newest9"))
        self.assertEqual([i[-1] for i in self.ids(self.list())], ["1", "2", "3", "4", "5", "9"])

    def test_color(self):
        self.assertNotIn("\x1b", self.list().stdout)
        self.assertIn("\x1b[", self.list("--color=always").stdout)
        self.assertIn("\x1b[", self.list("--color=always", env={"NO_COLOR": "1"}).stdout)
        self.assertEqual(self.list("--color=sometimes").returncode, 2)

    def test_bad_usage(self):
        for args in (["--limit", "0"], ["--limit", "x"], ["--limit", "-1"], ["--no-such"], ["x"]):
            run = self.list(*args)
            self.assertEqual((run.returncode, run.stdout), (2, ""), args)
            self.assertIn("--help", run.stderr)

    def test_bad_log(self):
        for path in "/no/such/log", self.folder:
            run = self.run_it("list", "--log", path)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn(path, run.stderr)
        run = self.run_it("list")
        self.assertEqual(run.returncode, 2)
        self.assertIn("nothing was recorded", run.stderr)

    def test_the_default_log(self):
        folder = os.path.join(self.folder, ".local/state/tlsblame")
        os.makedirs(folder)
        shutil.copy(self.log, folder)
        self.assertEqual(len(self.ids(self.run_it("list"))), 5)
        run = self.run_it("list", env={"XDG_STATE_HOME": "/no/such"})
        self.assertIn("/no/such/tlsblame/log.ndjson", run.stderr)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.assertEqual(self.list(stdout=full).returncode, 3)
            self.assertEqual(self.show(stdout=full).returncode, 3)

    def test_help(self):
        for command in "list", "show":
            for option in "-h", "--help":
                run = self.run_it(command, option)
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                self.assertTrue(run.stdout.startswith(f"usage: tlsblame {command} "))
                self.assertIn("Exit status", run.stdout)


class Show(Log):
    def test_the_last_by_default(self):
        run = self.show()
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertTrue(run.stdout.startswith("plain.example.test:80\n"))

    def test_a_prefix_of_an_id(self):
        run = self.show("01hv6k3")
        self.assertEqual(run.returncode, 1)
        self.assertTrue(run.stdout.startswith("old.example.test:443\n"))
        self.assertIn("VERDICT     server: server-cert-expired (certain)\n", run.stdout)
        self.assertLessEqual(max(map(len, run.stdout.splitlines())), 80)

    def test_unknown_ids(self):
        for wrong, says in ("nothing", 'no record "nothing"'), ("01hv", "5 ids"):
            run = self.show(wrong)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn(says, run.stderr)

    def test_width(self):
        wide = self.show("--width", "160", "01hv6k3").stdout
        self.assertIn("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", wide)
        self.assertEqual(self.show("01hv6k3", env={"COLUMNS": "160"}).stdout, wide)
        for wrong in "59", "1001", "x", "-80", "":
            self.assertEqual(self.show("--width", wrong).returncode, 2)

    def test_json_is_the_line(self):
        run = self.show("--json", "01hv6k2")
        self.assertEqual(run.returncode, 0)
        with open(self.log, encoding="utf-8") as f:
            self.assertEqual(run.stdout, f.readline())

    def test_too_many_ids(self):
        self.assertEqual(self.show("a", "b").returncode, 2)
