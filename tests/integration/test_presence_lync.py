"""Presence as Lync and its family say it and read it: restricted PIDF out when
the next hop is of that family, their documents in always."""

import itertools

import pytest

import pidf
from pidf import one

_users = itertools.count(1)

# RPID as it was before RFC 4480, which that family still writes
OLD = ('<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" '
       'xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" '
       'xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="{uri}">'
       '<tuple id="0"><status><basic>open</basic><ep:activities>'
       '<ep:activity>{activity}</ep:activity></ep:activities></status></tuple>'
       '<ci:display-name>Romeo</ci:display-name></presence>')
STATE = ('<state xmlns="http://schemas.microsoft.com/2006/09/sip/state">'
         '<availability>{number}</availability></state>')
MSRTC = ('<?xml version="1.0"?><presentity uri="{uri}"><availability '
         'aggregate="300" description=""/><activity aggregate="600" '
         'note="busy"/></presentity>')


def name():
    return f"lync{next(_users)}"


def resources(tower, juliet, romeo):
    """{resource: (show, status)} that she sees of him."""
    there = {}
    for s in tower.since(0, romeo.jid):
        if s.to.partition("/")[0] != f"{juliet}@tower.example":
            continue
        if s.type == "":
            there[s.sender] = (s.show, s.status)
        elif s.type == "unavailable":
            there.pop(s.sender, None)
    return list(there.values())


def watch_him(tower, juliet, romeo, body):
    romeo.policy.body = body
    tower.say(juliet, romeo.jid, "subscribe")
    return romeo.next_subscriber()


@pytest.mark.parametrize("activity,show", [
    ("away", "away"), ("busy", "dnd"), ("on-the-phone", "dnd")])
def test_old_activities(tower, sip_person, activity, show):
    romeo, juliet = sip_person(), name()
    watch_him(tower, juliet, romeo, OLD.format(uri=romeo.uri,
                                               activity=activity))
    tower.wait(lambda: resources(tower, juliet, romeo) == [(show, "")], show)


@pytest.mark.parametrize("number,said", [
    (3500, [("", "")]), (5000, [("away", "")]), (6500, [("dnd", "")]),
    (8000, [("dnd", "")]), (9500, [("dnd", "")]), (12500, [("away", "")]),
    (15500, [("away", "")])])
def test_availability(tower, sip_person, number, said):
    """In a document whose basic says open."""
    romeo, juliet = sip_person(), name()
    watch_him(tower, juliet, romeo, pidf.document(
        romeo.uri, one("0"), STATE.format(number=number)))
    tower.wait(lambda: resources(tower, juliet, romeo) == said, said)


def test_availability_offline(tower, sip_person):
    """Without basic, 18500 is away for good."""
    romeo, juliet = sip_person(), name()
    watched = watch_him(tower, juliet, romeo,
                        pidf.document(romeo.uri, one("0")))
    tower.wait(lambda: resources(tower, juliet, romeo) == [("", "")], "open")
    gone = pidf.document(romeo.uri, '<tuple id="0"><status>' +
                         STATE.format(number=18500) + "</status></tuple>")
    assert watched.notify("active", gone).status == 200
    tower.wait(lambda: resources(tower, juliet, romeo) == [], "away")


def test_their_own_format(tower, sip_person):
    """text/xml+msrtc.pidf was not asked for: 415, and the state stays."""
    romeo, juliet = sip_person(), name()
    watched = watch_him(tower, juliet, romeo,
                        pidf.document(romeo.uri, one("0")))
    tower.wait(lambda: resources(tower, juliet, romeo) == [("", "")], "open")
    answer = watched.notify("active", MSRTC.format(uri=romeo.uri),
                            kind="text/xml+msrtc.pidf")
    assert answer.status == 415, answer.start
    assert resources(tower, juliet, romeo) == [("", "")]


@pytest.fixture
def lync(lab):
    """The gateway writes for Lync."""
    lab.edit("gateway", "notify_interval: 1}",
             "notify_interval: 1, profile: lync}")
    yield
    lab.edit("gateway", "notify_interval: 1, profile: lync}",
             "notify_interval: 1}")


def test_restricted_documents(lync, tower, sip_person):
    """One tuple for all resources, the most available of them; of activities
    only away and busy."""
    romeo, juliet = sip_person(), name()
    watch = romeo.watch(f"sip:{juliet}@tower.example")
    tower.wait_type(romeo.jid, "subscribe")
    tower.say(juliet, romeo.jid, "subscribed")

    def shows(basic, activity):
        def look():
            view = watch.view()
            if view is None:            # no document yet
                return False
            body = watch.states[-1].request.body
            return [s[0] for s in view.values()] == [basic] and \
                (activity is None) == ("activit" not in body) and \
                (activity is None or f">{activity}<" in body or
                 f":{activity}/>" in body)
        watch.wait(look, f"{basic} {activity}")

    tower.say(f"{juliet}/a", romeo.jid)
    shows("open", None)
    tower.say(f"{juliet}/a", romeo.jid, "", "xa")
    shows("open", "away")
    tower.say(f"{juliet}/a", romeo.jid, "", "dnd")
    shows("open", "busy")
    tower.say(f"{juliet}/b", romeo.jid, "", "chat", priority=5)
    shows("open", None)
    tower.say(f"{juliet}/b", romeo.jid, "unavailable")
    shows("open", "busy")
    tower.say(f"{juliet}/a", romeo.jid, "unavailable")
    shows("closed", None)
    assert watch.complaints == []
