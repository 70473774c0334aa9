"""PIDF for the tests: documents to send, and what a document says."""

import typing
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

PIDF = "{urn:ietf:params:xml:ns:pidf}"
RPID = "{urn:ietf:params:xml:ns:pidf:rpid}"
PERSON = "{urn:ietf:params:xml:ns:pidf:data-model}person"
SHOW = "{jabber:client}show"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

HEAD = ('<?xml version="1.0" encoding="UTF-8"?>\n'
        '<presence xmlns="urn:ietf:params:xml:ns:pidf"'
        ' xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
        ' xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"')


class Tuple(typing.NamedTuple):
    """One tuple of a document."""
    basic: str
    show: str = ""
    notes: tuple = ()           # (language, text)
    priority: str = ""
    timestamp: str = ""

    @property
    def short(self):
        """What is compared: (basic, show, first note)."""
        return self.basic, self.show, self.notes[0][1] if self.notes else ""


class Document(typing.NamedTuple):
    """A document that a watcher got."""
    entity: str
    tuples: dict                # id: Tuple, in their order
    activities: tuple = ()      # of the person
    notes: tuple = ()


def _notes(element):
    return tuple((n.get(XML_LANG, ""), n.text or "")
                 for n in element.findall(PIDF + "note"))


def parse(text):
    """Checks what RFC 3863 demands of a document on the way."""
    assert text.startswith("<?xml "), text[:60]
    root = ET.fromstring(text)
    assert root.tag == PIDF + "presence", root.tag
    tuples = {}
    for element in root.findall(PIDF + "tuple"):
        name = element.get("id")
        assert name and name not in tuples, f"id {name}: {text}"
        status = element.find(PIDF + "status")
        assert status is not None and len(status), text
        contact = element.find(PIDF + "contact")
        tuples[name] = Tuple(
            status.findtext(PIDF + "basic") or "",
            status.findtext(SHOW) or "", _notes(element),
            contact.get("priority", "") if contact is not None else "",
            element.findtext(PIDF + "timestamp") or "")
    activities = root.find(f"{PERSON}/{RPID}activities")
    return Document(root.attrib["entity"], tuples,
                    tuple(a.tag.replace(RPID, "") for a in activities)
                    if activities is not None else (), _notes(root))


def one(name, basic="open", show="", note="", priority=None, lang="",
        contact=None):
    """A <tuple>, as text."""
    parts = [f"<basic>{basic}</basic>"]
    if show:
        parts.append(f"<show xmlns='jabber:client'>{show}</show>")
    parts = [f"<tuple id={quoteattr(name)}><status>{''.join(parts)}</status>"]
    if priority is not None:
        parts.append(f"<contact priority='{priority}'>"
                     f"{contact or 'sip:somebody@sip.example'}</contact>")
    if note:
        lang = f" xml:lang={quoteattr(lang)}" if lang else ""
        parts.append(f"<note{lang}>{escape(note)}</note>")
    return "".join(parts) + "</tuple>"


def person(*activities):
    """A <dm:person> with these activities, as text."""
    inside = "".join(f"<rpid:{a}/>" for a in activities)
    return ("<dm:person id='p1'><rpid:activities>" + inside +
            "</rpid:activities></dm:person>")


def document(entity, *parts):
    return f"{HEAD} entity={quoteattr(entity)}>\n{''.join(parts)}</presence>\n"
