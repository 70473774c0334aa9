"""An XMPP user with a roster, for the tests of presence: says what the test
says and nothing else, and keeps every presence stanza that comes."""

import threading
import time
import typing
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from xmpp_user import XmppUser

CLIENT = "{jabber:client}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


class Presence(typing.NamedTuple):
    """One stanza as it came; type "" is available."""
    type: str
    sender: str
    to: str
    id: str = ""
    show: str = ""
    status: str = ""
    priority: str = ""
    condition: str = ""
    lang: str = ""
    at: float = 0.0

    @property
    def bare(self):
        return self.sender.partition("/")[0]

    @property
    def says(self):
        """What is repeated when this comes twice."""
        return self.type, self.sender, self.show, self.status, self.priority


def parse(xml):
    def text(name):
        return xml.findtext(CLIENT + name) or ""
    error = xml.find(CLIENT + "error")
    condition = next((c.tag.replace(STANZAS, "") for c in error
                      if c.tag.startswith(STANZAS)), "") \
        if error is not None else ""
    status = xml.find(CLIENT + "status")
    lang = status.get(XML_LANG) if status is not None else None
    return Presence(xml.get("type", ""), xml.get("from", ""),
                    xml.get("to", ""), xml.get("id", ""), text("show"),
                    text("status"), text("priority"), condition,
                    lang or xml.get(XML_LANG) or "", time.monotonic())


class PresenceLog:
    """What was told, in order, and what follows from it."""

    def __init__(self, name):
        self.name = name
        self.stanzas = []
        self._expected = {}         # contact: what expect() has seen
        self._came = threading.Condition()

    def note(self, xml):
        with self._came:
            self.stanzas.append(parse(xml))
            self._came.notify_all()

    def mark(self):
        """A place in the history, for since()."""
        return len(self.stanzas)

    def since(self, mark=0, contact=None):
        """Stanzas from that place on, of that contact's bare address."""
        return [s for s in self.stanzas[mark:]
                if contact is None or s.bare == contact]

    def types(self, contact, mark=0):
        return [s.type for s in self.since(mark, contact)]

    def view(self, contact):
        """{full jid: (show, status)}: who is there there."""
        there = {}
        for s in self.since(0, contact):
            if s.type == "":
                there[s.sender] = (s.show, s.status)
            elif s.type == "unavailable":
                # from the bare address it takes nobody away, as in clients:
                # what was announced with a resource would stay as a ghost
                there.pop(s.sender, None)
        return there

    def wait(self, condition, what, wait_s=15):
        """Until the condition on this user holds; returns its value."""
        until = time.monotonic() + wait_s
        while True:
            seen = len(self.stanzas)
            value = condition()
            if value:
                return value
            left = until - time.monotonic()
            if left <= 0:
                raise AssertionError(
                    f"{self.name} did not get {what} in {wait_s} s, but "
                    f"{[s.says for s in self.stanzas]}")
            # the condition may be one of more than stanzas
            with self._came:
                if len(self.stanzas) == seen:
                    self._came.wait(min(left, 0.2))

    def wait_view(self, contact, expected, wait_s=15):
        self.wait(lambda: self.view(contact) == expected,
                  f"{contact} as {expected}", wait_s)

    def wait_type(self, contact, kind, mark=0, wait_s=15):
        """First stanza of that type from the contact, after the mark."""
        return self.wait(
            lambda: next((s for s in self.since(mark, contact)
                          if s.type == kind), None),
            f"{kind or 'available'} of {contact}", wait_s)

    def repeats(self, contact, mark=0):
        """Stanzas that said what the same sender had said last."""
        last, again = {}, []
        for s in self.since(mark, contact):
            key = s.sender
            if s.type in ("", "unavailable") and last.get(key) == s.says:
                again.append(s.says)
            last[key] = s.says
        return again

    def told(self, contact, mark=0):
        """[(type, resource, show, status)] of that contact."""
        return [(s.type, s.sender.partition("/")[2], s.show, s.status)
                for s in self.since(mark, contact)]

    def expect(self, contact, *said, wait_s=15):
        """Next of this contact come just these, as told() has them."""
        expected = self._expected.setdefault(contact, [])
        expected += said
        self.wait(lambda: len(self.told(contact)) >= len(expected),
                  f"{expected} of {contact}", wait_s)
        assert self.told(contact) == expected

    def expect_no_more(self, contact, wait_s=1):
        """What expect() has seen was all, and stays all."""
        time.sleep(wait_s)
        assert self.told(contact) == self._expected.get(contact, [])


class RosterUser(PresenceLog, XmppUser):
    """Logs in, asks for its roster, and is available when told so."""

    def __init__(self, namespace, jid, *args, online=True, **more):
        PresenceLog.__init__(self, jid)
        XmppUser.__init__(self, namespace, jid, *args, **more)
        self.roster()
        if online:
            self.available()

    def _prepare(self, client):
        client.remove_handler("Presence")
        client.register_handler(Callback(
            "every presence", MatchXPath(CLIENT + "presence"),
            self._on_presence))

    def _on_start(self, _event):
        self._ready.set()

    def _on_presence(self, stanza):
        self.note(stanza.xml)

    # ---- what it says -------------------------------------------------------

    def available(self, show="", status="", priority=None, lang="", to=""):
        parts = []
        if show:
            parts.append(f"<show>{show}</show>")
        if status:
            parts.append(f"<status>{escape(status)}</status>")
        if priority is not None:
            parts.append(f"<priority>{priority}</priority>")
        lang = f" xml:lang={quoteattr(lang)}" if lang else ""
        to = f" to={quoteattr(to)}" if to else ""
        self.send_raw(f"<presence{to}{lang}>{''.join(parts)}</presence>")

    def say(self, kind, to="", stanza_id=""):
        """A presence of that type: subscribe, probe, unavailable …"""
        to = f" to={quoteattr(to)}" if to else ""
        stanza_id = f" id={quoteattr(stanza_id)}" if stanza_id else ""
        self.send_raw(f"<presence type={quoteattr(kind)}{to}{stanza_id}/>")

    def subscribe(self, contact):
        self.say("subscribe", contact)

    def approve(self, contact):
        self.say("subscribed", contact)

    def deny(self, contact):
        self.say("unsubscribed", contact)

    def unsubscribe(self, contact):
        self.say("unsubscribe", contact)

    def unavailable(self):
        self.say("unavailable")

    # ---- its roster ---------------------------------------------------------

    def roster(self):
        """{bare jid: (subscription, asked)} as the server has it."""
        answer = self.ask(self.jid, "<query xmlns='jabber:iq:roster'/>")
        items = answer.xml.iter("{jabber:iq:roster}item")
        return {i.get("jid"): (i.get("subscription"), i.get("ask") or "")
                for i in items}

    def remove(self, contact):
        """Out of the roster; its server cancels both directions."""
        answer = self.ask(self.jid, f"<query xmlns='jabber:iq:roster'><item "
                          f"jid={quoteattr(contact)} subscription='remove'/>"
                          "</query>", kind="set")
        assert answer["type"] == "result", ET.tostring(answer.xml)
