"""What takes time or a restart: the pace of NOTIFYs, the end of a dialog that
nobody refreshed, dialogs of the last run."""

import itertools
import time

import pytest

import pidf
from pidf import one
from presence_people import roster_user
from presence_sip import Watch

_users = itertools.count(1)
QUICK = "presence: {notify_interval: 1}"


@pytest.fixture
def juliet():
    return f"julia{next(_users)}"


@pytest.fixture(scope="module")
def settings(lab):
    """Sets keys of presence; as the lab has them afterwards."""
    now = [QUICK]

    def put(text):
        lab.edit("gateway", now[0], text)
        now[0] = text
    yield put
    put(QUICK)


def let_in(tower, juliet, romeo, **more):
    """He watches her and is allowed to."""
    watch = romeo.watch(f"sip:{juliet}@tower.example", **more)
    tower.wait_type(romeo.jid, "subscribe")
    tower.say(juliet, romeo.jid, "subscribed")
    watch.wait_state("active")
    return watch


def her_side(tower, juliet, romeo, mark=0):
    return [s.type for s in tower.since(mark, romeo.jid)
            if s.to.partition("/")[0] == f"{juliet}@tower.example"]


def test_p38(settings, tower, juliet, sip_person):
    """One NOTIFY in 5 s, the last state wins; the end comes at once."""
    settings("presence: {notify_interval: 5}")
    romeo = sip_person()
    watch = let_in(tower, juliet, romeo)
    time.sleep(5)
    tower.say(f"{juliet}/a", romeo.jid, "", "", "0")
    watch.wait_there({"ID-a": ("open", "", "0")})
    count = len(watch.states)
    for number in range(1, 31):
        tower.say(f"{juliet}/a", romeo.jid, "", "", str(number))
        time.sleep(0.1)
    watch.wait_there({"ID-a": ("open", "", "30")})
    time.sleep(1)
    assert len(watch.states) == count + 1
    assert watch.states[-1].at - watch.states[-2].at > 4.5
    tower.say(f"{juliet}/a", romeo.jid, "", "dnd")
    began = time.monotonic()
    tower.say(juliet, romeo.jid, "unsubscribed")
    watch.wait_state("terminated;rejected")
    assert time.monotonic() - began < 2
    assert watch.complaints == []


def test_p32(settings, tower, juliet, sip_person):
    """A dialog that is not refreshed ends with a NOTIFY; she is told that he
    has gone; what she allowed stays."""
    settings("presence: {notify_interval: 1, expires_min: 2}")
    romeo = sip_person()
    watch = let_in(tower, juliet, romeo, expires=4)
    tower.say(f"{juliet}/a", romeo.jid)
    mark = tower.mark()
    began = time.monotonic()
    watch.wait_state("terminated;timeout")
    assert time.monotonic() - began < 7
    tower.wait_type(romeo.jid, "unavailable", mark)
    assert her_side(tower, juliet, romeo, mark) == ["unavailable"]
    assert watch.subscribe().status == 481
    again = romeo.watch(f"sip:{juliet}@tower.example")
    again.wait_state("active")
    assert "pending" not in [s.state for s in again.states]


def test_too_brief(settings, sip_person):
    """RFC 6665: 423 for less than an hour and less than the least."""
    settings("presence: {notify_interval: 1, expires_min: 120}")
    watch = Watch(sip_person(), "sip:juliet@tower.example")
    answer = watch.subscribe(60)
    assert answer.status == 423
    assert answer["Min-Expires"] == "120"


def test_at_most(settings, sip_person):
    settings("presence: {notify_interval: 1, expires_max: 600}")
    watch = Watch(sip_person(), "sip:juliet@tower.example")
    assert watch.subscribe(3600).status == 200
    assert watch.granted == 600


def test_refresh_before_the_end(settings, tower, juliet, sip_person):
    """The time that the notifier grants counts, not the one asked for."""
    settings(QUICK)
    romeo = sip_person()
    romeo.policy.granted = 20
    romeo.policy.body = pidf.document(romeo.uri, one("ID-a"))
    tower.say(juliet, romeo.jid, "subscribe")
    watched = romeo.next_subscriber()
    tower.wait(lambda: her_side(tower, juliet, romeo) == ["subscribed", ""],
               "him")
    until = time.monotonic() + 20
    while len(watched.requests) < 2:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert int(watched.requests[1]["Expires"]) == 3600
    time.sleep(1)
    assert her_side(tower, juliet, romeo) == ["subscribed", ""]


def restart(lab, kill):
    if kill:
        lab("fault", "kill", "gateway")
    else:
        lab("stop", "gateway")
    lab("start", "gateway")
    lab("wait-channel")


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
@pytest.mark.parametrize("again", [200, 481], ids=["alive", "P12"])
def test_p44(lab, settings, tower, juliet, sip_person, kill, again):
    """A dialog of the last run is refreshed when the peer still has it, else
    there is a new one; she is not told "subscribed" again."""
    settings(QUICK)
    romeo = sip_person()
    romeo.policy.body = pidf.document(romeo.uri, one("ID-a"))
    tower.say(juliet, romeo.jid, "subscribe")
    watched = romeo.next_subscriber()
    tower.wait(lambda: her_side(tower, juliet, romeo) == ["subscribed", ""],
               "him")
    mark = tower.mark()
    romeo.policy.again = again
    romeo.policy.body = pidf.document(romeo.uri, one("ID-a", show="away"))
    restart(lab, kill)
    tower.say(juliet, romeo.jid, "probe", stanza_id="p")
    tower.wait(lambda: any(s.show == "away" for s in
                           tower.since(mark, romeo.jid)), "his presence", 30)
    if again == 481:
        new = romeo.next_subscriber()
        assert new.request["Call-ID"] != watched.request["Call-ID"]
        assert new.request["Expires"] == "3600"
    else:
        assert romeo.subscribers.empty()
        numbers = [int(r["CSeq"].split()[0]) for r in watched.requests]
        assert numbers == sorted(set(numbers))
    time.sleep(1)
    kinds = her_side(tower, juliet, romeo, mark)
    assert "subscribed" not in kinds and "unsubscribed" not in kinds
    assert kinds.count("unavailable") == (0 if kill else 1)


def test_a_watcher_after_kill(lab, settings, tower, juliet, sip_person):
    """His dialog lives on: notified in it, refreshed in it, not pending."""
    settings(QUICK)
    romeo = sip_person()
    watch = let_in(tower, juliet, romeo)
    tower.say(f"{juliet}/a", romeo.jid, "", "away")
    watch.wait_there({"ID-a": ("open", "away", "")})
    mark, count = tower.mark(), len(watch.states)
    restart(lab, kill=True)
    tower.wait_type(romeo.jid, "probe", mark, 30)
    tower.say(f"{juliet}/a", romeo.jid, "", "dnd")
    watch.wait_there({"ID-a": ("open", "dnd", "")})
    assert watch.subscribe().status == 200
    watch.wait_state("active", after=count)
    assert {s.state for s in watch.states[count:]} == {"active"}
    assert "subscribe" not in her_side(tower, juliet, romeo, mark)
    assert watch.complaints == []


def test_a_pending_watcher_after_kill(lab, settings, tower, juliet,
                                      sip_person):
    """Her answer after the restart counts."""
    settings(QUICK)
    romeo = sip_person()
    watch = romeo.watch(f"sip:{juliet}@tower.example")
    tower.wait_type(romeo.jid, "subscribe")
    restart(lab, kill=True)
    tower.say(juliet, romeo.jid, "subscribed")
    watch.wait_state("active", wait_s=30)
    assert watch.complaints == []


def test_a_pending_question_after_kill(lab, settings, tower, juliet,
                                       sip_person):
    """His answer after the restart counts too."""
    settings(QUICK)
    romeo = sip_person()
    romeo.policy.first = "pending"
    tower.say(juliet, romeo.jid, "subscribe")
    watched = romeo.next_subscriber()
    restart(lab, kill=True)
    watched.notify("active", pidf.document(romeo.uri, one("ID-a")))
    tower.wait(lambda: her_side(tower, juliet, romeo) == ["subscribed", ""],
               "his answer")


def test_stop_says_goodbye(lab, settings, tower, juliet, sip_person):
    """In order: unavailable for who watches him, terminated;probation for him
    who watches her, before the gateway ends."""
    settings(QUICK)
    romeo = sip_person()
    romeo.policy.body = pidf.document(romeo.uri, one("ID-a"))
    tower.say(juliet, romeo.jid, "subscribe")
    romeo.next_subscriber()
    watch = let_in(tower, juliet, romeo)
    tower.wait_type(romeo.jid, "")
    mark = tower.mark()
    lab("stop", "gateway")
    watch.wait_state("terminated;probation", wait_s=2)
    tower.wait_type(romeo.jid, "unavailable", mark, 2)
    lab("start", "gateway")
    lab("wait-channel")


def test_domain_away(lab, settings, tower, juliet, sip_person):
    """Her server cannot be reached: after the hold-off she is away for him;
    when it is back it is asked, and he sees her again."""
    settings("presence: {notify_interval: 1, hold_off: 3}")
    romeo = sip_person()
    watch = let_in(tower, juliet, romeo)
    tower.say(f"{juliet}/a", romeo.jid, "", "away", "here")
    watch.wait_there({"ID-a": ("open", "away", "here")})
    tower.hang_up()
    time.sleep(1)
    lab("fault", "cut", "198.51.100.47", "edge")
    mark = tower.mark()
    try:
        # something to find out with that it is not there
        romeo.message(f"sip:{juliet}@tower.example", "are you there?",
                      wait_s=40)
        watch.wait_there({}, 30)
    finally:
        lab("fault", "heal")
    tower.say(f"{juliet}/other", romeo.jid)
    tower.wait_type(romeo.jid, "probe", mark, 30)
    tower.say(f"{juliet}/a", romeo.jid, "", "away", "here")
    watch.wait(lambda: watch.is_there().get("ID-a") ==
               ("open", "away", "here"), "her again")
    assert {s.state for s in watch.states[1:]} == {"active"}


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
def test_ejabberd_restarted(lab, settings, sip_person, kill):
    """Her server is gone and comes back: she sees him again when she does, and
    he sees her go and come; nobody is asked again."""
    settings("presence: {notify_interval: 1, hold_off: 2}")
    lab("start", "ejabberd")
    romeo, nurse = sip_person(), roster_user(lab, "nurse@chat.example")
    romeo.policy.body = pidf.document(romeo.uri, one("ID-a"))
    nurse.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    nurse.wait_view(romeo.jid, {f"{romeo.jid}/a": ("", "")})
    watch = romeo.watch(f"sip:{nurse.jid}")
    nurse.wait_type(romeo.jid, "subscribe")
    nurse.approve(romeo.jid)
    watch.wait_there({"ID-test": ("open", "", "")})
    if kill:
        time.sleep(3)       # it writes rosters some time after it changed them
        lab("fault", "kill", "ejabberd")
    else:
        lab("stop", "ejabberd")
    nurse.close()
    watched.notify("active", pidf.document(romeo.uri, one("ID-a", show="xa")))
    watch.wait_there({}, 60)
    lab("start", "ejabberd")
    again = roster_user(lab, nurse.jid)
    try:
        assert again.roster()[romeo.jid] == ("both", "")
        again.wait_view(romeo.jid, {f"{romeo.jid}/a": ("xa", "")}, 30)
        watch.wait_there({"ID-test": ("open", "", "")}, 60)
        assert not {"subscribe", "subscribed"} & set(again.types(romeo.jid))
        assert len(watched.requests) == 1
        assert {s.state for s in watch.states[1:]} == {"active"}
        assert watch.complaints == []
    finally:
        again.remove(romeo.jid)
        again.close()
