"""The edge under the configuration of a gateway: what it takes, what it
refuses and how, what becomes of streams when it changes."""

import hashlib
import hmac
import itertools
import os
import signal
import pathlib
import re
import time

import pytest

import edge_alone
from conftest import Lab
from edge_alone import FakeGateway
from federation_peer import FederationPeer
from rogue import Rogue

ROMEO = "romeo@sip.example"
PEER, SELF, CLEAR = "peer.example", "self.example", "clear.example"
# all ways are open
OPEN = {"domain": "*", "tls": "OPTIONAL", "sasl": "OPTIONAL",
        "dialback": "OPTIONAL"}
BODIES = itertools.count(1)


@pytest.fixture(scope="module")
def edge_lab():
    edge_alone.build()
    lab = Lab(f"fede{os.getpid()}", LAB_PARTS="dns edge")
    try:
        yield lab.up()
        assert lab.stop_daemons(["edge"]) == []
    finally:
        lab("down")


@pytest.fixture
def gateway(edge_lab):
    fake = FakeGateway(edge_lab)
    yield fake
    if fake.process.poll() is None:
        fake.end()


@pytest.fixture(scope="module")
def peers(edge_lab, tmp_path_factory):
    """Partners by domain: with a good certificate, with one of their own
    making, without TLS."""
    made = {
        PEER: FederationPeer(edge_lab, PEER, "198.51.100.50"),
        SELF: FederationPeer(edge_lab, SELF, "198.51.100.51",
                             has_external=False,
                             self_signed_in=tmp_path_factory.mktemp("ss")),
        CLEAR: FederationPeer(edge_lab, CLEAR, "198.51.100.52",
                              has_tls=False),
    }
    yield made
    for peer in made.values():
        peer.close()


@pytest.fixture(autouse=True)
def nobody_lingers(peers):
    for peer in peers.values():
        peer.lingers = False


_revision = 0


def next_revision():
    global _revision
    _revision += 1
    return _revision


def put(gateway, *partners, **more):
    """A Config with these partners in force."""
    number = next_revision()
    answer = gateway.config({"revision": number, "partner": list(partners),
                             **more})
    assert answer == {"revision": number, "check": False, "in_force": number,
                      "refused": ""}
    return number


def rule(domain, **more):
    return {**OPEN, "domain": domain, **more}


def body():
    return f"edge{next(BODIES)}."


def authenticated(peer, how="external"):
    """An inbound stream, authenticated so."""
    stream = peer.open()
    if how != "clear":
        peer.open_secure(stream)
    if how == "external":
        return stream.authenticate()
    stream.send(peer.request()).expect("type='valid'")
    return stream


def passes(gateway, stream, peer):
    """A message comes through on it."""
    text = body()
    stream.send(peer.message(text))
    gateway.expect(f"body={text}$")


def ends_with(stream, condition, within_s=5):
    """The peer is told that within so long."""
    begin = time.monotonic()
    assert stream.end() == condition
    assert time.monotonic() - begin < within_s


def answer_to(gateway, domain, within_s=15):
    gateway.send(ROMEO, f"x@{domain}", body())
    return gateway.outcome(within_s)


def file_of(lab):
    return pathlib.Path(lab.env["LAB_STATE"], "edge", "federation.pb")


# ---- what is taken ----------------------------------------------------------


def test_taken_and_kept(edge_lab, gateway):
    number = put(gateway, OPEN)
    assert file_of(edge_lab).stat().st_mode & 0o777 == 0o600
    # without any gateway
    gateway.end()
    edge_lab("restart", "edge")
    edge_lab.wait_log("edge", rf"event=config revision={number} from=file")


def test_revisions(gateway):
    first = put(gateway, OPEN)
    again = {"revision": first, "partner": [OPEN]}
    assert gateway.config(again)["refused"] == ""
    other = gateway.config({"revision": first, "partner": []})
    assert other["refused"].startswith("another configuration is in force")
    assert other["in_force"] == first
    older = gateway.config({"revision": first - 1, "partner": [OPEN]})
    assert older["refused"] == (f"revision {first} is in force, which is "
                                "newer")
    assert gateway.config({"partner": [OPEN]})["refused"] == (
        "it has no revision")


def test_check_only(gateway):
    now = put(gateway, OPEN)
    asked = {"revision": now + 1, "partner": [], "check_only": True}
    for _ in range(2):
        assert gateway.config(asked) == {"revision": now + 1, "check": True,
                                         "in_force": now, "refused": ""}


def test_too_many(gateway):
    """Each is written to the disk.  A hundred at once may come, four wait."""
    now = put(gateway, OPEN)
    asked = {"revision": now + 1, "partner": [], "check_only": True}
    line = f"config {edge_alone.config_bytes(asked).hex()}\n"
    begin = time.monotonic()
    gateway.process.stdin.write(250 * line)
    gateway.process.stdin.flush()
    refused = [gateway.expect(r"^config \d+ check=1 .*refused=(.*)$")[1]
               for _ in range(250)]
    took = time.monotonic() - begin
    assert refused.count("") <= 100 + 20 * took + 1
    assert set(refused) <= {"", "too many configurations"}
    put(gateway, OPEN)


def test_gone_while_some_wait(edge_lab, gateway):
    """Nobody is answered; the next session is."""
    asked = {"revision": next_revision(), "partner": [OPEN]}
    line = f"config {edge_alone.config_bytes(asked).hex()}\n"
    gateway.process.stdin.write(250 * line)
    gateway.process.stdin.flush()
    for _ in range(90):
        gateway.expect("^config ")
    gateway.end(signal.SIGKILL)
    gateway = FakeGateway(edge_lab)
    put(gateway, OPEN)
    gateway.end()


def test_many_one_after_the_other(edge_lab, gateway):
    """A script of fedctl's: each waits for its turn, none is refused.  A new
    session has no second burst."""
    begin = time.monotonic()
    for _ in range(70):
        put(gateway, OPEN)
    gateway.end()
    gateway = FakeGateway(edge_lab)
    for _ in range(70):
        put(gateway, OPEN)
    assert time.monotonic() - begin > 39 / 20
    gateway.end()


REFUSED = [
    ({"domain": {"name": "other.example"}},
     'served domain "other.example": the host file has no certificate for it'),
    ({"partner": {"domain": "Upper.example"}},
     'partner "Upper.example" is not a domain in its normal form'),
    ({"partner": [{"domain": "a.example"}, {"domain": "a.example"}]},
     'partner "a.example": is there twice'),
    ({"partner": {"domain": "sip.example"}},
     'partner "sip.example": is served by this edge'),
    ({"partner": {"domain": "a.example", "connection_limit": 1001}},
     'partner "a.example": connection_limit 1001 is above s2s.streams_max '
     "1000 of this edge"),
    ({"partner": {"domain": "a.example", "proxy_host": "a b"}},
     'partner "a.example": proxy_host is not "host" or "host:port"'),
    ({"denied": "*"}, 'denied "*" is not a domain'),
    ({"settings": {"connection_limit": 2000}},
     "connection_limit 2000 is above s2s.streams_max 1000 of this edge"),
    ({"settings": {"stream_establishment_timeout_s": 601}},
     "stream_establishment_timeout is 601 s, expected at most 600"),
    ({"dialback_secret": b"short"},
     "the dialback secret has 5 bytes, expected 16 to 4096"),
]


@pytest.mark.parametrize("what, text", REFUSED)
@pytest.mark.parametrize("is_check", [True, False], ids=["check", "real"])
def test_refused_by_name(gateway, what, text, is_check):
    now = put(gateway, OPEN)
    answer = gateway.config({"revision": now + 1, "check_only": is_check,
                             **what})
    assert answer["refused"].startswith(text)
    assert answer["in_force"] == now
    # nothing of it is in force
    next_one = put(gateway, OPEN)
    assert next_one == now + 1


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: b"", lambda data: b"x" + data,
    lambda data: data[:-1] + bytes([data[-1] ^ 1])],
    ids=["torn", "empty", "foreign", "bit"])
def test_broken_file(edge_lab, gateway, damage):
    """It starts all the same, from the host file, and says so."""
    put(gateway, OPEN)
    gateway.end()
    edge_lab("stop", "edge")
    file = file_of(edge_lab)
    file.write_bytes(damage(file.read_bytes()))
    edge_lab("start", "edge")
    log = edge_lab.log("edge")
    begin = log.rindex("event=config_file")
    assert "in_force=host" in log[begin:].splitlines()[0]
    assert "event=config revision=0 from=host" in log[begin:]
    file.unlink()
    edge_lab("restart", "edge")


def test_kept_value_that_is_unknown(edge_lab, gateway):
    """It would be read as: in the clear."""
    put(gateway, OPEN)
    gateway.end()
    edge_lab("stop", "edge")
    file = file_of(edge_lab)
    magic, rest = file.read_bytes().split(b"\n", 1)
    # one more partner "b.example", with 3 for tls
    packed = rest[32:] + b"\x1a\x0d\x0a\x09b.example\x10\x03"
    file.write_bytes(magic + b"\n" + hashlib.sha256(packed).digest() + packed)
    edge_lab("start", "edge")
    log = edge_lab.log("edge")
    line = log[log.rindex("event=config_file"):].splitlines()[0]
    assert "tls has a value that this edge does not know" in line
    file.unlink()
    edge_lab("restart", "edge")


@pytest.mark.parametrize("is_check", [False, True])
def test_cannot_be_kept(edge_lab, gateway, is_check):
    """What would be gone with a restart is not taken, and refused before any
    other edge has it."""
    now = put(gateway, OPEN)
    beside = file_of(edge_lab).with_suffix(".pb.new")
    beside.mkdir()
    try:
        answer = gateway.config({"revision": now + 1, "partner": [OPEN],
                                 "check_only": is_check})
    finally:
        beside.rmdir()
    assert f"{beside}: File exists" in answer["refused"]
    assert answer["in_force"] == now
    put(gateway, OPEN)


# ---- streams that are there -------------------------------------------------


def test_a_partner_is_removed(edge_lab, gateway, peers):
    """Its streams end, of both directions, and nothing more is sent to it."""
    peer = peers[PEER]
    peer.lingers = True
    put(gateway, rule(PEER), rule(SELF))
    other = authenticated(peers[SELF], "dialback")
    stream = authenticated(peer)
    passes(gateway, stream, peer)
    gateway.send(ROMEO, f"x@{PEER}", body())
    assert peer.got.get(timeout=10)[1:] == ("tls", "external")
    put(gateway, rule(SELF))
    ends_with(stream, "policy-violation")
    edge_lab.wait_log("edge", r"stream_close \S+ dir=out .*peer=peer.example "
                      'reason="policy policy-violation', 5)
    assert answer_to(gateway, PEER) == "policy-violation"
    # the others notice nothing
    passes(gateway, other, peers[SELF])
    other.close()


@pytest.mark.parametrize("domain, how, stricter", [
    (PEER, "external", {"sasl": "OFF"}),
    (PEER, "external", {"tls": "OFF"}),
    (SELF, "dialback", {"dialback": "OFF"}),
    (SELF, "dialback", {"tls": "REQUIRED", "sasl": "REQUIRED"}),
    (SELF, "dialback", {"tls": "OFF"}),
    (CLEAR, "clear", {"tls": "REQUIRED"}),
    (CLEAR, "clear", {"dialback": "OFF"}),
])
def test_a_rule_becomes_stricter(gateway, peers, domain, how, stricter):
    put(gateway, rule(domain))
    stream = authenticated(peers[domain], how)
    passes(gateway, stream, peers[domain])
    put(gateway, rule(domain, **stricter))
    ends_with(stream, "policy-violation")


@pytest.mark.parametrize("domain, how, stricter", [
    (PEER, "external", {"tls": "REQUIRED", "sasl": "REQUIRED"}),
    (PEER, "external", {"dialback": "OFF"}),
    (SELF, "dialback", {"tls": "REQUIRED"}),
    (SELF, "dialback", {"sasl": "OFF"}),
    (CLEAR, "clear", {"tls": "OFF", "sasl": "OFF"}),
])
def test_a_stricter_rule_that_allows_it(gateway, peers, domain, how, stricter):
    put(gateway, rule(domain))
    stream = authenticated(peers[domain], how)
    put(gateway, rule(domain, **stricter))
    passes(gateway, stream, peers[domain])
    stream.close()


def test_a_stream_that_negotiates(gateway, peers):
    put(gateway, rule(PEER))
    stream = peers[PEER].open_secure(peers[PEER].open())
    put(gateway)
    ends_with(stream, "policy-violation")


def test_two_pairs_on_a_stream(gateway, peers):
    """It ends for both, but what was under way for the one is taken."""
    peer = peers[PEER]
    put(gateway, rule(PEER), rule(SELF))
    stream = authenticated(peer)
    stream.send(peers[SELF].request()).expect("type='valid'")
    passes(gateway, stream, peers[SELF])
    put(gateway, rule(PEER))
    stream.expect("<stream:error><policy-violation")
    lost, taken = body(), body()
    stream.send(peers[SELF].message(lost) + peer.message(taken))
    gateway.expect(f"body={taken}$")
    edge_alone.none_of(gateway, f"body={lost}", 0.3)
    stream.close()


@pytest.mark.parametrize("where", ["198.51.100.59", "198.51.100.56:5334"],
                         ids=["connecting", "negotiating"])
def test_what_waits_is_refused(edge_lab, gateway, peers, where):
    """An attempt is under way to a place that answers nothing."""
    if ":" in where:
        silent = Rogue(edge_lab, PEER, "198.51.100.56")
        silent.listen(lambda stream: stream.end(), 5334)
    else:
        edge_lab("fault", "cut", "edge", where)
    put(gateway, rule("hangs.example", proxy_host=where))
    for _ in range(3):
        gateway.send(ROMEO, "x@hangs.example", body())
    sent = gateway.sent
    time.sleep(0.3)
    begin = time.monotonic()
    put(gateway)
    for number in range(sent - 2, sent + 1):
        assert gateway.expect(rf"^outcome {number} (\S+)")[1] == (
            "policy-violation")
    assert time.monotonic() - begin < 5
    edge_lab.wait_log("edge", r"stream_close \S+ dir=out .*peer=hangs.example "
                      'reason="policy policy-violation', 5)


def test_allowed_at_once(gateway, peers):
    """No back-off from what failed before."""
    put(gateway, rule(CLEAR, tls="REQUIRED"))
    assert answer_to(gateway, CLEAR) == "remote-server-timeout"
    put(gateway)
    assert answer_to(gateway, CLEAR) == "policy-violation"
    put(gateway, rule(CLEAR))
    gateway.send(ROMEO, f"x@{CLEAR}", body())
    assert peers[CLEAR].got.get(timeout=4)[1:] == ("clear", "dialback")


def test_denied(gateway, peers):
    """What is denied is no partner, but by its own name."""
    put(gateway, OPEN, denied=["*.example"])
    assert answer_to(gateway, PEER) == "policy-violation"
    put(gateway, OPEN, rule(PEER), denied=["*.example"])
    gateway.send(ROMEO, f"x@{PEER}", body())
    assert peers[PEER].got.get(timeout=5)


# ---- limits -----------------------------------------------------------------


def test_limit_of_a_partner(gateway, peers):
    """All its domains together, whoever opens the stream."""
    put(gateway, *(rule(domain, name="house.example", connection_limit=2)
                   for domain in (PEER, SELF)), rule(CLEAR))
    streams = [authenticated(peers[PEER]), authenticated(peers[SELF],
                                                         "dialback")]
    ends_with(authenticated(peers[PEER]), "resource-constraint")
    gateway.send(ROMEO, f"x@{PEER}", body())
    assert gateway.outcome() == "remote-server-timeout"
    # no limit of the others
    passes(gateway, authenticated(peers[CLEAR], "clear"), peers[CLEAR])
    streams[0].send("</stream:stream>").end()
    passes(gateway, authenticated(peers[PEER]), peers[PEER])


def test_limit_of_anybody(gateway, peers):
    """Of "*" each domain has its own."""
    put(gateway, rule("*", name="*", connection_limit=1))
    for domain, how in ((PEER, "external"), (SELF, "dialback")):
        stream = authenticated(peers[domain], how)
        ends_with(authenticated(peers[domain], how), "resource-constraint")
        stream.send("</stream:stream>").end()


def test_limit_of_all(edge_lab, gateway, peers):
    """A quarter is kept for those that the edge opens."""
    put(gateway, OPEN, settings={"connection_limit": 4})
    wait_for_no_streams(edge_lab)
    streams = [authenticated(peers[CLEAR], "clear") for _ in range(2)]
    third = peers[CLEAR].open()
    fourth = peers[CLEAR].connect()
    assert not fourth.read()
    for stream in [*streams, third]:
        stream.close()
    put(gateway, OPEN)


def wait_for_no_streams(lab):
    def ids(what):
        return set(re.findall(rf"event=stream_{what} (s2s=\d+) ",
                              lab.log("edge")))
    edge_alone.wait_until(lambda: ids("open") <= ids("close"))


# ---- rates ------------------------------------------------------------------


def arrival_s(gateway, stream, peer, texts):
    """How long it takes until all are there, in order."""
    begin = time.monotonic()
    stream.send("".join(peer.message(text) for text in texts))
    for text in texts:
        assert gateway.expect(r"body=(\S+)$", 30)[1] == text
    return time.monotonic() - begin


def test_stanzas_per_second(gateway, peers):
    """A second's worth at once, then at that pace; nothing is lost, and
    nobody else waits."""
    put(gateway, rule(PEER, stanzas_per_s=10), rule(CLEAR))
    stream = authenticated(peers[PEER])
    other = authenticated(peers[CLEAR], "clear")
    texts = [body() for _ in range(40)]
    begin = time.monotonic()
    stream.send("".join(peers[PEER].message(text) for text in texts))
    text = body()
    other.send(peers[CLEAR].message(text))
    seen = []
    while text not in seen:
        seen.append(gateway.expect(r"body=(\S+)$")[1])
    assert texts[-1] not in seen
    for _ in range(41 - len(seen)):
        seen.append(gateway.expect(r"body=(\S+)$")[1])
    took = time.monotonic() - begin
    assert [one for one in seen if one != text] == texts
    assert 2.5 < took < 6
    stream.send("</stream:stream>")
    assert stream.end() is None
    other.close()


def test_bytes_per_second(gateway, peers):
    put(gateway, rule(PEER, bytes_per_s=20000))
    stream = authenticated(peers[PEER])
    texts = [f"{number}{'x' * 5000}" for number in range(24)]
    assert 3.5 < arrival_s(gateway, stream, peers[PEER], texts) < 8
    stream.close()


def test_two_streams_share_a_rate(gateway, peers):
    put(gateway, rule(PEER, stanzas_per_s=10))
    streams = [authenticated(peers[PEER]) for _ in range(2)]
    begin = time.monotonic()
    for stream in streams:
        stream.send("".join(peers[PEER].message(body()) for _ in range(20)))
    for _ in range(40):
        gateway.expect(r"body=edge\d+\.$")
    assert 2.5 < time.monotonic() - begin < 6
    for stream in streams:
        stream.close()


def test_a_rate_and_a_lost_connection(gateway, peers):
    """What was read before it is still delivered, at its pace."""
    put(gateway, rule(PEER, stanzas_per_s=10))
    stream = authenticated(peers[PEER])
    texts = [body() for _ in range(30)]
    begin = time.monotonic()
    stream.send("".join(peers[PEER].message(text) for text in texts))
    stream.close()
    for text in texts:
        assert gateway.expect(r"body=(\S+)$")[1] == text
    assert 1.5 < time.monotonic() - begin < 5


def test_a_rate_and_new_connections(gateway, peers):
    """Who closes and comes again, or finds the rules made anew, has no second's
    worth more."""
    rules = (rule(PEER, stanzas_per_s=7), rule(CLEAR))
    put(gateway, *rules)
    begin = time.monotonic()
    for _ in range(4):
        stream = authenticated(peers[PEER])
        put(gateway, *rules)
        for _ in range(7):
            passes(gateway, stream, peers[PEER])
        stream.send("</stream:stream>").end()
    assert time.monotonic() - begin > 2.5


def test_a_rate_is_lifted(gateway, peers):
    """What waits goes on at once, and so does what becomes forbidden end."""
    put(gateway, rule(PEER, stanzas_per_s=1))
    stream = authenticated(peers[PEER])
    texts = [body() for _ in range(30)]
    stream.send("".join(peers[PEER].message(text) for text in texts))
    gateway.expect(f"body={texts[0]}$")
    begin = time.monotonic()
    number = next_revision()
    gateway.send_config({"revision": number, "partner": [rule(PEER)]})
    seen = [gateway.expect(r"(?:body=|^config )(\S+)")[1] for _ in texts]
    assert time.monotonic() - begin < 5
    assert [one for one in seen if one != str(number)] == texts[1:]
    put(gateway, rule(PEER, stanzas_per_s=1))
    stream.send("".join(peers[PEER].message(body()) for _ in range(30)))
    time.sleep(0.3)
    put(gateway)
    ends_with(stream, "policy-violation")


# ---- the other settings -----------------------------------------------------


def test_proxy_host(gateway, peers):
    """That place instead of DNS; the certificate is that of the domain."""
    peer = FederationPeer(peers[PEER].lab, "hidden.example", "198.51.100.55",
                          is_in_dns=False)
    try:
        put(gateway, rule("hidden.example"))
        assert answer_to(gateway, "hidden.example") == (
            "remote-server-not-found")
        peer.listen(peer.script, 5333)
        put(gateway, rule("hidden.example", proxy_host="198.51.100.55:5333"))
        gateway.send(ROMEO, "x@hidden.example", body())
        assert peer.got.get(timeout=10)[1:] == ("tls", "external")
        # the good certificate of another domain does not do
        put(gateway, rule("wrong.example", sasl="REQUIRED", tls="REQUIRED",
                          proxy_host="198.51.100.55:5333"))
        assert answer_to(gateway, "wrong.example") == "remote-server-timeout"
    finally:
        peer.close()


def test_establishment_timeout(gateway, peers):
    put(gateway, OPEN, settings={"stream_establishment_timeout_s": 2})
    stream = peers[PEER].open()
    begin = time.monotonic()
    assert stream.end() == "connection-timeout"
    assert 1.5 < time.monotonic() - begin < 5


def test_inactivity_timeout(gateway, peers):
    """In both directions: the goodbye of a stream without an error."""
    peers[PEER].lingers = True
    put(gateway, OPEN, settings={"stream_inactivity_timeout_s": 2})
    stream = authenticated(peers[PEER])
    gateway.send(ROMEO, f"x@{PEER}", body())
    peers[PEER].got.get(timeout=10)
    assert stream.end() is None
    closed = [gateway.expect(r"^event closed dir=(\w+) .*in_order=1")[1]
              for _ in range(2)]
    assert sorted(closed) == ["in", "out"]


def test_keep_alive(gateway, peers):
    """Who should send signs of life and does not is believed to be gone;
    blanks will do."""
    put(gateway, rule(PEER, keep_alive=True), rule(SELF),
        settings={"keep_alive_interval_s": 2})
    silent, alive = (authenticated(peers[PEER]) for _ in range(2))
    other = authenticated(peers[SELF], "dialback")
    begin = time.monotonic()
    while time.monotonic() - begin < 4:
        alive.send(" ")
        time.sleep(0.5)
    assert silent.end() == "connection-timeout"
    passes(gateway, alive, peers[PEER])
    passes(gateway, other, peers[SELF])
    alive.close()
    other.close()


def test_dialback_secret(gateway, peers):
    """The same on all edges: the key is made of it (XEP-0185)."""
    secret = b"0123456789abcdef-shared"
    put(gateway, OPEN, dialback_secret=secret)
    gateway.send(ROMEO, f"x@{SELF}", body())
    peers[SELF].got.get(timeout=10)
    key = hmac.new(hashlib.sha256(secret).hexdigest().encode(),
                   f"{SELF} sip.example rogue1".encode(), "sha256")
    assert peers[SELF].key == key.hexdigest()


# ---- last, because its stanzas come back ------------------------------------


def test_removed_while_the_channel_is_full(edge_lab, gateway, peers):
    """A stream that holds a stanza for which there is no place is not read,
    and ends all the same."""
    put(gateway, rule(PEER), rule(SELF))
    stream = authenticated(peers[PEER])
    for number in range(1100):
        stream.send(peers[PEER].message(f"hold{number}."))
    gateway.expect(r"body=hold1023\.$")
    other = authenticated(peers[SELF], "dialback")
    other.send(peers[SELF].message("hold it too"))
    time.sleep(0.3)
    # held, and still a partner's: it stays
    put(gateway, rule(PEER), rule(SELF, sasl="OFF"))
    put(gateway, rule(SELF))
    ends_with(stream, "policy-violation")
    put(gateway)
    ends_with(other, "policy-violation")
    # the window is free again with the next gateway; nothing of a domain that
    # is no partner any more came through meanwhile
    edge_alone.none_of(gateway, r"body=hold10(2[4-9]|[3-9]\d)\.$", 0.3)
    gateway.end()
    edge_lab("restart", "edge")
