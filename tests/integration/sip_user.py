"""A SIP user agent for the tests: registers, sends MESSAGE, answers MESSAGE.

Small on purpose: it shows the bytes of what it got, so that a test can look
at any header.  Load and the demo use SIPp.
"""

import contextlib
import itertools
import queue
import re
import socket
import threading
import uuid

import netns


class Sip:
    """One parsed SIP message."""

    def __init__(self, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        self.start = lines[0]
        self.headers = [tuple(p.strip() for p in line.split(":", 1))
                        for line in lines[1:] if ":" in line]
        self.body = body.decode("utf-8", "replace")
        self.raw = data

    def __getitem__(self, name):
        return next((v for k, v in self.headers
                     if k.lower() == name.lower()), None)

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def status(self):
        return int(self.start.split()[1]) if self.is_response else None

    @property
    def is_response(self):
        return self.start.startswith("SIP/2.0 ")

    @property
    def method(self):
        return None if self.is_response else self.start.split()[0]


class SipUser:
    """user@domain at ip:port in a namespace, over UDP."""

    def __init__(self, namespace, user, ip, port, proxy, domain="sip.example",
                 answer=200):
        self.user, self.domain, self.ip, self.port = user, domain, ip, port
        self.proxy = proxy
        self.answer = answer      # status for what it receives; None: silence
        self.inbox = queue.Queue()
        self._replies = {}
        self._registered = []
        self._is_closing = False
        self._cseq = itertools.count(1)
        with netns.inside(namespace):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind((ip, port))
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    @property
    def uri(self):
        return f"sip:{self.user}@{self.domain}"

    def close(self, leaves=True):
        """Leaves the registrar, too: who has the name next must not be one
        of two contacts."""
        with contextlib.suppress(AssertionError, OSError):
            for user in self._registered if leaves else []:
                self._send_register(user, 0, (), wait_s=2)
        self._is_closing = True
        self._socket.sendto(b"\r\n", (self.ip, self.port))  # wakes the thread
        self._thread.join(5)
        self._socket.close()

    def _receive(self):
        while True:
            data, source = self._socket.recvfrom(65535)
            if self._is_closing:
                return
            if len(data) < 16:
                continue
            message = Sip(data)
            if message.is_response:
                self._on_response(message)
                continue
            self._on_request(message, source)

    def _on_response(self, message):
        waiting = self._replies.get(message["Call-ID"])
        if waiting is not None:
            waiting.put(message)

    def _on_request(self, message, source):
        if self.answer is not None:
            self._respond(message, source, self.answer)
        self.inbox.put(message)

    def _respond(self, request, source, status, headers=(), tag=None):
        lines = [f"SIP/2.0 {status} Test"]
        lines += [f"Via: {v}" for v in request.all("Via")]
        lines += [f"Record-Route: {r}" for r in request.all("Record-Route")]
        to = request["To"]
        if "tag=" not in to:
            to += f";tag={tag or uuid.uuid4().hex[:8]}"
        lines += [f"From: {request['From']}", f"To: {to}",
                  f"Call-ID: {request['Call-ID']}",
                  f"CSeq: {request['CSeq']}", *headers,
                  "Content-Length: 0", "", ""]
        data = "\r\n".join(lines).encode()
        self._socket.sendto(data, source)
        return data

    def _send(self, method, uri, headers, body=b""):
        if isinstance(body, str):
            body = body.encode()
        branch = f"z9hG4bK{uuid.uuid4().hex}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.ip}:{self.port};rport;"
            f"branch={branch}",
            "Max-Forwards: 70", *headers,
            f"Content-Length: {len(body)}", "", "",
        ]
        self._put(branch, "\r\n".join(lines).encode() + body)

    def _put(self, _branch, data):
        """A request on the wire, once: no test's network loses any."""
        self._socket.sendto(data, self.proxy)

    def request(self, method, uri, headers=(), body=b"", call_id=None,
                from_header=None, to=None, wait_s=35):
        """Send and return (final response, provisional responses)."""
        call_id = call_id or uuid.uuid4().hex
        mine = self._replies[call_id] = queue.Queue()
        sender = from_header or f"<{self.uri}>"
        self._send(method, uri, [
            f"From: {sender};tag={uuid.uuid4().hex[:8]}",
            f"To: {to or f'<{uri}>'}", f"Call-ID: {call_id}",
            f"CSeq: {next(self._cseq)} {method}", *headers], body)
        provisional = []
        try:
            while True:
                response = mine.get(timeout=wait_s)
                if response.status >= 200:
                    return response, provisional
                provisional.append(response)
        except queue.Empty:
            raise AssertionError(f"no final answer to {method} {uri} in "
                                 f"{wait_s} s") from None
        finally:
            del self._replies[call_id]

    def register(self, user=None, headers=()):
        """Itself, or one more user that is found at this address."""
        user = user or self.user
        answer = self._send_register(user, 3600, headers)
        assert answer.status == 200, answer.start
        if user not in self._registered:
            self._registered.append(user)
        return self

    def _send_register(self, user, expires, headers, **more):
        uri = f"sip:{user}@{self.domain}"
        answer, _ = self.request(
            "REGISTER", f"sip:{self.domain}",
            [f"Contact: <sip:{user}@{self.ip}:{self.port}>",
             f"Expires: {expires}", *headers], to=f"<{uri}>",
            from_header=f"<{uri}>", **more)
        return answer

    def message(self, uri, text, headers=(), **more):
        """MESSAGE with a text/plain body; returns the final response."""
        answer, _ = self.request(
            "MESSAGE", uri, ["Content-Type: text/plain;charset=UTF-8",
                             *headers], text, **more)
        return answer

    def next_message(self, wait_s=10):
        try:
            return self.inbox.get(timeout=wait_s)
        except queue.Empty:
            raise AssertionError(
                f"{self.uri} got nothing in {wait_s} s") from None


def uri_of(header):
    """The URI inside a From or To header."""
    return re.search(r"<([^>]+)>", header).group(1)
