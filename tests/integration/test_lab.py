"""The lab itself: two at once, peers from outside, nothing left behind."""

import os
import pathlib
import subprocess

from conftest import Lab


def namespaces():
    out = subprocess.run(["ip", "netns", "list"], capture_output=True,
                         text=True, check=True).stdout
    return {line.split()[0] for line in out.splitlines() if line}


def test_two_labs_and_nothing_left(lab):
    other = Lab(f"second{os.getpid()}", LAB_PARTS="dns kamailio")
    try:
        other.up()
        assert other.namespace("inet") in namespaces()
        assert lab.namespace("inet") in namespaces()
        assert other("status").returncode == 0
        assert lab("status").returncode == 0
    finally:
        other("down")
    assert not [n for n in namespaces() if n.startswith(other.name)]
    assert not pathlib.Path(other.env["LAB_STATE"]).exists()
    assert not list(pathlib.Path("/etc/netns").glob(f"{other.name}-*"))
    left = subprocess.run(["pgrep", "-fa", f"/{other.name}/"],
                          capture_output=True, text=True).stdout
    assert left == ""


def test_a_name_and_a_certificate_from_outside(lab):
    lab("dns", "add", "peer.example. 60 IN A 198.51.100.30")
    out = lab("dns", "list").stdout
    assert "peer.example" in out
    out = lab("cert", "peer.example").stdout
    paths = dict(line.split("=", 1) for line in out.split())
    assert {"cert", "key", "ca"} <= set(paths)
    done = subprocess.run(["openssl", "verify", "-CAfile", paths["ca"],
                           paths["cert"]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_bad_record_is_refused(lab):
    done = lab("dns", "add", "this is no record", check=False)
    assert done.returncode != 0
    assert done.stderr.strip()
