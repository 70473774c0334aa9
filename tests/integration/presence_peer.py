"""An XMPP server of a domain, scripted: says any presence in the name of its
users, and keeps all that the SIP domain tells them."""

import contextlib
import re
import select
import threading
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from presence_xmpp import PresenceLog
from rogue import Rogue, take_stream

END_S = 5       # so long an edge may take to end a stream, too
STANZA = re.compile(r"<(presence|iq|message)\b(?:[^>]*/>|.*?</\1>)", re.S)


class PresencePeer(PresenceLog):
    """Server of the domain at that address of the lab's Internet."""

    def __init__(self, lab, domain, ip):
        super().__init__(domain)
        self.domain = domain
        self._rogue = Rogue(lab, domain, ip)
        self._rogue.serve(self._take)
        self._sending = threading.Lock()
        self._stream = None
        self._incoming = []
        self.is_silent = False          # takes no stream
        self.on_presence = None         # called with each, when set

    # ---- what the SIP domain says -------------------------------------------

    def _take(self, stream):
        """One stream that the edge opens, in a thread of its own."""
        reader = threading.Thread(target=self._read, args=(stream,),
                                  daemon=True)
        self._incoming.append((stream, reader))
        reader.start()

    def _read(self, stream):
        with contextlib.suppress(AssertionError, OSError):
            if self.is_silent:
                stream.close()
                return
            take_stream(stream)
            stream.connection.settimeout(None)
            while True:
                match = STANZA.search(stream.seen)
                if match is None:
                    if not stream.read():
                        return
                    continue
                stream.seen = stream.seen[match.end():]
                self._on_stanza(match.group(0))

    def _on_stanza(self, text):
        root = ET.fromstring(f"<x xmlns='jabber:client'>{text}</x>")
        stanza = root[0]
        if stanza.tag.endswith("presence"):
            self.note(stanza)
            if self.on_presence is not None:
                self.on_presence(self.stanzas[-1])
        elif stanza.tag.endswith("iq") and stanza.get("type") == "get":
            self.send(f"<iq type='result' id={quoteattr(stanza.get('id'))} "
                      f"from={quoteattr(stanza.get('to'))} "
                      f"to={quoteattr(stanza.get('from'))}/>")

    # ---- what its users say -------------------------------------------------

    def send(self, xml):
        with self._sending:
            if self._stream is None or self._has_ended(self._stream):
                self._stream = self._rogue.authenticated()
            self._stream.send(xml)

    @staticmethod
    def _has_ended(stream):
        """The edge ends streams that are idle."""
        while select.select([stream.connection], [], [], 0)[0]:
            if not stream.read():
                return True
        return False

    def say(self, user, to, kind="", show="", status="", priority=None,
            stanza_id="", lang="", more=""):
        """user is a name with or without a resource."""
        name, slash, resource = user.partition("/")
        attributes = {"from": f"{name}@{self.domain}{slash}{resource}",
                      "to": to, "type": kind, "id": stanza_id,
                      "xml:lang": lang}
        attributes = "".join(f" {k}={quoteattr(v)}"
                             for k, v in attributes.items() if v)
        parts = {"show": show, "status": status,
                 "priority": "" if priority is None else str(priority)}
        inside = "".join(f"<{k}>{escape(v)}</{k}>"
                         for k, v in parts.items() if v)
        self.send(f"<presence{attributes}>{inside}{more}</presence>")

    def say_error(self, user, to, condition, kind="cancel", stanza_id=""):
        self.say(user, to, "error", stanza_id=stanza_id,
                 more=f"<error type='{kind}'><{condition} xmlns='urn:ietf:"
                 "params:xml:ns:xmpp-stanzas'/></error>")

    def hang_up(self):
        """All its streams end, in order (RFC 6120 4.4): what the edge has
        written before its own end is read, and counts."""
        with self._sending:
            incoming, self._incoming = self._incoming, []
            mine, self._stream = self._stream, None
            if mine is not None:
                with contextlib.suppress(OSError):
                    mine.send("</stream:stream>").end()
        for stream, _ in incoming:
            stream.send("</stream:stream>")
        for stream, reader in incoming:
            reader.join(END_S)
            with contextlib.suppress(OSError):
                stream.close()

    def close(self):
        self.hang_up()
        self._rogue.close()
