"""One stream for both directions (XEP-0288), with real Prosodys, whoever opens
it. The other tests' Prosodys do not offer it."""

import glob
import os
import re
import time

import pytest

import edge_alone
from conftest import Lab
from edge_alone import FakeGateway
from xmpp_user import XmppUser, condition

ROMEO = "romeo@sip.example"


class Peer:
    """A Prosody of its own with the user nurse."""

    def __init__(self, lab, domain, ip, *options):
        self.lab, self.domain, self.ip = lab, domain, ip
        lab("prosody", domain, ip, "--bidi", *options)
        self.jid = f"nurse@{domain}"
        self.nurse = self.login()

    def login(self):
        return XmppUser(self.lab.namespace("inet"), self.jid,
                        self.lab.env["LAB_NURSE_PASSWORD"], self.ip)

    def streams(self):
        """What the edge logged of the streams with it: (direction, bidi)."""
        return re.findall(r"event=stream_open \S+ dir=(\w+) .*peer=%s .*"
                          r"bidi=(\d)" % re.escape(self.domain),
                          self.lab.log("edge"))

    def open_now(self):
        """How many of them are open now."""
        opened, closed = (set(re.findall(
            r"event=stream_%s (s2s=\d+) .*peer=%s " %
            (what, re.escape(self.domain)), self.lab.log("edge")))
            for what in ("open", "close"))
        return len(opened - closed)


@pytest.fixture(scope="module")
def bidi_lab():
    edge_alone.build()
    lab = Lab(f"bidi{os.getpid()}", LAB_PARTS="dns edge")
    try:
        yield lab.up()
        lab("stop", "edge")
        complaints = re.findall(r"AddressSanitizer|LeakSanitizer|"
                                r"runtime error:|event=broken_invariant",
                                lab.log("edge"))
        assert complaints == []
    finally:
        lab("down")


@pytest.fixture
def gateway(bidi_lab):
    fake = FakeGateway(bidi_lab)
    yield fake
    if fake.process.poll() is None:
        fake.end()


@pytest.fixture(scope="module")
def verona(bidi_lab):
    peer = Peer(bidi_lab, "verona.example", "198.51.100.20")
    yield peer
    peer.nurse.close()


def test_our_answer_takes_the_stream_that_the_peer_opened(gateway, verona):
    verona.nurse.send(ROMEO, "in")
    line = gateway.expect("body=in$").string
    assert "peer=verona.example mechanism=1 tls=TLSv1." in line
    gateway.send(ROMEO, verona.jid, "out")
    assert verona.nurse.next_message()["body"] == "out"
    # the peer's answer to the ping behind it comes there too
    assert gateway.outcome() == "delivered"
    assert verona.streams() == [("in", "1")]
    assert verona.open_now() == 1


def test_errors_of_the_peer_come_on_it(gateway, verona):
    for number in range(50):
        gateway.send(ROMEO, f"nobody{number}@verona.example", "?")
    lines = sorted(gateway.expect("^outcome").string for _ in range(50))
    assert lines == sorted(f"outcome {n + 1} service-unavailable"
                           for n in range(50))
    assert verona.open_now() == 1


def test_errors_of_ours_go_out_on_it(gateway, verona):
    sent = verona.nurse.send(ROMEO, "refuse this")
    gateway.expect("body=refuse this$")
    got = verona.nurse.next_message()
    assert got["id"] == sent and got["from"] == ROMEO
    assert condition(got) == ("item-not-found", "cancel")
    assert verona.open_now() == 1


def test_order_both_ways_at_once(gateway, verona):
    for number in range(300):
        verona.nurse.send(ROMEO, f"n{number}")
        gateway.send(ROMEO, verona.jid, f"m{number}")
    got = [gateway.expect(r"body=n(\d+)$")[1] for _ in range(300)]
    assert got == [str(n) for n in range(300)]
    got = [verona.nurse.next_message()["body"] for _ in range(300)]
    assert got == [f"m{n}" for n in range(300)]
    assert verona.streams() == [("in", "1")]


def test_an_own_stream_when_the_peers_is_gone(bidi_lab, gateway, verona):
    """Its restart ends it: then we open one, and its words come there."""
    verona.nurse.close()
    bidi_lab("restart", "prosody-verona.example")
    verona.nurse = verona.login()
    gateway.send(ROMEO, verona.jid, "are you back")
    assert verona.nurse.next_message()["body"] == "are you back"
    assert gateway.outcome() == "delivered"
    assert verona.streams() == [("in", "1"), ("out", "1")]
    verona.nurse.send(ROMEO, "I am")
    line = gateway.expect("body=I am$").string
    assert "peer=verona.example mechanism=1 tls=TLSv1." in line
    assert verona.streams() == [("in", "1"), ("out", "1")]
    assert verona.open_now() == 1


def test_errors_of_both_sides_on_our_own_stream(gateway, verona):
    gateway.send(ROMEO, "nobody@verona.example", "?")
    assert gateway.outcome() == "service-unavailable"
    sent = verona.nurse.send(ROMEO, "refuse this")
    gateway.expect("body=refuse this$")
    got = verona.nurse.next_message()
    assert got["id"] == sent
    assert condition(got) == ("item-not-found", "cancel")
    assert verona.open_now() == 1


def test_a_peer_that_cannot_be_reached_is_answered(bidi_lab, gateway):
    """One-way federation: no DNS record leads to it."""
    peer = Peer(bidi_lab, "mantua.example", "198.51.100.21")
    bidi_lab("dns", "remove", "_xmpp-server._tcp.mantua.example.")
    bidi_lab("dns", "remove", "xmpp.mantua.example.")
    peer.nurse.send(ROMEO, "in")
    gateway.expect("body=in$")
    gateway.send(ROMEO, peer.jid, "out")
    assert peer.nurse.next_message()["body"] == "out"
    assert gateway.outcome() == "delivered"
    peer.nurse.close()


def test_dialback(bidi_lab, gateway):
    """It proves the one that opens the stream: such a peer gets our words on
    its stream, but is not let talk on ours."""
    peer = Peer(bidi_lab, "montague.example", "198.51.100.22", "--self-signed")
    peer.nurse.send(ROMEO, "dialled back")
    line = gateway.expect("body=dialled back$").string
    assert "peer=montague.example mechanism=2 tls=TLSv1." in line
    gateway.send(ROMEO, peer.jid, "out")
    assert peer.nurse.next_message()["body"] == "out"
    assert peer.streams() == [("in", "1")]
    peer.nurse.close()
    bidi_lab("restart", "prosody-montague.example")
    peer.nurse = peer.login()
    gateway.send(ROMEO, peer.jid, "again")
    assert peer.nurse.next_message()["body"] == "again"
    # to verify our key it opens a stream of its own, which may overtake ours
    bidi_lab.wait_log("edge", r"stream_open \S+ dir=out .*"
                      r"peer=montague\.example .*bidi=0")
    peer.nurse.close()


@pytest.mark.parametrize("opener", ["peer", "edge"])
def test_a_full_channel_stops_reading_not_writing(bidi_lab, gateway, opener):
    """1,024 stanzas have no outcome, one more is held, the rest waits in the
    peer; ours go out on the same stream all the same."""
    ip = {"peer": "198.51.100.23", "edge": "198.51.100.24"}[opener]
    peer = Peer(bidi_lab, f"{opener}.opens.example", ip)
    if opener == "edge":
        gateway.send(ROMEO, peer.jid, "first")
        assert peer.nurse.next_message()["body"] == "first"
        assert gateway.outcome() == "delivered"
    else:
        # while it connects, Prosody's own queue is a short one
        peer.nurse.send(ROMEO, "first")
        gateway.expect("body=first$")
    assert peer.streams() == [({"peer": "in", "edge": "out"}[opener], "1")]
    for number in range(1100):
        peer.nurse.send(ROMEO, f"hold{number}.")
    for number in range(1024):
        gateway.expect(rf"again=0 body=hold{number}\.$")
    with pytest.raises(AssertionError):
        gateway.expect("body=hold", 1)
    gateway.send(ROMEO, peer.jid, "through")
    assert peer.nurse.next_message()["body"] == "through"
    # its answer to the ping cannot be read: without a word it is delivered
    assert gateway.outcome() == "delivered"
    assert peer.open_now() == 1
    # and the one that was held goes on with the window
    gateway.end()
    successor = FakeGateway(bidi_lab)
    assert successor.expect(r"body=hold(\d+)\.$")[1] == "0"
    successor.end()
    bidi_lab("restart", "edge")
    peer.nurse.close()


if glob.glob("/usr/lib/*/ejabberd-*/ebin/mod_s2s_bidi.beam"):   # 24.10
    def test_ejabberd(bidi_lab, gateway):
        """It takes our stream for both directions, although it announces that
        by a wrong name."""
        jid = "nurse@bidi.ejabberd.example"
        bidi_lab("ejabberd", "bidi.ejabberd.example", "--bidi")
        bidi_lab("start", "ejabberd")
        nurse = XmppUser(bidi_lab.namespace("inet"), jid,
                         bidi_lab.env["LAB_NURSE_PASSWORD"],
                         bidi_lab.env["LAB_EJABBERD_IP"])
        gateway.send(ROMEO, jid, "out")
        assert nurse.next_message()["body"] == "out"
        assert gateway.outcome() == "delivered"
        nurse.send(ROMEO, "in")
        line = gateway.expect("body=in$").string
        assert "peer=bidi.ejabberd.example mechanism=1 tls=TLSv1." in line
        gateway.send(ROMEO, "nobody@bidi.ejabberd.example", "?")
        assert gateway.outcome() == "service-unavailable"
        streams = re.findall(r"event=stream_open \S+ dir=(\w+) .*"
                             r"peer=bidi\.ejabberd\.example .*bidi=(\d)",
                             bidi_lab.log("edge"))
        assert streams == [("out", "1")]
        nurse.close()


def test_switched_off(bidi_lab, gateway, verona):
    path = bidi_lab.env["LAB_EDGE_CONFIG"]
    with open(path) as file:
        on = file.read()
    with open(path, "w") as file:
        file.write(on.replace("s2s:\n", "s2s:\n  bidi: off\n"))
    try:
        gateway.end()
        bidi_lab("restart", "edge")
        before = len(verona.streams())
        again = FakeGateway(bidi_lab)
        time.sleep(0.5)
        verona.nurse.send(ROMEO, "in")
        again.expect("body=in$")
        again.send(ROMEO, verona.jid, "out")
        assert verona.nurse.next_message()["body"] == "out"
        assert again.outcome() == "delivered"
        assert verona.streams()[before:] == [("in", "0"), ("out", "0")]
        again.end()
    finally:
        with open(path, "w") as file:
            file.write(on)
        bidi_lab("restart", "edge")
