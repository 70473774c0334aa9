"""Who is not authorized learns nothing: not by a probe, not by SUBSCRIBE, not
by the difference between two refusals (RFC 8048 8.2, RFC 6121 4.3)."""

import itertools
import re
import time

import pidf
from pidf import one
from presence_sip import Watch

SECRET = "the secret place"

_spies = itertools.count(1)


def document(user, *parts):
    return pidf.document(user.uri, *parts)


def told(tower, spy, jid):
    """What that user at tower.example was told of that contact."""
    return [(s.type, s.show, s.status) for s in tower.since(0, jid)
            if s.to.partition("/")[0] == f"{spy}@tower.example"]


def new_spy():
    return f"spy{next(_spies)}"


def test_probe_of_a_stranger(lab, tower, sip_person, xmpp_person):
    """Somebody else's subscription, its cached document and its dialog serve
    nobody but him: the stranger's probe is a question of its own."""
    romeo, juliet, spy = sip_person(), xmpp_person, new_spy()
    romeo.policy.body = document(romeo, one("ID-desk", note=SECRET))
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("", SECRET)})
    romeo.policy.status = 403
    for to in (romeo.jid, f"{romeo.jid}/desk"):
        tower.say(spy, to, "probe", stanza_id="p")
        tower.wait(lambda: told(tower, spy, romeo.jid), "an answer")
    watched.notify("active", document(romeo, one("ID-desk", show="dnd",
                                                 note=SECRET)))
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("dnd", SECRET)})
    time.sleep(1)
    assert {t[0] for t in told(tower, spy, romeo.jid)} == {"unsubscribed"}
    assert SECRET not in str(told(tower, spy, romeo.jid))


def test_probe_from_her_own_domain(lab, tower, sip_person):
    """Another user of the watcher's server is a stranger too."""
    romeo, friend, spy = sip_person(), new_spy(), new_spy()
    romeo.policy.body = document(romeo, one("ID-desk", note=SECRET))
    tower.say(friend, romeo.jid, "subscribe")
    romeo.next_subscriber()
    tower.wait(lambda: ("", "", SECRET) in told(tower, friend, romeo.jid),
               "his presence")
    romeo.policy.status = 603
    tower.say(spy, romeo.jid, "probe", stanza_id="p")
    tower.wait(lambda: told(tower, spy, romeo.jid), "an answer")
    assert told(tower, spy, romeo.jid) == [("unsubscribed", "", "")]
    # also for one who asked to subscribe and has no answer yet
    romeo.policy.status, romeo.policy.first = 200, "pending"
    romeo.policy.body = None
    pending = new_spy()
    tower.say(pending, romeo.jid, "subscribe")
    romeo.next_subscriber()
    tower.say(pending, romeo.jid, "probe", stanza_id="p")
    time.sleep(2)
    assert "" not in [t[0] for t in told(tower, pending, romeo.jid)]


def ask_presence_server(lab, tower, jid):
    """All that a stranger can find out there about a name."""
    spy = new_spy()
    tower.say(spy, jid, "probe", stanza_id="p")
    time.sleep(1)
    tower.say(spy, jid, "subscribe", stanza_id="s")
    time.sleep(3)
    tower.say(spy, jid, "probe", stanza_id="q")
    time.sleep(1)
    return told(tower, spy, jid)


def test_names_that_are_there_and_names_that_are_not(lab, tower, sip_person):
    """The presence server leaves a stranger pending; he cannot tell a user who
    is there and has friends from a name that nobody has."""
    romeo = sip_person(own_notifier=False)
    friend = new_spy()
    romeo.publish(document(romeo, one("ID-desk", note=SECRET)))
    lab("watcher", romeo.user, f"{friend}@tower.example", "allow")
    tower.say(friend, romeo.jid, "subscribe")
    tower.wait(lambda: ("", "", SECRET) in told(tower, friend, romeo.jid),
               "his presence")
    known = ask_presence_server(lab, tower, romeo.jid)
    unknown = ask_presence_server(lab, tower, "ghost@sip.example")
    assert known == unknown
    assert SECRET not in str(known)


def first_answers(romeo, target):
    """What a SIP user sees of a target in two seconds, without what differs
    by nature."""
    watch = Watch(romeo, target)
    answer = watch.subscribe()
    poll = Watch(romeo, target)
    polled = poll.subscribe(0)
    poll.wait(lambda: poll.states, "an end of the poll")
    time.sleep(2)
    return ([r.status for r in (answer, polled)],
            [sorted(name for name, _ in r.headers if name != "Record-Route")
             for r in (answer, polled)],
            [s.text for s in watch.states + poll.states],
            [s.document for s in watch.states + poll.states])


def test_sip_user_asks_for_names_there_and_not(tower, sip_person):
    """tower.example keeps silent about both: so does the gateway, though one
    of them has let somebody else see her."""
    romeo, spy = sip_person(), sip_person()
    known, unknown = new_spy(), new_spy()
    watch = romeo.watch(f"sip:{known}@tower.example")
    tower.wait(lambda: told(tower, known, romeo.jid), "subscribe")
    tower.say(known, romeo.jid, "subscribed")
    tower.say(f"{known}/a", romeo.jid, "", "away", SECRET)
    watch.wait_there({"ID-a": ("open", "away", SECRET)})
    seen = first_answers(spy, f"sip:{known}@tower.example")
    assert seen == first_answers(spy, f"sip:{unknown}@tower.example")
    assert set(seen[3]) == {None}
    assert seen[0] == [200, 200]


def test_nothing_while_pending(sip_person, xmpp_person):
    """Two watch her, one is allowed: only he gets NOTIFYs of her changes."""
    romeo, spy, juliet = sip_person(), sip_person(), xmpp_person
    watch = romeo.watch(f"sip:{juliet.jid}")
    juliet.wait_type(romeo.jid, "subscribe")
    blind = spy.watch(f"sip:{juliet.jid}")
    juliet.wait_type(spy.jid, "subscribe")
    juliet.approve(romeo.jid)
    watch.wait_there({"ID-test": ("open", "", "")})
    for note in (SECRET, "two", "three"):
        juliet.available("away", note)
        watch.wait_there({"ID-test": ("open", "away", note)})
    assert blind.subscribe(1800).status == 200      # asks again: still nothing
    poll = spy.watch(f"sip:{juliet.jid}", expires=0)
    poll.wait(lambda: poll.states, "an end of the poll")
    time.sleep(1)
    assert {s.state for s in blind.states} == {"pending"}
    assert {s.document for s in blind.states + poll.states} == {None}


def test_presence_is_not_handed_to_others(tower, sip_person):
    """Presence that her server sends to one is for that one."""
    romeo, tybalt, juliet = sip_person(), sip_person(), new_spy()
    watches = [user.watch(f"sip:{juliet}@tower.example")
               for user in (romeo, tybalt)]
    for user in (romeo, tybalt):
        tower.wait(lambda u=user: told(tower, juliet, u.jid), "subscribe")
        tower.say(juliet, user.jid, "subscribed")
    for watch in watches:
        watch.wait_state("active")
    tower.say(f"{juliet}/a", romeo.jid, "", "dnd", SECRET)
    watches[0].wait_there({"ID-a": ("open", "dnd", SECRET)})
    time.sleep(2)
    assert watches[1].is_there() == {}


def test_uninvited(tower, sip_person):
    """"subscribed" that nobody asked for allows nothing, presence that nobody
    watches goes nowhere, and neither is a question to the SIP side."""
    romeo, juliet = sip_person(), new_spy()
    tower.say(juliet, romeo.jid, "subscribed")
    tower.say(f"{juliet}/a", romeo.jid, "", "away", SECRET)
    tower.say(juliet, romeo.jid, "unsubscribed")
    tower.say(juliet, romeo.jid, "unavailable")
    romeo.no_subscriber(1)
    watch = romeo.watch(f"sip:{juliet}@tower.example")
    watch.wait_state("pending")
    tower.wait(lambda: ("subscribe", "", "") in
               told(tower, juliet, romeo.jid), "subscribe")
    time.sleep(1)
    assert [s.text for s in watch.states] == ["pending"]


def test_unsubscribed_to_the_domain_cancels_nothing(tower, sip_person):
    """RFC 8048 8.1: a server's answer to a probe by the gateway's domain."""
    romeo, juliet = sip_person(), new_spy()
    watch = romeo.watch(f"sip:{juliet}@tower.example")
    tower.wait(lambda: told(tower, juliet, romeo.jid), "subscribe")
    tower.say(juliet, romeo.jid, "subscribed")
    watch.wait_state("active")
    tower.say(juliet, "sip.example", "unsubscribed")
    tower.say(f"{juliet}/a", romeo.jid)
    watch.wait_there({"ID-a": ("open", "", "")})
    assert watch.complaints == []


def test_bodies_are_not_logged(lab, tower, sip_person):
    """Notes are words of people."""
    romeo, juliet = sip_person(), new_spy()
    note = f"note {time.time()}"
    romeo.policy.body = document(romeo, one("ID-desk", note=note))
    tower.say(juliet, romeo.jid, "subscribe")
    tower.wait(lambda: ("", "", note) in told(tower, juliet, romeo.jid),
               "his presence")
    watch = romeo.watch(f"sip:{juliet}@tower.example")
    tower.wait(lambda: ("subscribe", "", "") in
               told(tower, juliet, romeo.jid), "subscribe")
    tower.say(juliet, romeo.jid, "subscribed")
    tower.say(f"{juliet}/a", romeo.jid, "", "", note)
    watch.wait_there({"ID-a": ("open", "", note)})
    for service in ("gateway", "edge"):
        assert not re.search(re.escape(note), lab.log(service)), service
