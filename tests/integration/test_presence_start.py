"""The gateway and the file of its subscriptions: what cannot be used is one
sentence and a start that fails; what can is found again after any end."""

import contextlib
import pathlib
import sqlite3
import stat

import pytest


def config(lab):
    return pathlib.Path(lab.env["LAB_GATEWAY_CONFIG"])


def store(lab):
    return pathlib.Path(lab.env["LAB_STATE"], "gateway/store.db")


def start_with(lab, tmp_path, path):
    """A second gateway, on other ports."""
    text = config(lab).read_text()
    assert str(store(lab)) in text
    file = tmp_path / "gateway.conf"
    text = text.replace(":5070", ":5075").replace(":5071", ":5076")
    file.write_text(text.replace(str(store(lab)), str(path)))
    return lab("exec", "inside", f"{lab.env['LAB_BIN']}/fe-gateway",
               "--config", str(file), check=False)


def test_file_in_use(lab, tmp_path):
    done = start_with(lab, tmp_path, store(lab))
    assert done.returncode == 1
    assert "event=start_failed" in done.stderr
    assert "another process has it open" in done.stderr


def newer(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA application_id = 0x46454447;"
                         "PRAGMA user_version = 7; CREATE TABLE t (x)")


def damaged(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA application_id = 0x46454447;"
                         "CREATE TABLE t (x);"
                         "INSERT INTO t VALUES (zeroblob(9000))")
    path.write_bytes(path.read_bytes()[:4096])


def other(path):
    path.write_bytes(b"words " * 100)


@pytest.mark.parametrize("make,words", [
    (newer, "was made by a newer program (schema 7, this one knows 2)"),
    (damaged, "is damaged"),
    (other, "is not a database"),
], ids=lambda x: getattr(x, "__name__", ""))
def test_file_that_cannot_be_used(lab, tmp_path, make, words):
    path = tmp_path / "store.db"
    make(path)
    before = path.read_bytes()
    done = start_with(lab, tmp_path, path)
    assert done.returncode == 1
    assert f'why="{path}: {words}' in done.stderr
    assert path.read_bytes() == before


def test_folder_that_is_not_there(lab, tmp_path):
    done = start_with(lab, tmp_path, tmp_path / "nowhere/store.db")
    assert done.returncode == 2
    assert "store.path: " in done.stderr


def test_killed_and_stopped(lab):
    """Killed, it leaves a log that the next one reads; stopped, it does not."""
    log = store(lab).with_name("store.db-wal")
    assert stat.S_IMODE(store(lab).stat().st_mode) == 0o600
    lab("fault", "kill", "gateway")
    lab("start", "gateway")
    lab("wait-channel")
    lab("stop", "gateway")
    assert not log.exists()
    lab("start", "gateway")
    lab("wait-channel")
    assert "start_failed" not in lab.log("gateway")
