"""An edge asked through a gateway, and what either side may do wrong."""

import os
import pathlib
import queue
import re
import subprocess
import threading
import time

import pytest

import edge_alone

TOP = pathlib.Path(__file__).resolve().parents[2]
FAKE_EDGE = "build/release/integration/fake_edge"
EDGE = "edge1.dmz.example"
NOWHERE = "198.51.100.59"


def field(number, payload):
    """A protobuf field of bytes."""
    assert len(payload) < 128
    return bytes([number << 3 | 2, len(payload)]) + payload


def show(what):
    """AdminRequest"""
    return field(3, bytes([8, what]))


LAST = bytes([3 << 3, 1])
SHOW_VERSION, SHOW_STREAMS, SHOW_CHANNELS = show(0), show(1), show(3)


def version(program):
    """AdminResponse"""
    return field(4, field(1, program))


# ---- the real ones ---------------------------------------------------------

def test_all_of_an_edge(fedctl):
    for what in ("version", "counters", "channels", "streams", "queues"):
        words = ["show", what]
        asked = fedctl.json("gateway", "--edge", EDGE, *words)
        itself = fedctl.json("edge", *words)
        assert type(asked) is type(itself)
        if what == "version":
            assert asked["instance"] == itself["instance"] == EDGE
        elif what == "counters":
            assert set(asked) == set(itself)
        elif what == "channels":
            assert asked[0]["peer"] == "gw1.inside.example"


def test_who_asked_is_known_to_both(lab, fedctl):
    assert fedctl("gateway", "--edge", EDGE, "log", "info").stdout == \
        "the log's level is info now\n"
    try:
        lab.wait_log("gateway", rf"event=admin_request uid=0 pid=\d+ edge="
                                rf"{EDGE} request=log-level target=info\n")
        lab.wait_log("edge", r"event=admin_request gateway=gw1\.inside\."
                             r"example request=log-level target=info\n")
    finally:
        fedctl("gateway", "--edge", EDGE, "log", "debug")


def test_not_an_edge_of_ours(fedctl):
    done = fedctl("gateway", "--edge", "edge7\x1b", "show", "version",
                  status=1)
    assert done.stderr == \
        'fedctl: the edge "edge7\\x1b" is none of channel.edges\n'
    done = fedctl("gateway", "--edge", EDGE[:-1], "show", "version", status=1)
    assert done.stderr.endswith(f'; did you mean "{EDGE}"?\n')
    done = fedctl("gateway", "show", "streams", status=1)
    assert done.stderr == "fedctl: XMPP streams and their queues are an " \
                          f"edge's: --edge {EDGE}\n"
    done = fedctl("edge", "--edge", EDGE, "show", "version", status=1)
    assert "ask a gateway" in done.stderr
    done = fedctl("gateway", "--edge", EDGE, "presence", "show", "x@y",
                  status=1)
    assert "ask a gateway" in done.stderr


def test_many_queues(lab, fedctl, romeo):
    """More than one response."""
    names = [f"slow{i}.example" for i in range(70)]
    lab("dns", "add", *(f"{name}. 60 IN A {NOWHERE}" for name in names))
    lab("fault", "cut", "edge", NOWHERE)
    senders = [threading.Thread(target=romeo.message,
                                args=(f"sip:nobody@{name}", "waits"))
               for name in names]
    for sender in senders:
        sender.start()
    try:
        until = time.monotonic() + 10
        seen = set()
        while seen != set(names):
            assert time.monotonic() < until, len(seen)
            asked = fedctl.json("gateway", "--edge", EDGE, "show", "queues")
            assert len(asked) == len({q["peer"] for q in asked})
            seen = {q["peer"] for q in asked}
        itself = fedctl.json("edge", "show", "queues")
        assert {q["peer"] for q in itself} == set(names)
        streams = fedctl.json("gateway", "--edge", EDGE, "show", "streams")
        assert {s["peer"] for s in streams} >= set(names)
        assert [s["id"] for s in streams] == sorted(s["id"] for s in streams)
    finally:
        for sender in senders:
            sender.join(40)
        lab("fault", "heal")
        lab("dns", "remove", *(f"{name}." for name in names))


def test_an_edge_that_is_away(lab, fedctl):
    lab("stop", "edge")
    try:
        done = fedctl("gateway", "--edge", EDGE, "show", "version", status=1)
        assert done.stderr == \
            f'fedctl: the edge "{EDGE}" has no channel now\n'
    finally:
        lab("start", "edge")
        lab("wait-channel")


def test_an_edge_that_hangs(lab, fedctl):
    lab("fault", "freeze", "edge")
    try:
        began = time.monotonic()
        done = fedctl("gateway", "--edge", EDGE, "show", "version", status=1)
        assert done.stderr == f'fedctl: the edge "{EDGE}" does not answer\n'
        assert 4 < time.monotonic() - began < 8
        # the gateway itself goes on
        fedctl("gateway", "show", "version")
    finally:
        lab("fault", "thaw", "edge")


# ---- a gateway that does as it likes ---------------------------------------

class Relaying(edge_alone.FakeGateway):
    """Sends requests as bytes."""

    def ask(self, number, payload=b""):
        self.process.stdin.write(f"admin {number} {payload.hex() or '-'}\n")
        self.process.stdin.flush()

    def answer(self, number):
        return bytes.fromhex(self.expect(rf"^relay {number} (\w+)$")[1])


@pytest.fixture
def gateway(lab):
    edge_alone.build()
    lab("stop", "gateway")
    fake = Relaying(lab)
    try:
        yield fake
        fake.ask(999, SHOW_VERSION)     # the edge is well
        assert b"edge-proxy" in fake.answer(999)
    finally:
        fake.end()
        lab("start", "gateway")
        lab("wait-channel")


def test_requests_of_a_gateway(gateway):
    gateway.ask(1, SHOW_VERSION)
    assert b"edge-proxy" in gateway.answer(1)
    # it was the last response
    gateway.ask(1)
    assert b"the edge has forgotten the request" in gateway.answer(1)
    # the same number again is another request
    gateway.ask(1, SHOW_CHANNELS)
    assert b"gw1.inside.example" in gateway.answer(1)
    for garbage in (b"\xff\xff", field(2, b"\xff"), show(99)):
        gateway.ask(2, garbage)
        assert b"this is not a request" in gateway.answer(2)
    gateway.ask(3, field(2, b"edge2") + SHOW_VERSION)   # its edge is ignored
    assert b"edge-proxy" in gateway.answer(3)
    gateway.ask(4, b"\x08\x05")                         # asks for nothing
    assert b"an edge knows no such request" in gateway.answer(4)


def test_a_gateway_that_never_asks_for_the_rest(lab, gateway):
    """The edge keeps 16 requests."""
    names = [f"pending{i}.example" for i in range(40)]
    lab("dns", "add", *(f"{name}. 60 IN A {NOWHERE}" for name in names))
    lab("fault", "cut", "edge", NOWHERE)
    try:
        for name in names:
            gateway.send("romeo@sip.example", f"nobody@{name}", "x")
        until = time.monotonic() + 9
        while True:     # until an answer has a second part
            gateway.ask(100, SHOW_STREAMS)
            if LAST not in gateway.answer(100)[-2:]:
                break
            assert time.monotonic() < until
            time.sleep(0.05)
        for number in range(101, 118):
            gateway.ask(number, SHOW_STREAMS)
            gateway.answer(number)
        gateway.ask(101)
        assert b"the edge has forgotten the request" in gateway.answer(101)
        gateway.ask(117)
        assert b".example" in gateway.answer(117)
    finally:
        lab("fault", "heal")
        lab("dns", "remove", *(f"{name}." for name in names))


# ---- an edge that does as it likes -----------------------------------------

class FakeEdge:
    """tests/integration/fake_edge.c in the place of the edge."""

    def __init__(self, lab):
        pki = f"{lab.env['LAB_STATE']}/pki/channel/edge"
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", lab.namespace("dmz"),
             str(TOP / FAKE_EDGE), lab.env["LAB_CHANNEL"], EDGE,
             "gw1.inside.example", lab.env["LAB_CHANNEL_CA"],
             f"{pki}/chain.pem", f"{pki}/key.pem"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.expect("^UP")

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def expect(self, pattern, wait_s=15):
        until = time.monotonic() + wait_s
        while True:
            line = self.lines.get(timeout=max(until - time.monotonic(), 0.01))
            match = re.search(pattern, line)
            if match:
                return match

    def asked(self):
        """(number, payload) of the next request."""
        match = self.expect(r"^relay (\d+) (\S+)$")
        payload = b"" if match[2] == "-" else bytes.fromhex(match[2])
        return int(match[1]), payload

    def asked_anew(self):
        """Number of the next request that is none for the rest."""
        while True:
            number, payload = self.asked()
            if payload:
                return number

    def answer(self, number, payload):
        self.process.stdin.write(f"admin {number} {payload.hex()}\n")
        self.process.stdin.flush()

    def end(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def edge(lab):
    edge_alone.build(FAKE_EDGE)
    lab("stop", "edge")
    fake = FakeEdge(lab)
    try:
        yield fake
    finally:
        fake.end()
        lab("start", "edge")
        lab("wait-channel")


class Asking(threading.Thread):
    """fedctl, beside the test."""

    def __init__(self, fedctl, *words, status=0):
        super().__init__()
        self.fedctl, self.words, self.status = fedctl, words, status
        self.done, self.error = None, None
        self.start()

    def run(self):
        try:
            self.done = self.fedctl("gateway", "--edge", EDGE, *self.words,
                                    status=self.status)
        except AssertionError as error:
            self.error = error

    def end(self):
        self.join(20)
        assert self.error is None, self.error
        return self.done


def test_each_response_is_asked_for(fedctl, edge):
    asking = Asking(fedctl, "--json", "show", "queues")
    number, payload = edge.asked()
    assert payload == b"\x08\x01" + show(2)
    for name in (b"a.example", b"b.example"):
        edge.answer(number, field(6, field(1, b"sip.example") +
                                  field(2, name)))
        assert edge.asked() == (number, b"")
    edge.answer(number, LAST)
    text = asking.end().stdout
    assert re.findall(r'"peer": "(\w\.example)"', text) == \
        ["a.example", "b.example"]


def test_an_edge_that_lies(lab, fedctl, edge):
    """Answers nobody asked for, of others, broken, too many at once."""
    asking = Asking(fedctl, "show", "version")
    number, _ = edge.asked()
    edge.answer(number + 1, version(b"nobody asked") + LAST)
    edge.answer(0, version(b"nobody asked") + LAST)
    edge.answer(number, version(b"truth") + LAST)
    edge.answer(number, version(b"twice") + LAST)
    assert asking.end().stdout.startswith("truth ")

    asking = Asking(fedctl, "show", "version", status=1)
    number, _ = edge.asked()
    edge.answer(number, b"\xff\xff\xff")
    assert "does not answer" in asking.end().stderr

    asking = Asking(fedctl, "show", "version", status=1)
    number, _ = edge.asked()
    edge.answer(number, field(2, b"\xc2\x9b31m no"))
    assert r"\xc2\x9b31m no" in asking.end().stderr
    assert lab.pid("gateway") and os.path.exists(
        f"/proc/{lab.pid('gateway')}")


def test_fedctl_that_goes_away(lab, fedctl, edge):
    """What it asked for finds nobody any more, and does no harm."""
    path = lab.env["LAB_GATEWAY_ADMIN"]
    for _ in range(5):
        client = subprocess.Popen(
            [str(pathlib.Path(lab.env["LAB_BIN"]) / "fedctl"), "--socket",
             path, "--edge", EDGE, "show", "streams"],
            stdout=subprocess.DEVNULL)
        number = edge.asked_anew()
        client.kill()
        client.wait()
        edge.answer(number, version(b"late"))
    asking = Asking(fedctl, "show", "version")
    edge.answer(edge.asked_anew(), version(b"in time") + LAST)
    assert asking.end().stdout.startswith("in time ")
