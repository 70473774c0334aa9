"""What cannot be delivered comes back to its sender, in his protocol, from
the address he wrote to."""

import pytest

from sip_user import uri_of
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
    (500, "internal-server-error", "cancel"),
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
