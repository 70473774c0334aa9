"""The newest TLS that the daemons' library has is what the connections use."""

import re

import pytest


def versions(lab, service, pattern):
    return set(re.findall(pattern + r".* tls=(\S+)", lab.log(service)))


@pytest.mark.parametrize("service", ["edge", "gateway"])
def test_channel(lab, newest_tls, service):
    lab.wait_log(service, "event=chan_tls ")
    assert versions(lab, service, "event=chan_tls ") == {newest_tls}


@pytest.mark.parametrize("direction", ["in", "out"])
def test_streams(lab, newest_tls, juliet, romeo, direction):
    assert romeo.message("sip:juliet@xmpp.example", "out").status == 200
    juliet.send("romeo@sip.example", "in")
    assert romeo.next_message().body == "in"
    assert versions(lab, "edge", "event=stream_open .*dir=%s.*"
                    r"peer=xmpp\.example" % direction) == {newest_tls}
