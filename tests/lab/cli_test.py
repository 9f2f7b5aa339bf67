"""The command line before any subcommand does its work."""

import subprocess
import unittest


def tlsblame(*args):
    """What `tlsblame ARGS` answered."""
    return subprocess.run(
        ["./tlsblame", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


class Usage(unittest.TestCase):
    def test_version(self):
        for args in ["--version"], ["version"]:
            run = tlsblame(*args)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertRegex(run.stdout, r"^tlsblame \d+\.\d+\.\d+\n$")

    def test_help_lists_every_subcommand(self):
        for args in ["--help"], ["-h"], ["help"]:
            run = tlsblame(*args)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertRegex(run.stdout, r"(?m)^  help ")
            self.assertRegex(run.stdout, r"(?m)^  version ")

    def test_no_command_is_bad_usage(self):
        run = tlsblame()
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn("usage: tlsblame", run.stderr)

    def test_unknown_command_is_bad_usage(self):
        run = tlsblame("frobnicate")
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn("'frobnicate'", run.stderr)
