"""Many streams: a thousand that say nothing cost nothing, and the limit of
the host file holds."""

import os
import re
import socket
import sys
import time

import pytest

import admin_wire
import edge_alone
import netns
from conftest import TOP, Lab

sys.path.insert(0, str(TOP / "tests/bench"))
from side import Side

COUNT = 1000
CROWD = "build/release/bench/load/crowd"


@pytest.fixture(scope="module")
def edge_lab():
    edge_alone.build(CROWD)
    lab = Lab(f"streams{os.getpid()}", LAB_PARTS="dns edge gateway",
              LAB_LOG_LEVEL="info")
    try:
        yield lab.up()
        assert lab.stop_daemons() == []
    finally:
        lab("down")


def certificate(lab, name):
    out = lab("cert", name).stdout
    return [re.search(rf"^{key}=(.*)$", out, re.M)[1]
            for key in ("ca", "cert", "key")]


def is_open(sock):
    sock.settimeout(0.5)
    try:
        return sock.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False


def test_limit_of_the_host_file(edge_lab):
    """A quarter is kept for the edge's own: six of eight."""
    edge_lab.edit("edge", "s2s:\n", "s2s:\n  streams_max: 8\n")
    address = (edge_lab.env["LAB_EDGE_OUTER_IP"], 5269)
    with netns.inside(edge_lab.namespace("inet")):
        socks = [socket.create_connection(address) for _ in range(7)]
    assert [is_open(sock) for sock in socks] == [True] * 6 + [False]
    edge_lab.wait_log("edge", "event=connection_refused .*limit=streams ")
    for sock in socks:
        sock.close()
    edge_lab.edit("edge", "streams_max: 8", f"streams_max: {COUNT + 400}")
    path = edge_lab.env["LAB_GATEWAY_ADMIN"]
    admin_wire.apply(path, [admin_wire.settings(
        path, connection_limit=COUNT + 400)])


def established(lab):
    out = lab("exec", "dmz", "ss", "-Htn", "state", "established",
              "sport = :5269").stdout
    return len(out.splitlines())


def test_a_thousand_idle_streams(edge_lab):
    """Inbound ones with certificates, each of another partner's server."""
    edge = f"{edge_lab.env['LAB_EDGE_OUTER_IP']}:5269"
    crowd = Side(edge_lab, "inet", TOP / CROWD, edge,
                 *certificate(edge_lab, "load.example"),
                 *certificate(edge_lab, "*.load.example")[1:])
    try:
        assert crowd(f"idle {COUNT}") == {"open": COUNT}
        time.sleep(1)
        for service in ("edge", "gateway"):
            assert edge_lab.wakeups_per_s(service, 5) < 5, service
        assert established(edge_lab) == COUNT
        assert crowd("idle 0") == {"open": 0}
    finally:
        crowd.end()
