"""One source of the federation configuration: in force at the gateway and at
the edge, whole or not at all, whoever dies meanwhile."""

import contextlib
import os
import pathlib
import random
import signal
import sqlite3
import threading
import time

import pytest

import admin_wire as wire
from conftest import Lab
from edge_alone import wait_until

EDGE = "edge1.dmz.example"


@pytest.fixture(scope="module")
def source():
    lab = Lab(f"source{os.getpid()}", LAB_PARTS="dns edge gateway")
    try:
        yield lab.up()
        assert lab.stop_daemons() == []
    finally:
        lab("down")


@pytest.fixture
def path(source):
    return source.env["LAB_GATEWAY_ADMIN"]


def described(domain, number):
    """A partner that says which change it is of."""
    return wire.partner(domain, (3, str(number)), sasl=wire.OPTIONAL)


def description(path, domain):
    """None: there is no such partner."""
    records = wire.get(path, wire.PARTNER, domain)[1]
    return wire.text(wire.fields(wire.fields(records[0])[1][0]), 3) \
        if records else None


def edge_of(path):
    return wire.status(path)[3][EDGE]


def wait_edge(path, revision, wait_s=10):
    until = time.monotonic() + wait_s
    while edge_of(path)[:2] != (True, revision):
        assert time.monotonic() < until, wire.status(path)
        time.sleep(0.05)


def lines(lab, event):
    return [line for line in lab.log("gateway").splitlines()
            if f" event={event} " in line]


# --- the first configuration -------------------------------------------------

def test_bootstrap_counts_once(source, path):
    revision, author, what, _ = wire.status(path)
    assert (revision, author) == (1, "bootstrap")
    file = pathlib.Path(source.env["LAB_FEDERATION"])
    assert what == f"bootstrap {file}"
    wait_edge(path, 1)
    before = file.read_text()
    file.write_text(before + "  - {domain: late.example}\n")
    source("restart", "gateway")
    source("wait-channel")
    assert wire.status(path)[0] == 1
    assert description(path, "late.example") is None
    file.write_text(before)


# --- changes -----------------------------------------------------------------

def test_a_change_is_in_force_everywhere(source, path):
    before = wire.status(path)[0]
    revision, changes, _ = wire.apply(
        path, [described("fabrikam.example", 1)], what="partner add",
        name="alice")
    assert revision == before + 1
    assert [wire.name_of(after) for _, after in changes] == \
        [(wire.PARTNER, "fabrikam.example")]
    # the edge has it when the answer is there
    assert edge_of(path) == (True, revision, "")
    assert f" event=config revision={revision} from=gateway " \
        in source.log("edge")
    assert wire.status(path)[:3] == (revision, "alice (uid 0, root)",
                                     "partner add")
    line = lines(source, "federation_change")[-1]
    assert f'revision={revision} author="alice (uid 0, root)" ' \
        'what="partner add" key="partner/fabrikam.example" before="none" ' \
        'after="type:federated state:enabled tls:required ' in line
    assert "domain:fabrikam.example" in line
    # once more is no change
    assert wire.apply(path, [described("fabrikam.example", 1)])[:2] == \
        (revision, [])


def test_dry_run_changes_nothing(path):
    before = wire.status(path), wire.get(path)
    revision, changes, _ = wire.apply(
        path, [described("dry.example", 1)], dry_run=True)
    assert revision == before[0][0] + 1
    assert len(changes) == 1
    assert (wire.status(path), wire.get(path)) == before


def test_a_base_that_is_old(path):
    with pytest.raises(wire.AdminError) as caught:
        wire.apply(path, [described("old.example", 1)], base=1)
    now, author, what, _ = wire.status(path)
    said = str(caught.value)
    assert said.startswith(f"revision 1 is not in force any more: {author} "
                           f"has made revision {now} of it (20")
    assert f'"{what}"' in said


def test_refused_by_an_edge(source, path):
    """By name and with its words; the old one stays in force everywhere."""
    before = wire.status(path), wire.get(path)
    with pytest.raises(wire.AdminError) as caught:
        wire.apply(path, [wire.settings(path, connection_limit=2000)],
                   name="bob")
    assert str(caught.value).startswith(f'edge "{EDGE}" refuses it: ')
    assert "connection_limit 2000" in str(caught.value)
    assert (wire.status(path), wire.get(path)) == before
    line = lines(source, "federation_refused")[-1]
    assert 'author="bob (uid 0, root)"' in line
    assert f'why="edge \\"{EDGE}\\" refuses it: ' in line


def test_an_author_is_cut_between_characters(path):
    """Half of one would make each answer with it unreadable, for good."""
    revision, _, _ = wire.apply(path, [described("cut.example", 1)],
                                name="a" + "ä" * 31)
    author = "a" + "ä" * 29 + " (uid 0, root)"
    assert wire.status(path)[:2] == (revision, author)
    assert wire.history(path, count=1)[0][:2] == (revision, author)


def test_an_edge_that_is_away(source, path):
    source("stop", "edge")
    revision, _, warnings = wire.apply(path, [described("away.example", 1)])
    assert [w for w in warnings if EDGE in w] == [
        f'edge "{EDGE}" is not connected; it gets the change with its next '
        "session"]
    assert not edge_of(path)[0]
    source("start", "edge")
    wait_edge(path, revision)


def test_an_edge_that_says_nothing(source, path):
    before = wire.status(path)[0]
    os.kill(source.pid("edge"), signal.SIGSTOP)
    try:
        said = []

        def first():
            with pytest.raises(wire.AdminError) as caught:
                wire.apply(path, [described("silent.example", 1)],
                           what="first", name="carol")
            said.append(str(caught.value))

        thread = threading.Thread(target=first)
        thread.start()
        time.sleep(0.5)
        with pytest.raises(wire.AdminError) as caught:
            wire.apply(path, [described("second.example", 1)])
        assert str(caught.value) == ("another change is under way, by carol "
                                     '(uid 0, root): "first"')
        thread.join()
        assert said == [f'no answer from edge "{EDGE}" in 5 s; nothing is '
                        "changed"]
    finally:
        os.kill(source.pid("edge"), signal.SIGCONT)
    assert wire.status(path)[0] == before
    wait_edge(path, before)
    # what it answers now is of a change that is over
    revision, _, _ = wire.apply(path, [described("silent.example", 2)])
    assert edge_of(path)[:2] == (True, revision)
    assert description(path, "silent.example") == "2"


# --- history, rollback -------------------------------------------------------

def test_history_and_rollback(path):
    first = wire.apply(path, [described("back.example", 1)])[0]
    second = wire.apply(path, [described("back.example", 2)])[0]
    third = wire.apply(path, remove=[described("back.example", 0)])[0]
    assert [r[0] for r in wire.history(path, count=3)] == \
        [third, second, first]
    assert [r[0] for r in wire.history(path, before=third, count=1)] == \
        [second]
    ((_, _, _, ((before, after),)),) = wire.history(path, before=third,
                                                    count=1)
    assert before == described("back.example", 1)
    assert after == described("back.example", 2)
    revision, changes, _ = wire.apply(path, rollback_to=first, what="")
    assert revision == third + 1
    assert changes == [(b"", described("back.example", 1))]
    assert wire.status(path)[2] == f"rollback {first}"
    with pytest.raises(wire.AdminError, match="there is no revision 999; "
                       f"the newest one is {revision}"):
        wire.apply(path, rollback_to=999)
    # all the way: only what the bootstrap said is left
    wire.apply(path, rollback_to=1)
    assert [wire.name_of(r) for r in wire.get(path)[1]] == \
        [(wire.PARTNER, "*"), (wire.POLICY, "", ""), (wire.SETTINGS,)]


def test_secrets_are_not_shown(source, path):
    secret = "a secret that nobody may see"
    revision, changes, _ = wire.apply(
        path, [wire.settings(path, dialback_secret=secret)])
    shown = [changes, wire.get(path), wire.history(path)]
    assert secret not in repr(shown)
    assert secret in repr(wire.get(path, secrets=True))
    # what was shown is put again: it keeps the secret
    (packed,) = wire.get(path, wire.SETTINGS)[1]
    assert wire.apply(path, [packed])[:2] == (revision, [])
    for service in ("gateway", "edge"):
        assert secret not in source.log(service)
    wire.apply(path, rollback_to=1)


def test_many_records(path):
    users = [f"user{n}@sip.example" for n in range(20000)]
    began = time.monotonic()
    revision, changes, _ = wire.apply(path, [
        wire.record(wire.POLICY, (1, 2), (2, "sales"), (4, 1), (5, 1)),
        *(wire.grant(user, "sales") for user in users)], what="grant 20000")
    assert len(changes) == 20001
    found = wire.get(path, wire.GRANT)
    assert found[0] == revision
    assert sorted(wire.name_of(r)[1] for r in found[1]) == sorted(users)
    ((number, _, _, in_history),) = wire.history(path, count=1)
    assert (number, len(in_history)) == (revision, 20001)
    assert len(wire.get(path, wire.GRANT, "user1999?@*")[1]) == 10
    wire.apply(path, rollback_to=1)
    assert wire.get(path, wire.GRANT)[1] == []
    assert time.monotonic() - began < 30


# --- kill -9 -----------------------------------------------------------------

class Changer(threading.Thread):
    """One change after the other, until the gateway is dead."""

    def __init__(self, path, number):
        super().__init__()
        self.path, self.tried, self.done = path, number, number
        self.failed = None      # by something else than the kill

    def run(self):
        try:
            while True:
                number = self.tried + 1
                self.tried = number
                wire.apply(self.path, [described(d, number) for d in
                                       ("one.example", "two.example")])
                self.done = number
        except ConnectionError:
            pass
        except Exception as error:  # seen by who joins
            self.failed = error


@pytest.mark.parametrize("seed", range(8))
def test_killed_in_the_middle(source, path, seed):
    number = int(description(path, "one.example") or 0)
    changer = Changer(path, number)
    changer.start()
    if seed % 2 == 1:           # behind a change that was done
        wait_until(lambda: changer.done > number, 30)
    time.sleep(random.Random(seed).uniform(0.02, 0.4))
    os.kill(source.pid("gateway"), signal.SIGKILL)
    changer.join()
    assert changer.failed is None
    assert changer.tried > number
    source("start", "gateway")
    source("wait-channel")
    revision = wire.status(path)[0]
    now = description(path, "one.example")
    # the last one that was answered, or that was on its way; all of it
    assert int(now) in {changer.done, changer.tried}
    assert description(path, "two.example") == now
    newest = wire.history(path, count=1)[0]
    assert newest[0] == revision
    assert {after for _, after in newest[3]} == {
        described(d, now) for d in ("one.example", "two.example")}
    wait_edge(path, revision)
    assert edge_of(path)[2] == ""


# --- a store that is damaged --------------------------------------------------

def damage(source, table, column, number, value):
    """@return what was there"""
    source("stop", "gateway")
    store = pathlib.Path(source.env["LAB_STATE"], "gateway/store.db")
    with contextlib.closing(sqlite3.connect(store)) as db, db:
        ((before,),) = db.execute(
            f"SELECT {column} FROM {table} WHERE number = ?", (number,))
        db.execute(f"UPDATE {table} SET {column} = ? WHERE number = ?",
                   (value, number))
    source("start", "gateway")
    source("wait-channel")
    return before


def test_a_row_of_the_history_is_damaged(source, path):
    """It is said, and is not a record that was never there."""
    revision = wire.apply(path, [described("damaged.example", 1)])[0]
    for value in (b"\xff", b""):
        was = damage(source, "federation_change", "after", revision, value)
        with pytest.raises(wire.AdminError) as caught:
            wire.history(path)
        assert str(caught.value) == f"revision {revision} cannot be read " \
            "from the store: it is damaged"
        assert wire.status(path)[0] == revision
        damage(source, "federation_change", "after", revision, was)
    assert wire.history(path, count=1)[0][0] == revision


def test_an_author_in_the_history_is_damaged(source, path):
    """The rest can be read all the same."""
    revision = wire.apply(path, [described("author.example", 1)])[0]
    damage(source, "federation_revision", "author", revision, b"al\xffce")
    assert wire.status(path)[:2] == (revision, "al?ce")
    assert wire.history(path, count=1)[0][:2] == (revision, "al?ce")


# --- a store of the release before -------------------------------------------

SCHEMA_1 = """
CREATE TABLE watch (direction INTEGER NOT NULL, local BLOB NOT NULL,
 remote BLOB NOT NULL, auth INTEGER NOT NULL, since_ms INTEGER NOT NULL,
 told BLOB NOT NULL, PRIMARY KEY (direction, local, remote)
) STRICT, WITHOUT ROWID;
CREATE TABLE dialog (call_id BLOB NOT NULL, local_tag BLOB NOT NULL,
 direction INTEGER NOT NULL, local BLOB NOT NULL, remote BLOB NOT NULL,
 remote_tag BLOB NOT NULL, local_uri BLOB NOT NULL, remote_uri BLOB NOT NULL,
 target BLOB NOT NULL, routes BLOB NOT NULL, event_id BLOB NOT NULL,
 local_cseq INTEGER NOT NULL, remote_cseq INTEGER NOT NULL,
 expires_ms INTEGER NOT NULL, is_active INTEGER NOT NULL,
 PRIMARY KEY (call_id, local_tag)) STRICT, WITHOUT ROWID;
INSERT INTO watch VALUES (1, CAST('romeo@sip.example' AS BLOB),
 CAST('juliet@xmpp.example' AS BLOB), 2, 1700, x'');
PRAGMA application_id = 1178944583;
PRAGMA user_version = 1;
"""


def test_a_store_of_the_release_before(source, path):
    """Its rows stay.  The edge has a later revision than the one that begins
    anew: it says so, and the next change is above it."""
    at_edge = edge_of(path)[1]
    source("stop", "gateway")
    store = pathlib.Path(source.env["LAB_STATE"], "gateway/store.db")
    store.unlink()
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.executescript(SCHEMA_1)
    source("start", "gateway")
    source("wait-channel")
    assert " from=1 to=2" in lines(source, "store_schema")[-1]
    assert " in=1 " in lines(source, "presence_restored")[-1]
    assert wire.status(path)[:2] == (1, "bootstrap")
    until = time.monotonic() + 5
    while edge_of(path)[1] != at_edge:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert edge_of(path)[2] != ""
    revision, _, _ = wire.apply(path, [described("anew.example", 1)])
    assert revision == at_edge + 1
    assert edge_of(path) == (True, revision, "")
