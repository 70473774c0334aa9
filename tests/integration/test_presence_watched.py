"""SIP users watch XMPP users of Prosody and ejabberd: the gateway is the
notifier, and the roster of the XMPP user decides."""

import time

import pytest

from presence_people import roster_user
from presence_sip import ACCEPT, EVENT, Watch


def approved(romeo, juliet, *, online=True):
    """He watches her and she lets him."""
    watch = romeo.watch(f"sip:{juliet.jid}")
    juliet.wait_type(romeo.jid, "subscribe")
    juliet.approve(romeo.jid)
    watch.wait_state("active")
    if online:
        watch.wait_there({"ID-test": ("open", "", "")})
    return watch


def test_the_life_of_a_contact(lab, sip_person, xmpp_person):
    """Add, approve, go away, change note, second device, both go, come again:
    he sees just that, and each state once."""
    romeo, juliet = sip_person(), xmpp_person
    watch = romeo.watch(f"sip:{juliet.jid}")
    watch.wait_state("pending")
    assert watch.view() is None
    juliet.expect(romeo.jid, ("subscribe", "", "", ""))
    juliet.approve(romeo.jid)
    watch.wait_there({"ID-test": ("open", "", "")})
    assert juliet.roster()[romeo.jid][0] == "from"
    juliet.available("away", "at the balcony")
    watch.wait_there({"ID-test": ("open", "away", "at the balcony")})
    juliet.available("away", "at the window")
    watch.wait_there({"ID-test": ("open", "away", "at the window")})
    mobile = roster_user(lab, juliet.jid, "mobile")
    try:
        watch.wait_there({"ID-test": ("open", "away", "at the window"),
                          "ID-mobile": ("open", "", "")})
        juliet.unavailable()
        watch.wait_there({"ID-mobile": ("open", "", "")})
        mobile.unavailable()
        watch.wait_there({})
        assert set(said[0] for said in watch.view().values()) == {"closed"}
        juliet.available("dnd", "again")
        watch.wait_there({"ID-test": ("open", "dnd", "again")})
    finally:
        mobile.close()
    juliet.expect_no_more(romeo.jid)
    assert watch.repeats() == []
    assert watch.complaints == []
    documents = [s.document for s in watch.states if s.document]
    stamps = [t.timestamp for d in documents for t in d.tuples.values()
              if t.timestamp]
    assert len(set(d.entity for d in documents)) == 1
    assert sorted(stamps) == stamps


def test_denied(sip_person, xmpp_person):
    """P27."""
    romeo, juliet = sip_person(), xmpp_person
    watch = romeo.watch(f"sip:{juliet.jid}")
    watch.wait_state("pending")
    juliet.wait_type(romeo.jid, "subscribe")
    juliet.deny(romeo.jid)
    state = watch.wait_state("terminated;rejected")
    assert state.request.body == ""
    assert watch.complaints == []
    # asked again, she is asked again
    mark = juliet.mark()
    again = romeo.watch(f"sip:{juliet.jid}")
    again.wait_state("pending")
    juliet.wait_type(romeo.jid, "subscribe", mark)


def test_cancelled_after_approval(sip_person, xmpp_person):
    romeo, juliet = sip_person(), xmpp_person
    watch = approved(romeo, juliet)
    juliet.deny(romeo.jid)
    watch.wait_state("terminated;rejected")
    assert juliet.roster().get(romeo.jid, ("none",))[0] == "none"
    juliet.available("away")
    sent = len(watch.states)
    again = romeo.watch(f"sip:{juliet.jid}")
    again.wait_state("pending")
    assert again.view() is None
    assert len(watch.states) == sent


def test_removed_from_her_roster(sip_person, xmpp_person):
    romeo, juliet = sip_person(), xmpp_person
    watch = approved(romeo, juliet)
    juliet.remove(romeo.jid)
    watch.wait_state("terminated;rejected")
    assert watch.complaints == []


def test_he_stops_and_watches_again(sip_person, xmpp_person):
    """P30: his authorization stays, and she is not asked again."""
    romeo, juliet = sip_person(), xmpp_person
    watch = approved(romeo, juliet)
    mark = juliet.mark()
    assert watch.subscribe(0).status == 200
    last = watch.wait_state("terminated;timeout")
    assert {t.basic for t in last.document.tuples.values()} == {"closed"}
    juliet.available("dnd", "while he was away")
    again = romeo.watch(f"sip:{juliet.jid}")
    again.wait_there({"ID-test": ("open", "dnd", "while he was away")})
    assert {s.state for s in again.states} == {"active"}
    assert "subscribe" not in juliet.types(romeo.jid, mark)
    assert "unsubscribe" not in juliet.types(romeo.jid, mark)
    assert watch.complaints == again.complaints == []


def test_poll(sip_person, xmpp_person):
    """P31, with authorization: one NOTIFY with what is known."""
    romeo, juliet = sip_person(), xmpp_person
    approved(romeo, juliet).subscribe(0)
    juliet.available("xa", "polled")
    time.sleep(1)       # what is known is answered at once
    poll = romeo.watch(f"sip:{juliet.jid}", expires=0)
    state = poll.wait_state("terminated;timeout")
    assert {n: t.short for n, t in state.document.tuples.items()} == {
        "ID-test": ("open", "xa", "polled")}
    assert len(poll.states) == 1
    assert poll.complaints == []


def test_she_is_not_there_when_he_asks(lab, sip_person, xmpp_person):
    """She approves after she logged in again; her server kept the question."""
    romeo, juliet = sip_person(), xmpp_person
    juliet.unavailable()
    watch = romeo.watch(f"sip:{juliet.jid}")
    watch.wait_state("pending")
    juliet.available()
    juliet.wait_type(romeo.jid, "subscribe")
    juliet.approve(romeo.jid)
    watch.wait_there({"ID-test": ("open", "", "")})
    assert watch.complaints == []


def test_two_who_watch_her(sip_person, xmpp_person):
    """Each is asked about for himself; one denied learns nothing."""
    romeo, tybalt, juliet = sip_person(), sip_person(), xmpp_person
    watch = approved(romeo, juliet)
    blind = tybalt.watch(f"sip:{juliet.jid}")
    juliet.wait_type(tybalt.jid, "subscribe")
    juliet.available("away", "secret")
    watch.wait_there({"ID-test": ("open", "away", "secret")})
    juliet.deny(tybalt.jid)
    blind.wait_state("terminated;rejected")
    assert [s.document for s in blind.states] == [None] * len(blind.states)
    assert "secret" not in "".join(s.request.body for s in blind.states)


def test_both_ways_at_once(sip_person, xmpp_person):
    """Two directions of one pair do not touch each other."""
    romeo, juliet = sip_person(), xmpp_person
    romeo.policy.body = ('<?xml version="1.0"?><presence entity="sip:x" '
                         'xmlns="urn:ietf:params:xml:ns:pidf"><tuple id="ID-d">'
                         '<status><basic>open</basic></status></tuple>'
                         '</presence>')
    watch = approved(romeo, juliet)
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/d": ("", "")})
    assert juliet.roster()[romeo.jid] == ("both", "")
    assert watch.subscribe(0).status == 200
    watch.wait_state("terminated;timeout")
    assert not watched.has_ended
    juliet.unsubscribe(romeo.jid)
    watched.wait_ended()
    again = romeo.watch(f"sip:{juliet.jid}")
    again.wait_there({"ID-test": ("open", "", "")})
    assert juliet.roster()[romeo.jid][0] == "from"


@pytest.mark.parametrize("headers,status,expected", [
    (["Event: dialog", ACCEPT], 489, ("Allow-Events", "presence")),
    ([ACCEPT], 489, ("Allow-Events", "presence")),
    ([EVENT, "Accept: application/xpidf+xml"], 406, None),
], ids=["P39", "no Event", "P40"])
def test_refused(lab, sip_person, headers, status, expected):
    romeo = sip_person()
    watch = Watch(romeo, "sip:juliet@xmpp.example")
    answer = watch.subscribe(3600, headers)
    assert answer.status == status, answer.start
    if expected:
        assert answer[expected[0]] == expected[1]
    assert watch.states == []


def test_unknown_dialog(sip_person):
    """A SUBSCRIBE with a To tag that nobody gave: 481."""
    romeo = sip_person()
    known = romeo.watch("sip:juliet@xmpp.example")
    other = Watch(romeo, "sip:juliet@xmpp.example")
    other.dialog.target = known.dialog.target
    other.dialog.routes = known.dialog.routes
    other.dialog.remote_tag = known.dialog.remote_tag
    assert other.subscribe().status == 481


@pytest.mark.parametrize("asked,granted", [
    (None, 3600), (3600, 3600), (10 ** 6, 86400)])
def test_how_long(sip_person, xmpp_person, asked, granted):
    """P21: an hour without Expires; never longer than asked for."""
    romeo, juliet = sip_person(), xmpp_person
    watch = romeo.watch(f"sip:{juliet.jid}", expires=asked)
    assert watch.granted <= (asked or granted)
    if asked in (None, 3600):
        assert watch.granted == granted
    state = watch.wait_state("pending")
    assert watch.granted - 3 <= int(state.params["expires"]) <= watch.granted
