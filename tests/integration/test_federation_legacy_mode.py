"""Legacy mode: both daemons on one perimeter host, a SIP federation peer of the
Access Edge over mutual TLS on port 5061, made of the documented example files.

The Access Edge is a Kamailio in the DMZ that takes SIP of the gateway only with
its certificate; the SIP users are behind it."""

import contextlib
import os
import pathlib
import re
import socket
import ssl
import subprocess
import time

import pytest

import netns
import pidf
from conftest import TOP, Lab, complaints
from pidf import one
from presence_people import roster_user
from presence_sip import PresenceUser
from xmpp_user import condition

HOST = "198.51.100.1"          # the perimeter host
ACCESS = "198.51.100.3"        # the Access Edge, its external interface
USERS = "198.51.100.4"         # SIP users behind it
GATEWAY, EDGE = "xmpp-gw.sip.example", "edge.xmpp-gw.sip.example"
# Whoever comes from the gateway's address must be the gateway.
GUARD = """request_route {
	if ($pr == "tls" && $tls_peer_subject_cn != "%s") {
		sl_send_reply("403", "Who are you");
		exit;
	}
"""


def replaced(text, *changes):
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


class Daemon:
    """In the DMZ, with a configuration of its own."""

    def __init__(self, place, name, config, *command):
        self.folder = place.state / name
        self.folder.mkdir()
        self.config = self.folder / "config"
        self.config.write_text(config)
        self.log = self.folder / "log"
        self.place, self.command = place, command
        self.process = None
        self._begin = 0     # of this life, in its log

    def start(self):
        self._begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.place.lab.namespace("dmz"),
                 *(str(self.config) if word == "CONFIG" else str(word)
                   for word in self.command)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def wait_log(self, pattern, wait_s=15):
        until = time.monotonic() + wait_s
        while not re.search(pattern, self.life()):
            assert time.monotonic() < until and self.process.poll() is None, \
                f"never {pattern}: {self.life()[-2000:]}"
            time.sleep(0.05)
        return self

    def life(self):
        """What it has logged since its last start."""
        return self.log.read_bytes()[self._begin:].decode(errors="replace")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(15) == 0
        self.process = None


class Place:
    """The perimeter of an organization whose gateway was one box."""

    def __init__(self):
        self.lab = Lab(f"oldmode{os.getpid()}", LAB_PARTS="dns prosody")
        self.daemons = []

    def up(self):
        self.lab.up()
        self.state = pathlib.Path(self.lab.env["LAB_STATE"])
        for address in (ACCESS, USERS):
            self.add_address(address)
        self.access = self.daemon(
            "access", self.access_config(), "kamailio", "-DD", "-E", "-m",
            "64", "-M", "8", "-f", "CONFIG", "-Y", self.state / "access",
            "-w", self.state / "access")
        self.edge = self.daemon("legacy-edge", self.edge_config(),
                                self.program("edge-proxy"), "--config",
                                "CONFIG")
        self.gateway = self.daemon("legacy-gateway", self.gateway_config(),
                                   self.program("fe-gateway"), "--config",
                                   "CONFIG")
        return self.start()

    def program(self, name):
        return pathlib.Path(self.lab.env["LAB_BIN"]) / name

    def daemon(self, *words):
        made = Daemon(self, *words)
        self.daemons.append(made)
        return made

    def add_address(self, address):
        self.lab("exec", "dmz", "ip", "addr", "replace", f"{address}/24",
                 "dev", "outer")

    def certificate(self, name):
        """Folder of a certificate of the channel's CA."""
        self.lab("cert", "--channel", name)
        return f"{self.state}/pki/channel/{name}"

    def access_config(self):
        template = (TOP / "deploy/demo/templates/kamailio.cfg.in").read_text()
        text = replaced(
            template, (r"^10\.66\.0\.[0-9]+$", r"^198\.51\.100\.[0-9]+$"),
            ("@WAY_TO_GATEWAY@", f"sip:{HOST}:5061;transport=tls"),
            ("@LAB_STATE@/pki/channel/kamailio",
             self.certificate("access.sip.example")),
            ('alias="@LAB_SIP_DOMAIN@"', 'alias="@LAB_SIP_DOMAIN@"\n'
             'alias="access.sip.example"'),
            ("request_route {\n", GUARD % GATEWAY))
        # a registrar and proxy, without the presence server
        text = re.sub(r'^loadmodule "(ctl|db_|presence)[a-z_]*\.so"\n', "",
                      text, flags=re.M)
        text = re.sub(r'^modparam\("(ctl|db_sqlite|presence|presence_xml)".*\n',
                      "", text, flags=re.M)
        text = re.sub(r"\tif \(is_method\(\"PUBLISH\"\)\) handle_publish.*\n"
                      r"\telse handle_subscribe.*\n", "", text)
        values = {"LAB_KAMAILIO_SIP": f"{ACCESS}:5060",
                  "LAB_KAMAILIO_SIPS": f"{ACCESS}:5061",
                  "LAB_KAMAILIO_IP": ACCESS, "LAB_STATE": str(self.state),
                  "LAB_SIP_DOMAIN": "sip.example",
                  "LAB_CHANNEL_CA": f"{self.state}/pki/channel-ca.pem"}
        return re.sub(r"@(\w+)@", lambda m: values[m[1]], text)

    def example(self, daemon, name):
        """The documented file with the lab's paths in it."""
        text = (TOP / f"deploy/examples/legacy-mode-{daemon}.conf").read_text()
        return replaced(
            text, (f"/etc/{daemon}/channel-ca.pem",
                   f"{self.state}/pki/channel-ca.pem"),
            (f"/etc/{daemon}/channel.pem",
             f"{self.certificate(name)}/chain.pem"),
            (f"/etc/{daemon}/channel.key",
             f"{self.certificate(name)}/key.pem"),
            (f"/run/{daemon}/", f"{self.state}/legacy-{daemon[:4]}-"))

    def edge_config(self):
        domain = f"{self.state}/pki/domains/sip.example"
        return replaced(
            self.example("edge-proxy", EDGE),
            ("/etc/ssl/certs/ca-certificates.crt", self.lab.env["LAB_CA"]),
            ("/etc/edge-proxy/sip.example.pem", f"{domain}/chain.pem"),
            ("/etc/edge-proxy/sip.example.key", f"{domain}/key.pem"),
            ("/var/lib/edge-proxy/", f"{self.state}/legacy-"),
            ("channel:\n", 'dns: {servers: ["198.51.100.53"]}\nchannel:\n'))

    def gateway_config(self):
        sip = self.certificate(GATEWAY)
        federation = self.state / "legacy-federation.yaml"
        federation.write_text((TOP / "deploy/demo/templates/"
                               "federation.yaml.in").read_text())
        return replaced(
            self.example("fe-gateway", GATEWAY),
            ("/etc/fe-gateway/sip.pem", f"{sip}/chain.pem"),
            ("/etc/fe-gateway/sip.key", f"{sip}/key.pem"),
            ("/etc/fe-gateway/sip-ca.pem", f"{self.state}/pki/channel-ca.pem"),
            ("/etc/fe-gateway/federation.yaml", str(federation)),
            ("/var/lib/fe-gateway/", f"{self.state}/legacy-"))

    def start(self):
        self.access.start()
        self.edge.start().wait_log("event=started")
        self.gateway.start().wait_log("event=chan_up")
        with netns.inside(self.lab.namespace("dmz")):
            until = time.monotonic() + 10
            while time.monotonic() < until:
                with socket.socket() as probe:
                    if probe.connect_ex((ACCESS, 5061)) == 0:
                        return self
                time.sleep(0.1)
        raise AssertionError(self.access.log.read_text()[-2000:])

    def down(self):
        """Whatever fails: the lab is gone."""
        with contextlib.ExitStack() as at_last:
            at_last.callback(self.lab, "down")
            for daemon in self.daemons:
                at_last.callback(daemon.stop)

    def complaints(self):
        """Of our daemons, in all their lives; they are stopped."""
        found = []
        for daemon in (self.gateway, self.edge):
            daemon.stop()
            found += complaints(daemon.folder.name,
                                daemon.log.read_text(errors="replace"))
        return found

    def presence_user(self, name, port):
        return PresenceUser(self.lab.namespace("dmz"), name, USERS, port,
                            (ACCESS, 5060))


@pytest.fixture(scope="module")
def place():
    there = Place()
    try:
        yield there.up()
        assert there.complaints() == []
    finally:
        there.down()


@pytest.fixture(scope="module")
def romeo(place):
    user = place.presence_user("romeo", 5062)
    yield user.register(headers=["Allow-Events: presence"])
    user.close()


@pytest.fixture(scope="module")
def juliet(place):
    user = roster_user(place.lab, "juliet@xmpp.example")
    yield user
    user.close()


def test_nothing_but_tls_and_xmpp_is_open(place):
    """5061 for SIP, 5269 and 5270 for XMPP, the channel on loopback."""
    found = place.lab("exec", "dmz", "ss", "-Hlntp").stdout
    pids = {str(d.process.pid) for d in (place.edge, place.gateway)}
    ours = {line.split()[3] for line in found.splitlines()
            if re.search(r"pid=(\d+)", line)
            and re.search(r"pid=(\d+)", line)[1] in pids}
    assert ours == {f"{HOST}:5061", f"{HOST}:5269", f"{HOST}:5270",
                    "127.0.0.1:23456"}


def test_message_both_ways(place, romeo, juliet):
    assert romeo.message("sip:juliet@xmpp.example", "Neither").status == 200
    assert juliet.next_message()["body"] == "Neither"
    juliet.send(romeo.jid, "Art thou not Romeo?")
    got = romeo.next_message()
    assert got.body == "Art thou not Romeo?"
    assert f"SIP/2.0/TLS {HOST}" in ", ".join(got.all("Via"))
    # who dials the gateway without this name is refused: see below
    place.gateway.wait_log(r"event=sip_tls_peer dir=out ip=198\.51\.100\.3 "
                           r".*name=access\.sip\.example")


def test_presence_both_ways(place, romeo, juliet):
    romeo.policy.body = pidf.document(romeo.uri, one("ID-desk"))
    juliet.subscribe(romeo.jid)
    watched = romeo.next_subscriber()
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("", "")})
    watched.notify("active", pidf.document(romeo.uri,
                                           one("ID-desk", show="away")))
    juliet.wait_view(romeo.jid, {f"{romeo.jid}/desk": ("away", "")})
    watch = romeo.watch("sip:juliet@xmpp.example")
    juliet.wait_type(romeo.jid, "subscribe")
    juliet.approve(romeo.jid)
    watch.wait_there({"ID-test": ("open", "", "")})
    assert watch.subscribe(0).status == 200
    juliet.remove(romeo.jid)
    watched.wait_ended()


def dial(place, certificate):
    """What the gateway says to one who dials 5061 and sends a message."""
    context = ssl.create_default_context(
        cafile=f"{place.state}/pki/channel-ca.pem")
    if certificate:
        folder = place.certificate(certificate)
        context.load_cert_chain(f"{folder}/chain.pem", f"{folder}/key.pem")
    text = (f"MESSAGE sip:juliet@xmpp.example SIP/2.0\r\n"
            f"Via: SIP/2.0/TLS {HOST}:9;branch=z9hG4bKdial;rport\r\n"
            "From: <sip:romeo@sip.example>;tag=x\r\n"
            "To: <sip:juliet@xmpp.example>\r\n"
            f"Call-ID: {certificate}\r\nCSeq: 1 MESSAGE\r\n"
            "Max-Forwards: 70\r\nContent-Type: text/plain\r\n"
            "Content-Length: 5\r\n\r\nhello")
    with netns.inside(place.lab.namespace("dmz")):
        plain = socket.create_connection((HOST, 5061), 10)
    with plain:
        try:
            with context.wrap_socket(plain, server_hostname=GATEWAY) as tls:
                tls.sendall(text.encode())
                return tls.recv(4096).decode()
        except (ssl.SSLError, ConnectionError):
            return ""


def test_who_dials_needs_the_access_edges_certificate(place, juliet):
    assert dial(place, "access.sip.example").startswith("SIP/2.0 200 ")
    assert juliet.next_message()["body"] == "hello"
    # another one of the same CA, and none
    assert dial(place, "other.sip.example") == ""
    place.gateway.wait_log(r"event=sip_tls_refused dir=in .*"
                           r"name=other\.sip\.example")
    assert dial(place, None) == ""
    with pytest.raises(AssertionError):
        juliet.next_message(1)


def other_certificate(daemon, old, new, started):
    text = daemon.config.read_text()
    daemon.stop()
    daemon.config.write_text(replaced(text, (old, new)))
    daemon.start()
    started()
    return text


def test_an_access_edge_with_another_certificate_gets_nothing(place, romeo,
                                                              juliet):
    """What is dialled must be what the next hop says."""
    other = place.certificate("impostor.sip.example")
    right = place.certificate("access.sip.example")

    def up():
        romeo.register(headers=["Allow-Events: presence"])
    before = other_certificate(place.access, right, other,
                               lambda: time.sleep(2))
    try:
        up()
        juliet.send(romeo.jid, "never")
        assert condition(juliet.next_message())[0] == "remote-server-timeout"
        place.gateway.wait_log(r"event=sip_tls_refused dir=out .*"
                               r"name=impostor\.sip\.example")
        assert romeo.inbox.empty()
    finally:
        place.access.stop()
        place.access.config.write_text(before)
        place.access.start()
        time.sleep(2)
    up()
    assert romeo.message("sip:juliet@xmpp.example", "again").status == 200
    assert juliet.next_message()["body"] == "again"


def test_a_gateway_with_another_certificate_gets_nothing(place, romeo, juliet):
    """The Access Edge knows its peers by name."""
    other = place.certificate("impostor.sip.example")
    right = place.certificate(GATEWAY)
    text = place.gateway.config.read_text()

    def up():
        place.gateway.wait_log("event=chan_up")
    place.gateway.stop()
    place.gateway.config.write_text(replaced(
        text, (f"  certificate: {right}/chain.pem\n    key",
               f"  certificate: {other}/chain.pem\n    key"),
        (f"{other}/chain.pem\n    key: {right}/key.pem",
         f"{other}/chain.pem\n    key: {other}/key.pem")))
    place.gateway.start()
    try:
        up()
        juliet.send(romeo.jid, "never")
        assert condition(juliet.next_message())[0] == "forbidden"
        assert romeo.inbox.empty()
    finally:
        place.gateway.stop()
        place.gateway.config.write_text(text)
        place.gateway.start()
        up()
    juliet.send(romeo.jid, "back")
    assert romeo.next_message().body == "back"
