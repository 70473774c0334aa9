"""What cannot be delivered comes back to its sender, in his protocol, from
the address he wrote to."""

import re
import socket
import time

import pytest

import admin_wire
import netns
from sip_user import Sip, SipUser, uri_of
from xmpp_user import condition


def test_unknown_xmpp_user(romeo):
    answer = romeo.message("sip:nobody@xmpp.example", "hello?")
    # Prosody says service-unavailable or item-not-found for a stranger
    assert answer.status in (403, 404, 604), answer.start
    assert uri_of(answer["To"]) == "sip:nobody@xmpp.example"


def test_unknown_sip_user(juliet):
    stanza_id = juliet.send("nobody@sip.example", "hello?")
    got = juliet.next_message()
    assert got["type"] == "error"
    assert got["id"] == stanza_id
    assert got["from"] == "nobody@sip.example"
    assert condition(got) == ("item-not-found", "cancel")


@pytest.mark.parametrize("status,name,kind", [
    (480, "recipient-unavailable", "wait"),
    (486, "recipient-unavailable", "wait"),
    (603, "recipient-unavailable", "wait"),
    (415, "not-acceptable", "modify"),
    (400, "bad-request", "modify"),
    (404, "item-not-found", "cancel"),
    (500, "internal-server-error", "cancel"),
    (503, "internal-server-error", "cancel"),
])
def test_sip_failures(lab, juliet, status, name, kind):
    busy = lab.sip_user("mercutio", 14, answer=status)
    try:
        juliet.send("mercutio@sip.example", "there?")
        got = juliet.next_message()
        assert got["type"] == "error"
        assert got["from"] == "mercutio@sip.example"
        assert condition(got) == (name, kind)
    finally:
        busy.close()


def test_unknown_xmpp_domain(romeo):
    """IM21"""
    answer = romeo.message("sip:juliet@no-such-domain.example", "hello?")
    assert answer.status == 404, answer.start


def test_dead_xmpp_server(lab, romeo):
    lab("dns", "add",
        "_xmpp-server._tcp.dead.example. 60 IN SRV 0 0 5269 h.dead.example.",
        "h.dead.example. 60 IN A 198.51.100.59")
    answer = romeo.message("sip:juliet@dead.example", "hello?")
    assert answer.status == 504, answer.start
    # what happened, but not where: that is for the edge's log only
    assert "connection refused" in answer.start
    assert "198.51.100" not in answer.start
    lab.wait_log("edge", r"connection refused; 198\.51\.100\.59:5269")


def test_sips_is_not_carried(romeo):
    answer = romeo.message("sips:juliet@xmpp.example", "hello?",
                           to="<sips:juliet@xmpp.example>")
    assert answer.status == 480, answer.start
    assert "380" in (answer["Warning"] or "")


def test_foreign_from_is_refused(romeo):
    answer = romeo.message("sip:juliet@xmpp.example", "hello?",
                           from_header="<sip:tybalt@elsewhere.example>")
    assert answer.status == 403, answer.start


def test_content_that_cannot_be_carried(romeo):
    answer, _ = romeo.request("MESSAGE", "sip:juliet@xmpp.example",
                              ["Content-Type: application/foo"], "x")
    assert answer.status == 415, answer.start
    assert "text/plain" in answer["Accept"]


def test_too_long_for_page_mode(juliet, romeo):
    stanza_id = juliet.send("romeo@sip.example", "x" * 2000)
    got = juliet.next_message()
    assert got["type"] == "error" and got["id"] == stanza_id
    assert condition(got) == ("policy-violation", "modify")


@pytest.fixture
def known_partners_only(lab):
    """Prosody and nobody else."""
    path = lab.env["LAB_GATEWAY_ADMIN"]
    before = admin_wire.status(path)[0]
    admin_wire.apply(path, [
        admin_wire.settings(path, open=0),
        admin_wire.partner("xmpp.example", sasl=admin_wire.OPTIONAL)])
    yield
    admin_wire.apply(path, rollback_to=before)


def test_partner_that_is_not_allowed(known_partners_only, juliet, romeo):
    answer = romeo.message("sip:nurse@other.example", "hello?")
    assert answer.status == 403, answer.start
    assert romeo.message("sip:juliet@xmpp.example", "welcome").status == 200
    assert juliet.next_message()["body"] == "welcome"


class ProxySocket(SipUser):
    """At the address of the proxy, straight to the gateway: Kamailio between
    them would answer 100 Trying by itself."""

    def __init__(self, lab):
        host, port = lab.env["LAB_GATEWAY_SIP"].rsplit(":", 1)
        super().__init__(lab.namespace("inside"), "romeo",
                         lab.env["LAB_KAMAILIO_IP"], 5078, (host, int(port)))


def test_server_that_says_nothing(lab):
    """100 Trying when RFC 4320 wants it, 504 before the sender gives up."""
    with netns.inside(lab.namespace("inet")):
        mute = socket.create_server((lab.env["LAB_PROSODY_IP"], 5999))
    lab("dns", "add",
        "_xmpp-server._tcp.mute.example. 60 IN SRV 0 0 5999 h.mute.example.",
        f"h.mute.example. 60 IN A {lab.env['LAB_PROSODY_IP']}")
    proxy = ProxySocket(lab)
    try:
        began = time.monotonic()
        answer, before = proxy.request(
            "MESSAGE", "sip:juliet@mute.example", ["Content-Type: text/plain"],
            "hello?")
        took = time.monotonic() - began
    finally:
        proxy.close()
        mute.close()
    assert answer.status == 504, answer.start
    assert [p.status for p in before] == [100]
    assert 3.5 < took < 31


def test_quick_answers_have_no_100(lab, juliet):
    proxy = ProxySocket(lab)
    try:
        answer, before = proxy.request(
            "MESSAGE", "sip:juliet@xmpp.example",
            ["Content-Type: text/plain"], "quick")
    finally:
        proxy.close()
    assert (answer.status, before) == (200, [])
    assert juliet.next_message()["body"] == "quick"


def test_nothing_is_injected(juliet, romeo):
    """IM7 on the wire, and the same by thread, language and body."""
    juliet.send_raw(
        "<message to='romeo@sip.example' type='normal' "
        "xml:lang='cs&#13;&#10;X-Lang: y'>"
        "<subject>a&#13;&#10;Route: &lt;sip:evil&gt;&#10; b</subject>"
        "<thread>t&#13;&#10;X-Thread: y</thread>"
        "<body>one&#13;&#10;&#13;&#10;INVITE sip:evil SIP/2.0</body>"
        "</message>")
    got = romeo.next_message()
    assert got["Subject"] == "a Route: <sip:evil> b"
    assert got.body.replace("\r", "") == \
        "one\n\nINVITE sip:evil SIP/2.0"
    names = {name.lower() for name, _ in got.headers}
    assert names <= {"via", "max-forwards", "from", "to", "call-id", "cseq",
                     "subject", "content-type", "content-length",
                     "record-route", "route"}
    assert all("evil" not in v for v in got.all("Route"))
    assert isinstance(got, Sip) and re.fullmatch(r"\S+", got["Call-ID"])


def test_answers_come_from_the_address_written_to(lab, juliet):
    """With its id, however the writer spells the user."""
    busy = lab.sip_user("mercutio", 14, answer=486)
    try:
        juliet.send_raw("<message to='Mercutio@SIP.example' type='chat' "
                        "id='x1'><body>there?</body></message>")
        got = juliet.next_message()
        assert got["id"] == "x1"
        assert got["from"] == "mercutio@sip.example"
        assert condition(got) == ("recipient-unavailable", "wait")
    finally:
        busy.close()
