"""XMPP users of Prosody and ejabberd watch SIP users: those whose client is its
own notifier, and those of Kamailio's presence server."""

import pytest

import pidf
from pidf import one
from presence_people import roster_user


def document(user, *parts):
    return pidf.document(user.uri, *parts)


def added(juliet, romeo, *tuples):
    """She has him in her roster and sees those tuples; his side of it."""
    romeo.policy.body = document(romeo, *tuples)
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    juliet.wait_type(romeo.jid, "subscribed")
    return watched


def test_the_life_of_a_contact(sip_person, xmpp_person):
    """Add, approve, come, go away, change note, second device, both go, come
    again: each step is told once, and nothing else is."""
    romeo, juliet = sip_person(), xmpp_person
    romeo.policy.first = "pending"
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    assert watched.watcher == f"sip:{juliet.jid}"
    juliet.expect_no_more(romeo.jid)
    assert juliet.roster()[romeo.jid] == ("none", "subscribe")

    def tell(*tuples):
        answer = watched.notify("active", document(romeo, *tuples))
        assert answer.status == 200, answer.start

    tell(one("ID-desk"))
    juliet.expect(romeo.jid, ("subscribed", "", "", ""),
                  ("", "desk", "", ""))
    assert juliet.roster()[romeo.jid] == ("to", "")
    tell(one("ID-desk", show="away"))
    juliet.expect(romeo.jid, ("", "desk", "away", ""))
    tell(one("ID-desk", show="away", note="at Capulet's"))
    juliet.expect(romeo.jid, ("", "desk", "away", "at Capulet's"))
    tell(one("ID-desk", show="away", note="at Capulet's"))      # says nothing
    tell(one("ID-desk", show="away", note="at Capulet's"), one("ID-phone"))
    juliet.expect(romeo.jid, ("", "phone", "", ""))
    tell(one("ID-phone"))
    juliet.expect(romeo.jid, ("unavailable", "desk", "", ""))
    tell(one("ID-phone", basic="closed"))
    juliet.expect(romeo.jid, ("unavailable", "phone", "", ""))
    assert juliet.view(romeo.jid) == {}
    tell(one("ID-phone", show="dnd", note="back"))
    juliet.expect(romeo.jid, ("", "phone", "dnd", "back"))
    juliet.expect_no_more(romeo.jid)
    assert juliet.view(romeo.jid) == {
        f"{romeo.jid}/phone": ("dnd", "back")}
    assert len(watched.requests) == 1


def test_removed_and_added_again(sip_person, xmpp_person):
    romeo, juliet = sip_person(), xmpp_person
    watched = added(juliet, romeo, one("ID-desk"))
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("", "")})
    juliet.remove(romeo.jid)
    watched.wait_ended()
    assert watched.requests[-1]["Expires"] == "0"
    assert romeo.jid not in juliet.roster()
    mark = juliet.mark()
    juliet.subscribe(romeo.jid)
    again = romeo.next_subscriber()
    assert again.request["Call-ID"] != watched.request["Call-ID"]
    juliet.wait_type(romeo.jid, "subscribed", mark)
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("", "")})
    assert juliet.roster()[romeo.jid] == ("to", "")
    assert romeo.subscribers.empty()


def test_unsubscribed_and_subscribed_again(sip_person, xmpp_person):
    """As above, but he stays in the roster."""
    romeo, juliet = sip_person(), xmpp_person
    watched = added(juliet, romeo, one("ID-desk"))
    juliet.unsubscribe(romeo.jid)
    watched.wait_ended()
    juliet.wait_view(romeo.jid, {})
    assert juliet.roster()[romeo.jid][0] == "none"
    juliet.subscribe(romeo.jid)
    romeo.next_subscriber()
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("", "")})
    assert juliet.roster()[romeo.jid] == ("to", "")


@pytest.mark.parametrize("status", [403, 489, 603])
def test_denied_at_once(sip_person, xmpp_person, status):
    """P10."""
    romeo, juliet = sip_person(), xmpp_person
    romeo.policy.status = status
    juliet.subscribe(romeo.jid)
    juliet.wait_type(romeo.jid, "unsubscribed")
    assert juliet.roster().get(romeo.jid, ("none", "")) == ("none", "")
    juliet.expect(romeo.jid, ("unsubscribed", "", "", ""))
    juliet.expect_no_more(romeo.jid)
    assert romeo.refused.qsize() == 1


@pytest.mark.parametrize("reason", ["rejected", "noresource"])
def test_denied_after_a_while(sip_person, xmpp_person, reason):
    """P9."""
    romeo, juliet = sip_person(), xmpp_person
    romeo.policy.first = "pending"
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    assert watched.notify(f"terminated;reason={reason}").status == 200
    juliet.expect(romeo.jid, ("unsubscribed", "", "", ""))
    juliet.expect_no_more(romeo.jid)
    assert juliet.roster().get(romeo.jid, ("none", "")) == ("none", "")
    romeo.no_subscriber()


def test_denied_after_approval(sip_person, xmpp_person):
    """Unavailable for each device, then the end of it; no new try."""
    romeo, juliet = sip_person(), xmpp_person
    watched = added(juliet, romeo, one("ID-a"), one("ID-b"))
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/a": ("", ""),
                                 f"{romeo.jid}/b": ("", "")})
    mark = juliet.mark()
    assert watched.notify("terminated;reason=rejected").status == 200
    juliet.wait_type(romeo.jid, "unsubscribed", mark)
    assert sorted(juliet.told(romeo.jid, mark)) == [
        ("unavailable", "a", "", ""), ("unavailable", "b", "", ""),
        ("unsubscribed", "", "", "")]
    assert juliet.types(romeo.jid, mark)[-1] == "unsubscribed"
    assert juliet.view(romeo.jid) == {}
    romeo.no_subscriber()


def test_presence_server(lab, sip_person, xmpp_person):
    """The same with a real presence server: rules, and what he publishes."""
    romeo, juliet = sip_person(own_notifier=False), xmpp_person
    here = f"{romeo.jid}/desk"
    juliet.subscribe(romeo.jid)
    juliet.expect_no_more(romeo.jid)
    lab("watcher", romeo.user, juliet.jid, "allow")
    juliet.expect(romeo.jid, ("subscribed", "", "", ""),
                  ("unavailable", "", "", ""))

    def publish(*tuples, etag=None):
        etag, answer = romeo.publish(document(romeo, *tuples), etag)
        assert answer.status == 200, answer.start
        return etag

    desk = publish(one("ID-desk", note="here"))
    juliet.expect(romeo.jid, ("", "desk", "", "here"))
    desk = publish(one("ID-desk", show="dnd", note="here"), etag=desk)
    juliet.expect(romeo.jid, ("", "desk", "dnd", "here"))
    phone = publish(one("ID-phone"))
    juliet.expect(romeo.jid, ("", "phone", "", ""))
    romeo.publish(None, phone, 0)
    juliet.expect(romeo.jid, ("unavailable", "phone", "", ""))
    lab("watcher", romeo.user, juliet.jid, "block")
    juliet.expect(romeo.jid, ("unavailable", "desk", "", ""),
                  ("unsubscribed", "", "", ""))
    juliet.expect_no_more(romeo.jid)
    lab("watcher", romeo.user, juliet.jid, "allow")
    juliet.subscribe(romeo.jid)
    juliet.expect(romeo.jid, ("subscribed", "", "", ""),
                  ("", "desk", "dnd", "here"))
    juliet.remove(romeo.jid)
    juliet.wait(lambda: here not in juliet.view(romeo.jid), "him away")


def test_two_who_watch_the_same(lab, sip_person, xmpp_person):
    """Each has a subscription of his own and sees the same."""
    romeo, juliet = sip_person(), xmpp_person
    other = roster_user(lab, "nurse@xmpp.example")
    try:
        first = added(juliet, romeo, one("ID-desk"))
        second = added(other, romeo, one("ID-desk"))
        assert {first.watcher, second.watcher} == {
            f"sip:{juliet.jid}", f"sip:{other.jid}"}
        here = {f"{romeo.jid}/desk": ("", "")}
        juliet.wait_view(romeo.jid, here)
        other.wait_view(romeo.jid, here)
        first.notify("active", document(romeo, one("ID-desk", show="xa")))
        juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("xa", "")})
        assert other.view(romeo.jid) == here
        other.remove(romeo.jid)
        second.wait_ended()
        assert not first.has_ended
    finally:
        other.close()


def test_her_second_device_is_told_too(lab, sip_person, xmpp_person):
    """Her server probes when it logs in; the gateway answers from memory."""
    romeo, juliet = sip_person(), xmpp_person
    watched = added(juliet, romeo, one("ID-desk", show="away", note="n"))
    here = {f"{romeo.jid}/desk": ("away", "n")}
    juliet.wait_view(romeo.jid, here)
    mobile = roster_user(lab, juliet.jid, "mobile")
    try:
        mobile.wait_view(romeo.jid, here)
        watched.notify("active", document(romeo, one("ID-desk")))
        for device in (juliet, mobile):
            device.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("", "")})
        assert len(watched.requests) == 1
        assert romeo.subscribers.empty()
    finally:
        mobile.close()


def test_she_logs_in_again(lab, sip_person, xmpp_person):
    """What changed meanwhile is what she sees."""
    romeo, juliet = sip_person(), xmpp_person
    watched = added(juliet, romeo, one("ID-desk"))
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("", "")})
    juliet.unavailable()
    watched.notify("active", document(romeo, one("ID-phone", note="moved")))
    mark = juliet.mark()
    juliet.available()
    juliet.wait(lambda: ("", "phone", "", "moved") in
                juliet.told(romeo.jid, mark), "his phone")
    assert ("", "desk", "", "") not in juliet.told(romeo.jid, mark)


def test_a_device_that_came_while_the_edge_was_dead(lab, sip_person,
                                                    xmpp_person):
    """Its server's probe was lost: all that was told is said once more."""
    romeo, juliet = sip_person(), xmpp_person
    added(juliet, romeo, one("ID-desk", show="away"))
    here = {f"{romeo.jid}/desk": ("away", "")}
    juliet.wait_view(romeo.jid, here)
    lab("fault", "kill", "edge")
    try:
        mobile = roster_user(lab, juliet.jid, "mobile")
    finally:
        lab("start", "edge")
    lab("wait-channel")
    try:
        mobile.wait_view(romeo.jid, here, 30)
        assert romeo.subscribers.empty()
    finally:
        mobile.close()
