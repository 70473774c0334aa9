"""A SIP user with presence for the tests: watches (SUBSCRIBE), is watched
(its own notifier, which says exactly what a test says), publishes (PUBLISH).

What comes is kept in order; what is against RFC 6665 on the way goes into
`complaints`.
"""

import itertools
import queue
import re
import threading
import time
import typing
import uuid

import pidf
from sip_user import SipUser, uri_of

EVENT = "Event: presence"
ACCEPT = "Accept: application/pidf+xml"
PIDF_TYPE = "application/pidf+xml"


def tag_of(header):
    match = re.search(r";\s*tag=([^;>\s]+)", header.rpartition(">")[2])
    return match.group(1) if match else None


def header_list(message, name):
    """Values of a header whose values may also be separated by commas."""
    return [v.strip() for line in message.all(name)
            for v in re.split(r",(?=\s*<)", line)]


class Dialog:
    """One end of a SIP dialog (RFC 3261 12), over the user's socket."""

    def __init__(self, user, call_id, local, remote, tag=None):
        self.user, self.call_id = user, call_id
        self.local, self.remote = local, remote         # URIs
        self.tag = tag or uuid.uuid4().hex[:10]
        self.remote_tag = None
        self.target = remote
        self.routes = []
        self.last_seen = 0                              # CSeq of the other end
        self._cseq = itertools.count(1)

    def learn(self, message, is_uas):
        """The other end's tag, target and route from a first message."""
        if is_uas:
            self.remote_tag = tag_of(message["From"])
        else:
            self.remote_tag = tag_of(message["To"])
        if message["Contact"]:
            self.target = uri_of(message["Contact"])
        routes = header_list(message, "Record-Route")
        self.routes = routes if is_uas else routes[::-1]

    def send(self, method, headers, body=b"", wait_s=10):
        """A request in it; its final response, or None without waiting."""
        number = next(self._cseq)
        key = (self.call_id, f"{number} {method}")
        mine = self.user.replies[key] = queue.Queue()
        to = f"To: <{self.remote}>"
        if self.remote_tag:
            to += f";tag={self.remote_tag}"
        self.user.transmit(method, self.target, [
            *(f"Route: {r}" for r in self.routes),
            f"From: <{self.local}>;tag={self.tag}", to,
            f"Call-ID: {self.call_id}", f"CSeq: {number} {method}",
            f"Contact: <{self.user.contact}>", *headers], body)
        if wait_s is None:
            return None
        until = time.monotonic() + wait_s
        while True:
            try:
                answer = mine.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                raise AssertionError(f"no answer to {method} "
                                     f"{self.target} in {wait_s} s") from None
            if answer.status >= 200:
                return answer


class State(typing.NamedTuple):
    """One NOTIFY: what its Subscription-State and its body say."""
    state: str
    params: dict
    document: pidf.Document
    request: typing.Any
    at: float

    @property
    def text(self):
        reason = self.params.get("reason")
        return f"{self.state};{reason}" if reason else self.state


class Watch:
    """A subscription of this user to somebody's presence."""

    def __init__(self, user, target, local=None):
        self.user, self.target = user, target
        self.states = []
        self.answer = 200           # to its NOTIFYs; None: silence
        self.complaints = []
        self.granted = None
        self._came = threading.Condition()
        self.dialog = Dialog(user, uuid.uuid4().hex, local or user.uri, target)
        user.watches[self.dialog.call_id] = self

    def subscribe(self, expires=3600, headers=(EVENT, ACCEPT), wait_s=35):
        """Begin, refresh or (0) end it; the final response."""
        more = [f"Expires: {expires}"] if expires is not None else []
        answer = self.dialog.send("SUBSCRIBE", [*more, *headers],
                                  wait_s=wait_s)
        if 200 <= answer.status < 300:
            self.granted = int(answer["Expires"])
            if self.dialog.remote_tag is None:
                self.dialog.learn(answer, is_uas=False)
        return answer

    def _check(self, request, state, params, fresh):
        if not fresh:
            self.complaints.append(f"CSeq goes back: {request['CSeq']}")
        if (request["Event"] or "").split(";")[0] != "presence":
            self.complaints.append(f"Event: {request['Event']}")
        if state not in ("pending", "active", "terminated"):
            self.complaints.append(f"state {state}")
        if state in ("pending", "active") and "expires" not in params:
            self.complaints.append(f"no expires in {state}")
        if self.states and self.states[-1].state == "terminated":
            self.complaints.append(f"{state} after terminated")
        if request.body and request["Content-Type"] != PIDF_TYPE:
            self.complaints.append(f"type {request['Content-Type']}")
        if state != "terminated" and not request["Contact"]:
            self.complaints.append("no Contact")

    def on_notify(self, request):
        """In the receiving thread; the status to answer."""
        if self.dialog.remote_tag is None:
            self.dialog.learn(request, is_uas=True)
        if (tag_of(request["To"]) != self.dialog.tag or
                tag_of(request["From"]) != self.dialog.remote_tag):
            return 481
        first, *rest = (request["Subscription-State"] or "").split(";")
        params = dict((p.strip().split("=", 1) + [""])[:2] for p in rest)
        number = int(request["CSeq"].split()[0])
        self._check(request, first.strip(), params,
                    number > self.dialog.last_seen)
        self.dialog.last_seen = max(self.dialog.last_seen, number)
        document = None
        try:
            document = pidf.parse(request.body) if request.body else None
        except Exception as error:      # pylint: disable=broad-except
            self.complaints.append(f"{error!r}: {request.body}")
        if self.answer == 200:
            with self._came:
                self.states.append(State(first.strip(), params, document,
                                         request, time.monotonic()))
                self._came.notify_all()
        return self.answer

    def wait(self, condition, what, wait_s=15):
        until = time.monotonic() + wait_s
        with self._came:
            while True:
                value = condition()
                if value:
                    return value
                left = until - time.monotonic()
                if left <= 0:
                    raise AssertionError(
                        f"{self.user.uri} watching {self.target} did not get "
                        f"{what} in {wait_s} s, but {self.history()}")
                self._came.wait(left)

    def wait_state(self, text, after=0, wait_s=15):
        """First NOTIFY of that state ("active", "terminated;rejected")."""
        return self.wait(
            lambda: next((s for s in self.states[after:] if s.text == text),
                         None), text, wait_s)

    def wait_view(self, expected, wait_s=15):
        """{tuple id: (basic, show, note)} is the newest document."""
        self.wait(lambda: self.view() == expected, f"{expected}", wait_s)

    def view(self):
        """What the newest document says; None without one."""
        document = next((s.document for s in reversed(self.states)
                         if s.document is not None), None)
        return {name: t.short for name, t in document.tuples.items()} \
            if document is not None else None

    def wait_there(self, expected, wait_s=15):
        """Those that are open are just {tuple id: (open, show, note)}."""
        self.wait(lambda: self.is_there() == expected, f"{expected}", wait_s)

    def is_there(self):
        """{tuple id: …} of those that are open."""
        return {name: said for name, said in (self.view() or {}).items()
                if said[0] == "open"}

    def history(self):
        return [(s.text, s.document and
                 {n: t.short for n, t in s.document.tuples.items()})
                for s in self.states]

    def repeats(self, after=0):
        """NOTIFYs with a document that says what the last one said."""
        said = [s.document and (s.document.tuples, s.document.activities,
                                s.document.notes) for s in self.states[after:]]
        said = [({n: t._replace(timestamp="") for n, t in d[0].items()}, d[1:])
                for d in said if d]
        return [b for a, b in zip(said, said[1:]) if a == b]


class Watched:
    """A subscription that somebody has to this user: we are the notifier."""

    def __init__(self, user, request, granted):
        self.user, self.request = user, request
        self.granted = granted
        self.began_at = time.monotonic()
        self.expires_at = self.began_at + granted
        self.requests = [request]           # SUBSCRIBEs of it, in order
        self.has_ended = False
        self.is_unknown = False             # 481 of its watcher, before that
        self.dialog = Dialog(user, request["Call-ID"], uri_of(request["To"]),
                             uri_of(request["From"]))
        self.dialog.learn(request, is_uas=True)
        user.watched[self.dialog.call_id] = self

    @property
    def watcher(self):
        return self.dialog.remote

    def wait_ended(self, wait_s=15):
        """Until its watcher has ended it."""
        until = time.monotonic() + wait_s
        while not self.has_ended:
            assert time.monotonic() < until, f"{self.watcher} goes on"
            time.sleep(0.05)

    @property
    def rest_s(self):
        return max(int(self.expires_at - time.monotonic()), 0)

    def notify(self, state="active", body=None, headers=(), wait_s=10,
               kind=PIDF_TYPE, expires=None, event=EVENT):
        """Say it; the watcher's answer (None when not waited for)."""
        if state.startswith("terminated"):
            self.has_ended = True
        elif "expires" not in state:
            state += f";expires={self.rest_s if expires is None else expires}"
        lines = [event, f"Subscription-State: {state}", *headers]
        if body is not None:
            lines.append(f"Content-Type: {kind}")
        return self.dialog.send("NOTIFY", lines, body or b"", wait_s)


class Policy:
    """How this user's notifier treats SUBSCRIBEs.

    first: what its NOTIFY says at once; None: it sends none.
    body: the document in it, text, or a function of the Watched.
    again: status for a SUBSCRIBE in a dialog.
    is_early: the NOTIFY goes before the 200.
    """

    def __init__(self, status=200, headers=(), first="active", body=None,
                 granted=None, again=200):
        self.status, self.headers = status, headers
        self.is_early = False
        self.first, self.body = first, body
        self.granted, self.again = granted, again

    def document(self, watched):
        return self.body(watched) if callable(self.body) else self.body


class PresenceUser(SipUser):
    """user@sip.example at ip:port: watcher, presentity, publisher."""

    def __init__(self, *args, **more):
        self.replies = {}               # (Call-ID, CSeq): queue
        self.watches = {}               # Call-ID: Watch
        self.watched = {}               # Call-ID: Watched
        self.subscribers = queue.Queue()    # new Watched
        self.refused = queue.Queue()        # SUBSCRIBEs that got an error
        self.policy = Policy()
        self.policies = {}              # name of a presentity: its own Policy
        # held from the look at what is true until it is said: of two threads
        # the one that knows less must not speak last
        self.telling = threading.RLock()
        self._answered = {}             # transactions: the bytes of the answer
        super().__init__(*args, **more)

    @property
    def contact(self):
        return f"sip:{self.user}@{self.ip}:{self.port}"

    def register(self, user=None, headers=("Allow-Events: presence",)):
        """Says that it is its own notifier (see the lab's Kamailio)."""
        return super().register(user, headers)

    def transmit(self, method, uri, headers, body=b""):
        self._send(method, uri, headers, body)

    @property
    def jid(self):
        """This user for the XMPP side."""
        return f"{self.user}@{self.domain}"

    # ---- receiving thread ---------------------------------------------------

    def _on_response(self, message):
        waiting = self.replies.get((message["Call-ID"], message["CSeq"]))
        known = self.watched.get(message["Call-ID"])
        if message.status == 481 and known and not known.has_ended:
            known.is_unknown = True
        if waiting is not None:
            waiting.put(message)
        else:
            super()._on_response(message)

    def _on_request(self, message, source):
        key = (message["Via"], message.method)
        if key in self._answered:       # a retransmission
            if self._answered[key]:
                self._socket.sendto(self._answered[key], source)
            return
        self._answered[key] = None
        if message.method == "NOTIFY":
            watch = self.watches.get(message["Call-ID"])
            status = watch.on_notify(message) if watch else 481
            if status is not None:
                self._answered[key] = self._respond(message, source, status)
        elif message.method == "SUBSCRIBE":
            self._on_subscribe(key, message, source)
        else:
            super()._on_request(message, source)

    def _on_subscribe(self, key, message, source):
        known = self.watched.get(message["Call-ID"])
        name = uri_of(message["To"]).partition(":")[2].partition("@")[0]
        policy = self.policies.get(name, self.policy)
        if tag_of(message["To"]):
            status = policy.again if known and not known.has_ended else 481
        else:
            status = policy.status
        if status is None:
            return
        asked = int(message["Expires"] or 3600)
        granted = asked if policy.granted is None else min(asked,
                                                           policy.granted)
        if status >= 300:
            self._answered[key] = self._respond(message, source, status,
                                                policy.headers)
            self.refused.put(message)
            return
        is_new = known is None
        if is_new:
            known = Watched(self, message, granted)
        else:
            known.requests.append(message)
            known.granted = granted
            known.expires_at = time.monotonic() + granted

        def notify():
            if policy.first is None:
                return
            with self.telling:
                known.notify("terminated;reason=timeout" if granted == 0
                             else policy.first, policy.document(known),
                             wait_s=None)
        if policy.is_early:
            notify()
            time.sleep(0.2)
        self._answered[key] = self._respond(
            message, source, status,
            [f"Expires: {granted}", f"Contact: <{self.contact}>"],
            known.dialog.tag)
        if not policy.is_early:
            notify()
        if is_new:
            self.subscribers.put(known)

    # ---- what a test does ---------------------------------------------------

    def watch(self, target, expires=3600, status=200, **more):
        """Subscribe to a URI; the answer is of that status."""
        watch = Watch(self, target)
        answer = watch.subscribe(expires, **more)
        assert answer.status == status, answer.start
        return watch

    def next_subscriber(self, wait_s=15):
        try:
            return self.subscribers.get(timeout=wait_s)
        except queue.Empty:
            raise AssertionError(f"nobody subscribed to {self.uri} in "
                                 f"{wait_s} s") from None

    def no_subscriber(self, wait_s=2):
        time.sleep(wait_s)
        assert self.subscribers.empty(), self.subscribers.get().request.start

    def publish(self, body, etag=None, expires=3600, user=None):
        """To the presence server; (SIP-ETag, response)."""
        uri = f"sip:{user or self.user}@{self.domain}"
        headers = [EVENT, f"Expires: {expires}"]
        if etag:
            headers.append(f"SIP-If-Match: {etag}")
        if body:
            headers.append(f"Content-Type: {PIDF_TYPE}")
        answer, _ = self.request("PUBLISH", uri, headers, body or b"",
                                 from_header=f"<{uri}>")
        return answer["SIP-ETag"], answer
