"""RFC 3263 with a real DNS server, and next hops that die."""

import re
import socket
import time

import pytest

import netns
from sip_user import Sip
from torture import Case, plain
from xmpp_user import condition

DNS = "10.66.0.20@5353"
ZONE = r"""
local-zone: "example." static
local-data: 'sip.example. NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.sip.example.'
local-data: "_sip._tcp.sip.example. SRV 1 0 5060 dead.sip.example."
local-data: "_sip._tcp.sip.example. SRV 2 0 5060 proxy.sip.example."
local-data: "_sip._udp.sip.example. SRV 1 0 5999 dead.sip.example."
local-data: "dead.sip.example. A 10.66.0.21"
local-data: "proxy.sip.example. A 10.66.0.3"
local-data: "pc.sip.example. A 10.66.0.3"
"""
CONF = """server:
interface: %s
port: 5353
username: ""
chroot: ""
directory: "%s"
pidfile: ""
use-syslog: no
do-daemonize: no
module-config: "iterator"
access-control: 10.66.0.0/24 allow
do-not-query-localhost: no
%s
remote-control:
control-enable: no
"""


@pytest.fixture(scope="module")
def zone(lab, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dns")
    path = folder / "unbound.conf"
    path.write_text(CONF % (DNS.split("@")[0], folder, ZONE))
    server = lab.popen("exec", "inside", "unbound", "-d", "-c", str(path))
    time.sleep(0.5)
    assert server.poll() is None
    yield
    server.terminate()
    server.wait(10)


class Settings:
    """Keys of sip: instead of the lab's next hop, while it lasts."""

    def __init__(self, lab, next_hop, more=""):
        self.lab = lab
        text = "\n".join([next_hop, *more.splitlines()])
        self.new = f"next_hop: {text}".replace("\n", "\n  ")
        self.old = re.search(r'next_hop: .*', open(
            lab.env["LAB_GATEWAY_CONFIG"], encoding="utf-8").read()).group(0)

    def __enter__(self):
        # watches that others left would meet the servers first
        self.lab.edit("gateway", "/store.db}", "/alone.db}")
        self.lab.edit("gateway", "instance:",
                      'dns: {servers: ["10.66.0.20:5353"]}\ninstance:')
        self.lab.edit("gateway", self.old, self.new)
        return self.lab

    def __exit__(self, *_):
        self.lab.edit("gateway", "/alone.db}", "/store.db}")
        self.lab.edit("gateway", self.new, self.old)
        self.lab.edit("gateway",
                      'dns: {servers: ["10.66.0.20:5353"]}\ninstance:',
                      "instance:")


def log_since(lab, mark):
    return lab.log("gateway")[mark:]


def test_by_domain_past_a_dead_server(lab, zone, juliet, romeo):
    """V1, V3: NAPTR, SRV; the first server refuses connections."""
    with Settings(lab, "dns"):
        juliet.send("romeo@sip.example", "by NAPTR and SRV")
        got = romeo.next_message()
        assert got.body == "by NAPTR and SRV"
        assert "SIP/2.0/TCP 10.66.0.2:" in ", ".join(got.all("Via"))
        # the second try has a branch of its own
        assert re.search(r"10\.66\.0\.2:5070;branch=z9hG4bK[0-9a-f]{40}\.1",
                         ", ".join(got.all("Via")))
        lab.wait_log("gateway", r"next_hop_target ip=10\.66\.0\.21 .*"
                     r"state=down why=transport")
        for i in range(5):
            juliet.send("romeo@sip.example", f"{i}")
            got = romeo.next_message()
            assert got.body == f"{i}"
            assert not re.search(r"branch=z9hG4bK[0-9a-f]{40}\.",
                                 ", ".join(got.all("Via")))


def test_named_proxy(lab, zone, juliet, romeo):
    """The outbound proxy by name: a Route, and its addresses from DNS."""
    with Settings(lab, '"sip:sip.example;transport=tcp"'):
        juliet.send("romeo@sip.example", "through the proxy")
        assert romeo.next_message().body == "through the proxy"


def test_unresolvable(lab, zone, juliet):
    with Settings(lab, '"sip:nowhere.example"'):
        juliet.send("romeo@sip.example", "never")
        assert condition(juliet.next_message())[0] == "remote-server-not-found"


def test_mute_next_hop_is_told_at_once(lab, zone, juliet, romeo):
    with Settings(lab, '"sip:10.66.0.3:5060;transport=tcp"',
                  "options_interval: 1"):
        juliet.send("romeo@sip.example", "warm")
        assert romeo.next_message().body == "warm"
        mark = len(lab.log("gateway"))
        lab("fault", "freeze", "kamailio")
        try:
            lab.wait_log("gateway", r"next_hop_target ip=10\.66\.0\.3 .*"
                         r"state=down why=no-answer", 20)
            begin = time.monotonic()
            juliet.send("romeo@sip.example", "into the void")
            assert condition(juliet.next_message())[0] == \
                "remote-server-timeout"
            assert time.monotonic() - begin < 3
        finally:
            lab("fault", "thaw", "kamailio")
        until = time.monotonic() + 20
        while "state=up" not in log_since(lab, mark):
            assert time.monotonic() < until
            time.sleep(0.1)
        juliet.send("romeo@sip.example", "and back")
        assert romeo.next_message().body == "and back"


def test_long_message_leaves_udp(lab, zone, juliet, romeo):
    """RFC 3261 18.1.1: over 1300 bytes by TCP, to the same place."""
    with Settings(lab, '"sip:10.66.0.3:5060"', "page_max: 8000"):
        for size, transport in ((10, "UDP"), (3000, "TCP")):
            juliet.send("romeo@sip.example", "x" * size)
            got = romeo.next_message()
            assert len(got.body) == size
            assert f"SIP/2.0/{transport} 10.66.0.2:" in \
                ", ".join(got.all("Via"))


WATCHER = ("10.66.0.3", 5078)


def subscribe(contact, *lines):
    """A SUBSCRIBE over UDP from there; the NOTIFY that comes there."""
    case = Case("watch", [], plain(
        "SUBSCRIBE", "sip:juliet@xmpp.example", f"Contact: <{contact}>",
        "Event: presence", "Expires: 600", *lines))
    me = f"{WATCHER[0]}:{WATCHER[1]}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(WATCHER)
        s.settimeout(10)
        s.sendto(case.bytes(me, "UDP", f"w{time.monotonic_ns()}"),
                 ("10.66.0.2", 5070))
        got = [Sip(s.recv(65535))]
        while got[-1].method != "NOTIFY":
            got.append(Sip(s.recv(65535)))
        assert got[0].status == 200, got[0].raw
        return got[-1]


def test_dialogs_go_their_own_way(lab, zone):
    """A fixed, numeric next hop; the watcher says where he is: by name, which
    is the first thing that DNS is asked for, and behind a strict router."""
    with Settings(lab, '"sip:10.66.0.3:5060;transport=tcp"'), \
            netns.inside(lab.namespace("inside")):
        got = subscribe("sip:romeo@pc.sip.example:5078;x=1")
        assert got.raw.startswith(
            b"NOTIFY sip:romeo@pc.sip.example:5078;x=1 SIP/2.0\r\n")
        assert got["Route"] is None
        assert got["Contact"] == "<sip:10.66.0.2:5070;transport=udp>"
        strict = "sip:10.66.0.3:5078"
        got = subscribe("sip:romeo@192.0.2.9",
                        f"Record-Route: <{strict}>, <sip:p1.sip.example;lr>")
        assert got.raw.startswith(f"NOTIFY {strict} SIP/2.0\r\n".encode())
        assert ", ".join(got.all("Route")) == \
            "<sip:p1.sip.example;lr>, <sip:romeo@192.0.2.9>"
