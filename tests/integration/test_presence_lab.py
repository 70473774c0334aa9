"""The lab's own presence, without the gateway: what the other tests of
presence stand on."""

import pytest

import pidf
from baresip import Baresip
from presence_people import presence_user, roster_user


@pytest.fixture(scope="module")
def mercutio(lab):
    yield from presence_user(lab, "mercutio", 14)


@pytest.fixture(scope="module")
def benvolio(lab):
    yield from presence_user(lab, "benvolio", 15)


def mercutio_is(name, *more, **said):
    return pidf.document("sip:mercutio@sip.example",
                         pidf.one(name, **said), *more)


def test_presence_server(lab, mercutio, benvolio):
    """Pending, allowed, changed, refreshed, blocked: as real servers do."""
    mercutio.register(headers=())
    etag, answer = mercutio.publish(mercutio_is("a", note="here"))
    assert answer.status == 200, answer.start
    watch = benvolio.watch(mercutio.uri)
    watch.wait_state("pending")
    assert watch.view() is None
    lab("watcher", "mercutio", "benvolio@sip.example", "allow")
    watch.wait_view({"a": ("open", "", "here")})
    etag, _ = mercutio.publish(mercutio_is("a", show="away"), etag)
    watch.wait_view({"a": ("open", "away", "")})
    assert watch.subscribe(60).status == 200
    assert watch.granted == 60
    lab("watcher", "mercutio", "benvolio@sip.example", "block")
    watch.wait_state("terminated;rejected")
    assert watch.complaints == []
    mercutio.publish(None, etag, 0)
    lab("watcher", "mercutio", "benvolio@sip.example", "none")


def test_presence_server_restarts(lab, mercutio, benvolio):
    """An orderly restart keeps dialogs and what was published; without its
    files it has forgotten both."""
    mercutio.register(headers=())
    lab("watcher", "mercutio", "benvolio@sip.example", "allow")
    etag, _ = mercutio.publish(mercutio_is("a", note="before"))
    watch = benvolio.watch(mercutio.uri)
    watch.wait_view({"a": ("open", "", "before")})
    lab("restart", "kamailio")
    etag, answer = mercutio.publish(mercutio_is("a", note="after"), etag)
    assert answer.status == 200, answer.start
    watch.wait_view({"a": ("open", "", "after")})
    lab("stop", "kamailio")
    lab("exec", "inside", "rm", "-r",
        f"{lab.env['LAB_STATE']}/kamailio/presence")
    lab("start", "kamailio")
    assert watch.subscribe(60).status == 481
    _, answer = mercutio.publish(mercutio_is("a", note="again"), etag)
    assert answer.status == 412
    lab("watcher", "mercutio", "benvolio@sip.example", "none")


def test_own_notifier(mercutio, benvolio):
    """A client that says Allow-Events is asked itself, through the proxy."""
    mercutio.register()
    mercutio.policy.body = mercutio_is("phone", note="me")
    watch = benvolio.watch(mercutio.uri)
    watched = mercutio.next_subscriber()
    watch.wait_view({"phone": ("open", "", "me")})
    assert watched.request["Record-Route"]
    assert watched.notify("active", mercutio_is("phone", show="dnd")).status \
        == 200
    watch.wait_view({"phone": ("open", "dnd", "")})
    assert watch.subscribe(0).status == 200
    watch.wait_state("terminated;timeout")
    assert watched.granted == 0
    assert watch.complaints == []


CHAT = "nurse@chat.example"


def test_xmpp_to_xmpp(lab):
    """Prosody and ejabberd, both ways: add, approve, come, go, remove."""
    lab("start", "ejabberd")
    juliet = roster_user(lab, "juliet@xmpp.example")
    nurse = roster_user(lab, CHAT)
    try:
        juliet.subscribe(CHAT)
        nurse.wait_type(juliet.jid, "subscribe")
        nurse.approve(juliet.jid)
        juliet.wait_type(CHAT, "subscribed")
        juliet.wait_view(CHAT, {nurse.full: ("", "")})
        nurse.available("away", "baking")
        juliet.wait_view(CHAT, {nurse.full: ("away", "baking")})
        assert juliet.roster()[CHAT] == ("to", "")
        nurse.unavailable()
        juliet.wait_view(CHAT, {})
        nurse.available("dnd")
        juliet.wait_view(CHAT, {nurse.full: ("dnd", "")})
        assert juliet.repeats(CHAT) == []
        juliet.remove(CHAT)
        nurse.wait_type(juliet.jid, "unsubscribe")
        assert CHAT not in juliet.roster()
    finally:
        juliet.close()
        nurse.close()


def test_baresip(lab, mercutio):
    """It watches and is watched; until it is told, its PIDF says neither open
    nor closed."""
    mercutio.register()
    mercutio.policy.body = mercutio_is("phone")
    tybalt = Baresip(lab, "tybalt", 16, ["mercutio@sip.example"])
    try:
        watched = mercutio.next_subscriber()
        assert watched.request["Accept"] is None
        tybalt.wait_contact("mercutio@sip.example", "Online")
        watched.notify("active", mercutio_is("phone", pidf.person("busy")))
        tybalt.wait_contact("mercutio@sip.example", "Busy")
        watched.notify("active", mercutio_is("phone", basic="closed"))
        tybalt.wait_contact("mercutio@sip.example", "Offline")
        watch = mercutio.watch(tybalt.uri)
        watch.wait_state("active")
        (name, said), = watch.view().items()
        assert said == ("?", "", "")
        tybalt.online()
        watch.wait_view({name: ("open", "", "")})
        tybalt.offline()
        watch.wait_view({name: ("closed", "", "")})
        assert watch.subscribe(60).status == 423
        assert watch.subscribe(0).status == 200
        watch.wait_state("terminated;timeout")
        assert watch.complaints == []
        tybalt.quit()
        watched.wait_ended()
    finally:
        tybalt.close()
