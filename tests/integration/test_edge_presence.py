"""The edge alone: what gateways hear of streams, and presence."""

import os
import re
import threading
import time

import pytest

import edge_alone
from conftest import Lab
from edge_alone import FakeGateway
from rogue import Rogue, take_stream

NEWS_MS = 1000      # LIMIT_STREAM_NEWS_MS


@pytest.fixture(scope="module")
def edge_lab():
    edge_alone.build()
    lab = Lab(f"edgepresence{os.getpid()}", LAB_PARTS="dns prosody edge")
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


class Peer(Rogue):
    """A well-behaved server of one domain, whose stream of ours can be ended
    in either way."""

    def __init__(self, lab, domain, last_octet):
        super().__init__(lab, domain, f"198.51.100.{last_octet}")
        self.streams = []
        self.is_open = threading.Event()

    def script(self, stream):
        take_stream(stream)
        self.streams.append(stream)
        self.is_open.set()
        while stream.read():
            pass


def event(gateway, what, direction, domain, wait_s=15):
    """(in order, reason) of the next event of the domain, which must be this
    one."""
    got = gateway.expect(rf"^event (\w+) dir=(\w+) local=sip.example "
                         rf"peer={domain} in_order=(\d) reason=(.*)$", wait_s)
    assert (got[1], got[2]) == (what, direction), got.string
    return got[3] == "1", got[4]


# ---- what gateways hear of streams -----------------------------------------


def test_attempt_that_fails(gateway):
    gateway.send("romeo@sip.example", "x@nobody.example", "hello")
    _, reason = event(gateway, "failed", "out", "nobody.example")
    assert reason.startswith("dns"), reason
    assert gateway.outcome() == "remote-server-not-found"


def test_stream_of_ours(edge_lab, gateway):
    peer = Peer(edge_lab, "ours.example", 41)
    peer.serve(peer.script)
    try:
        for how in ("goodbye", "drop", "error"):
            peer.is_open.clear()
            gateway.send("romeo@sip.example", "x@ours.example", how)
            event(gateway, "opened", "out", "ours.example")
            assert peer.is_open.wait(10)
            stream = peer.streams[-1]
            if how == "goodbye":
                stream.send("</stream:stream>")
            elif how == "drop":
                stream.close()
            else:
                stream.send("<stream:error><system-shutdown xmlns='urn:ietf:"
                            "params:xml:ns:xmpp-streams'/></stream:error>"
                            "</stream:stream>")
            in_order, reason = event(gateway, "closed", "out", "ours.example")
            assert in_order == (how == "goodbye"), reason
            assert reason.startswith({"goodbye": "closed", "drop": "eof",
                                      "error": "error-got system-shutdown"}
                                     [how]), reason
    finally:
        peer.close()


def test_streams_of_a_peer(edge_lab, gateway):
    """Two of one pair are one; the last end counts."""
    peer = Peer(edge_lab, "theirs.example", 42)
    first = peer.authenticated()
    event(gateway, "opened", "in", "theirs.example")
    second = peer.authenticated()
    first.close()
    with pytest.raises(AssertionError):
        event(gateway, "closed", "in", "theirs.example", 2 * NEWS_MS / 1000)
    second.send("</stream:stream>").end()
    assert event(gateway, "closed", "in", "theirs.example") == \
        (True, "closed (closed by the peer)")


def test_flapping_peer(edge_lab, gateway):
    """At most three events in a second, and the last one is the truth."""
    peer = Peer(edge_lab, "flap.example", 43)
    began = time.monotonic()
    for _ in range(30):
        peer.authenticated().close()
    last = peer.authenticated()
    seconds = time.monotonic() - began
    events = [event_name(line) for line in
              edge_alone.lines_of(gateway, 2.5 * NEWS_MS / 1000)
              if line.startswith("event") and "peer=flap.example" in line]
    assert len(events) <= 3 * (seconds * 1000 / NEWS_MS + 2), events
    assert events[-1] == "opened" and "closed" in events
    # they take turns
    assert all(a != b for a, b in zip(events, events[1:])), events
    last.close()


def event_name(line):
    return re.match(r"event (\w+)", line)[1]


def test_new_session_hears_nothing_of_the_past(edge_lab, gateway):
    peer = Peer(edge_lab, "past.example", 44)
    stream = peer.authenticated()
    event(gateway, "opened", "in", "past.example")
    gateway.end()
    successor = FakeGateway(edge_lab)
    try:
        assert [line for line in
                edge_alone.lines_of(successor, 2 * NEWS_MS / 1000)
                if line.startswith("event")] == []
        stream.close()
        event(successor, "closed", "in", "past.example")
    finally:
        successor.end()
