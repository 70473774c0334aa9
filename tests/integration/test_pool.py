"""Two gateways and two edges: one of them dies for good, and nothing is lost
nor out of order."""

import pathlib
import re
import subprocess
import time

import numbered
import pytest

COUNT = 2000
RATE = 150
USERS = [f"capulet{n}" for n in range(20)]


class Second:
    """One more daemon beside the lab's own, made of its configuration."""

    def __init__(self, lab, node, program, config, changes):
        folder = pathlib.Path(lab.env["LAB_STATE"]) / f"second-{program}"
        folder.mkdir(exist_ok=True)
        text = pathlib.Path(config).read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        text = text.replace("/admin.sock", "/second.sock")
        # it has no addresses of the other family
        text = re.sub(r', "\[[0-9a-f:]*\]:\d+"', "", text)
        path = folder / "config.yaml"
        path.write_text(text)
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", lab.namespace(node),
                 str(pathlib.Path(lab.env["LAB_BIN"]) / program),
                 "--config", str(path)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def wait_log(self, text, wait_s=10):
        until = time.monotonic() + wait_s
        while text not in self.log.read_text():
            assert time.monotonic() < until, \
                f"never logged {text}: {self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(10) == 0


def channel_identity(lab, own, name):
    """Changes of a configuration: its channel certificate."""
    lab("cert", "--channel", name)
    return [(f"pki/channel/{own}/", f"pki/channel/{name}/")]


def edit(path, old, new):
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))
    return text


@pytest.fixture
def second_gateway(lab):
    """gw2 beside gw1 on the edge."""
    name, own = "gw2.inside.example", "gw1.inside.example"
    edge = pathlib.Path(lab.env["LAB_EDGE_CONFIG"])
    before = edit(edge, f"gateways: [{own}]", f"gateways: [{own}, {name}]")
    lab("restart", "edge")
    lab("wait-channel")
    second = Second(
        lab, "inside", "fe-gateway", lab.env["LAB_GATEWAY_CONFIG"],
        [(own, name), (":5070", ":5075"), (":5071", ":5076"),
         ("gateway/store.db", "gateway/store2.db"),
         *channel_identity(lab, "gateway", name)])
    second.wait_log("event=chan_up")
    yield second
    second.stop()
    edge.write_text(before)
    lab("start", "gateway")
    lab("restart", "edge")
    lab("wait-channel")


def add_address(lab, beside, address):
    """To the interface of the DMZ's that has the other one."""
    found = lab("exec", "dmz", "ip", "-o", "-4", "addr").stdout
    link = next(line.split()[1] for line in found.splitlines()
                if f" {beside}/" in line)
    lab("exec", "dmz", "ip", "addr", "replace", f"{address}/24", "dev", link)


@pytest.fixture
def second_edge(lab):
    """edge2 beside edge1 for the gateway, with addresses of its own."""
    name, own = "edge2.dmz.example", "edge1.dmz.example"
    outer, inner = "198.51.100.2", "10.66.0.4"
    add_address(lab, "198.51.100.1", outer)
    add_address(lab, "10.66.0.1", inner)
    second = Second(
        lab, "dmz", "edge-proxy", lab.env["LAB_EDGE_CONFIG"],
        [(own, name), (lab.env["LAB_EDGE_OUTER_IP"] + ":", outer + ":"),
         (lab.env["LAB_CHANNEL"], f"{inner}:23456"),
         ("edge/federation.pb", "edge/federation2.pb"),
         *channel_identity(lab, "edge", name)])
    second.wait_log("event=started")
    gateway = pathlib.Path(lab.env["LAB_GATEWAY_CONFIG"])
    line = f'    - {{name: {own}, address: "{lab.env["LAB_CHANNEL"]}"}}\n'
    before = edit(gateway, line, line + f'    - {{name: {name}, '
                  f'address: "{inner}:23456"}}\n')
    lab("restart", "gateway")
    lab("wait-channel")
    second.wait_log("event=gateway peer=gw1.inside.example state=up")
    yield second
    second.stop()
    lab("start", "edge")
    gateway.write_text(before)
    lab("restart", "gateway")
    lab("wait-channel")


def settle(fates, senders, drain, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        drain()
        if not any(s.is_alive() for s in senders) and \
                not any(f.open() for f in fates):
            break
        time.sleep(0.05)
    drain()


def test_gateway_dies_for_good(lab, juliet, romeo, second_gateway,
                               record_property):
    for user in USERS:
        romeo.register(user)
    juliet.send("romeo@sip.example", "streams up")
    romeo.next_message()
    fate = numbered.Fate(COUNT)
    sender = numbered.XmppSender(
        juliet, [f"{u}@sip.example" for u in USERS], fate, RATE)

    def drain():
        numbered.drain_xmpp(juliet, sender, fate, numbered.Fate(0))
        numbered.drain_sip(romeo, fate)

    sender.start()
    while len(fate.sent) < COUNT // 3:
        drain()
        time.sleep(0.05)
    # so that it has some that it did not answer
    lab("fault", "freeze", "kamailio")
    time.sleep(0.3)
    lab("fault", "kill", "gateway")
    lab("fault", "thaw", "kamailio")
    settle([fate], [sender], drain, COUNT / RATE + 30)
    record_property("XMPP to SIP", fate.text())
    assert not fate.open(), fate.text()
    assert not fate.overtaken(len(USERS))
    assert len(fate.received) > COUNT * 0.8
    # both had users: the hash is over the names
    took = second_gateway.log.read_text().count("dir=to-sip")
    assert COUNT // 3 < took < COUNT


@pytest.fixture
def one_worker(lab):
    """Kamailio's two swap messages that come together, the more the busier
    the machine is."""
    path = pathlib.Path(lab.env["LAB_STATE"], "kamailio", "kamailio.cfg")
    before = edit(path, "\nchildren=2\n", "\nchildren=1\n")
    lab("restart", "kamailio")
    yield
    path.write_text(before)
    lab("restart", "kamailio")


def test_edge_dies_for_good(lab, one_worker, juliet, second_edge,
                            record_property):
    """The gateways give what it did not answer to the other one."""
    del one_worker
    fate = numbered.Fate(COUNT)
    sender = numbered.SipSender(
        lab.namespace("inside"), "mercutio", ("10.66.0.17", 5062),
        (lab.env["LAB_KAMAILIO_IP"], 5060), "sip:juliet@xmpp.example",
        fate, RATE)

    def drain():
        while not juliet.inbox.empty():
            stanza = juliet.inbox.get()
            fate.note(numbered.number_of(stanza["body"]))

    def owner():
        theirs = second_edge.log.read_text().count("dir=to-xmpp")
        return "second" if theirs > COUNT // 10 else "edge"

    sender.start()
    while len(fate.sent) < COUNT // 3:
        drain()
        time.sleep(0.05)
    if owner() == "second":
        second_edge.kill()
    else:
        lab("fault", "kill", "edge")
    settle([fate], [sender], drain, COUNT / RATE + 40)
    record_property("SIP to XMPP", fate.text())
    assert not fate.open(), fate.text()
    assert not [n for n in fate.accepted if n not in fate.received]
    assert not fate.overtaken(1)
    assert len(fate.received) > COUNT * 0.8
