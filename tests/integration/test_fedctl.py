"""What an operator types while the daemons run: output, JSON, exit codes."""

import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
NOWHERE = "198.51.100.59"


def columns(text):
    """A table as a list of dictionaries by its heads."""
    lines = text.splitlines()
    split = re.compile(r" {2,}")
    heads = split.split(lines[0].strip())
    return [dict(zip(heads, split.split(line.strip()), strict=True))
            for line in lines[1:]]


# ---- what is shown ---------------------------------------------------------

DAEMONS = {"gateway": ("fe-gateway", "gw1.inside.example"),
           "edge": ("edge-proxy", "edge1.dmz.example")}


@pytest.mark.parametrize("service", DAEMONS)
def test_version(fedctl, service):
    program, instance = DAEMONS[service]
    text = fedctl(service, "show", "version").stdout
    assert re.fullmatch(program + r" \d+\.\d+\.\d+\ninstance  " + instance +
                        r"\nchannel   version 1\nup        \d.*\n", text)
    first = fedctl.json(service, "show", "version")
    assert first["program"] == program and first["instance"] == instance
    time.sleep(0.05)
    second = fedctl.json(service, "show", "version")
    assert second["uptime_ms"] > first["uptime_ms"] > 0


@pytest.mark.parametrize("service", DAEMONS)
def test_counters(fedctl, romeo, juliet, service):
    before = fedctl.json(service, "show", "counters")
    assert romeo.message("sip:juliet@xmpp.example", "counted").status == 200
    juliet.next_message()
    after = fedctl.json(service, "show", "counters")
    assert set(before) == set(after)
    assert after["delivered"] >= before["delivered"] + (service == "gateway")
    assert after["channel_frames_in"] > before["channel_frames_in"]
    assert after["admin_requests"] == before["admin_requests"] + 1
    table = columns(fedctl(service, "show", "counters").stdout)
    assert [row["COUNTER"] for row in table] == list(after)
    assert all(row["MEANING"] != "-" for row in table)
    assert max(map(len, fedctl(service, "show",
                               "counters").stdout.splitlines())) < 80


@pytest.mark.parametrize("service", DAEMONS)
def test_channels(lab, fedctl, service):
    other = {"gateway": "edge", "edge": "gateway"}[service]
    channel, = fedctl.json(service, "show", "channels")
    assert channel["peer"] == DAEMONS[other][1]
    assert channel["state"] == "open" and channel["up_ms"] > 0
    assert channel["outstanding"] == channel["owed"] == 0
    row, = columns(fedctl(service, "show", "channels").stdout)
    assert row["PEER"] == channel["peer"] and row["STATE"] == "open"
    assert row["ADDRESS"] == channel["address"]
    if service == "gateway":
        assert channel["address"] == lab.env["LAB_CHANNEL"]


def test_channel_that_is_down(lab, fedctl):
    lab("stop", "edge")
    try:
        until = time.monotonic() + 10
        while True:
            channel, = fedctl.json("gateway", "show", "channels")
            if channel["state"] in ("closed", "broken"):
                break
            assert time.monotonic() < until, channel
            time.sleep(0.05)
        assert channel["up_ms"] == 0
        row, = columns(fedctl("gateway", "show", "channels").stdout)
        assert row["UP"] == "-"
    finally:
        lab("start", "edge")
        lab("wait-channel")


def test_streams(fedctl, romeo, juliet, newest_tls):
    assert romeo.message("sip:juliet@xmpp.example", "one").status == 200
    juliet.next_message()
    juliet.send("romeo@sip.example", "two")
    romeo.next_message()
    streams = [s for s in fedctl.json("edge", "show", "streams")
               if s["peer"] == "xmpp.example" and s["state"] == "open"]
    assert {s["direction"] for s in streams} <= {"in", "out"}
    assert sum(s["stanzas_out"] for s in streams) >= 1
    assert sum(s["stanzas_in"] for s in streams) >= 1
    for stream in streams:
        assert stream["local"] == "sip.example"
        assert stream["mechanism"] in ("external", "dialback")
        assert stream["tls_version"] == newest_tls
        assert stream["tls_cipher"].startswith("TLS")
        assert stream["address"] and stream["age_ms"] >= 0
    rows = {int(row["ID"]): row
            for row in columns(fedctl("edge", "show", "streams").stdout)}
    for stream in streams:
        row = rows[stream["id"]]
        assert row["DIR"] == stream["direction"]
        assert row["PEER"] == "xmpp.example"
        assert row["AUTH"] == stream["mechanism"]
    wrong = fedctl("gateway", "show", "streams", status=1)
    assert "edge" in wrong.stderr and wrong.stdout == ""
    assert "edge" in fedctl("gateway", "show", "queues", status=1).stderr
    # not the begin of a document
    assert fedctl("gateway", "--json", "show", "queues",
                  status=1).stdout == ""


def test_queues(lab, fedctl, romeo):
    """A domain whose server does not answer."""
    assert fedctl("edge", "show", "queues").stdout == "no queue\n"
    assert fedctl.json("edge", "show", "queues") == []
    lab("dns", "add", f"slow.example. 60 IN A {NOWHERE}")
    lab("fault", "cut", "edge", NOWHERE)
    waits = threading.Thread(
        target=romeo.message, args=("sip:nobody@slow.example", "waits"))
    waits.start()
    try:
        until = time.monotonic() + 10
        queues = []
        while not queues:
            assert time.monotonic() < until
            time.sleep(0.05)
            queues = fedctl.json("edge", "show", "queues")
        queue, = queues
        assert queue["local"] == "sip.example"
        assert queue["peer"] == "slow.example"
        assert queue["stanzas"] == 1 and queue["bytes"] > 50
        row, = columns(fedctl("edge", "show", "queues").stdout)
        assert row["PEER"] == "slow.example" and row["STANZAS"] == "1"
        row, = [s for s in fedctl.json("edge", "show", "streams")
                if s["peer"] == "slow.example"]
        assert row["state"] == "connecting" and row["mechanism"] is None
    finally:
        waits.join(40)
        lab("fault", "heal")
        lab("dns", "remove", "slow.example.")
    assert fedctl.json("edge", "show", "queues") == []


@pytest.mark.parametrize("service", DAEMONS)
def test_log_level(lab, fedctl, romeo, juliet, service):
    def lines_of_a_message():
        before = len(lab.log(service))
        assert romeo.message("sip:juliet@xmpp.example", "x").status == 200
        juliet.next_message()
        return lab.log(service)[before:]

    assert "event=delivery" in lines_of_a_message()
    try:
        said = fedctl(service, "log", "warn").stdout
        assert said == "the log's level is warn now\n"
        assert "event=delivery" not in lines_of_a_message()
    finally:
        assert fedctl.json(service, "log", "debug") == {"level": "debug"}
    assert "event=delivery" in lines_of_a_message()
    lab.wait_log(service, r"event=admin_request uid=0 pid=\d+ "
                          r"request=log-level target=warn\n")


# ---- the command line ------------------------------------------------------

# What examples read before they ask a daemon.
FILES = {"federation.yaml": (TOP / "deploy/examples/federation.conf"
                             ).read_text(),
         "TGWConsoleGUI.dll.config": "<configuration/>"}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_help(fedctl):
    text = fedctl("gateway", "help").stdout
    assert fedctl("gateway", "--help").stdout == text
    commands = fedctl.commands()
    assert {"show version", "log", "explain", "map", "test im", "status",
            "migrate verify"} <= set(commands)
    for name, example in commands.items():
        one = fedctl("gateway", "help", *name.split()).stdout
        assert one.startswith(f"fedctl {name}"), name
        assert example[:len(name.split())] == name.split()
        text += one
    assert max(map(len, text.splitlines())) < 80
    group = fedctl("gateway", "help", "presence").stdout
    assert len(group.splitlines()) == 3 and group in text
    assert re.match(r"fedctl \d+\.\d+\.\d+\n",
                    fedctl("gateway", "--version").stdout)


def test_the_man_page_knows_all_commands(fedctl):
    """And no others."""
    page = (TOP / "deploy/man/fedctl.1").read_text()
    written = re.findall(
        r"^\.It (?:Xo )?Cm ([a-z]+(?: [a-z]+)*)(?= [A-Z]|$)", page, re.M)
    assert set(written) - {"help"} == set(fedctl.commands())


def test_no_command_without_a_daemon(fedctl, folder):
    path = folder / "admin.sock"
    for name, example in fedctl.commands().items():
        done = fedctl("gateway", "--socket", str(path), *example, status=3,
                      cwd=folder)
        assert str(path) in done.stderr and done.stdout == "", name


def test_asked_of_an_edge(fedctl, folder):
    """What only a gateway can do says so, as its help does."""
    asked = [(name, example) for name, example in fedctl.commands().items()
             if "Only a gateway can do this" in
             fedctl("gateway", "help", *name.split()).stdout]
    assert len(asked) > 40
    for name, example in asked:
        for words in (example, [w for w in example if w != "--dry-run"]):
            done = fedctl("edge", *words, status=1, cwd=folder)
            assert "gateway" in done.stderr and done.stdout == "", name


WRONG = [
    ([], "usage: fedctl"),
    (["dance"], '"dance" is no command; "fedctl help" lists them'),
    (["show", "streems"], 'did you mean "show streams"?'),
    (["shw", "version"], 'did you mean "show version"?'),
    (["show"], '"show" goes on with version, counters'),
    (["presence", "sho", "x@y"], 'did you mean "presence show USER"?'),
    (["presence", "show"],
     "USER is missing, as in: fedctl presence show juliet@xmpp.example"),
    (["log"], "LEVEL is missing, as in: fedctl log debug"),
    (["log", "chatty"], "error, warn, info or debug is expected"),
    (["show", "version", "now"], '"now" is one word too many'),
    (["presence", "show", ""], "an address such as juliet@xmpp.example"),
    (["--jsn", "show", "version"], "--jsn is no option; did you mean --json?"),
    (["show", "version", "--frobnicate"],
     '--frobnicate is no option; "fedctl help show version" lists them'),
    (["--frobnicate"], '--frobnicate is no option; "fedctl help" lists them'),
    (["shw"], '"shw" is no command; "show" goes on with version, counters'),
    (["log", "wran"], 'is expected; did you mean "warn"?'),
    (["--socket"], "--socket: a value is missing"),
    (["help", "dance"], '"dance" is no command'),
]


@pytest.mark.parametrize("words,said", WRONG)
def test_usage(fedctl, words, said):
    done = fedctl("gateway", *words, status=2)
    assert said in done.stderr
    assert done.stdout == ""


def test_options_stand_anywhere(lab, fedctl):
    path = lab.env["LAB_EDGE_ADMIN"]
    for words in (["--socket", path, "show", "version", "--json"],
                  ["show", "--json", "version", f"--socket={path}"]):
        done = fedctl("gateway", *words)
        assert json.loads(done.stdout)["version"]["program"] == "edge-proxy"


def test_an_answer_that_cannot_be_written(fedctl):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = fedctl("gateway", "show", "counters", status=1,
                      capture_output=False, stdout=full,
                      stderr=subprocess.PIPE)
    assert "cannot write the answer" in done.stderr


def test_a_closed_output(lab, fedctl):
    """The socket does not become what the answer is written to."""
    before = lab.log("gateway").count("event=admin_refused")
    done = fedctl("gateway", "show", "counters", status=1,
                  capture_output=False, stderr=subprocess.PIPE,
                  preexec_fn=lambda: os.close(1))
    assert "cannot write the answer" in done.stderr
    assert lab.log("gateway").count("event=admin_refused") == before


# ---- no daemon -------------------------------------------------------------

def unreachable(fedctl, path, said):
    done = fedctl("gateway", "--socket", str(path), "show", "version",
                  status=3)
    assert done.stdout == ""
    assert said in done.stderr
    return done.stderr


def test_no_socket(fedctl, tmp_path):
    path = tmp_path / "admin.sock"
    text = unreachable(fedctl, path, str(path))
    assert "systemctl status fe-gateway" in text


def test_dead_socket(fedctl, tmp_path):
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert "Connection refused" in unreachable(fedctl, path, str(path))


def test_not_allowed(lab, fedctl):
    path = lab.env["LAB_GATEWAY_ADMIN"]
    program = pathlib.Path(lab.env["LAB_BIN"]) / "fedctl"
    copy = pathlib.Path("/tmp") / f"fedctl-{lab.name}"
    copy.write_bytes(program.read_bytes())
    copy.chmod(0o755)
    try:
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             str(copy), "--socket", path, "show", "version"],
            capture_output=True, text=True, timeout=20)
    finally:
        copy.unlink()
    assert done.returncode == 3, done
    assert "only root and members of the daemon's group" in done.stderr


class Impostor(threading.Thread):
    """Somebody else at the socket, who says that to one client."""

    def __init__(self, path, says, stays_s=0):
        super().__init__(daemon=True)
        self.says, self.stays_s = says, stays_s
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        with client, self.listener:
            client.recv(1000)
            client.sendall(self.says)
            time.sleep(self.stays_s)


def test_a_daemon_that_goes_away(fedctl, tmp_path):
    Impostor(tmp_path / "s", b"\0\0")
    unreachable(fedctl, tmp_path / "s", "the daemon closed the connection")


def test_a_daemon_that_says_nothing(fedctl, tmp_path):
    Impostor(tmp_path / "s", b"", stays_s=15)
    unreachable(fedctl, tmp_path / "s", "says nothing for 10 seconds")


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 no", b"\0\0\0\x02\xff\xff"])
def test_a_daemon_of_another_kind(fedctl, tmp_path, says):
    Impostor(tmp_path / "s", says)
    done = fedctl("gateway", "--socket", str(tmp_path / "s"), "show",
                  "version", status=1)
    assert "is no answer" in done.stderr


@pytest.mark.parametrize("service", DAEMONS)
def test_the_socket_comes_and_goes(lab, fedctl, service):
    path = pathlib.Path(lab.env[f"LAB_{service.upper()}_ADMIN"])
    assert path.stat().st_mode & 0o7777 == 0o660
    lab("fault", "kill", service)
    assert path.exists()
    assert fedctl(service, "show", "version", status=3)
    lab("start", service)
    fedctl(service, "show", "version")
    lab("stop", service)
    assert not path.exists()
    lab("start", service)
    lab("wait-channel")
    fedctl(service, "show", "version")


def test_lab_exec_knows_the_sockets(lab):
    for node, program in (("inside", "fe-gateway"), ("dmz", "edge-proxy")):
        text = lab("exec", node, "fedctl", "show", "version").stdout
        assert text.startswith(program)
