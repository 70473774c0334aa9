"""Prosody and ejabberd in every way of securing and finding each other: words
and errors, both ways, and by what the edge says it was."""

import os
import pathlib
import re
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

import admin_wire
import netns
from conftest import Lab
from xmpp_user import XmppUser, condition

EJABBERD = ["198.51.100.40", "2001:db8:1::40"]
REFUSES, SILENT = "198.51.100.58", "198.51.100.59"

# What a kind of peer is started with, and what its streams must be.  Prosody's
# address is the first; ejabberd has one pair of addresses for all its domains.
KINDS = {
    "external": ("20", ["--no-dialback"], "external", True),
    "packaged": ("21", ["--packaged"], "external", True),
    "selfsigned": ("22", ["--self-signed"], "dialback", True),
    "plain": ("23", ["--no-tls"], "dialback", False),
    "optional": ("24", ["--no-tls"], "dialback", False),
    "dead": ("25", [], "external", True),
    "six": ("26", [], "external", True),
    "direct": ("29", ["--direct-tls"], "external", True),
    "cold": ("27", [], "external", True),
    "stranger": ("28", ["--no-tls"], None, None),
}
SPEAKING = [k for k in KINDS if k not in ("cold", "stranger")]

# All others have the rule of the lab's configuration.
RULES = [admin_wire.partner(f"{kind}.{server}.example", tls=tls, sasl=sasl)
         for kind, tls, sasl in [
             ("plain", admin_wire.OFF, admin_wire.OFF),
             ("optional", admin_wire.OPTIONAL, admin_wire.OPTIONAL)]
         for server in ("prosody", "ejabberd")]


def addresses(server, kind):
    pair = EJABBERD
    if server == "prosody":
        last = KINDS[kind][0]
        pair = [f"198.51.100.{last}", f"2001:db8:1::{last}"]
    return pair[1:] if kind == "six" else pair


def domain_of(server, kind):
    return f"{kind}.{server}.example"


def log_in(lab, server, kind):
    return XmppUser(lab.namespace("inet"), f"nurse@{domain_of(server, kind)}",
                    lab.env["LAB_NURSE_PASSWORD"], addresses(server, kind)[0])


def start_prosody(lab, kind):
    lab("prosody", domain_of("prosody", kind), *addresses("prosody", kind),
        *KINDS[kind][1])
    return log_in(lab, "prosody", kind)


def start_ejabberd(lab):
    """Its own settings are the package's."""
    for kind in KINDS:
        options = [o for o in KINDS[kind][1] if o != "--packaged"]
        lab("ejabberd", domain_of("ejabberd", kind),
            *addresses("ejabberd", kind), *options)
    lab("start", "ejabberd")


def kill_targets(lab):
    """Two better targets: one refuses, of one nothing is heard."""
    lab("fault", "cut", "edge", SILENT)
    for server in ("prosody", "ejabberd"):
        domain = domain_of(server, "dead")
        lab("dns", "add",
            f"_xmpp-server._tcp.{domain}. 60 IN SRV 0 0 5269 a.{domain}.",
            f"_xmpp-server._tcp.{domain}. 60 IN SRV 5 0 5269 b.{domain}.",
            f"a.{domain}. 60 IN A {REFUSES}", f"b.{domain}. 60 IN A {SILENT}")


@pytest.fixture(scope="module")
def peers():
    """(lab, users by server and kind); all of them start at once."""
    lab = Lab(f"peers{os.getpid()}", LAB_PARTS="dns kamailio edge gateway")
    users = {}
    try:
        lab.up()
        admin_wire.apply(lab.env["LAB_GATEWAY_ADMIN"], RULES)
        with ThreadPoolExecutor(4) as pool:
            ejabberd = pool.submit(start_ejabberd, lab)
            jobs = {k: pool.submit(start_prosody, lab, k) for k in KINDS}
            kill_targets(lab)
            for kind, job in jobs.items():
                users["prosody", kind] = job.result()
            ejabberd.result()
        for kind in KINDS:
            users["ejabberd", kind] = log_in(lab, "ejabberd", kind)
        yield lab, users
        assert lab.stop_daemons() == []
    finally:
        with ThreadPoolExecutor(len(users) or 1) as pool:
            list(pool.map(XmppUser.close, users.values()))
        lab("down")


@pytest.fixture(scope="module")
def romeo(peers):
    user = peers[0].sip_user("romeo", 12)
    yield user
    user.close()


@pytest.fixture(params=["prosody", "ejabberd"])
def server(request):
    return request.param


def streams(lab, domain):
    """(direction, rest of the line) of each stream that opened."""
    return re.findall(rf"event=stream_open .*dir=(in|out) .*peer={domain} "
                      r"(.*)", lab.log("edge"))


def seen_by_peer(lab, server, kind):
    """(direction seen from there, mechanism) by the peer's own log."""
    domain = domain_of(server, kind)
    if server == "ejabberd":
        return set(re.findall(
            rf"Accepted (in|out)bound s2s (\w+) authentication "
            rf"(?:sip\.example -> {domain}|{domain} -> sip\.example)",
            lab.log("ejabberd")))
    log = (pathlib.Path(lab.env["LAB_STATE"]) / f"prosody-{domain}" /
           "log").read_text(errors="replace")
    external = {
        "Incoming": "Accepting SASL EXTERNAL identity from sip.example",
        "Outgoing": "SASL EXTERNAL with sip.example succeeded",
    }
    return {(word.removesuffix("coming").removesuffix("going").lower(),
             "EXTERNAL" if external[word] in log else "dialback")
            for word in re.findall(r"(Incoming|Outgoing) s2s connection .* "
                                   "complete", log)}


def is_direct(server, kind, direction):
    """ejabberd listens for direct TLS, but does not look for it."""
    return int(kind == "direct" and (server, direction) != ("ejabberd", "in"))


@pytest.mark.parametrize("kind", SPEAKING)
def test_words_both_ways(peers, romeo, server, kind, newest_tls):
    lab, users = peers
    nurse, text = users[server, kind], uuid.uuid4().hex
    began = time.monotonic()
    assert romeo.message(f"sip:{nurse.jid}", text).status == 200
    # also past a target of which nothing is heard
    assert time.monotonic() - began < 5
    assert nurse.next_message()["body"] == text
    nurse.send("romeo@sip.example", text[::-1])
    assert romeo.next_message().body == text[::-1]

    found = streams(lab, domain_of(server, kind))
    assert {direction for direction, _ in found} == {"in", "out"}
    _, _, mechanism, is_secure = KINDS[kind]
    version = newest_tls if is_secure else "none"
    for direction, line in found:
        assert f" mechanism={mechanism} tls={version}" in line, line
        assert f" direct={is_direct(server, kind, direction)} " in line
        if kind == "six":
            assert line.startswith("address=[2001:db8:1::"), line
    word = "EXTERNAL" if mechanism == "external" else mechanism
    assert seen_by_peer(lab, server, kind) == {("in", word), ("out", word)}


@pytest.mark.parametrize("kind", SPEAKING)
def test_errors_both_ways(peers, romeo, server, kind):
    _, users = peers
    nurse = users[server, kind]
    nobody = f"sip:nobody@{domain_of(server, kind)}"
    answer = romeo.message(nobody, "hello?")
    # both answer for a user that is not there as for one that is not in
    assert answer.status == 403, answer.start
    assert f"<{nobody}>" in answer["To"]
    sent = nurse.send("nobody@sip.example", "hello?")
    got = nurse.next_message()
    assert got["id"] == sent and got["from"] == "nobody@sip.example"
    assert condition(got) == ("item-not-found", "cancel")


def test_no_tls_is_refused_where_no_rule_allows_it(peers, romeo, server):
    """Both senders are told, at once."""
    lab, users = peers
    domain = domain_of(server, "stranger")
    answer = romeo.message(f"sip:nurse@{domain}", "hello?")
    assert answer.status == 504, answer.start
    sent = users[server, "stranger"].send("romeo@sip.example", "hello?")
    got = users[server, "stranger"].next_message()
    assert got["id"] == sent
    assert condition(got) == ("remote-server-timeout", "wait")
    assert romeo.inbox.empty()
    assert streams(lab, domain) == []


def at_once(lab, uri, texts):
    """One MESSAGE for each text in one write to the registrar, and the final
    answers: over TCP, so that nothing on the way can change their order."""
    wire = b"".join(
        f"MESSAGE {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/TCP 10.66.0.13;branch=z9hG4bK{uuid.uuid4().hex}\r\n"
        "From: <sip:benvolio@sip.example>;tag=1\r\n"
        f"To: <{uri}>\r\nCall-ID: {uuid.uuid4().hex}\r\n"
        "CSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n"
        "Content-Type: text/plain\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}".encode()
        for text in texts)
    with netns.inside(lab.namespace("inside")):
        sock = socket.create_connection((lab.env["LAB_KAMAILIO_IP"], 5060),
                                        source_address=("10.66.0.13", 0))
    with sock:
        sock.settimeout(35)
        sock.sendall(wire)
        seen, finals = b"", []
        while len(finals) < len(texts):
            chunk = sock.recv(65536)
            assert chunk, seen
            seen += chunk
            finals = re.findall(rb"^SIP/2\.0 ([2-6]\d\d) ", seen, re.M)
    return [int(status) for status in finals]


def test_cold_start(peers, server):
    """Ten at once to a domain with no stream yet: all arrive, in order."""
    lab, users = peers
    domain = domain_of(server, "cold")
    texts = [f"number {n}" for n in range(10)]
    assert streams(lab, domain) == []
    assert at_once(lab, f"sip:nurse@{domain}", texts) == [200] * 10
    got = [users[server, "cold"].next_message()["body"] for _ in texts]
    assert got == texts
    assert [d for d, _ in streams(lab, domain)].count("out") == 1


def test_idle(peers):
    """All those streams stay open, and nobody runs for them."""
    lab, _ = peers
    for service in ("edge", "gateway"):
        assert lab.wakeups_per_s(service, 5) < 5, service
