"""The newest TLS that the daemons' library has is what the connections use."""

import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def newest():
    """mbedTLS 3.6 of Debian 13 speaks TLS 1.3, 2.28 of Debian 12 does not."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}",
                           "libmbedtls-dev"], text=True, check=True,
                          capture_output=True)
    return "TLSv1.3" if int(done.stdout.split(".")[0]) >= 3 else "TLSv1.2"


def versions(lab, service, pattern):
    return set(re.findall(pattern + r".* tls=(\S+)", lab.log(service)))


@pytest.mark.parametrize("service", ["edge", "gateway"])
def test_channel(lab, newest, service):
    lab.wait_log(service, "event=chan_tls ")
    assert versions(lab, service, "event=chan_tls ") == {newest}


@pytest.mark.parametrize("direction", ["in", "out"])
def test_streams(lab, newest, juliet, romeo, direction):
    assert romeo.message("sip:juliet@xmpp.example", "out").status == 200
    juliet.send("romeo@sip.example", "in")
    assert romeo.next_message().body == "in"
    assert versions(lab, "edge", "event=stream_open .*dir=%s.*"
                    r"peer=xmpp\.example" % direction) == {newest}
