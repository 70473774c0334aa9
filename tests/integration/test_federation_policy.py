"""Switch, policies and partners against real people: which policy is whose, and
what becomes of those who know each other when it changes."""

import time

import pytest

import pidf
from federation_rules import partner, policy
from pidf import one
from presence_people import roster_user
from xmpp_user import condition


@pytest.fixture
def juliet(lab):
    """On Prosody alone: the policy is of our side."""
    user = roster_user(lab, "juliet@xmpp.example")
    yield user
    for contact in user.roster():
        user.remove(contact)
    user.close()


def check(romeo, juliet, is_allowed, words=("policy-violation",)):
    """Messages and wishes to see each other, both ways. words: what she may
    be told when it is not allowed."""
    answer = romeo.message(f"sip:{juliet.jid}", "Neither")
    assert answer.status == (200 if is_allowed else 403), answer.start
    if is_allowed:
        assert juliet.next_message()["body"] == "Neither"
    juliet.send(romeo.jid, "Art thou not Romeo?")
    if is_allowed:
        assert romeo.next_message().body == "Art thou not Romeo?"
        return
    error = juliet.next_message()
    assert error["type"] == "error"
    assert condition(error)[0] in words
    assert romeo.watch(f"sip:{juliet.jid}", status=403).states == []
    mark = juliet.mark()
    juliet.subscribe(romeo.jid)
    said = juliet.wait_type(romeo.jid, "error", mark)
    assert said.condition in words
    romeo.no_subscriber()


# name: policies, whether romeo has one of his own, and what it comes to
PRECEDENCE = {
    "global": ([policy("global")], False, True),
    "global denies": ([policy("global", xmpp="off")], False, False),
    "federation off": ([policy("global", federation="off", xmpp="off")],
                       False, False),
    "none": ([], False, False),
    "site before global": (
        [policy("global", xmpp="off"), policy("site", "verona")],
        False, True),
    "site denies before global": (
        [policy("global"), policy("site", "verona", xmpp="off")],
        False, False),
    "user before site": (
        [policy("global"), policy("site", "verona", xmpp="off"),
         policy("user", "lovers")], True, True),
    "user denies before site": (
        [policy("global"), policy("site", "verona"),
         policy("user", "lovers", xmpp="off")], True, False),
    "user before global": (
        [policy("global", xmpp="off"), policy("user", "lovers")],
        True, True),
    "another user's": (
        [policy("global", xmpp="off"), policy("user", "lovers")],
        False, False),
}


@pytest.mark.parametrize("name", PRECEDENCE)
def test_precedence(rules, sip_person, juliet, name):
    policies, has_own, is_allowed = PRECEDENCE[name]
    romeo = sip_person()
    sites = [{"name": "verona", "domains": ["sip.example"]}] \
        if any(p["scope"] == "site" for p in policies) else []
    grants = [{"user": romeo.jid if has_own else "tybalt@sip.example",
               "policy": "lovers"}] \
        if any(p["scope"] == "user" for p in policies) else []
    rules(policies=policies, sites=sites, grants=grants)
    check(romeo, juliet, is_allowed)


def test_two_users(rules, sip_person, juliet):
    """One policy for one of them: the other is not concerned."""
    romeo, tybalt = sip_person(), sip_person()
    rules(policies=[policy("global"), policy("user", "banished", xmpp="off")],
          grants=[{"user": tybalt.jid, "policy": "banished"}])
    check(tybalt, juliet, False)
    check(romeo, juliet, True)


def test_switch(rules, sip_person, juliet):
    """It is the edges that refuse, by the stream: her server has a word of
    its own for it."""
    romeo = sip_person()
    rules(settings={"federation": "off"})
    check(romeo, juliet, False, ("remote-server-timeout",))
    rules()
    check(romeo, juliet, True)


# What forbids that they know each other.
FORBID = {
    "switch": {"settings": {"federation": "off"}},
    "policy": {"policies": [policy("global", xmpp="off")]},
    "partner": {"partners": [partner("xmpp.example", state="disabled")]},
}


@pytest.mark.parametrize("name", FORBID)
def test_watches_are_hidden_and_come_back(rules, sip_person, juliet, name):
    """Both watch each other; within 5 s nobody sees anybody, and later, without
    a word of theirs, everybody again."""
    romeo = sip_person()
    romeo.policy.body = pidf.document(romeo.uri, one("ID-desk", note="busy"))
    his = {f"{romeo.jid}/desk": ("", "busy")}
    hers = {"ID-test": ("open", "", "dancing")}
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    juliet.wait_view(romeo.jid, his)
    watch = romeo.watch(f"sip:{juliet.jid}")
    juliet.wait_type(romeo.jid, "subscribe")
    juliet.approve(romeo.jid)
    juliet.available(status="dancing")
    watch.wait_there(hers)

    began = time.monotonic()
    rules(**FORBID[name])
    watch.wait_there({}, wait_s=5)
    watched.wait_ended(wait_s=5)
    # also where the edges close the stream: that is its last stanza
    juliet.wait_view(romeo.jid, {}, wait_s=5)
    assert time.monotonic() - began < 5
    assert watch.states[-1].state == "active"
    assert watch.subscribe().status == 200
    mark = juliet.mark()
    juliet.say("probe", romeo.jid)
    juliet.available(status="hidden")
    time.sleep(1)
    assert [s.type for s in juliet.since(mark, romeo.jid)
            if s.type != "error"] == []
    assert watch.is_there() == {}

    juliet.available(status="dancing")
    rules()
    romeo.next_subscriber()
    juliet.wait_view(romeo.jid, his, wait_s=30)
    watch.wait_there(hers, wait_s=30)
    assert "subscribed" not in juliet.types(romeo.jid, mark)
    assert watch.complaints == []
    assert juliet.roster()[romeo.jid] == ("both", "")


def test_what_waits_is_refused(rules, sip_person, juliet):
    """Messages that wait for a user agent that says nothing."""
    romeo = sip_person()
    romeo.answer = None
    for number in range(3):
        juliet.send(romeo.jid, f"word {number}")
    assert romeo.next_message().body == "word 0"
    time.sleep(1)
    rules(policies=[policy("global", xmpp="off")])
    for _ in range(2):
        error = juliet.next_message(5)
        assert error["type"] == "error"
        assert condition(error)[0] == "policy-violation"


def test_bodies_in_the_log(lab, rules, sip_person, juliet):
    """Never, unless it is asked for."""
    romeo = sip_person()
    check(romeo, juliet, True)
    assert "event=body" not in lab.log("gateway")
    assert "Art thou not Romeo?" not in lab.log("gateway")
    rules(settings={"log_bodies": "on"})
    check(romeo, juliet, True)
    lab.wait_log("gateway", f"event=body dir=to-xmpp from={romeo.jid} "
                 f'to={juliet.jid} call-id=.* body="Neither"')
    lab.wait_log("gateway", f"event=body dir=to-sip from={juliet.jid}/test "
                 f'to={romeo.jid} call-id=.* body="Art thou not Romeo\\?"')


def test_refresh_interval(rules, sip_person, juliet):
    """What we ask for, and the most that we grant."""
    romeo = sip_person()
    rules(settings={"subscription_refresh_interval": 600})
    watch = romeo.watch(f"sip:{juliet.jid}", expires=3600)
    assert watch.granted == 600
    juliet.subscribe(romeo.jid)
    assert romeo.next_subscriber().request["Expires"] == "600"
