"""kill -9 in the middle of 10,000 numbered messages each way: each of them is
received at least once, or its sender is told.

What one box had said and another had not heard when it died is said again, so
a message may arrive twice; how many did is printed.
"""

import time

import numbered

COUNT = 10000
RATE = 400
# One MESSAGE is under way to each of them at a time.
USERS = [f"montague{n}" for n in range(20)]
# The longest that anybody waits for an answer: Timer F of the SIP sender, and
# Kamailio's own timer behind a gateway that is gone.
SETTLE_S = 45


def pass_by(lab, juliet, romeo, kill):
    """Send, kill the service half-way, start it again, wait for the end of
    every message; (to SIP, to XMPP, when it was killed)."""
    to_sip, to_xmpp = numbered.Fate(COUNT), numbered.Fate(COUNT)
    for user in USERS:
        romeo.register(user)
    xmpp = numbered.XmppSender(
        juliet, [f"{u}@sip.example" for u in USERS], to_sip, RATE)
    sip = numbered.SipSender(
        lab.namespace("inside"), "mercutio", ("10.66.0.16", 5062),
        (lab.env["LAB_KAMAILIO_IP"], 5060), "sip:juliet@xmpp.example",
        to_xmpp, RATE)

    def drain():
        numbered.drain_xmpp(juliet, xmpp, to_sip, to_xmpp)
        numbered.drain_sip(romeo, to_sip)

    # Prosody lets stanzas that come while its new stream is completed overtake
    # those that waited for it
    juliet.send("romeo@sip.example", "streams up")
    assert romeo.next_message().body == "streams up"
    xmpp.start()
    sip.start()
    while len(to_sip.sent) < COUNT // 2:
        drain()
        time.sleep(0.05)
    killed = time.monotonic()
    lab("fault", "kill", kill)
    time.sleep(1)
    lab("start", kill)
    until = time.monotonic() + COUNT / RATE + SETTLE_S
    while time.monotonic() < until:
        drain()
        if not xmpp.is_alive() and not sip.is_alive() and \
                not to_sip.open() and not to_xmpp.open():
            break
        time.sleep(0.05)
    sip.join(5)
    drain()
    return to_sip, to_xmpp, killed


def report(record_property, to_sip, to_xmpp):
    """Seen also when all is well."""
    record_property("XMPP to SIP", to_sip.text())
    record_property("SIP to XMPP", to_xmpp.text())


def assert_nothing_lost(fate):
    lost = fate.open()
    assert not lost, f"{fate.text()}: {lost[:20]}"
    # what the sender was told is true
    liars = [n for n in fate.accepted if n not in fate.received]
    assert not liars, liars[:20]


def assert_in_order(fate):
    assert not fate.overtaken(len(USERS))


def test_gateway_killed(lab, juliet, romeo, record_property):
    to_sip, to_xmpp, _ = pass_by(lab, juliet, romeo, "gateway")
    report(record_property, to_sip, to_xmpp)
    assert_nothing_lost(to_sip)
    assert_nothing_lost(to_xmpp)
    assert_in_order(to_sip)
    # it was down for a second or two: nearly all arrived
    assert len(to_sip.received) > COUNT * 0.8
    assert len(to_xmpp.received) > COUNT * 0.7


def test_edge_killed(lab, juliet, romeo, record_property):
    """Bytes that the kernel of the edge's host had acknowledged and the edge
    had not handed on are gone with it, and juliet's server does not know
    (XEP-0198 would tell it).  They are counted apart: all of them were sent
    in the moment of the kill."""
    to_sip, to_xmpp, killed = pass_by(lab, juliet, romeo, "edge")
    report(record_property, to_sip, to_xmpp)
    assert_nothing_lost(to_xmpp)
    gone = to_sip.open()
    record_property("with the edge's TCP alone", len(gone))
    for number in gone:
        assert abs(to_sip.sent[number] - killed) < 2, number
    assert len(gone) <= RATE
    assert len(to_sip.received) > COUNT * 0.8
    assert len(to_xmpp.received) > COUNT * 0.7
