"""fedctl, as an operator runs it on the host of a daemon."""

import json
import pathlib
import re
import shlex
import subprocess


class Fedctl:
    """fedctl("gateway", "show", "version"), or .json() for the document."""

    def __init__(self, lab):
        self.lab = lab

    def __call__(self, service, *words, status=0, **more):
        path = self.lab.env[f"LAB_{service.upper()}_ADMIN"]
        done = subprocess.run(
            [str(pathlib.Path(self.lab.env["LAB_BIN"]) / "fedctl"), *words],
            text=True, timeout=60, env={"FEDCTL_SOCKET": path},
            **{"capture_output": True, **more})
        assert status in (None, done.returncode), (words, done)
        return done

    def json(self, service, *words):
        """The one member of its document."""
        document = json.loads(self(service, "--json", *words).stdout)
        assert len(document) == 1
        return document.popitem()[1]

    def commands(self):
        """Those that its help lists: name to words of its example."""
        text = self("gateway", "help").stdout
        names = re.findall(r"^  ([a-z]+(?: [a-z]+)*)(?= \[?[A-Z]| -|  )", text,
                           re.M)
        return {name: self.example(name) for name in names}

    def example(self, name):
        text = self("gateway", "help", *name.split()).stdout
        return shlex.split(re.search(r"^example: fedctl (.*)$", text, re.M)[1])
