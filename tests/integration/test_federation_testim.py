"""fedctl test im and test presence: the synthetic transaction on the real way,
and what it says of each thing that can be wrong with that."""

import concurrent.futures
import time

import pytest

from federation_rules import partner, policy
from presence_people import presence_user

WATCHDOG = "watchdog@sip.example"


@pytest.fixture(autouse=True)
def room(lab, fedctl):
    """Ten tests at once, then one each second: others were before us."""
    del lab, fedctl
    time.sleep(2)


@pytest.fixture
def watchdog(lab):
    yield from presence_user(lab, "watchdog", 29)


def failed(fedctl, *words):
    done = fedctl("gateway", "test", *words, status=1)
    assert done.stdout.startswith("failed: "), done
    assert done.stdout.count("\n") == 1
    return done.stdout


def nothing_is_left(fedctl, person):
    assert fedctl.json("gateway", "presence", "show", WATCHDOG) == []
    assert person.types(WATCHDOG) == []


# ---- messages ---------------------------------------------------------------


def test_im(lab, fedctl, xmpp_person):
    said = fedctl("gateway", "test", "im", f"sip:{WATCHDOG}",
                  xmpp_person.jid).stdout
    assert said.startswith("ok: delivered (") and said.endswith(" ms)\n")
    got = xmpp_person.next_message()
    assert got["from"] == WATCHDOG
    assert got["body"].startswith("[federation test ")
    assert "sip.example" in got["body"]
    result = fedctl.json("gateway", "test", "im", WATCHDOG, xmpp_person.jid)
    assert result["ok"] and result["seen"] == "delivered"
    assert 0 <= result["latency_ms"] < 20000
    assert result["error"] is result["diagnosis"] is None
    lab.wait_log("gateway", rf"event=synthetic what=im from={WATCHDOG} "
                            rf"to={xmpp_person.jid} uid=0 ok=1 ms=\d+")
    lab.wait_log("gateway", r"event=admin_request uid=0 pid=\d+ request=test "
                            rf"target={xmpp_person.jid}\n")


def test_im_to_nobody(fedctl, xmpp_person):
    domain = xmpp_person.jid.partition("@")[2]
    said = failed(fedctl, "im", WATCHDOG, f"nobody@{domain}")
    assert f"the way is good: the server of {domain} answers" in said


def test_im_to_no_domain(lab, fedctl):
    said = failed(fedctl, "im", WATCHDOG, "who@nowhere.example")
    assert said.startswith("failed: remote-server-not-found (")
    edge = lab.env["LAB_EDGE_NAME"]
    assert f'"fedctl --edge {edge} check dns nowhere.example"' in said


def test_im_to_a_dead_domain(lab, fedctl):
    """It is in DNS, and nobody is there."""
    lab("dns", "add", "_xmpp-server._tcp.dead.example. 1 IN SRV 0 0 5269 "
        "h.dead.example.", "h.dead.example. 1 IN A 198.51.100.77")
    try:
        said = failed(fedctl, "im", WATCHDOG, "who@dead.example")
    finally:
        lab("dns", "remove", "_xmpp-server._tcp.dead.example.",
            "h.dead.example.")
    edge = lab.env["LAB_EDGE_NAME"]
    assert f'"fedctl --edge {edge} why dead.example"' in said


def test_im_denied(fedctl, rules, juliet):
    for change, gate in (
            ({"settings": {"federation": "off"}}, "switch"),
            ({"policies": [policy("global", xmpp="off")]}, "policy"),
            ({"partners": [partner("xmpp.example", state="disabled")]},
             "partner"),
            ({"partners": [partner("xmpp.example", "public-unverified")]},
             "type")):
        rules(**change)
        said = failed(fedctl, "im", WATCHDOG, juliet.jid)
        assert f'our gate "{gate}" refuses' in said
        assert said.startswith("failed: 403 ")
        assert f'"fedctl explain {WATCHDOG} {juliet.jid}"' in said
    assert juliet.inbox.empty()


def test_no_edge(lab, fedctl, juliet):
    lab("stop", "edge")
    try:
        said = failed(fedctl, "im", WATCHDOG, juliet.jid)
        assert "no edge is connected" in said
        said = failed(fedctl, "presence", WATCHDOG, juliet.jid, "--timeout",
                      "4")
        assert "no edge is connected" in said
    finally:
        lab("start", "edge")
        lab("wait-channel")
    fedctl("gateway", "test", "im", WATCHDOG, juliet.jid)


def test_a_server_that_stands_still(lab, fedctl, juliet):
    """The stream is there, and nothing comes back.  After 3 s without a word
    the edge takes what the system took for delivered."""
    fedctl("gateway", "test", "im", WATCHDOG, juliet.jid)
    lab("fault", "freeze", "prosody")
    try:
        began = time.monotonic()
        said = failed(fedctl, "im", WATCHDOG, juliet.jid, "--timeout", "2")
        assert 1.5 < time.monotonic() - began < 8
        assert said.startswith("failed: no answer in 2")
        assert "nothing came back" in said
    finally:
        lab("fault", "thaw", "prosody")


# ---- presence ---------------------------------------------------------------


def test_presence_of_a_stranger(fedctl, xmpp_person):
    """Both servers say nothing to one who is not let in."""
    said = fedctl("gateway", "test", "presence", WATCHDOG,
                  xmpp_person.jid).stdout
    assert said.startswith("ok: nothing: ")
    nothing_is_left(fedctl, xmpp_person)


def test_presence_that_is_told(fedctl, xmpp_person, watchdog):
    """He may see her, and does not watch her now."""
    watch = watchdog.watch(f"sip:{xmpp_person.jid}")
    xmpp_person.wait_type(WATCHDOG, "subscribe")
    xmpp_person.approve(WATCHDOG)
    watch.wait_state("active")
    xmpp_person.available("dnd")
    watch.wait(lambda: "dnd" in str(watch.is_there()), "dnd")
    assert watch.subscribe(0).status == 200
    watch.wait_state("terminated;timeout")
    for show, said in (("dnd", "available (dnd)"), ("", "available")):
        xmpp_person.available(show)
        time.sleep(0.5)
        result = fedctl.json("gateway", "test", "presence", WATCHDOG,
                             xmpp_person.jid)
        assert result["ok"] and result["seen"] == said, result
    mark = xmpp_person.mark()
    xmpp_person.unavailable()
    time.sleep(0.5)
    assert fedctl.json("gateway", "test", "presence", WATCHDOG,
                       xmpp_person.jid)["seen"] == "unavailable"
    assert "subscribe" not in xmpp_person.types(WATCHDOG, mark)


def test_presence_of_a_dead_domain(fedctl):
    said = failed(fedctl, "presence", WATCHDOG, "who@nowhere.example")
    assert said.startswith("failed: remote-server-not-found (")


def test_presence_denied(fedctl, rules, juliet):
    rules(policies=[policy("global", xmpp="off")])
    assert 'our gate "policy" refuses' in failed(
        fedctl, "presence", WATCHDOG, juliet.jid)


# ---- what is no test --------------------------------------------------------


def test_wrong_users(fedctl):
    for words, what in (
            (("juliet@xmpp.example", WATCHDOG), "only a SIP user of ours"),
            (("sip.example", "juliet@xmpp.example"), "users are expected"),
            ((WATCHDOG, "romeo@sip.example"), "both are of domains that we "
                                              "serve (sip.example)"),
            (("a@b.example", "c@d.example"), "neither is of a domain that we "
                                             "serve (sip.example)"),
            ((WATCHDOG, "tel:+1"), '"tel:+1" is no address')):
        for kind in ("im", "presence"):
            done = fedctl("gateway", "test", kind, *words, status=1)
            assert what in done.stderr, done
            assert done.stdout == ""


def test_not_too_many(fedctl, juliet):
    """A monitor gone mad writes to people."""
    def test_im(_):
        return fedctl("gateway", "test", "im", WATCHDOG, juliet.jid,
                      status=None)

    # fewer than the admin socket has clients
    with concurrent.futures.ThreadPoolExecutor(12) as at_once:
        said = list(at_once.map(test_im, range(20)))
    refused = [d for d in said if d.returncode == 1]
    assert 5 <= len(refused) <= 12, [d.returncode for d in said]
    assert all("too many tests" in d.stderr for d in refused)
    time.sleep(3)
    fedctl("gateway", "test", "im", WATCHDOG, juliet.jid)
