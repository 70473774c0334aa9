"""Presence through Kamailio with UDP and TLS between it and the gateway (TCP is
everywhere else): requests in a dialog find their way both ways, and back after
a restart."""

import os

import pytest

import pidf
from conftest import Lab
from pidf import one
from presence_people import roster_user
from presence_sip import PresenceUser


class Place:
    """A lab of its own, juliet on Prosody and romeo at Kamailio."""

    def __init__(self, lab, transport):
        self.lab, self.transport = lab, transport
        self.juliet = roster_user(lab, "juliet@xmpp.example")
        self.romeo = PresenceUser(lab.namespace("inside"), "romeo",
                                  "10.66.0.12", 5062,
                                  (lab.env["LAB_KAMAILIO_IP"], 5060))

    def close(self):
        self.juliet.close()
        self.romeo.close()


@pytest.fixture(scope="module", params=["udp", "tls"])
def place(request):
    lab = Lab(f"pres{request.param}{os.getpid()}",
              LAB_SIP_TRANSPORT=request.param)
    there = None
    try:
        there = Place(lab.up(), request.param)
        yield there
        assert lab.stop_daemons() == []
    finally:
        if there is not None:
            there.close()
        lab("down")


def document(romeo, *parts):
    return pidf.document(romeo.uri, *parts)


def test_she_watches_him(place):
    romeo, juliet = place.romeo.register(), place.juliet
    romeo.policy.body = document(romeo, one("ID-a"))
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    via = ", ".join(watched.request.all("Via"))
    assert f"SIP/2.0/{place.transport.upper()} 10.66.0.2:" in via
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/a": ("", "")})
    watched.notify("active", document(romeo, one("ID-a", show="away")))
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/a": ("away", "")})
    place.lab("fault", "kill", "gateway")
    romeo.policy.body = document(romeo, one("ID-a", show="dnd"))
    place.lab("start", "gateway")
    place.lab("wait-channel")
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/a": ("dnd", "")}, 30)
    assert len(watched.requests) == 2
    juliet.remove(romeo.jid)
    watched.wait_ended()
    assert romeo.subscribers.empty()


def test_he_watches_her(place):
    romeo, juliet = place.romeo.register(), place.juliet
    watch = romeo.watch("sip:juliet@xmpp.example")
    juliet.wait_type(romeo.jid, "subscribe")
    juliet.approve(romeo.jid)
    watch.wait_there({"ID-test": ("open", "", "")})
    assert watch.subscribe(1800).status == 200
    note = "long " * 180
    juliet.available("dnd", note.strip())
    watch.wait_there({"ID-test": ("open", "dnd", note.strip())})
    place.lab("fault", "kill", "gateway")
    place.lab("start", "gateway")
    place.lab("wait-channel")
    juliet.available("xa")
    watch.wait_there({"ID-test": ("open", "xa", "")}, 30)
    assert watch.subscribe(1800).status == 200
    assert watch.subscribe(0).status == 200
    watch.wait_state("terminated;timeout")
    assert watch.complaints == []
    juliet.remove(romeo.jid)


def test_presence_server(place):
    """Its dialogs are Kamailio's own: no proxy between the two."""
    romeo, juliet = place.romeo, place.juliet
    jid = "published@sip.example"
    etag, _ = romeo.publish(document(romeo, one("ID-a")), user="published")
    place.lab("watcher", "published", juliet.jid, "allow")
    juliet.subscribe(jid)
    juliet.wait_view(jid, {f"{jid}/a": ("", "")})
    _, answer = romeo.publish(document(romeo, one("ID-a", show="xa")), etag,
                              user="published")
    assert answer.status == 200
    juliet.wait_view(jid, {f"{jid}/a": ("xa", "")})
    mark = juliet.mark()
    juliet.remove(jid)
    juliet.wait_view(jid, {})
    assert "error" not in juliet.types(jid, mark)
