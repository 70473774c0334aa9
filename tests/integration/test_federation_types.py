"""Types of partners against real people: what each lets through, in both
directions, before and after the SIP user has added the contact."""

import re
import typing

import pytest

import pidf
from edge_alone import wait_until
from federation_rules import partner
from pidf import one
from xmpp_user import condition, heard_or_refused

REFUSED, PASSES, WITHOUT_NOTE, WITH_NOTE = "refused", "passes", "no note", \
    "note"


class Row(typing.NamedTuple):
    """What becomes of each thing; the SIP user is ours."""
    kind: str
    has_contact: bool
    message_to_xmpp: str
    message_to_sip: str
    subscribe_to_xmpp: str
    subscribe_to_sip: str
    note_to_xmpp: str
    note_to_sip: str


TYPES = [
    Row("federated", False,
        PASSES, PASSES, PASSES, PASSES, WITH_NOTE, WITH_NOTE),
    Row("federated", True,
        PASSES, PASSES, PASSES, PASSES, WITH_NOTE, WITH_NOTE),
    Row("public-verified", False,
        PASSES, PASSES, PASSES, PASSES, WITHOUT_NOTE, WITH_NOTE),
    Row("public-verified", True,
        PASSES, PASSES, PASSES, PASSES, WITHOUT_NOTE, WITH_NOTE),
    Row("public-unverified", False,
        REFUSED, REFUSED, PASSES, REFUSED, REFUSED, WITH_NOTE),
    Row("public-unverified", True,
        PASSES, PASSES, PASSES, PASSES, WITHOUT_NOTE, WITH_NOTE),
]


def send_to_xmpp(romeo, juliet):
    answer = romeo.message(f"sip:{juliet.jid}", "Neither")
    if answer.status == 403:
        return REFUSED
    assert answer.status == 200, answer.start
    assert juliet.next_message()["body"] == "Neither"
    return PASSES


def send_to_sip(romeo, juliet):
    juliet.send(romeo.jid, "Art thou not Romeo?")
    got, refused = heard_or_refused(romeo, juliet)
    if refused is not None:
        assert refused["type"] == "error"
        assert condition(refused)[0] == "policy-violation"
        return REFUSED
    assert got.body == "Art thou not Romeo?"
    return PASSES


def subscribe_to_sip(romeo, juliet):
    """And what she sees of him then."""
    mark = juliet.mark()
    romeo.policy.body = pidf.document(romeo.uri, one("ID-desk", note="busy"))
    juliet.subscribe(romeo.jid)
    said = juliet.wait(
        lambda: next((s for s in juliet.since(mark, romeo.jid)
                      if s.type in ("error", "")), None), "his answer")
    if said.type == "error":
        assert said.condition == "policy-violation"
        romeo.no_subscriber()
        return REFUSED, REFUSED
    assert said.sender == f"{romeo.jid}/desk"
    assert said.status in ("", "busy")
    return PASSES, WITH_NOTE if said.status else WITHOUT_NOTE


def subscribe_to_xmpp(romeo, juliet):
    """And what he sees of her then."""
    watch = romeo.watch(f"sip:{juliet.jid}")
    juliet.wait_type(romeo.jid, "subscribe")
    juliet.approve(romeo.jid)
    juliet.available(status="dancing")
    watch.wait_there({"ID-test": ("open", "", "dancing")})
    assert watch.complaints == []
    return PASSES, WITH_NOTE


@pytest.mark.parametrize("row", TYPES, ids=[
    f"{row.kind}{'-contact' if row.has_contact else ''}" for row in TYPES])
def test_types(rules, sip_person, xmpp_person, row):
    romeo, juliet = sip_person(), xmpp_person
    rules(settings={"mode": "closed"},
          partners=[partner(juliet.jid.partition("@")[2], row.kind)])
    if row.has_contact:
        romeo.watch(f"sip:{juliet.jid}").wait_state("pending")
    assert send_to_xmpp(romeo, juliet) == row.message_to_xmpp
    assert send_to_sip(romeo, juliet) == row.message_to_sip
    assert subscribe_to_sip(romeo, juliet) == (row.subscribe_to_sip,
                                               row.note_to_xmpp)
    assert subscribe_to_xmpp(romeo, juliet) == (row.subscribe_to_xmpp,
                                                row.note_to_sip)
    # who subscribed has added her
    assert send_to_xmpp(romeo, juliet) == PASSES
    assert send_to_sip(romeo, juliet) == PASSES


def test_type_changes(rules, sip_person, xmpp_person):
    """While she sees him: his note goes and comes back, and as a stranger's he
    goes himself; nobody subscribes anew."""
    romeo, juliet = sip_person(), xmpp_person
    domain = juliet.jid.partition("@")[2]
    desk = f"{romeo.jid}/desk"
    assert subscribe_to_sip(romeo, juliet) == (PASSES, WITH_NOTE)
    rules(partners=[partner(domain, "public-verified")])
    juliet.wait_view(romeo.jid, {desk: ("", "")}, wait_s=5)
    rules(partners=[partner(domain, "federated")])
    juliet.wait_view(romeo.jid, {desk: ("", "busy")}, wait_s=5)
    rules(partners=[partner(domain, "public-unverified")])
    juliet.wait_view(romeo.jid, {}, wait_s=5)
    mark = juliet.mark()
    # he adds her, and that is enough
    romeo.watch(f"sip:{juliet.jid}").wait_state("pending")
    juliet.wait_view(romeo.jid, {desk: ("", "")})
    # so is she more than a stranger
    rules(partners=[partner(domain, "federated")])
    juliet.wait_view(romeo.jid, {desk: ("", "busy")}, wait_s=5)
    assert "subscribed" not in juliet.types(romeo.jid, mark)


def test_partner_goes_and_comes(rules, sip_person, xmpp_person):
    """What is hidden is said before the edges close the streams.  How soon it
    is back is not: a domain whose streams went twice in 10 s is let rest."""
    romeo, juliet = sip_person(), xmpp_person
    domain = juliet.jid.partition("@")[2]
    desk = f"{romeo.jid}/desk"
    assert subscribe_to_sip(romeo, juliet) == (PASSES, WITH_NOTE)
    for gone in ({"partners": [partner(domain, state="disabled")]},
                 {"settings": {"federation": "off"}}):
        rules(**gone)
        juliet.wait_view(romeo.jid, {}, wait_s=5)
        rules(partners=[partner(domain)])
        juliet.wait_view(romeo.jid, {desk: ("", "busy")}, wait_s=40)


def live_streams(lab, domain):
    """{"s2s=7": "in"}: those with the domain that are open at the edge."""
    log = lab.log("edge")
    log = log[log.rindex("event=started"):]
    opened = dict(re.findall(r"event=stream_open (s2s=\d+) dir=(in|out) .*"
                             rf" peer={re.escape(domain)} ", log))
    closed = re.findall(r"event=stream_close (s2s=\d+) ", log)
    return {s2s: way for s2s, way in opened.items() if s2s not in closed}


def ended_by_policy(log):
    return set(re.findall(r"event=stream_close (s2s=\d+) .*"
                          'reason="policy policy-violation', log))


# What forbids the partner, and what allows it again.
GONE = {
    "disable": ("partner disable DOMAIN", "partner enable DOMAIN"),
    "remove": ("partner remove DOMAIN",
               "partner add DOMAIN --type federated --sasl optional"),
    "switch": ("settings set federation off", "settings set federation on"),
}


@pytest.mark.parametrize("name", GONE)
def test_streams_end(lab, fedctl, rules, sip_person, xmpp_person, name):
    """Those that a change forbids, of both directions, within 5 s."""
    # pylint: disable=too-many-arguments
    romeo, juliet = sip_person(), xmpp_person
    domain = juliet.jid.partition("@")[2]
    gone, back = (words.replace("DOMAIN", domain).split()
                  for words in GONE[name])
    rules(settings={"mode": "closed"}, partners=[partner(domain)])
    assert send_to_xmpp(romeo, juliet) == PASSES
    assert send_to_sip(romeo, juliet) == PASSES
    live = live_streams(lab, domain)
    assert set(live.values()) == {"in", "out"}
    mark = len(lab.log("edge"))
    fedctl("gateway", *gone)
    wait_until(lambda: ended_by_policy(lab.log("edge")[mark:]) >= set(live),
               wait_s=5)
    assert send_to_xmpp(romeo, juliet) == REFUSED
    fedctl("gateway", *back)
    assert send_to_xmpp(romeo, juliet) == PASSES
    assert send_to_sip(romeo, juliet) == PASSES


def test_why_in_the_log(lab, rules, sip_person, xmpp_person):
    romeo, juliet = sip_person(), xmpp_person
    rules(partners=[partner(juliet.jid.partition("@")[2],
                            "public-unverified")])
    assert send_to_xmpp(romeo, juliet) == REFUSED
    assert send_to_sip(romeo, juliet) == REFUSED
    for who in (f"from=sip:{romeo.jid} to=sip:{juliet.jid}",
                f"from={juliet.jid}/test to={romeo.jid}"):
        lab.wait_log("gateway", f"event=delivery .*{re.escape(who)} .*"
                     "outcome=refused .*gate=type")
