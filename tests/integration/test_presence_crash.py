"""A thousand subscriptions each way, and everything breaks once while a third
of the people change: what anybody sees is soon true again, and nobody is asked
or told more than that needs."""

import concurrent.futures
import os
import time

import pytest

from conftest import Lab
from presence_crowd import Crowd

XMPP_COUNT = 10
SIP_COUNT = 100
RIGHT_S = 60        # after the repair all views are right
GONE_S = 10         # after the stop nobody is there
HOLD_OFF_S = 10
CUT_S = 65          # the channel's session is given up, too


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
    mark = people.mark()
    people.took = people.befriend()
    # once: what the tests look for later is seen now
    assert len(people.asked(mark)) >= 2 * len(people.pairs)
    yield people
    people.close()


def check(crowd, mark, mended, record_property, **may):
    """All views are right in time, and what led there was decent."""
    crowd.wait_true(mended + RIGHT_S - time.monotonic())
    record_property("seconds until all views were right",
                    f"{time.monotonic() - mended:.1f}")
    record_property("views", len(crowd.pairs) + len(crowd.sip.truth) *
                    len(crowd.xmpp.clients))
    offences = crowd.offences(mark, **may)
    assert not offences, "\n".join([str(len(offences)),
                                    *map(str, offences[:12])])
    assert crowd.unpaired() == []
    # every dialog lives
    assert crowd.sip.refresh_all() == []
    assert crowd.wrong() == []


def test_gateway_killed(lab, crowd, record_property):
    record_property("seconds until all were friends", f"{crowd.took:.1f}")
    mark = crowd.mark()
    lab("fault", "kill", "gateway")
    crowd.change()
    mended = time.monotonic()
    lab("start", "gateway")
    check(crowd, mark, mended, record_property)


def test_gateway_killed_again(lab, crowd, record_property):
    """In the midst of changes, and once more in the midst of its repair."""
    mark = crowd.mark()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        changing = pool.submit(crowd.change)
        time.sleep(0.3)
        lab("fault", "kill", "gateway")
        changing.result()
    lab("start", "gateway")
    time.sleep(1)
    lab("fault", "kill", "gateway")
    mended = time.monotonic()
    lab("start", "gateway")
    check(crowd, mark, mended, record_property, told=2, notified=2)


def test_edge_killed(lab, crowd, record_property):
    """What either side said meanwhile reached nobody."""
    mark = crowd.mark()
    lab("fault", "kill", "edge")
    crowd.change()
    mended = time.monotonic()
    lab("start", "edge")
    check(crowd, mark, mended, record_property)


def test_gateway_stopped(lab, crowd, record_property):
    """No ghost stays while it is away."""
    mark = crowd.mark()
    began = time.monotonic()
    lab("stop", "gateway")
    crowd.wait_nobody(began + GONE_S - time.monotonic())
    record_property("seconds until nobody was there",
                    f"{time.monotonic() - began:.1f}")
    crowd.change()
    mended = time.monotonic()
    lab("start", "gateway")
    crowd.sip.watch_again()
    check(crowd, mark, mended, record_property)


def test_prosody_killed(lab, crowd, record_property):
    """Who is there logs in again, who went away meanwhile does not."""
    mark = crowd.mark()
    lab("fault", "kill", "prosody")
    crowd.xmpp.leave()
    crowd.change(prosody=False)
    mended = time.monotonic()
    lab("start", "prosody")
    crowd.xmpp.come()
    check(crowd, mark, mended, record_property)


def test_kamailio_killed(lab, crowd, record_property):
    """It forgets who is registered, what was published and who subscribed to
    that; XMPP users do not hear of it."""
    mark = crowd.mark()
    lab("fault", "kill", "kamailio")
    crowd.change(kamailio=False)
    mended = time.monotonic()
    lab("start", "kamailio")
    crowd.sip.register_all()
    crowd.sip.publish_all()
    check(crowd, mark, mended, record_property, told=0)


def test_channel_cut(lab, crowd, record_property):
    """For longer than the hold-off: contacts are shown as away."""
    mark = crowd.mark()
    began = time.monotonic()
    lab("fault", "cut", "edge", "gateway")
    crowd.change()
    crowd.wait_no_contacts(CUT_S)
    gone = time.monotonic() - began
    record_property("seconds until the contacts were away", f"{gone:.1f}")
    assert gone > HOLD_OFF_S
    time.sleep(max(CUT_S - gone, 0))
    mended = time.monotonic()
    lab("fault", "heal")
    check(crowd, mark, mended, record_property)
