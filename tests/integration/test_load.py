"""1,000 numbered messages each way at 200/s: all arrive, in order, once."""

import time

COUNT = 1000
RATE = 200


def paced(count, send):
    began = time.monotonic()
    for number in range(count):
        ahead = began + number / RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        send(number)


def collect(count, take):
    return [take() for _ in range(count)]


def test_xmpp_to_sip(lab, juliet, romeo):
    # Prosody lets stanzas that come while its new stream is completed overtake
    # those that waited for it
    juliet.send("romeo@sip.example", "streams up")
    assert romeo.next_message().body == "streams up"
    paced(COUNT, lambda n: juliet.send("romeo@sip.example", f"number {n}"))
    got = collect(COUNT, lambda: romeo.next_message(30).body)
    assert got == [f"number {n}" for n in range(COUNT)]
    time.sleep(0.5)
    assert romeo.inbox.empty()


def test_sip_to_xmpp(lab, juliet, romeo, tmp_path):
    scenario = lab.env["LAB_TOP"] + "/tests/integration/sipp/message_uac.xml"
    done = lab("exec", "inside", "sipp", "10.66.0.3:5060", "-sf", scenario,
               "-i", "10.66.0.15", "-p", "5080", "-t", "t1", "-nostdin",
               "-m", str(COUNT), "-r", str(RATE), "-l", "1000",
               "-s", "juliet", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    got = collect(COUNT, lambda: juliet.next_message(30)["body"].strip())
    assert got == [f"number {n}" for n in range(1, COUNT + 1)]
    time.sleep(0.5)
    assert juliet.inbox.empty()
