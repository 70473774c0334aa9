"""What happened between a SIP and an XMPP user, for a test that fails: short
lines, of which a log that keeps only its end shows all."""

import re
import threading
import time

LINE = 180


def short(text):
    return text if len(text) <= LINE else text[:LINE - 3] + "..."


def names_in(text):
    return frozenset(re.findall(r"(\w+)@(?:sip|tower)\.example", text or ""))


class Story:
    """Lines with their time, each of one pair of users, or of all."""

    def __init__(self):
        self._began = time.monotonic()
        self._lines = []                # (when, both names or None, text)
        self._writing = threading.Lock()

    def add(self, pair, text, at=None):
        with self._writing:
            self._lines.append((at or time.monotonic(),
                                pair and frozenset(pair), text))

    def add_sip(self, arrow, message):
        """A request or a response, by From and To."""
        said = re.findall(r"<(?:\w+:)?(?:note|basic)[^>]*>([^<]*)<",
                          message.body)
        what = [message.start.partition(" SIP/2.0")[0]
                .removeprefix("SIP/2.0 ")]
        if message.is_response:
            what.append(f"to {message['CSeq']}")
        else:
            what.append(f"CSeq {message['CSeq'].split()[0]}")
        for name in ("Expires", "Subscription-State"):
            if message[name]:
                what.append(f"{name} {message[name]}")
        self.add(names_in(f"{message['From']} {message['To']}"),
                 f"{arrow} {(message['Call-ID'] or '')[:8]} "
                 f"{' '.join([*what, *said])}")

    def add_stanza(self, arrow, sender, to, kind, *said):
        self.add(names_in(f"{sender} {to}"),
                 " ".join([arrow, f"{sender} to {to}:", kind or "available",
                           *filter(None, said)]))

    def of(self, pair, count=30, more=()):
        """The last lines of that pair and of all; `more`: as add() has
        them."""
        pair = frozenset(pair)
        with self._writing:
            lines = [line for line in self._lines if line[1] in (None, pair)]
        lines = sorted([*lines, *more], key=lambda line: line[0])
        return [short(f"{at - self._began:7.2f} {text}")
                for at, _, text in lines[-count:]]
