"""The edge under the configuration of a gateway: what it takes, what it
refuses and how, what becomes of streams when it changes."""

import os
import pathlib
import re
import signal
import time

import pytest

import edge_alone
from conftest import Lab
from edge_alone import FakeGateway
from rogue import Rogue, Stream

ROMEO = "romeo@sip.example"
PEER = "peer.example"
OPEN = {"domain": "*", "tls": "OPTIONAL", "sasl": "OPTIONAL",
        "dialback": "OPTIONAL"}


@pytest.fixture(scope="module")
def edge_lab():
    edge_alone.build()
    lab = Lab(f"fede{os.getpid()}", LAB_PARTS="dns edge")
    try:
        yield lab.up()
        assert lab.stop_daemons(["edge"]) == []
    finally:
        lab("down")


@pytest.fixture
def gateway(edge_lab):
    fake = FakeGateway(edge_lab)
    yield fake
    if fake.process.poll() is None:
        fake.end()


@pytest.fixture(scope="module")
def peer(edge_lab):
    rogue = Rogue(edge_lab, PEER, "198.51.100.50")
    yield rogue
    rogue.close()


_revision = 0


def next_revision():
    global _revision
    _revision += 1
    return _revision


def put(gateway, *partners, **more):
    """A Config with these partners in force."""
    number = next_revision()
    answer = gateway.config({"revision": number, "partner": list(partners),
                             **more})
    assert answer == {"revision": number, "check": False, "in_force": number,
                      "refused": ""}
    return number


def stanza(body, sender=f"x@{PEER}"):
    return (f"<message from='{sender}' to='{ROMEO}' id='i' type='chat'>"
            f"<body>{body}</body></message>")


def file_of(lab):
    return pathlib.Path(lab.env["LAB_STATE"], "edge", "federation.pb")


# ---- what is taken ----------------------------------------------------------


def test_taken_and_kept(edge_lab, gateway):
    number = put(gateway, OPEN)
    assert file_of(edge_lab).stat().st_mode & 0o777 == 0o600
    # without any gateway
    gateway.end()
    edge_lab("restart", "edge")
    edge_lab.wait_log("edge", rf"event=config revision={number} from=file")


def test_revisions(gateway):
    first = put(gateway, OPEN)
    again = {"revision": first, "partner": [OPEN]}
    assert gateway.config(again)["refused"] == ""
    other = gateway.config({"revision": first, "partner": []})
    assert other["refused"].startswith("another configuration is in force")
    assert other["in_force"] == first
    older = gateway.config({"revision": first - 1, "partner": [OPEN]})
    assert older["refused"] == (f"revision {first} is in force, which is "
                                "newer")
    assert gateway.config({"partner": [OPEN]})["refused"] == (
        "it has no revision")


def test_check_only(gateway):
    now = put(gateway, OPEN)
    asked = {"revision": now + 1, "partner": [], "check_only": True}
    for _ in range(2):
        assert gateway.config(asked) == {"revision": now + 1, "check": True,
                                         "in_force": now, "refused": ""}


REFUSED = [
    ({"domain": {"name": "other.example"}},
     'served domain "other.example": the host file has no certificate for it'),
    ({"partner": {"domain": "Upper.example"}},
     'partner "Upper.example" is not a domain in its normal form'),
    ({"partner": [{"domain": "a.example"}, {"domain": "a.example"}]},
     'partner "a.example": is there twice'),
    ({"partner": {"domain": "sip.example"}},
     'partner "sip.example": is served by this edge'),
    ({"partner": {"domain": "a.example", "connection_limit": 1001}},
     'partner "a.example": connection_limit 1001 is above s2s.streams_max '
     "1000 of this edge"),
    ({"partner": {"domain": "a.example", "proxy_host": "a b"}},
     'partner "a.example": proxy_host is not "host" or "host:port"'),
    ({"denied": "*"}, 'denied "*" is not a domain'),
    ({"settings": {"connection_limit": 2000}},
     "connection_limit 2000 is above s2s.streams_max 1000 of this edge"),
    ({"settings": {"stream_establishment_timeout_s": 601}},
     "stream_establishment_timeout is 601 s, expected at most 600"),
    ({"dialback_secret": b"short"},
     "the dialback secret has 5 bytes, expected 16 to 4096"),
]


@pytest.mark.parametrize("what, text", REFUSED)
@pytest.mark.parametrize("is_check", [True, False], ids=["check", "real"])
def test_refused_by_name(gateway, what, text, is_check):
    now = put(gateway, OPEN)
    answer = gateway.config({"revision": now + 1, "check_only": is_check,
                             **what})
    assert answer["refused"].startswith(text)
    assert answer["in_force"] == now
    # nothing of it is in force
    next_one = put(gateway, OPEN)
    assert next_one == now + 1


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: b"", lambda data: b"x" + data,
    lambda data: data[:-1] + bytes([data[-1] ^ 1])],
    ids=["torn", "empty", "foreign", "bit"])
def test_broken_file(edge_lab, gateway, damage):
    """It starts all the same, from the host file, and says so."""
    put(gateway, OPEN)
    gateway.end()
    edge_lab("stop", "edge")
    file = file_of(edge_lab)
    file.write_bytes(damage(file.read_bytes()))
    edge_lab("start", "edge")
    log = edge_lab.log("edge")
    begin = log.rindex("event=config_file")
    assert "in_force=host" in log[begin:].splitlines()[0]
    assert "event=config revision=0 from=host" in log[begin:]
    file.unlink()
    edge_lab("restart", "edge")


def test_cannot_be_kept(edge_lab, gateway):
    """What would be gone with a restart is not taken."""
    now = put(gateway, OPEN)
    beside = file_of(edge_lab).with_suffix(".pb.new")
    beside.mkdir()
    try:
        answer = gateway.config({"revision": now + 1, "partner": [OPEN]})
    finally:
        beside.rmdir()
    assert f"{beside}: File exists" in answer["refused"]
    assert answer["in_force"] == now
    put(gateway, OPEN)
