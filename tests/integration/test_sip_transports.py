"""Words and errors through Kamailio, with each transport between the two."""

import os
import re
import time

import pytest

from conftest import Lab
from xmpp_user import condition


@pytest.fixture(scope="module", params=["tcp", "udp", "tls"])
def place(request):
    """A lab whose gateway and Kamailio speak that transport; two people."""
    lab = Lab(f"sip{request.param}{os.getpid()}",
              LAB_SIP_TRANSPORT=request.param)
    people = []
    try:
        lab.up()
        people = [lab.juliet(), lab.sip_user("romeo", 12)]
        yield request.param, lab, *people
        assert lab.stop_daemons() == []
    finally:
        for person in people:
            person.close()
        lab("down")


def test_both_ways(place):
    transport, lab, juliet, romeo = place
    assert romeo.message("sip:juliet@xmpp.example", "Neither").status == 200
    assert juliet.next_message()["body"] == "Neither"
    juliet.send("romeo@sip.example", "Art thou not Romeo?")
    got = romeo.next_message()
    assert got.body == "Art thou not Romeo?"
    # Kamailio's Via, then the gateway's
    assert f"SIP/2.0/{transport.upper()} 10.66.0.2:" in \
        ", ".join(got.all("Via"))


def test_errors_both_ways(place):
    _, _, juliet, romeo = place
    assert romeo.message("sip:nobody@nowhere.example", "hm").status == 404
    juliet.send("nobody@sip.example", "hm")
    error = juliet.next_message()
    assert condition(error)[0] == "item-not-found"
    assert error["from"] == "nobody@sip.example"


def test_many_in_order(place):
    _, _, juliet, romeo = place
    for i in range(50):
        juliet.send("romeo@sip.example", f"word {i}")
    assert [romeo.next_message().body for _ in range(50)] == \
        [f"word {i}" for i in range(50)]


only_tls = pytest.mark.parametrize("place", ["tls"], indirect=True)


@only_tls
def test_tls_both_ways(place):
    """Who dialled whom, and that each saw the certificate of the other."""
    _, lab, juliet, romeo = place
    assert romeo.message("sip:juliet@xmpp.example", "out").status == 200
    assert juliet.next_message()["body"] == "out"
    juliet.send("romeo@sip.example", "in")
    assert romeo.next_message().body == "in"
    for direction, name in (("out", "sip.example"), ("in", "sip.example")):
        lab.wait_log("gateway", r"event=sip_tls_peer dir=%s ip=10\.66\.0\.3 "
                     r".*name=%s" % (direction, re.escape(name)))
    assert "sip_tls_refused" not in lab.log("gateway")


@only_tls
def test_wrong_name_gets_nothing(place):
    """RFC 5922: the certificate is not that of the URI's domain."""
    _, lab, juliet, romeo = place
    lab.edit("gateway", "sip:sip.example:5061", "sip:other.example:5061")
    try:
        begin = time.monotonic()
        juliet.send("romeo@sip.example", "never")
        assert condition(juliet.next_message())[0] == \
            "remote-server-timeout"
        assert time.monotonic() - begin < 5
        lab.wait_log("gateway", r"event=sip_tls_refused dir=out .*"
                     r"host=other\.example name=sip\.example")
    finally:
        lab.edit("gateway", "sip:other.example:5061", "sip:sip.example:5061")
    juliet.send("romeo@sip.example", "again")
    assert romeo.next_message().body == "again"
