"""One process of the load generator, in a namespace of the lab."""

import contextlib
import json
import subprocess

from conftest import LAB


class Side:
    """Takes command lines, answers each with one of JSON."""

    def __init__(self, lab, node, program, *args, pass_fds=(), prefix=()):
        self.name = program.name
        self.process = subprocess.Popen(
            [str(LAB), "exec", node, *prefix, str(program), *args],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=lab.environ, pass_fds=pass_fds)
        self.pid = self.process.pid    # every step from lab to it is an exec
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"load/{self.name} ended")
        return json.loads(line)

    def __call__(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass                # answer() says that it ended
        return self.answer()

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
