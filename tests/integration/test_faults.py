"""The lab's faults do what they say, and heal takes them back."""

import os
import re

import pytest

from conftest import Lab
from sip_user import SipUser

UA = "10.66.0.10"


@pytest.fixture(scope="module")
def small():
    """A registrar and a DNS server: enough to see packets come and go."""
    lab = Lab(f"fault{os.getpid()}", LAB_PARTS="dns kamailio")
    try:
        yield lab.up()
    finally:
        lab("down")


@pytest.fixture
def user(small):
    ua = SipUser(small.namespace("inside"), "romeo", UA, 5062,
                 (small.env["LAB_KAMAILIO_IP"], 5060))
    yield ua
    ua.close()
    small("fault", "heal")


def answers(user, wait_s=0.3):
    try:
        user.request("OPTIONS", f"sip:{user.domain}", wait_s=wait_s)
        return True
    except AssertionError:
        return False


def dropped(lab, name):
    return int(re.search(rf"^{name}: (\d+) packets dropped$",
                         lab("fault", "list").stdout, re.M)[1])


def test_cut_and_heal(small, user):
    assert answers(user)
    small("fault", "cut", "kamailio", UA)
    assert not answers(user)
    assert dropped(small, f"cut kamailio {UA}") == 1
    small("fault", "heal")
    assert answers(user)
    assert small("fault", "list").stdout == ""


def test_a_cut_leaves_others_alone(small, user):
    small("fault", "cut", "kamailio", "10.66.0.11")
    small("fault", "cut", "inet", "dmz")
    assert answers(user)


def test_loss(small, user):
    small("fault", "loss", "kamailio", UA, "50")
    got = sum(answers(user, 0.05) for _ in range(40))
    # request and answer must both pass: a quarter of them
    assert 1 <= got <= 25
    assert dropped(small, f"loss kamailio {UA} 50") >= 15


def test_freeze_and_thaw(small, user):
    small("fault", "freeze", "kamailio")
    assert not answers(user)
    assert "freeze kamailio" in small("fault", "list").stdout
    assert re.search(r"^kamailio .* frozen ",
                     small("status", check=False).stdout, re.M)
    small("fault", "thaw", "kamailio")
    assert answers(user, 5)


def test_a_frozen_service_can_be_restarted(small, user):
    small("fault", "freeze", "kamailio")
    small("restart", "kamailio")
    assert answers(user)


def test_kill(small, user):
    small("fault", "kill", "kamailio")
    assert small("status", check=False).returncode == 1
    small("start", "kamailio")
    assert answers(user)


@pytest.mark.parametrize("words", [
    [], ["break"], ["cut", "edge"], ["cut", "edge", "nobody"],
    ["cut", "10.66.0.10", "192.0.2.1"], ["loss", "edge", "gateway"],
    ["loss", "edge", "gateway", "100"], ["loss", "edge", "gateway", "x"],
    ["freeze"], ["freeze", "nobody"], ["kill", "edge"], ["heal", "edge"],
])
def test_misuse_is_refused(small, words):
    done = small("fault", *words, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"lab {small.name}: ")
    assert small("fault", "list").stdout == ""
