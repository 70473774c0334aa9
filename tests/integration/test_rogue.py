"""A peer that does wrong things on purpose: each ends as the RFC says, nothing
of it comes through, memory stays bounded, and others notice nothing."""

import contextlib
import itertools
import threading
import time

import pytest

from rogue import SASL, Rogue, header, resident_kib, take_stream

STANZA = ("<message from='x@{sender}' to='romeo@sip.example' id='{id}'>"
          "<body>{body}</body></message>")
# What one of these may leave behind in the edge: caches and freed pages.
GROWTH_KIB = 16 * 1024


@pytest.fixture(scope="module")
def rogue(lab):
    peer = Rogue(lab, "rogue.example", "198.51.100.46")
    yield peer
    peer.close()


class SlowHeader(threading.Thread):
    """One byte of a header every two seconds, while the other tests run."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream
        self.took = 0

    def run(self):
        text = itertools.chain(header("rogue.example", "sip.example")[:-1],
                               itertools.repeat(" "))
        self.stream.connection.settimeout(2)
        began = time.monotonic()
        while self.took < 90 and not self.stream.is_over:
            self.stream.send(next(text))
            with contextlib.suppress(TimeoutError):
                self.stream.read()
            self.took = time.monotonic() - began
        self.stream.close()


@pytest.fixture(scope="module", autouse=True)
def slow_header(rogue):
    thread = SlowHeader(rogue.connect())
    thread.start()
    return thread


@pytest.fixture(autouse=True)
def edge_is_unharmed(lab):
    before = resident_kib(lab.pid("edge"))
    yield
    assert resident_kib(lab.pid("edge")) - before < GROWTH_KIB


def stanza(sender="rogue.example", body="hello", number="m1"):
    return STANZA.format(sender=sender, body=body, id=number)


def assert_got_nothing(user, wait_s=0.5):
    time.sleep(wait_s)
    assert user.inbox.empty(), user.inbox.get().raw


# ---- whose words are they? -------------------------------------------------


def test_well_behaved(rogue, romeo):
    """The script can do it right too: what fails below fails for its fault."""
    stream = rogue.authenticated().send(stanza())
    assert romeo.next_message().body == "hello"
    stream.send("</stream:stream>")
    assert stream.end() is None


@pytest.mark.parametrize("sender", ["xmpp.example", "sub.rogue.example"])
def test_another_domain(rogue, romeo, sender):
    """X10: a stanza of a domain that was not authenticated."""
    stream = rogue.authenticated().send(stanza(sender=sender) + stanza())
    assert stream.end() == "invalid-from"
    assert_got_nothing(romeo)


@pytest.mark.parametrize("steps", [
    lambda s: s.open(), lambda s: s.open().start_tls().send(
        header("rogue.example", "sip.example")),
    lambda s: s.open().start_tls().open()], ids=["clear", "tls", "features"])
def test_before_authentication(rogue, romeo, steps):
    """X7"""
    stream = steps(rogue.connect())
    assert stream.send(stanza()).end() == "not-authorized"
    assert_got_nothing(romeo)


def test_forged_dialback(rogue, romeo):
    """Another domain's name with a key that its server does not know."""
    stream = rogue.connect().open(sender="xmpp.example").start_tls().open(
        sender="xmpp.example")
    stream.send("<db:result from='xmpp.example' to='sip.example'>"
                f"{'ab' * 32}</db:result>")
    stream.expect("<db:result [^>]*type='invalid'")
    stream.send(stanza(sender="xmpp.example"))
    stream.end()
    assert_got_nothing(romeo)


def test_unsolicited_dialback(rogue, romeo):
    """X20: an answer that nobody asked for authenticates nobody."""
    stream = rogue.connect().open(sender="xmpp.example").start_tls().open(
        sender="xmpp.example")
    stream.send("<db:result from='xmpp.example' to='sip.example' "
                "type='valid'/>" + stanza(sender="xmpp.example"))
    assert stream.end() == "not-authorized"
    assert_got_nothing(romeo)


# ---- words between clear and TLS -------------------------------------------


def test_injected_behind_starttls(rogue, romeo):
    """X8, receiving entity: what came in clear behind <starttls/> is never
    looked at, neither before nor behind the handshake."""
    stream = rogue.connect().open()
    stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" +
                header("rogue.example", "sip.example") + stanza())
    condition = stream.end()
    assert "<proceed" not in stream.seen
    assert condition == "policy-violation"
    assert_got_nothing(romeo)


def test_injected_behind_proceed(lab, rogue, romeo):
    """X8, initiating entity: the same behind <proceed/>."""
    seen = []

    def script(stream):
        stream.answer_header(
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>"
            "<required/></starttls>")
        stream.expect("<starttls [^>]*/>")
        stream.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" +
                    header("rogue.example", "sip.example", id="evil") +
                    "<stream:features/>" + stanza())
        stream.end()
        seen.append(stream.seen)

    rogue.serve(script)
    try:
        answer = romeo.message("sip:x@rogue.example", "secret words")
        assert answer.status == 504, answer.start
    finally:
        rogue.close()
        rogue.listener = None
    # neither a handshake nor a word of the message came back
    assert seen and all("secret" not in s and "\x16\x03" not in s
                        for s in seen)
    assert_got_nothing(romeo)


# ---- XML that is none ------------------------------------------------------

RESTRICTED = {
    "dtd": "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "pi": "<?php echo 1 ?>",
    "comment": "<!-- hello -->",
    "entity": "<message><body>&nbsp;</body></message>",
}


@pytest.mark.parametrize("what", RESTRICTED)
@pytest.mark.parametrize("when", ["first", "authenticated"])
def test_restricted(rogue, romeo, what, when):
    """X12"""
    stream = rogue.connect().open() if when == "first" \
        else rogue.authenticated()
    assert stream.send(RESTRICTED[what]).end() in (
        "restricted-xml", "not-well-formed" if what == "dtd"
        else "restricted-xml")
    assert_got_nothing(romeo, 0)


def test_restricted_before_the_header(rogue):
    stream = rogue.connect()
    stream.send("<?xml version='1.0'?>" + RESTRICTED["dtd"] +
                header("rogue.example", "sip.example")[21:])
    assert stream.end() == "restricted-xml"


def test_billion_laughs(rogue):
    """Nothing is expanded: the declaration is the end."""
    bomb = "<!DOCTYPE lolz [<!ENTITY lol0 'lol'>" + "".join(
        f"<!ENTITY lol{n} '{f'&lol{n - 1};' * 10}'>" for n in range(1, 10))
    stream = rogue.connect().send("<?xml version='1.0'?>" + bomb + "]>")
    assert stream.end() == "restricted-xml"


def refused_alone(rogue, romeo, bad):
    """The bad stanza is answered or ends the stream; what is behind it comes
    through when the stream lives."""
    stream = rogue.authenticated()
    stream.send(stanza(rogue.domain, "before", "a"))
    assert romeo.next_message().body == "before"
    stream.send(bad + stanza(rogue.domain, "behind", "b"))
    try:
        assert romeo.next_message(5).body == "behind"
    except AssertionError:
        return stream.end()
    stream.close()
    return None


def test_deep_nesting(rogue, romeo):
    depth = 10000
    bad = ("<message from='x@rogue.example' to='romeo@sip.example' id='d'>" +
           "<a xmlns='b'>" * depth + "</a>" * depth + "</message>")
    assert refused_alone(rogue, romeo, bad) is None


def test_huge_attribute(rogue, romeo):
    bad = ("<message from='x@rogue.example' to='romeo@sip.example' id='d'>"
           f"<a xmlns='b' c='{'x' * 1000000}'/></message>")
    assert refused_alone(rogue, romeo, bad) is None


def test_large_stanza_is_refused_alone(lab, romeo):
    """Its sender is told on the edge's own stream, and nobody else has a
    part in it."""
    # the other one's name is known to have no server
    bulky = Rogue(lab, "bulky.example", "198.51.100.41")
    told = threading.Event()

    def script(stream):
        take_stream(stream)
        stream.expect("<message [^>]*>.*?<policy-violation ")
        told.set()

    bulky.serve(script)
    try:
        bad = ("<message from='x@bulky.example' to='romeo@sip.example' "
               f"id='big'><body>{'x' * 300000}</body></message>")
        assert refused_alone(bulky, romeo, bad) is None
        assert told.wait(10)
    finally:
        bulky.close()


def test_flood_of_names(rogue, romeo):
    """Each invented name stays in the XML library's dictionary for ever."""
    stream = rogue.authenticated()
    names = itertools.count()
    for _ in range(200):
        stream.send("".join(
            "<message from='x@rogue.example' to='romeo@sip.example' "
            f"type='error'><n{next(names)} xmlns='u{next(names)}' "
            f"a{next(names)}='1'/></message>" for _ in range(500)))
    stream.send(stanza(body="still here"))
    assert romeo.next_message(30).body == "still here"
    stream.close()


def test_certificate_expires(lab, romeo, tmp_path):
    """An open stream ends with the certificate that authenticated it."""
    fading = Rogue(lab, "fading.example", "198.51.100.45")
    fading.identity.expire_in(tmp_path, 6)
    began = time.monotonic()
    stream = fading.authenticated().send(stanza(sender="fading.example"))
    assert romeo.next_message().body == "hello"
    assert stream.expect("<stream:error><([a-z-]+) ").group(1) == "reset"
    assert 4 < time.monotonic() - began < 9
    # a new stream wants a new certificate; it counts by the second
    stream.close()
    time.sleep(1.5)
    stream = fading.connect().open().start_tls().open()
    assert stream.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>"
                       ).expect("<failure [^>]*><([a-z-]+)/>")


# ---- what it announces, and where it sends us ------------------------------


def test_limit_of_the_peer(lab, romeo):
    """X35: a message above its max-bytes is 513 to the SIP side, whether the
    limit was known or not; the next one passes."""
    strict = Rogue(lab, "strict.example", "198.51.100.42")
    got = []

    def script(stream):
        take_stream(stream, "<limits xmlns='urn:xmpp:stream-limits:0'>"
                    "<max-bytes>10000</max-bytes></limits>")
        while True:
            got.append(stream.expect("<body>([^<]*)</body>").group(1))

    strict.serve(script)
    try:
        long = "x" * 12000
        for body, status in ((long, 513), ("short", 200), (long, 513)):
            answer = romeo.message("sip:x@strict.example", body)
            assert answer.status == status, answer.start
        assert got == ["short"]
    finally:
        strict.close()


@pytest.mark.parametrize("circle", [False, True], ids=["once", "circle"])
def test_see_other_host(lab, romeo, circle):
    """X33: followed where TLS proved who says so; a circle has an end."""
    name = "circle" if circle else "moved"
    old = Rogue(lab, f"{name}.example",
                "198.51.100.43" if circle else "198.51.100.44")
    new = Rogue(lab, old.domain, old.ip)
    redirects, got = [], []

    def send_away(stream):
        stream.answer_header("<starttls xmlns='urn:ietf:params:xml:ns:"
                             "xmpp-tls'><required/></starttls>")
        stream.expect("<starttls [^>]*/>")
        stream.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        stream.take_tls().expect("<stream:stream [^>]*>")
        redirects.append(old.ip)
        stream.send(
            header(old.domain, "sip.example", id="away") +
            "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:"
            f"xmpp-streams'>{old.ip}:{5269 if circle else 5999}"
            "</see-other-host></stream:error></stream:stream>")
        stream.end()

    def take(stream):
        take_stream(stream)
        got.append(stream.expect("<body>([^<]*)</body>").group(1))
        stream.end()

    old.serve(send_away)
    new.listen(take, 5999)
    try:
        answer = romeo.message(f"sip:x@{old.domain}", "follow me")
        assert answer.status == (504 if circle else 200), answer.start
        assert len(redirects) == (6 if circle else 1)
        assert got == ([] if circle else ["follow me"])
    finally:
        old.close()
        new.close()


# ---- slow and endless ------------------------------------------------------


def test_endless_header(rogue):
    stream = rogue.connect().send(
        header("rogue.example", "sip.example")[:-1] + " a='")
    for _ in range(1000):
        stream.send("x" * 1000)
    assert stream.end() == "policy-violation"


def test_slow_header(slow_header):
    """A byte now and then does not keep a stream in its setup for ever."""
    slow_header.join()
    assert 50 < slow_header.took < 75, slow_header.took
    assert "connection-timeout" in slow_header.stream.seen
