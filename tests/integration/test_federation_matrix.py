"""The eighteen combinations of tls, sasl and dialback: the five that leave no
way to authenticate are refused, and of each of the others exactly those ways
succeed that the table names, whoever opens the stream."""

import itertools
import os
import queue
import time

import pytest

import edge_alone
from conftest import Lab
from edge_alone import FakeGateway
from federation_peer import FederationPeer
from rogue import SASL

REQ, OPT, OFF = "REQUIRED", "OPTIONAL", "OFF"
ON = OPT  # dialback that is switched on
SASL_TLS, TLS_DIALBACK, TCP_DIALBACK = "sasl-tls", "tls-dialback", "tcp-dialback"
ALL = {SASL_TLS, TLS_DIALBACK, TCP_DIALBACK}

# tls, sasl, dialback: the ways that are left (Lync Server 2013, negotiation
# settings for XMPP federated partners)
TABLE = [
    (REQ, REQ, ON, {SASL_TLS}),
    (REQ, REQ, OFF, {SASL_TLS}),
    (OPT, REQ, ON, ALL),
    (OPT, REQ, OFF, {SASL_TLS}),
    (OFF, REQ, ON, {TCP_DIALBACK}),
    (OFF, REQ, OFF, set()),
    (REQ, OPT, ON, {SASL_TLS, TLS_DIALBACK}),
    (REQ, OPT, OFF, {SASL_TLS}),
    (OPT, OPT, ON, ALL),
    (OPT, OPT, OFF, {SASL_TLS}),
    (OFF, OPT, ON, {TCP_DIALBACK}),
    (OFF, OPT, OFF, set()),
    (REQ, OFF, ON, {TLS_DIALBACK}),
    (REQ, OFF, OFF, set()),
    (OPT, OFF, ON, {TLS_DIALBACK, TCP_DIALBACK}),
    (OPT, OFF, OFF, set()),
    (OFF, OFF, ON, {TCP_DIALBACK}),
    (OFF, OFF, OFF, set()),
]
VALID = [row for row in TABLE if row[3]]
INVALID = [row for row in TABLE if not row[3]]
NAMES = {REQ: "required", OPT: "optional", OFF: "off"}
BODIES = itertools.count(1)
REVISIONS = itertools.count(1)


def name_of(row):
    return "-".join([NAMES[row[0]], NAMES[row[1]],
                     "on" if row[2] == ON else "off"])


def test_the_table_is_whole():
    assert len({row[:3] for row in TABLE}) == 18
    assert (len(VALID), len(INVALID)) == (13, 5)


@pytest.fixture(scope="module")
def matrix_lab():
    edge_alone.build()
    lab = Lab(f"matrix{os.getpid()}", LAB_PARTS="dns edge")
    try:
        yield lab.up()
        assert lab.stop_daemons(["edge"]) == []
    finally:
        lab("down")


@pytest.fixture(scope="module")
def gateway(matrix_lab):
    fake = FakeGateway(matrix_lab)
    yield fake
    fake.end()


@pytest.fixture(scope="module")
def peers(matrix_lab, tmp_path_factory):
    """By what they can: all of it; TLS with a certificate of their own making;
    TLS with a good one, and no EXTERNAL; no TLS."""
    made = {
        "full": FederationPeer(matrix_lab, "full.matrix.example",
                               "198.51.100.51"),
        "self-signed": FederationPeer(
            matrix_lab, "self.matrix.example", "198.51.100.52",
            has_external=False, self_signed_in=tmp_path_factory.mktemp("ss")),
        "no-external": FederationPeer(
            matrix_lab, "noext.matrix.example", "198.51.100.53",
            has_external=False),
        "clear": FederationPeer(matrix_lab, "clear.matrix.example",
                                "198.51.100.54", has_tls=False),
    }
    yield made
    for peer in made.values():
        peer.close()


def config(row):
    return {"revision": next(REVISIONS), "partner": {
        "domain": "*.matrix.example", "tls": row[0], "sasl": row[1],
        "dialback": row[2]}}


@pytest.fixture(scope="module", params=VALID, ids=name_of)
def row(request, gateway):
    answer = gateway.config(config(request.param))
    assert answer["refused"] == ""
    return request.param


def body():
    return f"matrix{next(BODIES)}."


# ---- invalid rows -----------------------------------------------------------


@pytest.mark.parametrize("bad", INVALID, ids=name_of)
@pytest.mark.parametrize("is_check", [True, False], ids=["check", "real"])
def test_invalid_row(gateway, bad, is_check):
    answer = gateway.config({**config(bad), "check_only": is_check})
    why = ("sasl needs tls, and dialback is off"
           if bad[0] == OFF and bad[1] != OFF else
           "sasl and dialback are both off")
    assert answer["refused"] == (f'partner "*.matrix.example": {why}: there '
                                 "is no way to authenticate")


# ---- the partner opens the stream -------------------------------------------


def is_silent(stream, seconds=0.6):
    """Nothing is answered in so long."""
    stream.connection.settimeout(seconds)
    try:
        stream.read()
        return stream.seen == "" and not stream.is_over
    except TimeoutError:
        return True
    finally:
        stream.connection.settimeout(10)


def try_dialback(peer, stream):
    """"valid", "error", "ignored" or the stream error."""
    stream.send(peer.request())
    if "<stream:error>" in stream.features:
        return stream.features
    if peer.dialback_is_off and is_silent(stream):
        return "ignored"
    word = stream.expect(r"<db:result [^>]*type='(\w+)'|<stream:error>.*")
    return word[1] or word[0]


def arrives(gateway, stream, peer, mechanism, version):
    text = body()
    stream.send(peer.message(text))
    line = gateway.expect(f"body={text}$").string
    assert f"peer={peer.domain} mechanism={mechanism} tls={version}" in line
    stream.send("</stream:stream>").end()


def never_arrives(gateway, stream, peer):
    text = body()
    stream.send(peer.message(text))
    stream.end()
    time.sleep(0.1)
    edge_alone.none_of(gateway, f"body={text}", 0.1)


def offers(stream):
    return {what for what, words in {
        "starttls": "<starttls", "starttls required": "<required/>",
        "external": "<mechanism>EXTERNAL<",
        "dialback": "urn:xmpp:features:dialback"}.items()
        if words in stream.features}


def offers_in_the_clear(row):
    has_tls = row[0] != OFF
    return ({"starttls"} if has_tls else set()) | (
        {"starttls required"} if has_tls and TCP_DIALBACK not in row[3]
        else set()) | ({"dialback"} if TCP_DIALBACK in row[3] else set())


def test_in_sasl(row, gateway, peers):
    """A good certificate; a dialback request before it where dialback is off
    is as if it had not been there."""
    peer = peers["full"]
    stream = peer.open()
    assert offers(stream) == offers_in_the_clear(row)
    if row[0] == OFF:
        # TLS all the same: not with this partner
        stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        stream.expect("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        stream.end()
        return
    if row[2] == OFF:
        assert is_silent(stream.send(peer.request()))
    peer.open_secure(stream)
    assert ("external" in offers(stream)) == (SASL_TLS in row[3])
    if SASL_TLS in row[3]:
        stream.authenticate()
        arrives(gateway, stream, peer, 1, "TLSv1.")
        return
    stream.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
    stream.expect("<failure [^>]*><invalid-mechanism")
    never_arrives(gateway, stream, peer)


def test_in_tls_dialback(row, gateway, peers):
    peer = peers["self-signed"]
    peer.dialback_is_off = row[2] == OFF
    before = peer.verifies
    stream = peer.open()
    assert offers(stream) == offers_in_the_clear(row)
    if row[0] == OFF:
        stream.close()
        return
    peer.open_secure(stream)
    said = try_dialback(peer, stream)
    if TLS_DIALBACK in row[3]:
        assert said == "valid"
        assert peer.verifies == before + 1
        arrives(gateway, stream, peer, 2, "TLSv1.")
        return
    # only a certificate does, and this one does not
    assert "<policy-violation" in said
    assert peer.verifies == before
    never_arrives(gateway, stream, peer)


@pytest.mark.parametrize("row", [row for row in VALID if row[2] == OFF],
                         ids=name_of, indirect=True)
def test_in_tls_dialback_off(row, gateway, peers):
    """With a good certificate the stream can go on: the request is ignored,
    and EXTERNAL still has its turn."""
    assert row[3] == {SASL_TLS}
    peer = peers["full"]
    stream = peer.open_secure(peer.open())
    assert is_silent(stream.send(peer.request()))
    assert peer.verifies == 0
    stream.authenticate()
    arrives(gateway, stream, peer, 1, "TLSv1.")


def test_in_tcp_dialback(row, gateway, peers):
    peer = peers["clear"]
    peer.dialback_is_off = row[2] == OFF
    before = peer.verifies
    stream = peer.open()
    assert offers(stream) == offers_in_the_clear(row)
    said = try_dialback(peer, stream)
    if TCP_DIALBACK in row[3]:
        assert said == "valid"
        assert peer.verifies == before + 1
        arrives(gateway, stream, peer, 2, " ")
        return
    assert said == ("ignored" if row[2] == OFF else "error")
    assert peer.verifies == before
    never_arrives(gateway, stream, peer)


# ---- the edge opens the stream ----------------------------------------------

WAYS = {("tls", "external"): SASL_TLS, ("tls", "dialback"): TLS_DIALBACK,
        ("clear", "dialback"): TCP_DIALBACK}


def expected_way(row, kind):
    """The best that both can; a partner with TLS gets TLS where that is
    allowed at all, and nothing in the clear when it fails."""
    if kind == "full" and SASL_TLS in row[3]:
        return SASL_TLS
    if kind != "clear" and row[0] != OFF:
        return TLS_DIALBACK if TLS_DIALBACK in row[3] else None
    return TCP_DIALBACK if TCP_DIALBACK in row[3] else None


@pytest.mark.parametrize("kind", ["full", "self-signed", "no-external",
                                  "clear"])
def test_out(row, gateway, peers, kind):
    peer = peers[kind]
    text = body()
    gateway.send("romeo@sip.example", f"x@{peer.domain}", text)
    way = expected_way(row, kind)
    if way is None:
        assert gateway.outcome(20) == "remote-server-timeout"
        with pytest.raises(queue.Empty):
            peer.got.get(timeout=0.1)
        return
    got = peer.got.get(timeout=10)
    assert got[0] == text
    assert WAYS[got[1:]] == way


def test_all_ways_are_seen():
    """With these partners each way of each row had its chance."""
    for one in VALID:
        ways = {expected_way(one, kind) for kind in
                ("full", "self-signed", "no-external", "clear")} - {None}
        assert ways == one[3], name_of(one)
