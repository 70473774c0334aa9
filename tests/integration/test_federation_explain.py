"""fedctl explain says what the pair does: for each rule, both are asked, and
must agree.  And fedctl map."""

import time
import typing

import pytest

from federation_rules import partner, policy
from presence_people import new_presence_user, roster_user
from presence_sip import Watch
from xmpp_user import condition, heard_or_refused

DOMAIN = "xmpp.example"
ROMEO, JULIET = "explained@sip.example", f"juliet@{DOMAIN}"
UNVERIFIED = "public-unverified"
# At these gates it is the edge that refuses, by the stream, and her server has
# a word of its own; a stream that is still there gets the gateway's.
AT_EDGE = ("switch", "partner")


class Row(typing.NamedTuple):
    """A configuration, and the gate that refuses what is refused by it."""
    name: str
    rules: dict
    gate: str = ""


ROWS = [
    Row("open", {}),
    Row("off", {"settings": {"federation": "off"}}, "switch"),
    Row("global-xmpp-off", {"policies": [policy("global", xmpp="off")]},
        "policy"),
    Row("global-federation-off",
        {"policies": [policy("global", federation="off", xmpp="off")]},
        "policy"),
    Row("no-policy", {"policies": []}, "policy"),
    Row("granted", {"policies": [policy("global", xmpp="off"),
                                 policy("user", "friends")],
                    "grants": [{"user": ROMEO, "policy": "friends"}]}),
    Row("granted-less", {"policies": [policy("global"),
                                      policy("user", "none", xmpp="off")],
                         "grants": [{"user": ROMEO, "policy": "none"}]},
        "policy"),
    Row("site", {"policies": [policy("global", xmpp="off"),
                              policy("site", "Verona")],
                 "sites": [{"name": "Verona", "domains": ["sip.example"]}]}),
    Row("closed", {"settings": {"mode": "closed"}}, "partner"),
    Row("closed-partner", {"settings": {"mode": "closed"},
                           "partners": [partner(DOMAIN)]}),
    Row("denied", {"denied": [{"domain": DOMAIN}]}, "partner"),
    Row("disabled", {"partners": [partner(DOMAIN, state="disabled")]},
        "partner"),
    Row("verified", {"partners": [partner(DOMAIN, "public-verified")]}),
    Row("unverified", {"partners": [partner(DOMAIN, UNVERIFIED)]}, "type"),
]


@pytest.fixture(scope="module")
def romeo(lab):
    user = new_presence_user(lab, "explained", 28, 5064).register()
    yield user
    user.close()


@pytest.fixture
def juliet(lab):
    user = roster_user(lab, JULIET)
    yield user
    if ROMEO in user.roster():
        user.remove(ROMEO)
    user.close()


# ---- what is done -----------------------------------------------------------
# Each returns whether it was let through; gate: what would refuse it.


def is_refusal(word, gate):
    return word == "policy-violation" or (
        gate in AT_EDGE and word == "remote-server-timeout")


def message_to_xmpp(romeo, juliet, _gate=""):
    answer = romeo.message(f"sip:{JULIET}", "hark")
    assert answer.status in (200, 403), answer.start
    if answer.status == 200:
        assert juliet.next_message()["body"] == "hark"
    return answer.status == 200


def message_to_sip(romeo, juliet, gate=""):
    juliet.send(ROMEO, "ay me")
    got, refused = heard_or_refused(romeo, juliet)
    if refused is not None:
        word = condition(refused)[0]
        assert is_refusal(word, gate), word
        return False
    assert got.body == "ay me"
    return True


def subscribe_to_xmpp(romeo, juliet, _gate):
    watch = Watch(romeo, f"sip:{JULIET}")
    answer = watch.subscribe()
    assert answer.status in (200, 403), answer.start
    if answer.status == 403:
        return False
    juliet.wait_type(ROMEO, "subscribe")
    watch.subscribe(0)
    juliet.deny(ROMEO)
    watch.wait_state("terminated;timeout")
    return True


def subscribe_to_sip(romeo, juliet, gate):
    mark = juliet.mark()
    juliet.subscribe(ROMEO)
    said = juliet.wait(
        lambda: next((s for s in juliet.since(mark, ROMEO)
                      if s.type in ("error", "subscribed")), None), "a word")
    if said.type == "error":
        assert is_refusal(said.condition, gate), said.condition
        return False
    romeo.next_subscriber()
    juliet.unsubscribe(ROMEO)
    return True


DEEDS = [("message", "to-xmpp", message_to_xmpp),
         ("message", "to-sip", message_to_sip),
         ("subscribe", "to-xmpp", subscribe_to_xmpp),
         ("subscribe", "to-sip", subscribe_to_sip)]


def explain(fedctl, what, direction, first=ROMEO, second=JULIET):
    return fedctl.json("gateway", "explain", first, second, "--what", what,
                       "--direction", direction)


def gate_that_refuses(report):
    bad = [f["what"] for f in report["findings"] if f["level"] == "bad"]
    return bad[0] if bad else ""


def wait_nothing_left(fedctl, wait_s=15):
    """A contact of before would open the way."""
    until = time.monotonic() + wait_s
    while watches := fedctl.json("gateway", "presence", "show", ROMEO):
        assert time.monotonic() < until, watches
        time.sleep(0.1)


@pytest.mark.parametrize("row", ROWS, ids=[r.name for r in ROWS])
def test_said_and_done(fedctl, rules, romeo, juliet, row):
    rules(**row.rules)
    for what, direction, deed in DEEDS:
        report = explain(fedctl, what, direction)
        is_allowed = ": allowed" in report["verdict"]
        # the SIP user's own wish to watch is what opens public-unverified
        gate = "" if (row.gate, what, direction) == (
            "type", "subscribe", "to-xmpp") else row.gate
        assert is_allowed == (gate == ""), (what, direction, report)
        assert gate_that_refuses(report) == gate, (what, direction, report)
        if gate:
            assert f'by gate "{gate}"' in report["verdict"]
        assert deed(romeo, juliet, gate) == is_allowed, \
            (what, direction, report)
        wait_nothing_left(fedctl)


def test_notes(fedctl, rules):
    for kind, end in (("federated", ": allowed"), (
            "public-verified", ": allowed, without its status note")):
        rules(partners=[partner(DOMAIN, kind)])
        assert explain(fedctl, "note", "to-xmpp")["verdict"].endswith(end)
        assert explain(fedctl, "note", "to-sip")["verdict"].endswith(
            ": allowed")
    rules(partners=[partner(DOMAIN, UNVERIFIED)])
    assert "hidden" in explain(fedctl, "note", "to-xmpp")["verdict"]


def test_a_contact_opens_it(fedctl, rules, romeo, juliet):
    rules(partners=[partner(DOMAIN, UNVERIFIED)])
    assert gate_that_refuses(explain(fedctl, "message", "to-sip")) == "type"
    watch = romeo.watch(f"sip:{JULIET}")
    juliet.wait_type(ROMEO, "subscribe")
    juliet.approve(ROMEO)
    watch.wait_state("active")
    try:
        for what in ("message", "subscribe"):
            for direction in ("to-xmpp", "to-sip"):
                assert gate_that_refuses(
                    explain(fedctl, what, direction)) == ""
        assert message_to_sip(romeo, juliet)
    finally:
        watch.subscribe(0)
        juliet.deny(ROMEO)


def test_either_order(fedctl):
    """Both directions, that of the two words first."""
    for first, second in ((ROMEO, JULIET), (JULIET, f"sip:{ROMEO}")):
        report = fedctl.json("gateway", "explain", first, second)
        groups = list(dict.fromkeys(f["group"] for f in report["findings"]))
        there, back = (f"{ROMEO} to {JULIET}", f"{JULIET} to {ROMEO}")
        assert groups == ([there, back] if first == ROMEO else [back, there])
        assert report["verdict"].count(": allowed") == 2
    text = fedctl("gateway", "explain", ROMEO, JULIET).stdout
    assert text.startswith(f"{ROMEO} to {JULIET}\n")


def test_the_way(lab, fedctl, romeo, juliet):
    """What else would stop it."""
    edge = lab.env["LAB_EDGE_NAME"]
    assert message_to_xmpp(romeo, juliet)
    found = {f["what"]: f for f in
             explain(fedctl, "message", "to-xmpp")["findings"]}
    assert found["channel"]["text"] == \
        f"edge {edge} has what goes to {DOMAIN}: connected"
    assert f"a stream to {DOMAIN} is open since" in found["stream"]["text"]
    assert romeo.message("sip:who@nowhere.example", "x").status == 404
    lab.wait_log("gateway", "what=failed dir=out local=sip.example "
                            "peer=nowhere.example")
    report = explain(fedctl, "message", "to-xmpp", ROMEO,
                     "who@nowhere.example")
    assert report["verdict"].endswith(
        "allowed, but the last attempt to reach the domain failed")
    found = {f["what"]: f for f in report["findings"]}
    assert "no XMPP service in DNS" in found["stream"]["text"]
    assert found["stream"]["advice"] == f"fedctl --edge {edge} why " \
                                        "nowhere.example"
    lab("stop", "edge")
    try:
        for direction in ("to-xmpp", "to-sip"):
            assert explain(fedctl, "message", direction)["verdict"].endswith(
                "allowed, but no edge is connected")
    finally:
        lab("start", "edge")
        lab("wait-channel")


def test_wrong_words(fedctl):
    for words, status, what in (
            ((ROMEO, "a@sip.example"), 1, "both are of domains that we serve "
                                          "(sip.example)"),
            ((JULIET, "a@b.example"), 1, "neither is of a domain that we "
                                         "serve (sip.example)"),
            ((ROMEO, "a b"), 1, '"a b" is no address'),
            ((ROMEO, JULIET, "--what", "subscribed"), 2, 'did you mean '
                                                         '"subscribe"?'),
            ((ROMEO, JULIET, "--direction", "xmpp"), 2, "to-xmpp, to-sip or "
                                                        "both")):
        done = fedctl("gateway", "explain", *words, status=status)
        assert what in done.stderr, done


# ---- map --------------------------------------------------------------------


@pytest.mark.parametrize("address", [
    r"o\27malley@sip.example", "sip:o'malley@sip.example",
    "im:o%27malley@sip.example", "pres:o'malley@SIP.example."])
def test_map(fedctl, address):
    found = fedctl.json("gateway", "map", address)
    assert found["jid"] == r"o\27malley@sip.example"
    assert found["sip"] == "sip:o'malley@sip.example"
    assert found["im"] == "im:o'malley@sip.example"
    assert found["pres"] == "pres:o'malley@sip.example"
    assert found["text"].startswith("a SIP user: ")
    assert r'"o\27malley" is "o' in found["text"]


def test_map_others(fedctl):
    found = fedctl.json("gateway", "map", f"{JULIET}/balcony")
    assert found["sip"] == f"sip:{JULIET};gr=balcony"
    assert found["im"] is found["pres"] is None
    assert found["text"] == "an XMPP user: the domain is none of ours"
    assert fedctl("gateway", "map", DOMAIN).stdout.startswith(
        f"jid   {DOMAIN}\nsip   sip:{DOMAIN}\n")


@pytest.mark.parametrize("address,why", [
    ("sips:a@sip.example", "sips: is never translated"),
    ("tel:+1", "only sip:, im: and pres:"),
    ("sip:%20a@sip.example", "no JID can express that user"),
    (r"\20a@xmpp.example", "an escape that no gateway would have made"),
    ("a b@xmpp.example", "it is no address"),
    ("sip:%FF@sip.example", "it is no address"),
    ("x" * 1100 + "@sip.example", "longer than the 1023 bytes")])
def test_cannot_be_mapped(fedctl, address, why):
    done = fedctl("gateway", "map", address, status=1)
    assert why in done.stderr
    assert done.stdout == ""
