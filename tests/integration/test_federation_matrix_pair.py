"""The eighteen combinations with both daemons: each is set with fedctl, and a
SIP user has messages with three servers that can one way each."""

import os

import pytest

from conftest import Lab
from fedctl import Fedctl
from federation_peer import DIALBACK, EXTERNAL, STARTTLS, FederationPeer
from rogue import SASL, TLS
from test_federation_matrix import (
    ALL, INVALID, OFF, ON, OPT, REQ, SASL_TLS, TCP_DIALBACK, TLS_DIALBACK,
    VALID, WAYS, body, name_of, offers, try_dialback)

PARTNER = "*.matrix.example"
WORDS = {REQ: "required", OPT: "optional", OFF: "not-supported"}
NO_TLS = "without TLS SASL is impossible, and dialback is off"
NO_METHOD = "SASL is not supported and dialback is off"


class OneWay(FederationPeer):
    """Can this way and no other: neither offers nor takes another one."""

    def __init__(self, lab, way, ip, folder):
        self.way = way
        super().__init__(
            lab, f"{way}.matrix.example", ip, has_tls=way != TCP_DIALBACK,
            has_external=way == SASL_TLS,
            self_signed_in=folder if way == TLS_DIALBACK else None)

    def features(self, secure):
        if self.has_tls and not secure:
            return STARTTLS.replace("/>", "><required/></starttls>")
        return EXTERNAL if self.has_external else DIALBACK

    def takes_dialback(self, how):
        return (how, self.way) in (("tls", TLS_DIALBACK),
                                   ("clear", TCP_DIALBACK))


@pytest.fixture(scope="module")
def pair():
    lab = Lab(f"mpair{os.getpid()}", LAB_PARTS="dns kamailio edge gateway")
    try:
        yield lab.up()
        assert lab.stop_daemons() == []
    finally:
        lab("down")


@pytest.fixture(scope="module")
def ctl(pair):
    """fedctl at the gateway; only the partner of the table is one."""
    fedctl = Fedctl(pair)

    def run(*words, **more):
        return fedctl("gateway", *words, **more)

    run.json = lambda *words: fedctl.json("gateway", *words)
    run("settings", "set", "mode", "closed")
    run("partner", "add", PARTNER, "--type", "federated")
    return run


@pytest.fixture(scope="module")
def peers(pair, tmp_path_factory):
    made = {way: OneWay(pair, way, f"198.51.100.{51 + number}",
                        tmp_path_factory.mktemp("self-signed"))
            for number, way in enumerate(sorted(ALL))}
    yield made
    for peer in made.values():
        peer.close()


@pytest.fixture(scope="module")
def romeo(pair):
    """Whose last word is that he got no more than the tests know of."""
    user = pair.sip_user("romeo", 12)
    yield user
    assert user.inbox.empty()
    user.close()


def options(row):
    return ("--tls", WORDS[row[0]], "--sasl", WORDS[row[1]],
            "--dialback", "on" if row[2] == ON else "off")


@pytest.fixture(scope="module", params=VALID, ids=name_of)
def row(request, pair, ctl):
    """In force at the edge, too."""
    ctl("partner", "set", PARTNER, *options(request.param))
    shown = ctl.json("partner", "show", PARTNER)
    assert (shown["tls"], shown["sasl"], shown["dialback"]) == (
        WORDS[request.param[0]], WORDS[request.param[1]],
        request.param[2] == ON)
    revision = ctl.json("status")["revision"]
    pair.wait_log("edge", f"event=config revision={revision} from=gateway")
    return request.param


# ---- invalid rows -----------------------------------------------------------


@pytest.mark.parametrize("bad", INVALID, ids=name_of)
@pytest.mark.parametrize("verb", ["add", "set"])
def test_invalid_row(ctl, bad, verb):
    name = PARTNER if verb == "set" else "new.matrix.example"
    before = ctl("export").stdout
    revision = ctl.json("status")["revision"]
    done = ctl("partner", verb, name, *options(bad), status=1)
    why = NO_METHOD if bad[1] == OFF else NO_TLS
    assert f"partner {name}: tls, sasl, dialback: {why}: " \
        "nothing is left to authenticate with" in done.stderr
    assert done.stdout == ""
    assert ctl.json("status")["revision"] == revision
    assert ctl("export").stdout == before


# ---- the partner opens the stream -------------------------------------------


def has_tls(peer, stream):
    """Whether the edge takes TLS; it is wanted also where it is not offered."""
    if "starttls" in offers(stream):
        peer.open_secure(stream)
        return True
    stream.send(f"<starttls xmlns='{TLS}'/>")
    stream.expect(f"<failure xmlns='{TLS}'/>")
    return False


def is_taken(row, peer, stream):
    """Whether the edge lets the peer in, in the peer's way."""
    if peer.way != TCP_DIALBACK and not has_tls(peer, stream):
        return False
    if peer.way == SASL_TLS:
        stream.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
        said = stream.expect("<(success|failure)[ >]")[1]
        if said == "success":
            stream.open()
        return said == "success"
    peer.dialback_is_off = row[2] == OFF
    return try_dialback(peer, stream) == "valid"


@pytest.mark.parametrize("way", sorted(ALL))
def test_in(row, peers, romeo, way):
    peer, text = peers[way], body()
    stream = peer.open()
    assert is_taken(row, peer, stream) == (way in row[3])
    stream.send(peer.message(text))
    if way in row[3]:
        # what was refused before would be here before
        assert romeo.next_message().body == text
        stream.send("</stream:stream>")
    stream.end()
    assert romeo.inbox.empty()


# ---- the edge opens the stream ----------------------------------------------


def everything(arrived):
    return [arrived.get() for _ in range(arrived.qsize())]


@pytest.mark.parametrize("way", sorted(ALL))
def test_out(row, peers, romeo, way):
    peer, text = peers[way], body()
    peer.key = None
    answer = romeo.message(f"sip:x@{peer.domain}", text)
    if way not in row[3]:
        assert (answer.status, everything(peer.got)) == (504, [])
        # not so much as asked in the clear
        assert way != TCP_DIALBACK or peer.key is None
        return
    assert answer.status == 200, answer.start
    got = peer.got.get(timeout=10)
    assert (got[0], WAYS[got[1:]]) == (text, way)
