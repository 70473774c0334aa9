"""The gateway's own promises: a stop in bounded time that loses nothing, no
long wait without an edge, many requests over UDP, silent connections."""

import datetime
import re
import socket
import threading
import time

import netns
from xmpp_user import condition


def gateway_address(lab):
    host, port = lab.env["LAB_GATEWAY_SIP"].rsplit(":", 1)
    return host, int(port)


def test_stop_with_a_silent_user(lab, juliet):
    """Nobody answers: the end comes all the same, and the sender is told by
    the edge, as no other gateway takes the message."""
    silent = lab.sip_user("tybalt", 15, answer=None)
    try:
        first = juliet.send("tybalt@sip.example", "one")
        second = juliet.send("tybalt@sip.example", "two")
        silent.next_message()
        began = time.monotonic()
        lab("stop", "gateway")
        assert time.monotonic() - began < 6
        lab.wait_log("gateway", "outcome=returned")
        lab.wait_log("gateway", "event=stopped")
        got = [juliet.next_message(20) for _ in range(2)]
        assert [g["id"] for g in got] == [first, second]
        assert {condition(g) for g in got} == {("remote-server-timeout",
                                                "wait")}
    finally:
        lab("start", "gateway")
        lab("wait-channel")
        silent.close()


def test_no_wait_without_an_edge(lab, romeo):
    lab("stop", "edge")
    try:
        time.sleep(6)
        began = time.monotonic()
        answer = romeo.message("sip:juliet@xmpp.example", "anybody?")
        assert answer.status == 504, answer.start
        assert time.monotonic() - began < 3
    finally:
        lab("start", "edge")
        lab("wait-channel")


def test_silent_connection_is_closed(lab):
    with netns.inside(lab.namespace("inside")):
        silent = socket.create_connection(gateway_address(lab))
    silent.settimeout(60)
    began = time.monotonic()
    assert silent.recv(1) == b""
    assert time.monotonic() - began > 25
    silent.close()
    lab.wait_log("gateway", "event=sip_silent closed=1")


def test_strangers_over_tcp(lab, juliet, romeo):
    """They get few connections, however many they open; users notice nothing."""
    held = []
    with netns.inside(lab.namespace("inside")):
        for _ in range(200):
            held.append(socket.create_connection(
                gateway_address(lab), source_address=("10.66.0.14", 0)))
    time.sleep(1)
    open_ones = []
    for connection in held:
        connection.setblocking(False)
        try:
            connection.recv(1)
        except BlockingIOError:
            open_ones.append(connection)
        except ConnectionError:
            pass
    assert len(open_ones) == 8
    # what they may hold is heard, and refused
    open_ones[0].setblocking(True)
    open_ones[0].settimeout(5)
    open_ones[0].sendall(options(1).replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
    assert open_ones[0].recv(4096).startswith(b"SIP/2.0 403")
    assert romeo.message("sip:juliet@xmpp.example", "calm").status == 200
    assert juliet.next_message()["body"] == "calm"
    for connection in held:
        connection.close()
    lab.wait_log("gateway", r"event=sip_connection_refused source=10\.66\.0\.14")


def options(number):
    return ("OPTIONS sip:xmpp.example SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 10.66.0.14:5062;rport;"
            f"branch=z9hG4bKflood{number}\r\n"
            f"From: <sip:x@sip.example>;tag=f{number}\r\n"
            "To: <sip:xmpp.example>\r\n"
            f"Call-ID: flood{number}\r\nCSeq: 1 OPTIONS\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()


def test_strangers_over_udp(lab, juliet, romeo):
    """They get few answers and no memory; the users notice nothing."""
    with netns.inside(lab.namespace("inside")):
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("10.66.0.14", 5062))
    stranger.settimeout(1)
    for number in range(2000):
        stranger.sendto(options(number), gateway_address(lab))
    answers = []
    try:
        while True:
            answers.append(stranger.recv(4096))
    except TimeoutError:
        pass
    stranger.close()
    assert 5 <= len(answers) <= 60, len(answers)
    assert all(a.startswith(b"SIP/2.0 403") for a in answers)
    assert romeo.message("sip:juliet@xmpp.example", "fine").status == 200
    assert juliet.next_message()["body"] == "fine"


def test_long_require_is_seen(romeo):
    answer, _ = romeo.request("MESSAGE", "sip:juliet@xmpp.example",
                              ["Require: " + "x" * 600,
                               "Content-Type: text/plain"], "hello")
    assert answer.status == 420, answer.start
    assert answer["Unsupported"].startswith("xxx")


def pester(user, is_over, statuses):
    """About 100 messages a second, whatever becomes of them."""
    while not is_over.is_set():
        try:
            answer = user.message("sip:juliet@xmpp.example", "more",
                                  wait_s=0.01)
            statuses.append(answer.status)
        except AssertionError:
            continue
        time.sleep(0.01)


def test_stop_under_traffic(lab, juliet, romeo):
    """Requests that keep coming do not hold up the end."""
    is_over, statuses = threading.Event(), []
    thread = threading.Thread(target=pester, args=(romeo, is_over, statuses))
    thread.start()
    try:
        juliet.next_message()
        time.sleep(1)
        lab("stop", "gateway")
    finally:
        is_over.set()
        thread.join()
        lab("start", "gateway")
        lab("wait-channel")
    # by its own log: the lab has work to do before and after
    times = {word: datetime.datetime.fromisoformat(at) for at, word in
             re.findall(r"^(\S+)Z info event=(stopping|stopped) ",
                        lab.log("gateway"), re.M)}
    took = times["stopped"] - times["stopping"]
    assert 0 < took.total_seconds() < 4.5
    assert 504 in statuses
    assert 500 not in statuses
