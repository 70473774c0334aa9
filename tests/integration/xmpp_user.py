"""An XMPP user for the tests: slixmpp in a thread of its own, inside the
namespace of its server."""

import asyncio
import logging
import queue
import threading
import time
import uuid
import xml.etree.ElementTree as ET

import slixmpp

import netns

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)


STANZA_ERRORS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


def condition(stanza):
    """(condition, type) of an error; slixmpp does not know them all."""
    error = stanza["error"].xml
    names = [child.tag.replace(STANZA_ERRORS, "") for child in error
             if child.tag.startswith(STANZA_ERRORS)]
    return next(n for n in names if n != "text"), error.get("type")


def heard_or_refused(sip_user, xmpp_user, wait_s=20):
    """What she wrote gets to him, or back to her as an error, whichever comes
    first: (his message, None) or (None, her stanza)."""
    until = time.monotonic() + wait_s
    while sip_user.inbox.empty():
        try:
            return None, xmpp_user.next_message(0.2)
        except AssertionError:
            assert time.monotonic() < until, "neither heard nor refused"
    return sip_user.next_message(), None


def connect_without_tls(client, host, port):
    if hasattr(client, "enable_plaintext"):     # slixmpp 1.9 and later
        client.enable_direct_tls = False
        client.enable_starttls = False
        client.enable_plaintext = True
        client.connect(host, port)
    else:
        client.connect((host, port), use_ssl=False, force_starttls=False,
                       disable_starttls=True)


class XmppUser:
    """jid logged in at host:5222; messages and errors arrive in inbox."""

    def __init__(self, namespace, jid, password, host, resource="test"):
        self.jid = jid
        self.full = f"{jid}/{resource}"
        self.inbox = queue.Queue()
        self._ready = threading.Event()
        self._failed = None
        self._errors_seen = set()
        self._thread = threading.Thread(
            target=self._run, args=(namespace, password, host), daemon=True)
        self._thread.start()
        if not self._ready.wait(15) or self._failed:
            raise AssertionError(f"{jid} cannot log in: {self._failed}")

    def _run(self, namespace, password, host):
        with netns.inside(namespace):
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
            client = slixmpp.ClientXMPP(self.full, password)
            client.loop = self._loop
            client.plugin["feature_mechanisms"].unencrypted_plain = True
            self._prepare(client)
            client.add_event_handler("session_start", self._on_start)
            client.add_event_handler("message", self._on_message)
            client.add_event_handler("message_error", self._on_message)
            client.add_event_handler("failed_auth", self._on_failure)
            client.add_event_handler("connection_failed", self._on_failure)
            self._client = client
            connect_without_tls(client, host, 5222)
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(
                asyncio.gather(*tasks, return_exceptions=True))
            self._loop.close()

    def _prepare(self, client):
        """For handlers of one's own, before it connects."""

    def _on_start(self, _event):
        self._client.send_presence()
        self._ready.set()

    def _on_failure(self, why):
        self._failed = str(why)
        self._ready.set()

    def _on_message(self, stanza):
        # an error can be raised under both events: once is enough
        if stanza["type"] == "error":
            if stanza["id"] in self._errors_seen:
                return
            self._errors_seen.add(stanza["id"])
        self.inbox.put(stanza)

    def _call(self, function):
        done = threading.Event()

        def run():
            function()
            done.set()
        self._loop.call_soon_threadsafe(run)
        assert done.wait(10)

    def send(self, to, text, kind="chat", thread=None, **fields):
        """Send a message; returns its id."""
        stanza_id = uuid.uuid4().hex

        def run():
            stanza = self._client.make_message(mto=to, mbody=text, mtype=kind)
            stanza["id"] = stanza_id
            if thread:
                stanza["thread"] = thread
            for name, value in fields.items():
                stanza[name] = value
            stanza.send()
        self._call(run)
        return stanza_id

    def send_raw(self, xml):
        self._call(lambda: self._client.send_raw(xml))

    def ask(self, to, payload, kind="get", wait_s=15):
        """The answer to an iq with that child: a result or an error."""
        answers = queue.Queue()

        def run():
            iq = self._client.make_iq(ito=to, itype=kind)
            iq.append(ET.fromstring(payload))
            future = iq.send(callback=answers.put, timeout=wait_s)
            future.add_done_callback(lambda f: f.cancelled() or f.exception())
        self._call(run)
        try:
            return answers.get(timeout=wait_s)
        except queue.Empty:
            raise AssertionError(f"{to} did not answer {payload}") from None

    def next_message(self, wait_s=15):
        """Next stanza that is more than a chat state."""
        try:
            while True:
                stanza = self.inbox.get(timeout=wait_s)
                if stanza["body"] or stanza["type"] == "error":
                    return stanza
        except queue.Empty:
            raise AssertionError(f"{self.jid} got nothing in {wait_s} s") \
                from None

    def close(self):
        def stop():
            self._client.disconnect(wait=0.2)
            self._loop.call_later(0.5, self._loop.stop)
        self._loop.call_soon_threadsafe(stop)
        self._thread.join(5)
