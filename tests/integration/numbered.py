"""Numbered messages both ways at a steady rate, and what became of each.

A message ends in one of: received (how often is counted), refused (its sender
got an error), or lost (neither), which is what the tests are about.
"""

import collections
import re
import socket
import threading
import time
import uuid

import netns
from sip_user import Sip

NUMBER = re.compile(r"^number (\d+)$")


def number_of(text):
    match = NUMBER.match((text or "").strip())
    return int(match.group(1)) if match else None


class Fate:
    """What became of the messages of one direction."""

    def __init__(self, count):
        self.count = count
        self.sent = {}                          # number: when
        self.received = collections.Counter()   # number: how often
        self.order = []
        self.refused = {}                       # number: why
        self.accepted = set()                   # SIP: the sender has a 2xx

    def open(self):
        """Numbers that were sent and have no end yet."""
        return [n for n in self.sent
                if n not in self.received and n not in self.refused]

    @property
    def duplicates(self):
        return sum(times - 1 for times in self.received.values())

    def note(self, number):
        if number is not None:
            self.received[number] += 1
            self.order.append(number)

    def first_times_in_order(self):
        """The first arrivals, without those that were sent again."""
        seen, firsts = set(), []
        for number in self.order:
            if number not in seen:
                seen.add(number)
                firsts.append(number)
        return firsts

    def overtaken(self, targets):
        """(number, the one it came behind) for each of so many targets that
        took turns."""
        last, pairs = {}, []
        for number in self.first_times_in_order():
            before = last.get(number % targets, -1)
            if before > number:
                pairs.append((number, before))
            last[number % targets] = max(before, number)
        return pairs

    def text(self):
        return (f"{len(self.sent)} sent, {len(self.received)} received, "
                f"{len(self.refused)} refused to their sender, "
                f"{self.duplicates} duplicates, {len(self.open())} lost")


class SipSender(threading.Thread):
    """A SIP user over UDP with many MESSAGEs under way (RFC 3261 17.1.2:
    repeated until there is an answer)."""

    T1, T2, TIMER_F = 0.5, 4, 32

    def __init__(self, namespace, user, address, proxy, target, fate, rate):
        super().__init__(daemon=True)
        self.user, self.address, self.proxy = user, address, proxy
        self.target, self.fate, self.rate = target, fate, rate
        self.waiting = {}       # Call-ID: [number, data, next, interval, end]
        with netns.inside(namespace):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.socket.bind(address)
        self.socket.settimeout(0.002)

    def _send(self, number):
        ip, port = self.address
        call_id = uuid.uuid4().hex
        body = f"number {number}"
        data = "\r\n".join([
            f"MESSAGE {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bK{call_id}",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@sip.example>;tag={call_id[:8]}",
            f"To: <{self.target}>", f"Call-ID: {call_id}",
            f"CSeq: {number + 1} MESSAGE", "Content-Type: text/plain",
            f"Content-Length: {len(body)}", "", body]).encode()
        now = time.monotonic()
        self.waiting[call_id] = [number, data, now + self.T1, self.T1,
                                 now + self.TIMER_F]
        self.fate.sent[number] = now
        self.socket.sendto(data, self.proxy)

    def _take(self, data):
        answer = Sip(data)
        entry = self.waiting.get(answer["Call-ID"])
        if not answer.is_response or entry is None:
            return
        if answer.status < 200:
            entry[3] = self.T2
            return
        del self.waiting[answer["Call-ID"]]
        if answer.status < 300:
            self.fate.accepted.add(entry[0])
        else:
            self.fate.refused[entry[0]] = answer.status

    def _repeat(self, now):
        for call_id, entry in list(self.waiting.items()):
            if now > entry[4]:
                # RFC 3261 17.1.2.2: no answer is an answer to the user
                del self.waiting[call_id]
                self.fate.refused[entry[0]] = "timeout"
            elif now > entry[2]:
                entry[3] = min(entry[3] * 2, self.T2)
                entry[2] = now + entry[3]
                self.socket.sendto(entry[1], self.proxy)

    def run(self):
        began, number, looked = time.monotonic(), 0, 0
        while number < self.fate.count or self.waiting:
            now = time.monotonic()
            while number < self.fate.count and \
                    now >= began + number / self.rate:
                self._send(number)
                number += 1
            if now > looked + 0.1:
                self._repeat(now)
                looked = now
            try:
                self._take(self.socket.recv(65535))
            except TimeoutError:
                continue
        self.socket.close()


class XmppSender(threading.Thread):
    """Sends from an XmppUser to each target in turn; errors that come back
    are found by id."""

    def __init__(self, user, targets, fate, rate):
        super().__init__(daemon=True)
        self.user, self.targets = user, targets
        self.fate, self.rate = fate, rate
        self.numbers = {}       # id: number

    def run(self):
        began = time.monotonic()
        for number in range(self.fate.count):
            ahead = began + number / self.rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            self.fate.sent[number] = time.monotonic()
            target = self.targets[number % len(self.targets)]
            stanza_id = self.user.send(target, f"number {number}")
            self.numbers[stanza_id] = number


def drain_xmpp(user, sender, errors_of, messages_of):
    """Everything in the user's inbox into the two fates."""
    while not user.inbox.empty():
        stanza = user.inbox.get()
        if stanza["type"] == "error":
            number = sender.numbers.get(stanza["id"])
            if number is not None:
                errors_of.refused[number] = stanza["error"]["condition"]
        else:
            messages_of.note(number_of(stanza["body"]))


def drain_sip(user, fate):
    while not user.inbox.empty():
        fate.note(number_of(user.inbox.get().body))
