"""What the README tells a newcomer to type first."""

import os
import subprocess

from conftest import TOP, Lab


def test_demo():
    lab = Lab(f"demo{os.getpid()}")
    done = subprocess.run([str(TOP / "deploy/demo/demo")], text=True, cwd=TOP,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          env=lab.environ, timeout=120)
    lab("down", check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "juliet" in done.stdout and "romeo" in done.stdout
