"""The README holds: its commands exist, its examples work, its output is the program's."""

import os
import re
import subprocess

from tests.lab import harness
from tests.lab.harness import PROGRAM, TIMEOUT, free_port, run, until

with open("README.md", encoding="utf-8") as f:
    README = f.read()


def section(title):
    """What is below a title of the README."""
    return re.search(rf"(?ms)^## {title}\n(.*?)(?=^## |\Z)", README)[1]


def commands():
    """The subcommands that the program names, those about the program itself aside."""
    overview = run(PROGRAM, "--help").stdout.decode()
    listed = overview.partition("Commands:\n")[2].partition("\n\n")[0]
    return set(re.findall(r"(?m)^  (\S+)", listed)) - {"version", "help"}


class Readme(harness.Lab):
    def test_commands(self):
        told = re.findall(r"(?m)^\| `(\w+)", section("Commands"))
        self.assertEqual(set(told), commands())

    def test_every_command_has_help_of_the_same_form(self):
        for command in sorted(commands()):
            with self.subTest(command=command):
                for option in "--help", "-h":
                    done = run(PROGRAM, command, option)
                    self.assertEqual(done.stderr, b"")
                    text = done.stdout.decode()
                    self.assertRegex(text, rf"\Ausage: tlsblame {command} ")
                    self.assertRegex(text, r"(?m)^  -h, --help +show this$")
                    self.assertRegex(text, r"(?m)^Exit status: 0")
                    self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_policy_example(self):
        example = self.file("policy.json", re.search(r"(?s)```json\n(.*?)```", README)[1])
        run(PROGRAM, "policy", "check", example)

    def test_profile_example(self):
        example = self.file("box.json", re.search(r"(?s)```json\n(.*?)```", section("Profiles"))[1])
        run(PROGRAM, "profiles", "check", example)

    def test_five_minutes(self):
        """The lines as they stand, but for the port, and the output as it stands, but for what
        changes from run to run."""
        text = section("Five minutes")
        port = str(free_port())
        shown = "\n".join(re.findall(r"(?m)^    (.*)$|^$", text)).replace("8443", port)
        lines = [line for line in shown.split("\n") if line.startswith("openssl ")]
        self.assertEqual(len(lines), 4)
        for line in lines[:3]:
            run("sh", "-c", line, cwd=self.dir)
        server = subprocess.Popen(lines[3].rstrip(" &").split(), cwd=self.dir,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        environment = {**os.environ, "HOME": self.dir, "COLUMNS": "80", "PATH": os.environ["PATH"]}
        for name in "XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE", "no_proxy", "NO_PROXY":
            environment.pop(name, None)
        said = ""
        for line in re.findall(r"(?m)^\$ bazel-bin/tlsblame (.*)$", shown):
            until(lambda: listens(int(port)), "openssl to listen")
            done = subprocess.run([PROGRAM, *line.split()], cwd=self.dir, env=environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                                  timeout=TIMEOUT, check=False)
            said += done.stderr + done.stdout
        expected = shown[shown.index("$ bazel-bin"):]
        for line in expected.split("\n"):
            if line not in ("", "...") and not line.startswith("$ "):
                with self.subTest(line=line):
                    self.assertIn(steady(line), steady(said))


def listens(port):
    """Whether somebody listens on the port; the connection is closed at once."""
    with open("/proc/net/tcp", encoding="ascii") as tcp, \
         open("/proc/net/tcp6", encoding="ascii") as tcp6:
        return re.search(rf"(?m)^.*:{port:04X} [0:]+ 0A ", tcp.read() + tcp6.read()) is not None


def steady(text):
    """A line of output without times, ids, chance names, sureness and the width of columns."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d\d:\d\d:\d\d|\d+\.\d ms|\b[0-9a-f]{16}\b", "#", text)
    text = re.sub(r"\((possible|likely|certain)\)", "(#)", text)  # by who keeps this clock
    text = re.sub(r"tlsblame CA \w{8}|curl/[\d.]+|127\.0\.0\.1:\d+", "#", text)
    return re.sub(r"[ -]+", " ", text)
