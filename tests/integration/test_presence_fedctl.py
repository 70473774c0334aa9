"""fedctl presence show, diff and repair, with watches that are real."""

import pathlib
import re
import subprocess
import time

import pytest

import admin_wire as wire
import pidf
from presence_people import presence_user, roster_user

# nobody else's: others leave watches of the lab's juliet behind
JULIET = "julietta@xmpp.example"
PASSWORD = "wherefore"
ESCALUS = "escalus@sip.example"


@pytest.fixture
def escalus(lab):
    yield from presence_user(lab, "escalus", 27)


@pytest.fixture(scope="module", autouse=True)
def empty_store(lab):
    """Domains are asked about too: nobody else's watches.  The gateway begins
    anew with revision 1, and the edge has a later one: two changes, and both
    have the same again."""
    path, edge = lab.env["LAB_GATEWAY_ADMIN"], lab.env["LAB_EDGE_NAME"]
    at_edge = wire.status(path)[3][edge][1]
    lab("stop", "gateway")
    for file in pathlib.Path(lab.env["LAB_STATE"], "gateway").glob("store.db*"):
        file.unlink()
    lab("start", "gateway")
    lab("wait-channel")
    until(lambda: wire.status(path)[3][edge][1] == at_edge, "the edge's own")
    passing = [wire.partner("passing.example")]
    wire.apply(path, passing)
    revision = wire.apply(path, remove=passing)[0]
    assert revision > at_edge
    assert wire.status(path)[3][edge] == (True, revision, "")


@pytest.fixture(scope="module")
def account(lab):
    config = f"{lab.env['LAB_STATE']}/prosody/prosody.cfg.lua"
    subprocess.run(["prosodyctl", "--config", config, "register",
                    *JULIET.split("@"), PASSWORD],
                   check=True, capture_output=True)
    lab.env["LAB_JULIETTA_PASSWORD"] = PASSWORD


@pytest.fixture
def juliet(lab, account):
    user = roster_user(lab, JULIET)
    yield user
    if ESCALUS in user.roster():
        user.remove(ESCALUS)
    user.close()


def escalus_is(name, *more, **said):
    return pidf.document(f"sip:{ESCALUS}", pidf.one(name, **said), *more)


@pytest.fixture
def watched(fedctl, escalus, juliet):
    """juliet watches escalus, whose own client answers."""
    escalus.policy.body = escalus_is("phone", show="away", note="in court")
    escalus.register()
    juliet.subscribe(ESCALUS)
    juliet.wait_view(ESCALUS, {f"{ESCALUS}/phone": ("away", "in court")})
    yield escalus.next_subscriber()
    juliet.unsubscribe(ESCALUS)
    juliet.wait_view(ESCALUS, {})
    until(lambda: not fedctl.json("gateway", "presence", "show", ESCALUS),
          "the end of the watch")


@pytest.fixture
def watching(escalus, juliet):
    """escalus watches juliet, who allows it."""
    juliet.available("dnd", "reading", 3)
    watch = escalus.watch(f"sip:{JULIET}")
    juliet.wait_type(ESCALUS, "subscribe")
    juliet.approve(ESCALUS)
    watch.wait_there({juliet_tuple(watch): ("open", "dnd", "reading")})
    yield watch
    watch.subscribe(0)
    juliet.deny(ESCALUS)


def juliet_tuple(watch):
    """Her tuple has an id that nobody need know."""
    watch.wait(watch.is_there, "juliet")
    return next(iter(watch.is_there()))


def only(watches, direction):
    found, = [w for w in watches if w["direction"] == direction]
    return found


def until(condition, what, wait_s=15):
    end = time.monotonic() + wait_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, what
        time.sleep(0.1)


# ---- show ------------------------------------------------------------------

def test_nobody(fedctl):
    who = "nobody@xmpp.example"
    assert fedctl("gateway", "presence", "show", who).stdout == \
        f"nobody watches {who}, and nobody is watched from there\n"
    assert fedctl.json("gateway", "presence", "show", who) == []
    assert fedctl("gateway", "presence", "diff", who).stdout == \
        "no difference\n"
    assert fedctl.json("gateway", "presence", "diff", who) == []
    assert fedctl("gateway", "presence", "repair", who).stdout == \
        "nothing to repair: no watch\n"
    assert fedctl.json("gateway", "presence", "repair", who) == \
        {"watches": 0, "subscribes": 0, "probes": 0}


def test_xmpp_watches_sip(fedctl, escalus, watched):
    watch = only(fedctl.json("gateway", "presence", "show", JULIET),
                 "xmpp-watches-sip")
    assert watch["watcher"] == JULIET and watch["presentity"] == ESCALUS
    assert watch["authorization"] == "allowed"
    phone = {"name": "phone", "show": "away", "priority": 0,
             "notes": [{"lang": None, "text": "in court"}]}
    assert watch["believed"] == watch["told"] == [phone]
    assert watch["last_stanza"] == "available"
    assert 0 <= watch["last_stanza_age_ms"] < 20000
    assert watch["waiting_for"] is None
    dialog, = watch["dialogs"]
    assert dialog["call_id"] == watched.dialog.call_id
    assert dialog["local_tag"] == watched.dialog.remote_tag
    assert dialog["remote_tag"] == watched.dialog.tag
    assert dialog["remote_target"] == escalus.contact
    assert dialog["remote_cseq"] >= 1 and dialog["local_cseq"] >= 1
    assert 0 < dialog["expires_in_ms"] <= 3600000
    assert 0 <= dialog["document_age_ms"] < 20000


def test_text_of_a_watch(fedctl, watched):
    text = fedctl("gateway", "presence", "show", ESCALUS).stdout
    assert re.fullmatch(
        rf"{JULIET} watches {ESCALUS}\n"
        r"  authorization  allowed\n"
        r"  dialog         \w+, expires in \d+.*\n"
        rf"                 call-id {re.escape(watched.dialog.call_id)}\n"
        r"                 to sip:escalus@10\.66\.0\.27:5062\n"
        r"                 ours: tag \S+, CSeq \d+; theirs: tag \S+, "
        r"CSeq \d+\n"
        r"  document       \d+ s old\n"
        r'  believed       phone  away, "in court"' "\n"
        r'  told           phone  away, "in court"' "\n"
        r"  last stanza    \d+ s ago: available\n"
        r"  waiting for    nothing\n", text)


def test_sip_watches_xmpp(fedctl, watching):
    watch = only(fedctl.json("gateway", "presence", "show", ESCALUS),
                 "sip-watches-xmpp")
    assert watch["watcher"] == ESCALUS and watch["presentity"] == JULIET
    assert watch["authorization"] == "allowed"
    said = [{"name": "test", "show": "dnd", "priority": 3,
             "notes": [{"lang": None, "text": "reading"}]}]
    for resource in watch["believed"] + watch["told"]:
        for note in resource["notes"]:
            note["lang"] = None         # what the server makes of it
    assert watch["believed"] == watch["told"] == said
    dialog, = watch["dialogs"]
    assert dialog["call_id"] == watching.dialog.call_id
    assert dialog["state"] == "active"
    assert dialog["local_tag"] == watching.dialog.remote_tag
    assert dialog["remote_tag"] == watching.dialog.tag
    assert "reading" in dialog["document"]
    text = fedctl("gateway", "presence", "show", ESCALUS).stdout
    assert "<presence" not in text
    text = fedctl("gateway", "--full", "presence", "show", ESCALUS).stdout
    assert re.search(r"^    <.*reading", text, re.M)


def test_pending(fedctl, escalus, juliet):
    watch = escalus.watch(f"sip:{JULIET}")
    try:
        watch.wait_state("pending")
        juliet.wait_type(ESCALUS, "subscribe")

        def show():
            return only(fedctl.json("gateway", "presence", "show", ESCALUS),
                        "sip-watches-xmpp")
        # the answer to that NOTIFY may still be on its way
        until(lambda: show()["waiting_for"] == "approval", "who is to decide")
        shown = show()
        assert shown["authorization"] == "pending"
        assert shown["dialogs"][0]["state"] == "pending"
        assert shown["believed"] == shown["told"] == []
        assert "authorization  pending" in fedctl(
            "gateway", "presence", "show", ESCALUS).stdout
    finally:
        watch.subscribe(0)
        juliet.deny(ESCALUS)


def test_every_name_finds_it(fedctl, watched):
    del watched
    for target in (JULIET, ESCALUS, f"sip:{ESCALUS}", f"pres:{ESCALUS}",
                   f"xmpp:{JULIET}", f"{JULIET}/test", "JULIETTA@XMPP.example",
                   "xmpp.example", "sip.example", "sip:sip.example",
                   "Sip.Example."):
        watches = fedctl.json("gateway", "presence", "show", target)
        assert only(watches, "xmpp-watches-sip")["watcher"] == JULIET, target
    for target in ("uliet@xmpp.example", "mpp.example", "example",
                   "juliet@sip.example"):
        assert fedctl.json("gateway", "presence", "show", target) == []


@pytest.mark.parametrize("target", ["a b@xmpp.example", "@xmpp.example",
                                    "sips:romeo@sip.example", "tel:+1",
                                    "x" * 5000])
@pytest.mark.parametrize("verb", ["show", "diff", "repair"])
def test_wrong_target(fedctl, verb, target):
    done = fedctl("gateway", "presence", verb, target, status=1)
    assert "is no address; juliet@xmpp.example" in done.stderr
    assert done.stdout in ("", "\n")


def test_an_edge_does_not_know(fedctl):
    done = fedctl("edge", "presence", "show", JULIET, status=1)
    assert "ask a gateway" in done.stderr


def test_notes_do_not_move_the_cursor(fedctl, escalus, juliet, watched):
    """XML allows C1 controls and marks that turn the direction of writing."""
    del juliet
    note = "\u009b31mred\u202e"
    answer = watched.notify("active", escalus_is("phone", note=note))
    assert answer.status == 200, answer.start
    text = until(lambda: re.search(
        r"believed.*red.*", fedctl("gateway", "presence", "show",
                                   escalus.jid).stdout), "the note")[0]
    assert text.isprintable()
    assert r"\xc2\x9b31mred\xe2\x80\xae" in text


@pytest.fixture
def paris(lab):
    yield from presence_user(lab, "paris", 28)


def test_a_domain_with_many(fedctl, paris):
    """More than one response holds."""
    names = [f"nobody-{i}@xmpp.example" for i in range(50)]
    watches = [paris.watch(f"sip:{name}") for name in names]
    try:
        shown = fedctl.json("gateway", "presence", "show", "xmpp.example")
        assert {w["presentity"] for w in shown} >= set(names)
        assert len(shown) == len({(w["direction"], w["watcher"],
                                   w["presentity"]) for w in shown})
        text = fedctl("gateway", "presence", "show", "xmpp.example").stdout
        assert text.count(" watches ") == len(shown)
        assert text.count("\n\n") == len(shown) - 1
        done = fedctl.json("gateway", "presence", "repair", "xmpp.example")
        assert done["watches"] == len(shown)
        assert done["probes"] >= len(names)
    finally:
        for watch in watches:
            watch.subscribe(0)


# ---- diff and repair -------------------------------------------------------

def test_diff(fedctl, escalus, juliet, watching):
    """The second change within presence.notify_interval has to wait."""
    del escalus
    name = juliet_tuple(watching)
    assert fedctl("gateway", "presence", "diff", JULIET).stdout == \
        "no difference\n"
    time.sleep(1.5)
    juliet.available("away", "first")
    watching.wait_there({name: ("open", "away", "first")})
    juliet.available("xa", "second", 7)
    text = until(lambda: re.search(
        r"- what the watcher was last told, \+ what the gateway believes\n"
        rf"{ESCALUS} watches {JULIET}\n"
        r'  - test  away, "first".*\n'
        r'  \+ test  xa, priority 7, "second".*\n'
        r"  waiting for a NOTIFY\n",
        fedctl("gateway", "presence", "diff", ESCALUS).stdout),
        "the difference", 3)
    assert text
    difference, = fedctl.json("gateway", "presence", "diff", "sip.example")
    assert difference["watcher"] == ESCALUS
    resource, = difference["resources"]
    assert resource["name"] == "test"
    assert resource["told"]["show"] == "away"
    assert resource["believed"]["show"] == "xa"
    assert resource["believed"]["priority"] == 7
    watching.wait_there({name: ("open", "xa", "second")})
    assert fedctl.json("gateway", "presence", "diff", JULIET) == []


def test_repair(lab, fedctl, escalus, juliet, watched):
    """escalus changed and forgot to say so."""
    escalus.policy.body = escalus_is("phone", show="dnd", note="in session")
    assert fedctl("gateway", "presence", "repair", JULIET).stdout == \
        "1 watches are being repaired: 1 SUBSCRIBE, 0 probes\n"
    juliet.wait_view(ESCALUS, {f"{ESCALUS}/phone": ("dnd", "in session")})
    assert len(watched.requests) >= 2       # in the same dialog
    lab.wait_log("gateway", r"event=admin_request uid=0 pid=\d+ "
                            rf"request=presence-repair target={JULIET}\n")


def heard_at(watch):
    """When the last stanza came, by our clock."""
    return time.monotonic() - watch["last_stanza_age_ms"] / 1000


def test_repair_of_the_other_direction(fedctl, watching):
    """The gateway asks juliet's server again, and tells escalus again."""
    said = len(watching.states)
    before, = fedctl.json("gateway", "presence", "show", ESCALUS)
    heard = heard_at(before)
    time.sleep(0.5)
    done = fedctl.json("gateway", "presence", "repair", f"sip:{ESCALUS}")
    assert done == {"watches": 1, "subscribes": 0, "probes": 1}
    watching.wait(lambda: len(watching.states) > said, "a NOTIFY")
    assert watching.is_there() == \
        {juliet_tuple(watching): ("open", "dnd", "reading")}
    watch = until(lambda: [
        w for w in fedctl.json("gateway", "presence", "show", ESCALUS)
        if heard_at(w) > heard + 0.4], "her server's answer")[0]
    assert watch["told"] == watch["believed"] == before["told"]
