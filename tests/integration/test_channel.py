"""The channel breaks; the messages do not notice, or their senders are
told."""

import threading

from xmpp_user import condition


def test_edge_restarts(lab, juliet, romeo):
    lab("restart", "edge")
    lab("wait-channel")
    assert romeo.message("sip:juliet@xmpp.example", "after").status == 200
    assert juliet.next_message()["body"] == "after"
    juliet.send("romeo@sip.example", "after too")
    assert romeo.next_message().body == "after too"


def test_gateway_hears_of_streams(lab, juliet, romeo):
    """The peer's server ends its streams; the edge says so."""
    assert romeo.message("sip:juliet@xmpp.example", "open").status == 200
    opened = (r"edge_stream edge=\S+ what=opened dir=out local=sip.example "
              r"peer=xmpp.example in_order=0")
    lab.wait_log("gateway", opened)
    lab("restart", "prosody")
    lab.wait_log("gateway", opened.replace("opened", "closed").replace(
        "in_order=0", "in_order=."))


def test_gateway_restarts(lab, juliet, romeo):
    lab("restart", "gateway")
    lab("wait-channel")
    juliet.send("romeo@sip.example", "hello again")
    assert romeo.next_message().body == "hello again"


def test_connection_cut_resumes(lab, juliet, romeo):
    """The TCP connection dies under load: all arrive, in order, once."""
    count = 200

    def send():
        for number in range(count):
            juliet.send("romeo@sip.example", f"cut {number}")
    sender = threading.Thread(target=send)
    sender.start()
    lab("exec", "dmz", "ss", "-K", "sport", "=", "23456")
    sender.join()
    got = [romeo.next_message(30).body for _ in range(count)]
    assert got == [f"cut {n}" for n in range(count)]
    lab.wait_log("gateway", "resumed=(yes|true|1)")


def test_gateway_away_refuses_to_the_sender(lab, juliet):
    lab("stop", "gateway")
    try:
        stanza_id = juliet.send("romeo@sip.example", "anybody?")
        got = juliet.next_message(20)
        assert got["type"] == "error" and got["id"] == stanza_id
        assert got["from"] == "romeo@sip.example"
        assert condition(got) == ("remote-server-timeout", "wait")
    finally:
        lab("start", "gateway")
        lab("wait-channel")


def test_edge_away_refuses_to_the_sender(lab, romeo):
    lab("stop", "edge")
    try:
        answer = romeo.message("sip:juliet@xmpp.example", "anybody?")
        assert answer.status == 504, answer.start
    finally:
        lab("start", "edge")
        lab("wait-channel")
