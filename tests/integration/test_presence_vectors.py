"""Vectors of presence by their number, with a scripted XMPP server on one side
and a scripted SIP user on the other: what each of them says is exact, so what
the gateway says must be."""

import itertools
import time

import pytest

import pidf
from pidf import one
from presence_sip import Watch, tag_of
from sip_user import uri_of

RESOURCE = "dr4hcr0st3lup4c"

_users = itertools.count(1)


@pytest.fixture
def juliet():
    """A name at tower.example that nobody had."""
    return f"juliet{next(_users)}"


def document(user, *parts):
    return pidf.document(user.uri, *parts)


def bare(juliet):
    return f"{juliet}@tower.example"


def told(tower, juliet, romeo, mark=0):
    """[(type, resource, show, status)] that this user was told by that one."""
    return [(s.type, s.sender.partition("/")[2], s.show, s.status)
            for s in tower.since(mark, romeo.jid)
            if s.to.partition("/")[0] == bare(juliet)]


def wait_told(tower, juliet, romeo, *said, mark=0):
    tower.wait(lambda: len(told(tower, juliet, romeo, mark)) >= len(said),
               f"{said} for {juliet}")
    assert told(tower, juliet, romeo, mark) == list(said)


def stays_told(tower, juliet, romeo, *said, mark=0, wait_s=1):
    time.sleep(wait_s)
    assert told(tower, juliet, romeo, mark) == list(said)


def active(tower, juliet, romeo, *tuples, first="active"):
    """She watches him and was told those tuples."""
    romeo.policy.first = first
    romeo.policy.body = document(romeo, *tuples)
    tower.say(juliet, romeo.jid, "subscribe")
    watched = romeo.next_subscriber()
    tower.wait(lambda: len(told(tower, juliet, romeo)) == 1 + len(tuples),
               "all of him")
    return watched


# ---- an XMPP user watches a SIP user ----------------------------------------


def test_p1_p2_p3_p7(tower, juliet, sip_person):
    romeo = sip_person()
    romeo.policy.first = "pending"
    tower.say(juliet, romeo.jid, "subscribe", stanza_id="s1")
    watched = romeo.next_subscriber()
    request = watched.request
    assert request["Event"] == "presence"
    assert request["Expires"] == "3600"
    assert request["Accept"].split(";")[0] == "application/pidf+xml"
    assert uri_of(request["From"]) == f"sip:{bare(juliet)}"
    assert tag_of(request["From"])
    assert request["To"] == f"<{romeo.uri}>"
    assert request["Contact"]
    stays_told(tower, juliet, romeo)
    answer = watched.notify("active", document(
        romeo, one(f"ID-{RESOURCE}", show="away")), expires=499)
    assert answer.status == 200
    wait_told(tower, juliet, romeo, ("subscribed", "", "", ""),
              ("", RESOURCE, "away", ""))
    first = tower.since(0, romeo.jid)[0]
    assert (first.sender, first.to) == (romeo.jid, bare(juliet))
    watched.notify("active", document(
        romeo, one(f"ID-{RESOURCE}", basic="closed")))
    stays_told(tower, juliet, romeo, ("subscribed", "", "", ""),
               ("", RESOURCE, "away", ""), ("unavailable", RESOURCE, "", ""))


def test_p4(tower, juliet, sip_person):
    """Active without a body: subscribed, then unavailable."""
    romeo = sip_person()
    tower.say(juliet, romeo.jid, "subscribe")
    romeo.next_subscriber()
    wait_told(tower, juliet, romeo, ("subscribed", "", "", ""),
              ("unavailable", "", "", ""))
    stays_told(tower, juliet, romeo, ("subscribed", "", "", ""),
               ("unavailable", "", "", ""))


def test_active_without_body_keeps_the_document(tower, juliet, sip_person):
    """RFC 3856 6.8."""
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a"))
    assert watched.notify("active").status == 200
    stays_told(tower, juliet, romeo, ("subscribed", "", "", ""),
               ("", "a", "", ""))


def test_p5(tower, juliet, sip_person):
    """The NOTIFY before the 200."""
    romeo = sip_person()
    romeo.policy.is_early = True
    active(tower, juliet, romeo, one("ID-a", show="away"))
    stays_told(tower, juliet, romeo, ("subscribed", "", "", ""),
               ("", "a", "away", ""))
    tower.say(juliet, romeo.jid, "unsubscribe")
    tower.wait(lambda: ("unavailable", "a", "", "") in
               told(tower, juliet, romeo), "his end")
    assert len(romeo.watched) == 1


def test_p6(tower, juliet, sip_person):
    """A second fork: 481, and nothing of it is told."""
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a"))
    real, watched.dialog.tag = watched.dialog.tag, "otherfork"
    assert watched.notify("active", document(romeo, one("ID-fork"))).status \
        == 481
    watched.dialog.tag = real
    assert watched.notify("active", document(romeo, one("ID-a"))).status == 200
    stays_told(tower, juliet, romeo, ("subscribed", "", "", ""),
               ("", "a", "", ""))


def test_p8(tower, juliet, sip_person):
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("a"), one("b"))
    assert sorted(told(tower, juliet, romeo)[1:]) == [("", "a", "", ""),
                                                      ("", "b", "", "")]
    mark = tower.mark()
    watched.notify("active", document(romeo, one("a")))
    stays_told(tower, juliet, romeo, ("unavailable", "b", "", ""), mark=mark)


def test_p11(tower, juliet, sip_person):
    romeo = sip_person()
    romeo.policy.status, romeo.policy.headers = 423, ["Min-Expires: 7200"]
    tower.say(juliet, romeo.jid, "subscribe")
    asked = [romeo.refused.get(timeout=10)["Expires"] for _ in range(2)]
    assert asked == ["3600", "7200"]
    assert "unsubscribed" not in [t[0] for t in told(tower, juliet, romeo)]


def test_p13(tower, juliet, sip_person):
    """Deactivated: a new subscription at once; the watcher notices nothing."""
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a"))
    mark = tower.mark()
    assert watched.notify("terminated;reason=deactivated").status == 200
    again = romeo.next_subscriber(5)
    assert again.request["Call-ID"] != watched.request["Call-ID"]
    assert tag_of(again.request["From"]) != tag_of(watched.request["From"])
    assert again.request["CSeq"].endswith(" SUBSCRIBE")
    stays_told(tower, juliet, romeo, mark=mark)
    assert again.notify("active", document(romeo, one("ID-a", show="xa"))) \
        .status == 200
    wait_told(tower, juliet, romeo, ("", "a", "xa", ""), mark=mark)


def test_p14(tower, juliet, sip_person):
    """Not before the time that the notifier asked for."""
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a"))
    mark = tower.mark()
    began = time.monotonic()
    watched.notify("terminated;reason=probation;retry-after=32")
    romeo.next_subscriber(60)
    assert time.monotonic() - began >= 32
    assert "unsubscribed" not in [t[0] for t in
                                  told(tower, juliet, romeo, mark)]


def test_p15(tower, juliet, sip_person):
    """200, and never a NOTIFY: no approval; tried again later."""
    romeo = sip_person()
    romeo.policy.first = None
    tower.say(juliet, romeo.jid, "subscribe")
    romeo.next_subscriber()
    again = romeo.next_subscriber(120)
    assert told(tower, juliet, romeo) == [] or \
        {t[0] for t in told(tower, juliet, romeo)} == {"error"}
    mark = tower.mark()
    again.notify("active", document(romeo, one("ID-a")))
    wait_told(tower, juliet, romeo, ("subscribed", "", "", ""),
              ("", "a", "", ""), mark=mark)


def test_p16(tower, juliet, sip_person):
    """Unsubscribe: SUBSCRIBE in the dialog with Expires 0."""
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a"))
    mark = tower.mark()
    tower.say(juliet, romeo.jid, "unsubscribe")
    watched.wait_ended()
    first, last = watched.requests
    assert last["Expires"] == "0"
    assert int(last["CSeq"].split()[0]) > int(first["CSeq"].split()[0])
    assert tag_of(last["To"]) == watched.dialog.tag
    tower.wait_type(romeo.jid, "unsubscribed", mark)
    time.sleep(1)
    said = told(tower, juliet, romeo, mark)
    assert sorted(said) == sorted(
        [("unavailable", "a", "", ""), ("unsubscribed", "", "", "")])


def test_p17_p18(tower, juliet, sip_person):
    """A probe is answered from memory, to who asked, with its id."""
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a", show="dnd", note="n"))
    mark = tower.mark()
    tower.say(juliet, romeo.jid, "probe", stanza_id="p1")
    wait_told(tower, juliet, romeo, ("", "a", "dnd", "n"), mark=mark)
    watched.notify("active", document(romeo, one("ID-a", basic="closed")))
    wait_told(tower, juliet, romeo, ("", "a", "dnd", "n"),
              ("unavailable", "a", "", ""), mark=mark)
    mark = tower.mark()
    tower.say(juliet, romeo.jid, "probe", stanza_id="p2")
    wait_told(tower, juliet, romeo, ("unavailable", "", "", ""), mark=mark)
    answer = tower.since(mark, romeo.jid)[0]
    assert answer.id == "p2"
    assert len(watched.requests) == 1
    assert romeo.subscribers.empty()


def test_p19(tower, juliet, sip_person):
    """A probe of nobody who is known is a poll; the answer is his who asked."""
    romeo = sip_person()
    romeo.policy.body = document(romeo, one("ID-a", note="polled"))
    tower.say(juliet, romeo.jid, "probe", stanza_id="p3")
    polled = romeo.next_subscriber()
    assert polled.request["Expires"] == "0"
    wait_told(tower, juliet, romeo, ("", "a", "", "polled"))
    stays_told(tower, juliet, romeo, ("", "a", "", "polled"))
    assert len(polled.requests) == 1


@pytest.mark.parametrize("status", [403, 404, 489, 603])
def test_p20(tower, juliet, sip_person, status):
    romeo = sip_person()
    romeo.policy.status = status
    tower.say(juliet, romeo.jid, "probe", stanza_id="p4")
    wait_told(tower, juliet, romeo, ("unsubscribed", "", "", ""))
    assert tower.since(0, romeo.jid)[-1].id == "p4"


@pytest.mark.parametrize("body,kind,status", [
    ("<presence", "application/pidf+xml", 400),
    ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><presence '
     'xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@b"/>',
     "application/pidf+xml", 400),
    ('<?xml version="1.0"?><other/>', "application/pidf+xml", 400),
    ("hello", "text/plain", 415),
], ids=["broken", "DTD", "another root", "another type"])
def test_broken_documents_change_nothing(tower, juliet, sip_person, body, kind,
                                         status):
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a"))
    answer = watched.notify("active", body, kind=kind)
    assert answer.status == status, answer.start
    if status == 415:
        assert "application/pidf+xml" in answer["Accept"]
    stays_told(tower, juliet, romeo, ("subscribed", "", "", ""),
               ("", "a", "", ""))
    assert watched.notify("active", document(romeo, one("ID-b"))).status == 200


def test_wrong_notifies(tower, juliet, sip_person):
    """No Subscription-State: 400; another event: 489; old CSeq: 500."""
    romeo = sip_person()
    watched = active(tower, juliet, romeo, one("ID-a"))
    assert watched.dialog.send("NOTIFY", ["Event: presence"]).status == 400
    assert watched.notify("active", event="Event: dialog").status in (481, 489)
    watched.dialog._cseq = itertools.count(1)       # it has been used
    assert watched.notify("active").status == 500
    stays_told(tower, juliet, romeo, ("subscribed", "", "", ""),
               ("", "a", "", ""))


@pytest.mark.parametrize("parts,show", [
    ((one("t", show="bored"),), ""),
    ((one("t"), pidf.person("on-the-phone")), "dnd"),           # P43
    ((one("t"), pidf.person("vacation", "busy")), "xa"),
    ((one("t", show="chat"), pidf.person("busy")), "chat"),
    ((one("t"), pidf.person()), ""),
])
def test_p43_and_its_kin(tower, juliet, sip_person, parts, show):
    romeo = sip_person()
    romeo.policy.body = document(romeo, *parts)
    tower.say(juliet, romeo.jid, "subscribe")
    romeo.next_subscriber()
    wait_told(tower, juliet, romeo, ("subscribed", "", "", ""),
              ("", "t", show, ""))


def test_p42(tower, juliet, sip_person):
    """A prefix for PIDF's own namespace."""
    romeo = sip_person()
    romeo.policy.body = (
        '<?xml version="1.0"?><impp:presence entity="pres:r@sip.example" '
        'xmlns:impp="urn:ietf:params:xml:ns:pidf"><impp:tuple id="ID-a">'
        '<impp:status><impp:basic>open</impp:basic></impp:status>'
        '<impp:note>n</impp:note></impp:tuple></impp:presence>')
    tower.say(juliet, romeo.jid, "subscribe")
    romeo.next_subscriber()
    wait_told(tower, juliet, romeo, ("subscribed", "", "", ""),
              ("", "a", "", "n"))


@pytest.mark.parametrize("given,expected", [
    ("0.8", "102"), ("1", "127"), ("0.007", "1"), ("0", ""), ("1.5", ""),
    ("abc", "")])
def test_p35(tower, juliet, sip_person, given, expected):
    romeo = sip_person()
    active(tower, juliet, romeo, one("ID-a", priority=given))
    got = tower.since(0, romeo.jid)[-1].priority
    assert got in ((expected,) if expected else ("", "0"))


def test_a_note_has_its_language(tower, juliet, sip_person):
    romeo = sip_person()
    active(tower, juliet, romeo, one("ID-a", note="ahoj", lang="cs"))
    got = tower.since(0, romeo.jid)[-1]
    assert (got.status, got.lang) == ("ahoj", "cs")


# ---- a SIP user watches an XMPP user ----------------------------------------


def asked(tower, juliet, romeo):
    """He watches her; her server has the question."""
    watch = romeo.watch(f"sip:{bare(juliet)}")
    watch.wait_state("pending")
    tower.wait(lambda: ("subscribe", "", "", "") in
               told(tower, juliet, romeo), "subscribe")
    return watch


def test_p21_p22_p23_p24_p25_p26(tower, juliet, sip_person):
    romeo = sip_person()
    watch = romeo.watch(f"sip:{bare(juliet)}", expires=None)
    assert watch.granted == 3600
    state = watch.wait_state("pending")
    assert 3595 <= int(state.params["expires"]) <= 3600
    assert state.request.body == ""
    wait_told(tower, juliet, romeo, ("subscribe", "", "", ""))
    tower.say(juliet, romeo.jid, "subscribed")
    state = watch.wait_state("active")
    assert state.request.body == ""
    assert state.request["Content-Length"] == "0"
    assert 3500 < int(state.params["expires"]) <= 3600
    tower.say(f"{juliet}/yn0cl4bnw0yr3vym", romeo.jid, "", "away", "Zzz", 5)
    watch.wait_there({"ID-yn0cl4bnw0yr3vym": ("open", "away", "Zzz")})
    state = watch.states[-1]
    assert state.request["Content-Type"] == "application/pidf+xml"
    assert state.document.entity == f"pres:{bare(juliet)}"
    assert state.document.tuples["ID-yn0cl4bnw0yr3vym"].priority == "0.039"
    tower.say(f"{juliet}/chamber", romeo.jid, "", "dnd")
    watch.wait_there({"ID-yn0cl4bnw0yr3vym": ("open", "away", "Zzz"),
                      "ID-chamber": ("open", "dnd", "")})
    tower.say(f"{juliet}/yn0cl4bnw0yr3vym", romeo.jid, "unavailable")
    watch.wait_there({"ID-chamber": ("open", "dnd", "")})
    tower.say(f"{juliet}/chamber", romeo.jid, "unavailable")
    watch.wait_there({})
    assert {t.basic for t in watch.states[-1].document.tuples.values()} == {
        "closed"}
    assert watch.complaints == []
    assert watch.repeats() == []


def test_p28_p29(tower, juliet, sip_person):
    """Refreshes: empty while nothing is known, then the whole document; the
    XMPP side notices nothing."""
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    tower.say(juliet, romeo.jid, "subscribed")
    watch.wait_state("active")
    mark, count = tower.mark(), len(watch.states)
    assert watch.subscribe(3600).status == 200
    state = watch.wait_state("active", after=count)
    assert state.request.body == ""
    tower.say(f"{juliet}/a", romeo.jid, "", "xa", "known")
    watch.wait_there({"ID-a": ("open", "xa", "known")})
    count = len(watch.states)
    assert watch.subscribe(1800).status == 200
    state = watch.wait_state("active", after=count)
    assert int(state.params["expires"]) <= 1800
    assert {n: t.short for n, t in state.document.tuples.items()} == {
        "ID-a": ("open", "xa", "known")}
    assert "subscribe" not in [t[0] for t in
                               told(tower, juliet, romeo, mark)]
    assert watch.complaints == []


def test_p30(tower, juliet, sip_person):
    """The end of a dialog is unavailable to the contact, not unsubscribe."""
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    tower.say(juliet, romeo.jid, "subscribed")
    tower.say(f"{juliet}/a", romeo.jid)
    watch.wait_there({"ID-a": ("open", "", "")})
    mark = tower.mark()
    assert watch.subscribe(0).status == 200
    last = watch.wait_state("terminated;timeout")
    assert {t.basic for t in last.document.tuples.values()} == {"closed"}
    stays_told(tower, juliet, romeo, ("unavailable", "", "", ""), mark=mark)
    again = romeo.watch(f"sip:{bare(juliet)}")
    state = again.wait(lambda: again.states and again.states[0], "anything")
    assert state.state == "active"


def test_p31(tower, juliet, sip_person):
    """A poll of somebody unknown: her server is probed, the answer comes in
    2 s, and without authorization it says nothing."""
    romeo = sip_person()
    began = time.monotonic()
    poll = romeo.watch(f"sip:{bare(juliet)}", expires=0)
    state = poll.wait_state("terminated;timeout")
    assert time.monotonic() - began < 4
    assert state.document is None
    time.sleep(0.5)
    assert len(poll.states) == 1
    assert "subscribe" not in [t[0] for t in told(tower, juliet, romeo)]


def test_p33(tower, juliet, sip_person):
    """A NOTIFY that is answered 481 was the last."""
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    tower.say(juliet, romeo.jid, "subscribed")
    watch.wait_state("active")
    watch.answer = 481
    tower.say(f"{juliet}/a", romeo.jid)
    time.sleep(2)
    watch.answer = 200
    seen = len(watch.states)
    tower.say(f"{juliet}/a", romeo.jid, "", "away")
    time.sleep(2)
    assert len(watch.states) == seen
    assert watch.subscribe().status == 481


@pytest.mark.parametrize("given,expected", [
    (-1, ("",)), (0, ("0", "0.000")), (127, ("1", "1.000")),
    (126, ("0.992",)), (64, ("0.503",))])
def test_p34(tower, juliet, sip_person, given, expected):
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    tower.say(juliet, romeo.jid, "subscribed")
    tower.say(f"{juliet}/a", romeo.jid, priority=given)
    watch.wait_there({"ID-a": ("open", "", "")})
    assert watch.states[-1].document.tuples["ID-a"].priority in expected


def test_p36(tower, juliet, sip_person):
    """A resource that is no NCName has an id that is one, the same again."""
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    tower.say(juliet, romeo.jid, "subscribed")
    tower.say(f"{juliet}/1 a/b", romeo.jid)
    watch.wait(watch.is_there, "her")
    (name, _), = watch.is_there().items()
    assert all(c.isalnum() or c in "-_." for c in name), name
    assert name[0].isalpha()
    tower.say(f"{juliet}/1 a/b", romeo.jid, "", "away")
    watch.wait_there({name: ("open", "away", "")})


def test_p37(tower, juliet, sip_person):
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    tower.say(juliet, romeo.jid, "subscribed")
    tower.say(f"{juliet}/a", romeo.jid, status="spím", lang="cs")
    watch.wait_there({"ID-a": ("open", "", "spím")})
    state = watch.states[-1]
    assert state.request["Content-Language"] == "cs"
    assert state.document.tuples["ID-a"].notes == (("cs", "spím"),)


@pytest.mark.parametrize("condition,ends", [
    ("item-not-found", "terminated;noresource"),
    ("gone", "terminated;noresource"),
    ("forbidden", "terminated;rejected"),
    ("not-allowed", "terminated;rejected"),
    ("remote-server-timeout", "terminated;probation"),
    ("service-unavailable", None)])
def test_p41(tower, juliet, sip_person, condition, ends):
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    question = next(s for s in tower.since(0, romeo.jid)
                    if s.type == "subscribe" and s.to == bare(juliet))
    tower.say_error(juliet, romeo.jid, condition, stanza_id=question.id)
    if ends:
        state = watch.wait_state(ends)
        assert state.document is None
    else:
        time.sleep(1)
        assert {s.state for s in watch.states} == {"pending"}


def test_p45(tower, juliet, sip_person):
    """Unavailable from the bare address is no more than "asked" (RFC 6121
    3.1.3); presence before approval is told to nobody."""
    romeo = sip_person()
    watch = asked(tower, juliet, romeo)
    tower.say(juliet, romeo.jid, "unavailable")
    tower.say(f"{juliet}/a", romeo.jid, "", "away", "secret")
    time.sleep(2)
    assert [s.text for s in watch.states] == ["pending"]


def test_nobody_can_have_that_name(sip_person):
    """A domain alone is nobody's address."""
    watch = Watch(sip_person(), "sip:tower.example")
    assert watch.subscribe().status == 404
