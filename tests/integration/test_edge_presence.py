"""The edge alone: what gateways hear of streams, and presence."""

import os
import re
import signal
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


def test_nothing_is_lost_in_a_session(edge_lab, gateway):
    """What happens while the connection is broken is told on the next."""
    peer = Peer(edge_lab, "resume.example", 46)
    stream = peer.connect().open().start_tls().open()
    os.kill(gateway.process.pid, signal.SIGSTOP)
    edge_lab("exec", "dmz", "ss", "-K", "sport", "=", "23456")
    stream.authenticate()
    time.sleep(0.5)
    os.kill(gateway.process.pid, signal.SIGCONT)
    event(gateway, "opened", "in", "resume.example")
    stream.close()
    event(gateway, "closed", "in", "resume.example")


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


# ---- presence: whose word is it, and in which order ------------------------


TYPES = ["subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe",
         "available", "unavailable", "error"]


def presence(kind, number, sender, status=""):
    """As an XMPP server would send it."""
    attr = "" if kind == "available" else f" type='{kind}'"
    error = ("<error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:"
             "xmpp-stanzas'/></error>" if kind == "error" else
             f"<status>{status}</status>")
    return (f"<presence from='{sender}' to='romeo@sip.example' id='{number}'"
            f"{attr}>{error}</presence>")


@pytest.fixture(scope="module")
def peer(edge_lab):
    """A partner with a stream in each direction."""
    peer = Peer(edge_lab, "partner.example", 45)
    peer.serve(peer.script)
    peer.outbound = peer.authenticated()
    yield peer
    peer.close()


class Since:
    """A stream that another thread reads, from a moment on."""

    def __init__(self, streams, token):
        edge_alone.wait_until(lambda: any(token in s.seen for s in streams))
        self._stream = next(s for s in streams if token in s.seen)
        self._from = self._stream.seen.index(token) + len(token)
        self.drop = self._stream.drop

    @property
    def seen(self):
        return self._stream.seen[self._from:]


@pytest.fixture
def stream(peer, gateway):
    """The edge's stream to the partner."""
    token = f"begin{time.monotonic()}"
    gateway.presence("probe", "romeo@sip.example", "x@partner.example", token)
    assert gateway.outcome() == "delivered"
    return Since(peer.streams, f"{token}</status></presence>")


def test_written_is_delivered(gateway, stream):
    """Every type, without a ping behind it."""
    for kind in TYPES:
        gateway.presence(kind, "romeo@sip.example", "x@partner.example", kind)
        assert gateway.outcome() == "delivered", kind
    edge_alone.wait_until(lambda: stream.seen.count("<presence ") == 8)
    got = re.findall(r"<presence from='romeo@sip.example' to='x@partner."
                     r"example' id='\w+'(?: type='(\w+)')?>", stream.seen)
    assert [kind or "available" for kind in got] == TYPES
    assert "<iq " not in stream.seen


@pytest.mark.parametrize("domain, outcome", [
    ("nowhere2.example", "remote-server-not-found"),
    ("closed2.example", "remote-server-timeout"),
])
def test_cannot_be_reached(edge_lab, gateway, domain, outcome):
    """The gateway is told for each type, by the attempt and while none is
    made."""
    if domain.startswith("closed"):
        edge_lab("dns", "add", f"_xmpp-server._tcp.{domain}. 60 IN SRV "
                 f"0 0 5999 h.{domain}.", f"h.{domain}. 60 IN A 198.51.100.10")
    for kind in TYPES:
        gateway.presence(kind, "romeo@sip.example", f"x@{domain}")
        assert gateway.outcome() == outcome, kind
    edge_alone.none_of(gateway, f"^outcome {gateway.sent} ", 0.5)


def test_only_subscribe_is_answered(peer, gateway, stream):
    """The gateway refuses all of them."""
    for kind in TYPES:
        peer.outbound.send(presence(kind, f"r-{kind}", "x@partner.example",
                                    "refuse"))
        if kind != "error":
            gateway.expect(f"^stanza presence/{kind} from=x@partner.example "
                           "to=romeo@sip.example .*body=refuse$")
    # what comes behind them all
    peer.outbound.send("<message from='x@partner.example' id='last' "
                       "to='romeo@sip.example'><body>refuse</body></message>")
    edge_alone.wait_until(lambda: "id='last'" in stream.seen)
    answers = re.findall(r"<(?:presence|message|iq)[^>]* id='([\w-]+)'"
                         r"[^>]*type='(\w+)'", stream.seen)
    assert answers == [("r-subscribe", "error"), ("last", "error")]
    assert "<item-not-found " in stream.seen


def test_no_gateway_takes_it(peer, gateway, stream):
    """After five seconds subscribe is answered, nothing else."""
    gateway.end()
    for kind in TYPES:
        peer.outbound.send(presence(kind, f"n-{kind}", "x@partner.example"))
    edge_alone.wait_until(lambda: "<error " in stream.seen, 20)
    time.sleep(1)
    answers = re.findall(r"<(?:presence|message|iq)[^>]* id='([\w-]+)'"
                         r"[^>]*type='(\w+)'", stream.seen)
    assert answers == [("n-subscribe", "error")]
    assert "<remote-server-timeout " in stream.seen


def numbers(pattern, text):
    return [int(n) for n in re.findall(pattern, text)]


def test_burst_each_way(peer, gateway, stream, record_property):
    """Ten thousand at two thousand a second, both ways at once: all arrive,
    in order, and none is refused."""
    count, per_second = 10000, 2000
    began = time.monotonic()

    def send():
        for first in range(0, count, 100):
            time.sleep(max(0, began + first / per_second - time.monotonic()))
            peer.outbound.send("".join(
                presence("available", n, "x@partner.example/r", n)
                for n in range(first, first + 100)))

    sender = threading.Thread(target=send)
    sender.start()
    gateway.burst(count, per_second, "romeo@sip.example/r",
                  "x@partner.example")
    first = gateway.sent - count + 1
    came, outcomes = [], {}
    while len(came) < count or len(outcomes) < count:
        line = gateway.expect("^(stanza presence|outcome|send-failed)").string
        if line.startswith("stanza"):
            came.append(int(line.rsplit("=", 1)[1]))
        else:
            _, number, what = line.split()
            outcomes[int(number)] = what
    sender.join()
    seconds = time.monotonic() - began
    record_property("seconds", round(seconds, 1))
    edge_alone.wait_until(
        lambda: f"<status>{count - 1}</status>" in stream.seen)
    assert came == list(range(count))
    assert numbers(r"<status>(\d+)</status>", stream.seen) == \
        list(range(count))
    assert set(outcomes) == set(range(first, first + count))
    assert set(outcomes.values()) == {"delivered"}
    assert seconds < 15


def test_order_when_a_stream_is_lost(peer, gateway, stream):
    """What was lost is lost or refused; the rest does not overtake it."""
    count = 4000
    before = len(peer.streams)
    gateway.burst(count, 2000, "romeo@sip.example/r", "x@partner.example")
    edge_alone.wait_until(lambda: "<status>1000</status>" in stream.seen)
    stream.drop()
    outcomes = [gateway.expect(r"^outcome \d+ (\S+)", 30)[1]
                for _ in range(count)]
    edge_alone.wait_until(
        lambda: f"<status>{count - 1}</status>" in peer.streams[-1].seen)
    assert len(peer.streams) > before
    got = [n for s in [stream, *peer.streams[before:]]
           for n in numbers(r"<status>(\d+)</status>", s.seen)]
    assert got == sorted(set(got))
    refused = len([what for what in outcomes if what != "delivered"])
    assert refused <= count - len(got)
