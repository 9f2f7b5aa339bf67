"""`tlsblame lab`, whole: every scenario, and what it leaves behind."""

import json
import os
import pty
import select
import signal
import subprocess
import time
import unittest

from tests.lab import harness
from tests.lab.harness import PROGRAM, run

SECONDS = 15  # that the tour may take
PARTIES = {"none", "client", "server", "network", "box-in-front", "box-behind", "undetermined"}


class Tour(harness.Lab):
    def setUp(self):
        super().setUp()
        self.tmp = os.path.join(self.dir, "tmp")
        os.mkdir(self.tmp)
        # A home that is not there: the lab needs none, and must not look for the user's CA.
        self.env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": self.tmp}

    def lab(self, *args, check=True):
        return run(PROGRAM, "lab", *args, check=check, env=self.env, timeout=120)

    def lines(self, *args):
        return [json.loads(line) for line in self.lab("--json", *args).stdout.splitlines()]

    def test_all_are_right(self):
        *played, score = self.lines()
        for row in played:
            self.assertTrue(row["right"], row)
            self.assertEqual(row["expected"]["cause"], row["verdict"]["cause"])
            self.assertTrue(row["verdict"]["says"])
        self.assertEqual((score["right"], score["of"]), (len(played), len(played)))
        self.assertGreaterEqual(len(played), 20)
        self.assertEqual({row["expected"]["party"] for row in played}, PARTIES)
        print(f"{score['of']} scenarios in {score['seconds']} s")
        self.assertLess(score["seconds"], SECONDS)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_list_has_what_is_played(self):
        listed = [row["scenario"] for row in self.lines("--list")]
        self.assertEqual(len(set(listed)), len(listed))
        done = self.lab("--list").stdout.decode()
        for name in listed:
            self.assertRegex(done, rf"(?m)^{name} +\S")
        some = self.lines(listed[-1], listed[0])[:-1]
        self.assertEqual([row["scenario"] for row in some], [listed[-1], listed[0]])

    def test_the_log_is_kept_where_it_is_wanted(self):
        keep = os.path.join(self.dir, "deep", "kept")
        told = self.lab("--keep", keep, "healthy", "expired").stdout.decode()
        commands = [line.split()[1:] for line in told.splitlines() if line.startswith("  tlsblame")]
        self.assertEqual([words[0] for words in commands], ["list", "show", "explain"])
        for words, status in zip(commands, (0, 1, 1)):
            done = run(PROGRAM, *words, check=False)
            self.assertEqual((done.returncode, done.stderr), (status, b""))
            self.assertIn(b"server-cert-expired", done.stdout)
        again = self.lab("--keep", keep, "healthy").stdout.decode()
        self.assertIn("1 of 1 verdicts are right", again)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_a_terminal_sees_it_happen(self):
        main, other = pty.openpty()
        with subprocess.Popen([PROGRAM, "lab", "silence"], stdout=other, stderr=other,
                              env={**self.env, "TERM": "xterm"}) as program:
            os.close(other)
            seen = b""
            while True:
                self.assertTrue(select.select([main], [], [], harness.TIMEOUT)[0])
                try:
                    seen += os.read(main, 4096)
                except OSError:  # the program has gone
                    break
        os.close(main)
        self.assertEqual(program.returncode, 0)
        before, _, after = seen.partition(b"\r\x1b[K")
        self.assertIn(b"silence", before)
        self.assertIn(b"...", before)
        self.assertIn(b"right", after)
        self.assertIn(b"\x1b[3", after)  # and in colour, which NO_COLOR takes away
        plain = run(PROGRAM, "lab", "healthy", env={**self.env, "NO_COLOR": "1"}).stdout
        self.assertNotIn(b"\x1b", plain)

    def test_a_signal_leaves_nothing_behind(self):
        with subprocess.Popen([PROGRAM, "lab", *["silence"] * 20], stdout=subprocess.PIPE,
                              env=self.env) as program:
            self.assertIn(b"scenario", program.stdout.readline())
            harness.until(lambda: os.listdir(self.tmp), "the lab's folder")
            program.send_signal(signal.SIGTERM)
            began = time.monotonic()
            self.assertEqual(program.wait(harness.TIMEOUT), -signal.SIGTERM)
            self.assertLess(time.monotonic() - began, harness.TIMEOUT)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_without_a_network(self):
        """In a network namespace with nothing but a loopback, where that can be had."""
        alone = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"',
                 "sh"]
        if run(*alone, "true", check=False).returncode != 0:
            raise unittest.SkipTest("no namespaces here")
        done = run(*alone, PROGRAM, "lab", "healthy", "no-such-host", "box-behind", env=self.env)
        self.assertIn(b"3 of 3 verdicts are right", done.stdout)


if __name__ == "__main__":
    harness.main()
