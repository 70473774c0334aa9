"""Presence as people and their clients really do it: in a hurry, from several
devices at once, with names and texts that nobody thought of."""

import itertools
import time

import pytest

import pidf
from pidf import one
from presence_sip import PresenceUser

_users = itertools.count(1)

TEXTS = ["Nic z obého, má děvo spanilá", "</note><evil/> & < > ' \"",
         "two\nlines", "\U0001F339 by any other name", "x" * 900]


@pytest.fixture
def juliet():
    return f"odd{next(_users)}"


def uri(juliet):
    return f"sip:{juliet}@tower.example"


def types(tower, juliet, romeo, mark=0):
    return [s.type for s in tower.since(mark, romeo.jid)
            if s.to.partition("/")[0] == f"{juliet}@tower.example"]


def view(tower, juliet, jid):
    """{resource: (show, status)} that she sees."""
    there = {}
    for s in tower.since(0, jid):
        if s.to.partition("/")[0] == f"{juliet}@tower.example":
            resource = s.sender.partition("/")[2]
            if s.type == "":
                there[resource] = (s.show, s.status)
            elif s.type == "unavailable":
                there.pop(resource, None)
    return there


def let_in(tower, juliet, romeo):
    watch = romeo.watch(uri(juliet))
    tower.wait(lambda: "subscribe" in types(tower, juliet, romeo), "subscribe")
    tower.say(juliet, romeo.jid, "subscribed")
    watch.wait_state("active")
    return watch


def live(romeo):
    """Subscriptions to him that have not ended."""
    return [w for w in romeo.watched.values() if not w.has_ended]


# ---- in a hurry -------------------------------------------------------------


@pytest.mark.parametrize("last", ["subscribe", "unsubscribe"])
def test_she_cannot_decide(tower, juliet, sip_person, last):
    """The last word counts, and no dialog is left behind."""
    romeo = sip_person()
    romeo.policy.body = pidf.document(romeo.uri, one("ID-a"))
    for _ in range(10):
        tower.say(juliet, romeo.jid, "subscribe")
        tower.say(juliet, romeo.jid, "unsubscribe")
    if last == "subscribe":
        tower.say(juliet, romeo.jid, "subscribe")
    expected = {"a": ("", "")} if last == "subscribe" else {}
    until = time.monotonic() + 15
    while view(tower, juliet, romeo.jid) != expected or \
            len(live(romeo)) != len(expected):
        assert time.monotonic() < until, (
            view(tower, juliet, romeo.jid), len(live(romeo)),
            types(tower, juliet, romeo))
        time.sleep(0.1)
    time.sleep(2)
    assert view(tower, juliet, romeo.jid) == expected
    assert len(live(romeo)) == len(expected)


def test_he_cannot_decide(tower, juliet, sip_person):
    """Twenty dialogs, begun and ended: she is asked about him once."""
    romeo = sip_person()
    let_in(tower, juliet, romeo).subscribe(0)
    tower.say(f"{juliet}/a", romeo.jid)
    mark = tower.mark()
    for _ in range(20):
        watch = romeo.watch(uri(juliet))
        assert watch.subscribe(0).status == 200
    last = romeo.watch(uri(juliet))
    tower.say(f"{juliet}/a", romeo.jid, "", "away")
    last.wait_there({"ID-a": ("open", "away", "")})
    assert "subscribe" not in types(tower, juliet, romeo, mark)
    assert all(w.complaints == [] for w in romeo.watches.values())


def test_she_changes_her_mind_about_him(tower, juliet, sip_person):
    """Approved, denied, approved: each dialog ends with the denial; the next
    one asks again."""
    romeo = sip_person()
    for _ in range(3):
        mark = tower.mark()
        watch = romeo.watch(uri(juliet))
        tower.wait_type(romeo.jid, "subscribe", mark)
        tower.say(juliet, romeo.jid, "subscribed")
        watch.wait_state("active")
        tower.say(juliet, romeo.jid, "unsubscribed")
        watch.wait_state("terminated;rejected")
        assert watch.complaints == []


# ---- several devices --------------------------------------------------------


def test_two_phones_answer(lab, tower, juliet, sip_person):
    """Kamailio forks the SUBSCRIBE to both; one dialog stays (RFC 3856 6.9),
    the other's NOTIFY gets 481."""
    desk = sip_person()
    phone = PresenceUser(lab.namespace("inside"), desk.user, "10.66.0.25",
                         5062, (lab.env["LAB_KAMAILIO_IP"], 5060))
    try:
        phone.register()
        for device, name in ((desk, "ID-desk"), (phone, "ID-phone")):
            device.policy.first = None
            device.body = pidf.document(desk.uri, one(name))
        tower.say(juliet, desk.jid, "subscribe")
        sides = [d.next_subscriber() for d in (desk, phone)]
        assert sides[0].request["Call-ID"] == sides[1].request["Call-ID"]
        answers = [s.notify("active", s.user.body).status for s in sides]
        assert sorted(answers) == [200, 481]
        chosen = sides[answers.index(200)]
        tower.wait(lambda: len(view(tower, juliet, desk.jid)) == 1, "one")
        time.sleep(1)
        assert list(view(tower, juliet, desk.jid)) == [
            "desk" if chosen.user is desk else "phone"]
        assert types(tower, juliet, desk) == ["subscribed", ""]
    finally:
        phone.close()


def test_he_watches_from_two_phones(lab, tower, juliet, sip_person):
    """Both are told; while one of them watches, he is there for her."""
    romeo = sip_person()
    first = let_in(tower, juliet, romeo)
    second = romeo.watch(uri(juliet))
    second.wait_state("active")
    tower.say(f"{juliet}/a", romeo.jid, "", "dnd")
    for watch in (first, second):
        watch.wait_there({"ID-a": ("open", "dnd", "")})
    assert types(tower, juliet, romeo).count("subscribe") == 1
    assert first.subscribe(0).status == 200
    first.wait_state("terminated;timeout")
    tower.say(f"{juliet}/a", romeo.jid)
    second.wait_there({"ID-a": ("open", "", "")})
    tower.say(juliet, romeo.jid, "unsubscribed")
    second.wait_state("terminated;rejected")
    assert first.complaints == second.complaints == []


def test_a_device_that_lost_its_watch(tower, juliet, sip_person):
    """It answers 481 to one of two dialogs: the other goes on."""
    romeo = sip_person()
    first = let_in(tower, juliet, romeo)
    second = romeo.watch(uri(juliet))
    second.wait_state("active")
    first.answer = 481
    for show in ("away", "dnd", "xa"):
        tower.say(f"{juliet}/a", romeo.jid, "", show)
        second.wait_there({"ID-a": ("open", show, "")})
    assert second.complaints == []


# ---- names and texts --------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_notes_survive_both_ways(tower, juliet, sip_person, text):
    romeo = sip_person()
    watch = let_in(tower, juliet, romeo)
    tower.say(f"{juliet}/a", romeo.jid, "", "away", text)
    watch.wait_there({"ID-a": ("open", "away", text)})
    romeo.policy.body = pidf.document(romeo.uri, one("ID-b", note=text))
    tower.say(juliet, romeo.jid, "subscribe")
    romeo.next_subscriber()
    tower.wait(lambda: view(tower, juliet, romeo.jid) == {"b": ("", text)},
               text)


@pytest.mark.parametrize("resource", [
    "Küche ☂", "a'b", "sip:x@y", "-", "1", "ID-ID-", "x" * 1000])
def test_odd_resources(tower, juliet, sip_person, resource):
    """Each is one tuple with an id that is a name for XML, every time."""
    romeo = sip_person()
    watch = let_in(tower, juliet, romeo)
    tower.say(f"{juliet}/{resource}", romeo.jid)
    watch.wait(watch.is_there, "her")
    (name, said), = watch.is_there().items()
    assert said == ("open", "", "")
    assert name.isascii() and name[0].isalpha() and \
        all(c.isalnum() or c in "-_." for c in name), name
    tower.say(f"{juliet}/{resource}", romeo.jid, "", "xa")
    watch.wait_there({name: ("open", "xa", "")})
    tower.say(f"{juliet}/{resource}", romeo.jid, "unavailable")
    watch.wait_there({})


@pytest.mark.parametrize("tuple_id", [
    "a b", "sip:x@y", "\u00e9t\u00e9", "t" * 3000, "1"])
def test_odd_tuples(tower, juliet, sip_person, tuple_id):
    """Each is a resource, the same every time; two never become one."""
    romeo = sip_person()
    romeo.policy.body = pidf.document(romeo.uri, one(tuple_id), one("other"))
    tower.say(juliet, romeo.jid, "subscribe")
    watched = romeo.next_subscriber()
    tower.wait(lambda: len(view(tower, juliet, romeo.jid)) == 2, "both")
    names = set(view(tower, juliet, romeo.jid))
    assert all(0 < len(n.encode()) <= 1023 for n in names)
    watched.notify("active", pidf.document(
        romeo.uri, one(tuple_id, show="dnd"), one("other")))
    tower.wait(lambda: sorted(view(tower, juliet, romeo.jid).values()) ==
               [("", ""), ("dnd", "")], "dnd")
    assert set(view(tower, juliet, romeo.jid)) == names


def test_many_resources(tower, juliet, sip_person):
    """More than anybody has: what there is room for is told, and all of it
    goes again."""
    romeo = sip_person()
    watch = let_in(tower, juliet, romeo)
    for number in range(60):
        tower.say(f"{juliet}/r{number}", romeo.jid)
    watch.wait(lambda: len(watch.is_there()) >= 32, "32 of them")
    for number in range(60):
        tower.say(f"{juliet}/r{number}", romeo.jid, "unavailable")
    watch.wait_there({})
    assert watch.complaints == []


def test_many_tuples(tower, juliet, sip_person):
    romeo = sip_person()
    romeo.policy.body = pidf.document(
        romeo.uri, *(one(f"ID-t{n}") for n in range(30)))
    tower.say(juliet, romeo.jid, "subscribe")
    watched = romeo.next_subscriber()
    tower.wait(lambda: len(view(tower, juliet, romeo.jid)) == 30, "all")
    watched.notify("active", pidf.document(romeo.uri, one("ID-t7")))
    tower.wait(lambda: view(tower, juliet, romeo.jid) == {"t7": ("", "")},
               "one")


@pytest.mark.parametrize("user,local", [
    ("o'malley", r"o\27malley"), ("m&m", r"m\26m")])
def test_escaped_names(lab, tower, juliet, user, local):
    """XEP-0106 both ways, as for messages."""
    odd = PresenceUser(lab.namespace("inside"), user, "10.66.0.26", 5062,
                       (lab.env["LAB_KAMAILIO_IP"], 5060))
    jid = f"{local}@sip.example"
    try:
        odd.register()
        odd.policy.body = pidf.document("sip:odd@sip.example", one("ID-a"))
        tower.say(juliet, jid, "subscribe")
        odd.next_subscriber()
        tower.wait(lambda: view(tower, juliet, jid) == {"a": ("", "")}, "him")
        watch = odd.watch(uri(juliet))
        tower.wait(lambda: "subscribe" in [
            s.type for s in tower.since(0, jid)], "subscribe")
        tower.say(juliet, jid, "subscribed")
        tower.say(f"{juliet}/b", jid)
        watch.wait_there({"ID-b": ("open", "", "")})
    finally:
        odd.close()


def test_a_watcher_who_does_not_answer(tower, juliet, sip_person):
    """He holds nobody else up; when he can be reached again he is told what is
    true then, though his proxy had given up (408)."""
    deaf, romeo = sip_person(), sip_person()
    silent = let_in(tower, juliet, deaf)
    watch = let_in(tower, juliet, romeo)
    silent.answer = None
    tower.say(f"{juliet}/a", deaf.jid, "", "away")
    for show in ("away", "dnd", "xa"):
        tower.say(f"{juliet}/a", romeo.jid, "", show)
        watch.wait_there({"ID-a": ("open", show, "")}, 5)
    time.sleep(32)
    tower.say(f"{juliet}/a", deaf.jid, "", "dnd", "now")
    silent.answer = 200
    silent.wait_there({"ID-a": ("open", "dnd", "now")}, 20)
    assert len(silent.states) <= 4
