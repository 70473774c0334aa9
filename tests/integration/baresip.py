"""baresip as a SIP user with presence, in the lab's inside: no audio, its
commands over TCP.

It subscribes to each contact that has presence=p2p and, when told that it is
online or offline, says so to whoever subscribed to it.
"""

import contextlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

import netns

COMMANDS_PORT = 4444
CONFIG = """poll_method epoll
sip_listen {ip}:5062
module_path {modules}
module g711.so
module_app account.so
module_app contact.so
module_app presence.so
module_app menu.so
module ctrl_tcp.so
ctrl_tcp_listen {ip}:{port}
"""
ACCOUNT = ('<sip:{user}@sip.example;transport={transport}>;auth_pass=none;'
           'outbound="sip:{proxy};transport={transport}";regint=3600\n')
CONTACT = '"{name}" <sip:{uri}>;presence=p2p\n'
# in what the command "contacts" prints, without its colours
LINE = re.compile(r"^>?\s*(\w+) .*<sip:([^>]+)>", re.M)
COLOURS = re.compile("\x1b\\[[0-9;]*m")


class Baresip:
    """user@sip.example at ip, watching those addresses."""

    def __init__(self, lab, user, last_octet, contacts, transport="udp"):
        self.jid = f"{user}@sip.example"
        self.uri = f"sip:{self.jid}"
        self._namespace = lab.namespace("inside")
        self._ip = f"10.66.0.{last_octet}"
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="baresip-"))
        self._write("config", CONFIG.format(
            ip=self._ip, port=COMMANDS_PORT, modules="/usr/lib/baresip/modules"))
        self._write("accounts", ACCOUNT.format(
            user=user, proxy=f"{lab.env['LAB_KAMAILIO_IP']}:5060",
            transport=transport))
        self._write("contacts", "".join(
            CONTACT.format(name=c.partition("@")[0], uri=c) for c in contacts))
        self._connection = None
        self.start()

    def _write(self, name, text):
        (self._folder / name).write_text(text)

    def start(self):
        """And wait until it has registered."""
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self._namespace, "baresip",
                 "-f", str(self._folder)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        self._until(self._connect, "takes commands")
        self._until(lambda: "OK" in self.command("reginfo"), "registers")

    def _until(self, condition, what, wait_s=15):
        until = time.monotonic() + wait_s
        while not condition():
            assert self._process.poll() is None and time.monotonic() < until, \
                f"baresip never {what}:\n{(self._folder / 'log').read_text()}"
            time.sleep(0.05)

    def _connect(self):
        with contextlib.suppress(OSError), netns.inside(self._namespace):
            self._connection = socket.create_connection(
                (self._ip, COMMANDS_PORT), timeout=10)
            self._reader = self._connection.makefile("rb")
            return True
        return False

    def _receive(self):
        """One netstring."""
        size = b""
        while not size.endswith(b":"):
            byte = self._reader.read(1)
            assert byte, "baresip has gone"
            size += byte
        return json.loads(self._reader.read(int(size[:-1]) + 1)[:-1])

    def command(self, name, params="", must_work=True):
        """What it answers; events on the way are dropped."""
        text = json.dumps({"command": name, "params": params, "token": name})
        data = text.encode()
        self._connection.sendall(b"%d:%s," % (len(data), data))
        while True:
            answer = self._receive()
            if answer.get("response") and answer.get("token") == name:
                if not must_work and not answer["ok"]:
                    return None
                assert answer["ok"], answer
                return COLOURS.sub("", answer["data"])

    def contacts(self):
        """{address: Online, Offline, Busy or Unknown}."""
        return {uri: state for state, uri in
                LINE.findall(self.command("contacts"))}

    def wait_contact(self, address, state, wait_s=15):
        until = time.monotonic() + wait_s
        while self.contacts().get(address) != state:
            assert time.monotonic() < until, \
                f"{address} is not {state} but {self.contacts()}"
            time.sleep(0.1)

    def _is(self, state):
        # 1.0 has a command for each, 1.1 has one for both
        if self.command(f"presence_{state}", must_work=False) is None:
            self.command("presence", state)

    def online(self):
        self._is("online")

    def offline(self):
        self._is("offline")

    def quit(self):
        """In order: it ends its subscriptions and registration."""
        self.command("quit")
        self._process.wait(10)

    def kill(self):
        """With no last word; start() again."""
        subprocess.run(["pkill", "-KILL", "-P", str(self._process.pid)],
                       check=False)
        self._process.kill()
        self._process.wait(10)

    def close(self):
        if self._connection is not None:
            self._connection.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self._folder)
