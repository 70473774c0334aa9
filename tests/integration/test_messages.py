"""Words cross, both ways, between Prosody and Kamailio over TLS."""

import re
import uuid

import pytest

from sip_user import uri_of


def test_sip_to_xmpp(lab, juliet, romeo):
    answer = romeo.message("sip:juliet@xmpp.example", "Neither, fair saint",
                           ["Subject: Names"], call_id="call-1@verona")
    assert answer.status == 200, answer.start
    got = juliet.next_message()
    assert got["from"] == "romeo@sip.example"
    assert got["to"].bare == "juliet@xmpp.example"
    assert got["body"] == "Neither, fair saint"
    assert got["subject"] == "Names"
    assert got["thread"] == "call-1@verona"


def test_the_proxy_says_who_it_is(juliet, romeo):
    """RFC 3325: P-Asserted-Identity of a trusted proxy goes before From."""
    answer = romeo.message("sip:juliet@xmpp.example", "hi", [
        'P-Asserted-Identity: "B, en" <sip:benvolio@sip.example>, <tel:+1>'])
    assert answer.status == 200
    assert juliet.next_message()["from"] == "benvolio@sip.example"


def test_type_is_normal_until_the_xmpp_side_chats(juliet, romeo):
    benvolio = "<sip:benvolio@sip.example>"
    answer = romeo.message("sip:juliet@xmpp.example", "1", from_header=benvolio)
    assert answer.status == 200
    assert juliet.next_message()["type"] in ("normal", "")
    juliet.send("romeo@sip.example", "2", kind="chat")
    romeo.next_message()
    assert romeo.message("sip:juliet@xmpp.example", "3").status == 200
    assert juliet.next_message()["type"] == "chat"


def test_xmpp_to_sip(lab, juliet, romeo):
    thread = uuid.uuid4().hex
    juliet.send("romeo@sip.example", "Art thou not Romeo?", thread=thread)
    got = romeo.next_message()
    assert got.method == "MESSAGE"
    assert got.body == "Art thou not Romeo?"
    assert uri_of(got["From"]) == "sip:juliet@xmpp.example;gr=test"
    assert uri_of(got["To"]) == "sip:romeo@sip.example"
    assert got["Call-ID"] == thread
    assert got["Contact"] is None
    assert got["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("text", [
    "Nic z obého, má děvo spanilá, nenavidíš-li jedno nebo druhé.",
    "</body><evil xmlns='x'/> & < > ' \"",
    "two\nlines",
    "\U0001F339 by any other name",
])
def test_text_survives_both_ways(juliet, romeo, text):
    assert romeo.message("sip:juliet@xmpp.example", text).status == 200
    assert juliet.next_message()["body"] == text
    juliet.send("romeo@sip.example", text)
    assert romeo.next_message().body.replace("\r\n", "\n") == text


CPIM = """From: Romeo <im:romeo@sip.example>
To: Juliet <im:juliet@xmpp.example>
Subject:;lang=fr Le titre
DateTime: 2026-01-01T00:00:00Z

Content-Type: text/plain; charset=utf-8

wrapped"""
MULTIPART = """--b=1
Content-Type: text/html

<p>the <b>other</b> form</p>
--b=1
Content-Type: text/plain; charset=utf-8
Content-Language: en

the plain form
--b=1--
"""


@pytest.mark.parametrize("content,body,text,subject", [
    ("message/cpim", CPIM, "wrapped", "Le titre"),
    ('multipart/alternative; boundary="b=1"', MULTIPART, "the plain form", ""),
    ("text/html", "<p>1 &lt; 2<br>caf&#233;</p><script>x</script>",
     "1 < 2\ncafé", ""),
])
def test_wrapped_text_is_found(juliet, romeo, content, body, text, subject):
    answer, _ = romeo.request(
        "MESSAGE", "sip:juliet@xmpp.example", [f"Content-Type: {content}"],
        body.replace("\n", "\r\n"))
    assert answer.status == 200, answer.start
    got = juliet.next_message()
    assert got["body"].strip() == text
    assert got["subject"] == subject
    assert got["from"] == "romeo@sip.example"


def test_expired_message_goes_nowhere(juliet, romeo):
    late = ["Date: Thu, 01 Jan 2015 00:00:00 GMT", "Expires: 60"]
    answer = romeo.message("sip:juliet@xmpp.example", "too late", late)
    assert answer.status == 200, answer.start
    fresh = ["Date: Thu, 01 Jan 2015 00:00:00 GMT", "Expires: 2000000000"]
    assert romeo.message("sip:juliet@xmpp.example", "in time",
                         fresh).status == 200
    assert juliet.next_message()["body"] == "in time"


ESCAPED = [
    ("o'malley", r"o\27malley@sip.example"),
    ("m&m", r"m\26m@sip.example"),
    ("f%C3%BC", "fü@sip.example"),
]


@pytest.mark.parametrize("user,jid", ESCAPED)
def test_escaped_sip_names_write(juliet, romeo, user, jid):
    answer = romeo.message("sip:juliet@xmpp.example", "hi",
                           from_header=f"<sip:{user}@sip.example>")
    assert answer.status == 200, answer.start
    assert juliet.next_message()["from"] == jid


# Kamailio's registrar takes no user with bytes above 7F: the last is left out
@pytest.mark.parametrize("user,jid", ESCAPED[:2])
def test_escaped_sip_names_are_written_to(lab, juliet, user, jid):
    other = lab.sip_user(user, 13)
    try:
        juliet.send(jid, "back")
        got = other.next_message()
        assert got.body == "back"
        assert uri_of(got["To"]) == f"sip:{user}@sip.example"
    finally:
        other.close()


def test_streams_are_authenticated_by_certificate(lab, juliet, romeo):
    assert romeo.message("sip:juliet@xmpp.example", "x").status == 200
    juliet.next_message()
    juliet.send("romeo@sip.example", "y")
    romeo.next_message()
    log = lab.log("edge")
    for direction in ("in", "out"):
        assert re.search(r"event=stream_open .*dir=%s.*peer=xmpp\.example"
                         r".*mechanism=external" % direction, log), direction


def test_every_delivery_has_one_trace_on_both_daemons(lab, juliet, romeo):
    assert romeo.message("sip:juliet@xmpp.example", "trace me").status == 200
    juliet.next_message()
    trace = re.findall(r"event=delivery trace=([0-9a-f]{32})",
                       lab.log("gateway"))[-1]
    lab.wait_log("edge", f"event=delivery trace={trace} .*outcome=delivered")


def test_bodies_are_not_logged(lab, juliet, romeo):
    secret = uuid.uuid4().hex
    assert romeo.message("sip:juliet@xmpp.example", secret).status == 200
    juliet.next_message()
    juliet.send("romeo@sip.example", secret)
    romeo.next_message()
    assert secret not in lab.log("edge")
    assert secret not in lab.log("gateway")
