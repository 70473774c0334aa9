"""Hostile and odd SIP, from the address of the proxy that is trusted: each
message gets an answer it may get, and the gateway answers an OPTIONS after."""

import itertools
import random
import socket
import time

import pytest

import netns
from sip_user import Sip
from torture import CASES, CLOSED, JULIET, JUNK, NOTHING, Case, plain

PORT = 5077
tokens = (f"n{n}x" for n in itertools.count(1))


def gateway_address(lab):
    host, port = lab.env["LAB_GATEWAY_SIP"].rsplit(":", 1)
    return host, int(port)


class Peer:
    """The proxy's address, by one transport."""

    def __init__(self, lab, transport):
        self.lab, self.transport = lab, transport
        self.ip = lab.env["LAB_KAMAILIO_IP"]
        self.me = f"{self.ip}:{PORT}"
        self.socket = None
        self.data = b""
        self.open()

    def open(self):
        self.close()
        self.data = b""
        with netns.inside(self.lab.namespace("inside")):
            if self.transport == "UDP":
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.socket.bind((self.ip, PORT))
                self.socket.connect(gateway_address(self.lab))
            else:
                self.socket = socket.create_connection(
                    gateway_address(self.lab), source_address=(self.ip, 0))

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, case):
        token = next(tokens)
        self.socket.sendall(case.bytes(self.me, self.transport, token))
        return token

    def take(self, wait_s):
        """A message; NOTHING in that time; CLOSED."""
        until = time.monotonic() + wait_s
        while b"\r\n\r\n" not in self.data:
            self.socket.settimeout(max(until - time.monotonic(), 0.01))
            try:
                got = self.socket.recv(65535)
            except TimeoutError:
                return NOTHING
            except ConnectionError:
                return CLOSED
            if got == b"" and self.transport == "TCP":
                return CLOSED
            self.data += got
        end = self.data.index(b"\r\n\r\n") + 4
        head, self.data = self.data[:end], self.data[end:]
        return Sip(head)

    def final(self, token, wait_s):
        """The final answer to what was sent with that token."""
        until = time.monotonic() + wait_s
        while True:
            got = self.take(until - time.monotonic())
            if not isinstance(got, Sip) or (got.status >= 200 and
                                            token.encode() in got.raw):
                return got


@pytest.fixture(scope="module", params=["UDP", "TCP"])
def peer(lab, request):
    instance = Peer(lab, request.param)
    yield instance
    instance.close()


ALIVE = Case("alive", [200], plain("OPTIONS", JULIET))


def check_alive(peer):
    got = peer.final(peer.send(ALIVE), 5)
    assert isinstance(got, Sip) and got.status == 200, got


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_torture(peer, case):
    outcome = case.outcome if peer.transport == "UDP" else case.tcp
    if peer.transport == "TCP":
        peer.open()
    token = peer.send(case)
    got = peer.final(token, 0.3 if NOTHING in outcome else 5)
    is_message = isinstance(got, Sip)
    assert (got.status if is_message else got) in outcome, \
        got.raw if is_message else got
    if is_message and case.header:
        name, part = case.header
        assert part in (got[name] or ""), got.raw
    if peer.transport == "TCP":
        peer.open()
    check_alive(peer)


@pytest.mark.parametrize("case", JUNK, ids=lambda c: c.name)
def test_what_is_not_sip(peer, case):
    if peer.transport == "TCP":
        peer.open()
    peer.send(case)
    time.sleep(0.05)
    peer.open()
    check_alive(peer)


def test_bytes_at_random(peer):
    """Right requests with wrong bytes in them."""
    dice = random.Random(4475)
    for case in CASES:
        data = bytearray(case.bytes(peer.me, peer.transport, next(tokens)))
        for _ in range(dice.choice((1, 3, 10))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        if peer.transport == "TCP":
            peer.open()
        peer.socket.sendall(data)
    peer.open()
    check_alive(peer)


def test_every_length(peer):
    """A request that ends anywhere: no answer of success."""
    whole = ALIVE.bytes(peer.me, peer.transport, next(tokens))
    end = whole.index(b"CSeq")
    for length in range(1, end, 7 if peer.transport == "UDP" else 31):
        if peer.transport == "TCP":
            peer.open()
        peer.socket.sendall(whole[:length])
    peer.open()
    check_alive(peer)


def test_length_beyond_the_end(lab):
    """clerr over TCP: the rest is waited for, but not for ever."""
    tcp = Peer(lab, "TCP")
    case = next(c for c in CASES if c.name == "clerr")
    tcp.send(case)
    began = time.monotonic()
    while (got := tcp.take(60)) not in (NOTHING, CLOSED):
        assert got.status >= 400
    assert got == CLOSED
    assert time.monotonic() - began > 5
    tcp.close()


def test_cut_in_pieces_and_together(lab):
    """V19; CRLF between messages is a sign of life (V18)."""
    tcp = Peer(lab, "TCP")
    token = next(tokens)
    data = ALIVE.bytes(tcp.me, "TCP", token)
    for i in range(0, len(data), 40):
        tcp.socket.sendall(data[i:i + 40])
        time.sleep(0.01)
    assert tcp.final(token, 5).status == 200
    both = [next(tokens), next(tokens)]
    tcp.socket.sendall(b"".join(ALIVE.bytes(tcp.me, "TCP", t) for t in both))
    assert [tcp.final(t, 5).status for t in both] == [200, 200]
    tcp.socket.sendall(b"\r\n\r\n")
    tcp.socket.settimeout(5)
    assert tcp.socket.recv(100) == b"\r\n"
    check_alive(tcp)
    tcp.close()


CROSSING = [
    # the URI, the From header, other lines; from whom it comes
    (JULIET, "sip:user;par=u%40h@sip.example", [], r"user;par=u\40h@sip.example"),
    (JULIET, "sip:I%20have%20spaces@sip.example", [],
     r"I\20have\20spaces@sip.example".lower()),
    (JULIET, "sip:sips%3Aa%40b@sip.example", [], r"sips\3aa\40b@sip.example"),
    (JULIET + "?Route=%3Csip:10.66.0.99%3E", "sip:romeo@sip.example", [],
     "romeo@sip.example"),
    (JULIET + ";unknownparam;x=%25%34%31", "sip:romeo@sip.example", [],
     "romeo@sip.example"),
    (JULIET, "sip:romeo@sip.example", ["Date: Fri, 01 Jan 2010 16:00:00 EST"],
     "romeo@sip.example"),
    (JULIET, "sip:romeo@sip.example", ["NoSuchHeader: ;;,,;;,;"],
     "romeo@sip.example"),
]


def arrival(juliet, text):
    """The message with that text; others may still come from above."""
    while (got := juliet.next_message())["body"] != text:
        pass
    return got


@pytest.mark.parametrize("uri,sender,lines,jid", CROSSING)
def test_odd_addresses_cross(peer, juliet, uri, sender, lines, jid):
    """What is right by the letter reaches the other side, unescaped once."""
    text = f"odd {next(tokens)}"
    case = Case("odd", [200], plain(
        "MESSAGE", uri, "Content-Type: text/plain", *lines,
        From=f"<{sender}>;tag=odd<N>", Max_Forwards="0"), text)
    got = peer.final(peer.send(case), 10)
    assert isinstance(got, Sip) and got.status == 200, got.raw
    assert arrival(juliet, text)["from"] == jid


def test_tortuous_message_crosses(peer, juliet):
    """wsinv as a MESSAGE."""
    case = Case("wsmsg", [200], """MESSAGE sip:juliet@xmpp.example;unknownparam SIP/2.0
TO :
 sip:juliet@xmpp.example
f   : "Mercutio \\\"" <sip:mercutio@sip.example>
  ;
  tag = 98asjd8<N>
MaX-fOrWaRdS: 0068
i: wsmsg.<N>@192.0.2.1
l   : <LEN>
cseq: 0009
  MESSAGE
v  : SIP  /   2.0
 /<T>
    <ME>;branch=z9hG4bKwsmsg<N>
s : folded
 subject
c: text/plain ; charset = "iso-8859-1"

""", b"caf\xe9")
    got = peer.final(peer.send(case), 10)
    assert isinstance(got, Sip) and got.status == 200, got.raw
    stanza = arrival(juliet, "café")
    assert stanza["subject"] == "folded subject"
    assert stanza["from"] == "mercutio@sip.example"


def test_repeated_request(peer, juliet):
    """V10, IM19: repeated it is one stanza and the same answer again."""
    case = Case("twice", [200], plain(
        "MESSAGE", JULIET, "Content-Type: text/plain"), b"once only")
    token = next(tokens)
    data = case.bytes(peer.me, peer.transport, token)
    peer.socket.sendall(data)
    first = peer.final(token, 10)
    assert first.status == 200
    for _ in range(2):
        if peer.transport == "UDP":
            peer.socket.sendall(data)
            again = peer.final(token, 10)
            assert (again.status, again["To"]) == (200, first["To"])
    arrival(juliet, "once only")
    peer.send(Case("last", [200], plain(
        "MESSAGE", JULIET, "Content-Type: text/plain"), b"last"))
    assert juliet.next_message()["body"] == "last"
