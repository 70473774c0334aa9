"""A peer with a self-signed certificate: dialback over TLS, both ways."""

import re

import pytest

from xmpp_user import XmppUser


@pytest.fixture(scope="module")
def nurse(lab):
    lab("prosody", "verona.example", "198.51.100.20", "--self-signed")
    user = XmppUser(lab.namespace("inet"), "nurse@verona.example",
                    lab.env["LAB_NURSE_PASSWORD"], "198.51.100.20")
    yield user
    user.close()


def test_both_ways(lab, nurse, romeo):
    assert romeo.message("sip:nurse@verona.example", "Madam").status == 200
    assert nurse.next_message()["body"] == "Madam"
    nurse.send("romeo@sip.example", "Anon, good nurse")
    assert romeo.next_message().body == "Anon, good nurse"


def test_it_was_dialback_over_tls(lab, nurse, romeo):
    nurse.send("romeo@sip.example", "x")
    romeo.next_message()
    log = lab.log("edge")
    for direction in ("in", "out"):
        line = re.search(r"event=stream_open .*dir=%s.*peer=verona\.example.*"
                         % direction, log)
        assert line, direction
        assert "mechanism=dialback" in line.group(0)
        assert "tls=TLSv1." in line.group(0)
