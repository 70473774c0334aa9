"""A thousand subscriptions each way, and everything breaks once: what anybody
sees is soon true again, and nobody is asked or told more than that needs."""

import os

import pytest

from conftest import Lab
from presence_crowd import Crowd

XMPP_COUNT = 10
SIP_COUNT = 100
RIGHT_S = 60
HOLD_OFF_S = 15


@pytest.fixture(scope="module")
def lab():
    lab = Lab(f"crash{os.getpid()}", LAB_LOG_LEVEL="info",
              LAB_STOP_SECONDS="15")
    try:
        yield lab.up()
        assert lab.stop_daemons() == []
    finally:
        lab("down")


@pytest.fixture(scope="module")
def crowd(lab):
    lab.edit("gateway", "notify_interval: 1",
             f"notify_interval: 1, hold_off: {HOLD_OFF_S}")
    people = Crowd(lab, XMPP_COUNT, SIP_COUNT)
    people.took = people.befriend()
    yield people
    people.close()


def check(crowd, mark, record_property):
    """All views are right in time, and what led there was decent."""
    took = crowd.wait_true(RIGHT_S)
    record_property("seconds until all views were right", f"{took:.1f}")
    record_property("views", len(crowd.pairs) + len(crowd.sip.truth) *
                    len(crowd.xmpp.clients))
    offences = crowd.offences(mark)
    assert not offences, "\n".join([str(len(offences)),
                                    *map(str, offences[:12])])
    assert crowd.unpaired() == []
    assert crowd.sip.refresh_all() == []
    assert crowd.wrong() == []


def test_gateway_killed(lab, crowd, record_property):
    record_property("seconds until all had become friends",
                    f"{crowd.took:.1f}")
    mark = crowd.mark()
    lab("fault", "kill", "gateway")
    crowd.change()
    lab("start", "gateway")
    check(crowd, mark, record_property)
