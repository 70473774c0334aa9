"""The lab for the tests: one per run, under a name of its own."""

import itertools
import os
import pathlib
import re
import subprocess
import time

import pytest

from presence_people import roster_user
from presence_peer import PresencePeer
from presence_sip import PresenceUser
from federation_rules import Rules
from fedctl import Fedctl
from sip_user import SipUser
from xmpp_user import XmppUser

TOP = pathlib.Path(__file__).resolve().parents[2]
LAB = TOP / "deploy/demo/lab"


# What takes long begins first, so that the labs end at about the same time.
LONG = ["test_crash", "test_presence_crash", "test_presence_time", "test_rogue",
        "test_gateway", "test_presence_vectors", "test_torture",
        "test_streams", "test_peers", "test_pool", "test_reach", "test_bench"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem)
               if item.path.stem in LONG else len(LONG))


def complaints(name, text):
    """Lines of a daemon's log that are never in order."""
    marks = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:"
                       r"|event=broken_invariant|event=abort")
    return [f"{name}: {line}" for line in text.splitlines()
            if marks.search(line)]


def context_switches(pid):
    """Of all its threads, voluntary or not."""
    return sum(int(count)
               for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status")
               for count in re.findall(r"ctxt_switches:\s+(\d+)",
                                       status.read_text()))


class Lab:
    """deploy/demo/lab under one name."""

    def __init__(self, name, **settings):
        self.name = name
        self.environ = {**os.environ, "LAB": name, **settings}
        self.env = {}

    def __call__(self, *words, check=True):
        done = subprocess.run([str(LAB), *words], text=True, cwd=TOP,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              env=self.environ)
        if check and done.returncode != 0:
            raise AssertionError(f"lab {' '.join(words)}: {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def popen(self, *words):
        """A lab command that goes on; text in its stdin and stdout."""
        return subprocess.Popen([str(LAB), *words], text=True, cwd=TOP,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                env=self.environ)

    def up(self):
        self("up")
        self.env = dict(re.findall(r"^export (\w+)=['\"]?(.*?)['\"]?$",
                                   self("env").stdout, re.M))
        return self

    def edit(self, service, old, new):
        """Another text in a daemon's configuration, and a restart."""
        path = pathlib.Path(self.env[f"LAB_{service.upper()}_CONFIG"])
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        self("restart", service)
        self("wait-channel")

    def namespace(self, node):
        return f"{self.name}-{node}"

    def log(self, service):
        path = pathlib.Path(self.env[f"LAB_{service.upper()}_LOG"])
        return path.read_text(errors="replace")

    def wait_log(self, service, pattern, wait_s=10):
        """First match of the pattern in the service's log."""
        until = time.monotonic() + wait_s
        while True:
            match = re.search(pattern, self.log(service))
            if match:
                return match
            if time.monotonic() > until:
                raise AssertionError(f"{service} never logged {pattern}")
            time.sleep(0.05)


    def pid(self, service):
        return int(pathlib.Path(self.env["LAB_STATE"], service,
                                "pid").read_text())

    def wakeups_per_s(self, service, seconds):
        """How often any thread of the daemon got or lost a processor."""
        before = context_switches(self.pid(service))
        time.sleep(seconds)
        return (context_switches(self.pid(service)) - before) / seconds

    def juliet(self, **more):
        return XmppUser(self.namespace("inet"), "juliet@xmpp.example",
                        self.env["LAB_JULIET_PASSWORD"],
                        self.env["LAB_PROSODY_IP"], **more)

    def sip_user(self, user, last_octet, **more):
        """Registered at Kamailio from 10.66.0.<last_octet>:5062."""
        return SipUser(self.namespace("inside"), user,
                       f"10.66.0.{last_octet}", 5062,
                       (self.env["LAB_KAMAILIO_IP"], 5060), **more).register()


    def stop_daemons(self, services=("gateway", "edge")):
        """Orderly end; what they complained of in all their lives."""
        found = []
        for service in services:
            self("stop", service)
            found += complaints(service, self.log(service))
        return found


@pytest.fixture(scope="session")
def lab():
    instance = Lab(f"check{os.getpid()}")
    try:
        yield instance.up()
        assert instance.stop_daemons() == []
    finally:
        instance("down")


@pytest.fixture
def fedctl(lab):
    return Fedctl(lab)


@pytest.fixture
def rules(lab, fedctl):
    """Sets the federation configuration; afterwards all is open again."""
    put = Rules(lab, fedctl)
    yield put
    put.reset()


@pytest.fixture(scope="session")
def newest_tls():
    """mbedTLS 3.6 of Debian 13 speaks TLS 1.3, 2.28 of Debian 12 does not."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}",
                           "libmbedtls-dev"], text=True, check=True,
                          capture_output=True)
    return "TLSv1.3" if int(done.stdout.split(".")[0]) >= 3 else "TLSv1.2"


@pytest.fixture
def juliet(lab):
    user = lab.juliet()
    yield user
    user.close()


@pytest.fixture
def romeo(lab):
    user = lab.sip_user("romeo", 12)
    yield user
    user.close()


# ---- people with presence ---------------------------------------------------

_numbers = itertools.count(1)


@pytest.fixture
def sip_person(lab):
    """Makes SIP users with presence; each has a name that nobody had."""
    made = []

    def make(own_notifier=True):
        number = next(_numbers)
        user = PresenceUser(lab.namespace("inside"), f"romeo{number}",
                            "10.66.0.20", 20000 + number,
                            (lab.env["LAB_KAMAILIO_IP"], 5060))
        made.append(user)
        return user.register(headers=["Allow-Events: presence"]
                             if own_notifier else [])
    yield make
    for user in made:
        user.close()


@pytest.fixture(params=["juliet@xmpp.example", "nurse@chat.example"],
                ids=["prosody", "ejabberd"])
def xmpp_person(lab, request):
    """A user of each XMPP server, who knows nobody, before and after."""
    if request.param.endswith("chat.example"):
        lab("start", "ejabberd")
    user = roster_user(lab, request.param)
    yield user
    for contact in user.roster():
        user.remove(contact)
    user.close()


@pytest.fixture(scope="module")
def tower(lab):
    """The XMPP server of tower.example, which says what a test says."""
    peer = PresencePeer(lab, "tower.example", "198.51.100.47")
    yield peer
    peer.close()
