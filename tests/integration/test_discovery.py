"""What a SIP domain says of itself to XMPP, and that it says nothing of its
users."""

import pytest

from xmpp_user import condition

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
DOMAIN = "sip.example"


def test_the_domain_is_a_server_and_a_gateway(juliet):
    got = juliet.ask(DOMAIN, f"<query xmlns='{INFO}'/>")
    assert got["type"] == "result" and got["from"] == DOMAIN
    query = got.xml.find(f"{{{INFO}}}query")
    found = [(i.get("category"), i.get("type"))
             for i in query.findall(f"{{{INFO}}}identity")]
    assert ("server", "im") in found
    assert ("gateway", "simple") in found
    features = {f.get("var") for f in query.findall(f"{{{INFO}}}feature")}
    assert features >= {INFO, ITEMS, "urn:xmpp:ping", "jabber:iq:version"}


def test_the_domain_has_no_items(juliet):
    got = juliet.ask(DOMAIN, f"<query xmlns='{ITEMS}'/>")
    assert got["type"] == "result"
    assert len(got.xml.find(f"{{{ITEMS}}}query")) == 0


def test_ping(juliet):
    """X26"""
    got = juliet.ask(DOMAIN, "<ping xmlns='urn:xmpp:ping'/>")
    assert got["type"] == "result" and len(got.xml) == 0


def test_version(juliet):
    got = juliet.ask(DOMAIN, "<query xmlns='jabber:iq:version'/>")
    query = got.xml.find("{jabber:iq:version}query")
    assert query.find("{jabber:iq:version}name").text == "fe-gateway"
    assert query.find("{jabber:iq:version}version").text


def test_a_node_that_is_not_there(juliet):
    got = juliet.ask(DOMAIN, f"<query xmlns='{INFO}' node='secret'/>")
    assert condition(got) == ("item-not-found", "cancel")


UNANSWERED = [
    f"<query xmlns='{INFO}'/>",                 # X27
    f"<query xmlns='{ITEMS}'/>",
    "<ping xmlns='urn:xmpp:ping'/>",
    "<query xmlns='jabber:iq:version'/>",
    "<vCard xmlns='vcard-temp'/>",
    "<query xmlns='urn:example:nobody:knows'/>",  # X24
]


def words(stanza):
    """All of an error but its id and its addresses."""
    error = stanza.xml.find("{jabber:client}error")
    return (stanza["type"], error.get("type"), error.get("by"),
            [(c.tag, c.text) for c in error])


@pytest.mark.parametrize("payload", UNANSWERED)
def test_users_are_alike(juliet, romeo, payload):
    """X24, X27: one who is there, one who is not, and a device of either."""
    answers = [juliet.ask(to, payload)
               for to in ("romeo@sip.example", "nobody@sip.example",
                          "romeo@sip.example/x", "nobody@sip.example/x")]
    assert condition(answers[0]) == ("service-unavailable", "cancel")
    assert all(words(a) == words(answers[0]) for a in answers)


@pytest.mark.parametrize("kind", ["get", "set"])
def test_the_rest_is_not_served(juliet, kind):
    got = juliet.ask(DOMAIN, "<query xmlns='urn:example:nobody:knows'/>",
                     kind=kind)
    assert condition(got) == ("service-unavailable", "cancel")
