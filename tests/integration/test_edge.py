"""The edge alone, between a real Prosody and a gateway without SIP."""

import os
import pathlib
import signal
import socket
import time

import pytest

import edge_alone
import netns
from conftest import Lab
from edge_alone import FakeGateway
from xmpp_user import XmppUser, condition


@pytest.fixture(scope="module")
def edge_lab():
    edge_alone.build()
    lab = Lab(f"edge{os.getpid()}", LAB_PARTS="dns prosody edge")
    try:
        yield lab.up()
    finally:
        lab("down")


@pytest.fixture
def gateway(edge_lab):
    fake = FakeGateway(edge_lab)
    yield fake
    if fake.process.poll() is None:
        fake.end()


@pytest.fixture
def user(edge_lab):
    juliet = edge_lab.juliet()
    yield juliet
    juliet.close()


def test_external_both_ways(edge_lab, gateway, user):
    user.send("romeo@sip.example", "in")
    line = gateway.expect("body=in$").string
    assert "peer=xmpp.example mechanism=1 tls=TLSv1." in line
    gateway.send("romeo@sip.example", user.jid, "out")
    assert user.next_message()["body"] == "out"
    assert gateway.outcome() == "delivered"
    edge_lab.wait_log("edge", r"stream_open \S+ dir=out .*mechanism=external")


def test_dialback_from_a_self_signed_peer(edge_lab, gateway):
    edge_lab("prosody", "montague.example", "198.51.100.20", "--self-signed")
    nurse = XmppUser(edge_lab.namespace("inet"), "nurse@montague.example",
                     edge_lab.env["LAB_NURSE_PASSWORD"], "198.51.100.20")
    nurse.send("romeo@sip.example", "dialled back")
    line = gateway.expect("body=dialled back$").string
    assert "peer=montague.example mechanism=2 tls=TLSv1." in line
    edge_lab.wait_log("edge", "stream_close .*dir=verify .*verified")
    nurse.close()


def test_refusal_goes_back(gateway, user):
    sent = user.send("romeo@sip.example", "refuse this")
    gateway.expect("body=refuse this$")
    got = user.next_message()
    assert got["id"] == sent and got["from"] == "romeo@sip.example"
    assert condition(got) == ("item-not-found", "cancel")


def test_order_is_kept(gateway, user):
    for number in range(300):
        user.send("romeo@sip.example", f"n{number}")
    got = [gateway.expect(r"body=n(\d+)$")[1] for _ in range(300)]
    assert got == [str(n) for n in range(300)]


@pytest.mark.parametrize("sender, to, outcome", [
    ("romeo@sip.example", "x@nowhere.example", "remote-server-not-found"),
    ("romeo@sip.example", "x@closed.example", "remote-server-timeout"),
    ("romeo@sip.example", "x@sip.example", "not-allowed"),
    ("romeo@elsewhere.example", "juliet@xmpp.example", "not-allowed"),
])
def test_cannot_be_sent(edge_lab, gateway, sender, to, outcome):
    # resolves, but nobody listens there
    edge_lab("dns", "add", "_xmpp-server._tcp.closed.example. 60 IN SRV "
             "0 0 5999 h.closed.example.")
    edge_lab("dns", "add", "h.closed.example. 60 IN A 198.51.100.10")
    gateway.send(sender, to, "hello")
    assert gateway.outcome() == outcome


def test_full_window_stops_the_peer_and_is_redelivered(edge_lab, gateway,
                                                       user):
    for number in range(1100):
        user.send("romeo@sip.example", f"hold{number}.")
    for number in range(1024):
        gateway.expect(rf"again=0 body=hold{number}\.$")
    with pytest.raises(AssertionError):
        gateway.expect("body=hold", 1)
    # its successor gets what had no outcome
    gateway.end(signal.SIGKILL)
    successor = FakeGateway(edge_lab)
    assert successor.expect(r"again=1 body=hold(\d+)\.$")[1] == "0"
    successor.end(signal.SIGKILL)
    edge_lab("restart", "edge")


def test_unknown_users_are_all_refused(gateway):
    """The error of each comes before the answer to the ping behind it, and
    those answers are nobody else's."""
    for number in range(200):
        gateway.send("romeo@sip.example", f"nobody{number}@xmpp.example", "?")
        if number % 10 == 0:
            time.sleep(0.02)
    lines = [gateway.expect("^(?!event)").string for _ in range(200)]
    assert sorted(lines) == sorted(f"outcome {n + 1} service-unavailable"
                                   for n in range(200))
    with pytest.raises(AssertionError):
        gateway.expect("^stanza", 1)


def test_peer_that_was_asked_for_before_it_existed(edge_lab, gateway):
    gateway.send("romeo@sip.example", "nurse@capulet.example", "early")
    assert gateway.outcome() == "remote-server-not-found"
    refused = time.monotonic()
    edge_lab("prosody", "capulet.example", "198.51.100.21")
    nurse = XmppUser(edge_lab.namespace("inet"), "nurse@capulet.example",
                     edge_lab.env["LAB_NURSE_PASSWORD"], "198.51.100.21")
    nurse.send("romeo@sip.example", "we are here")
    gateway.expect("body=we are here$")
    # a second in the DNS cache, and attempts are a second apart
    time.sleep(max(0, refused + 3.5 - time.monotonic()))
    gateway.send("romeo@sip.example", "nurse@capulet.example", "at once")
    assert gateway.outcome() == "delivered"
    assert nurse.next_message()["body"] == "at once"
    nurse.close()


def test_peer_that_dies_before_it_answered(edge_lab, gateway):
    """Written is not delivered: its server is stopped and then killed."""
    edge_lab("prosody", "escalus.example", "198.51.100.22")
    gateway.send("romeo@sip.example", "nurse@escalus.example", "warm")
    assert gateway.outcome() == "delivered"
    state = pathlib.Path(edge_lab.env["LAB_STATE"])
    pid = int((state / "prosody-escalus.example" / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    gateway.send("romeo@sip.example", "nurse@escalus.example", "lost")
    time.sleep(0.5)
    os.kill(pid, signal.SIGKILL)
    assert gateway.outcome() == "remote-server-timeout"


def test_no_gateway(edge_lab, gateway, user):
    gateway.end()
    begin = time.monotonic()
    user.send("romeo@sip.example", "anybody?")
    assert condition(user.next_message(20)) == ("remote-server-timeout",
                                                "wait")
    assert time.monotonic() - begin < 12


def test_strangers_are_bounded(edge_lab):
    address = (edge_lab.env["LAB_EDGE_OUTER_IP"], 5269)
    with netns.inside(edge_lab.namespace("inet")):
        socks = [socket.create_connection(address) for _ in range(25)]
    time.sleep(0.5)
    closed = 0
    for sock in socks:
        sock.setblocking(False)
        try:
            closed += sock.recv(1) == b""
        except BlockingIOError:
            pass
        except ConnectionResetError:
            closed += 1
        sock.close()
    assert closed == 5
    edge_lab.wait_log("edge", "limit=unauthenticated_per_address")
