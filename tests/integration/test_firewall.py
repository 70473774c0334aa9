"""The inside dials out; nothing else crosses the DMZ: in both families."""

import re
import time

import pytest

CONNECT = ("import socket,sys; "
           "socket.create_connection((sys.argv[1], int(sys.argv[2])), "
           "float(sys.argv[3]))")
PORT_OPEN = ("import socket,sys; s=socket.create_server((sys.argv[1], "
             "int(sys.argv[2])), family=socket.AF_INET6 if ':' in "
             "sys.argv[1] else socket.AF_INET); print('up', flush=True); "
             "sys.stdin.read()")

EDGE_OUTER = ["198.51.100.1", "2001:db8:1::1"]
EDGE_INNER = ["10.66.0.1", "fd00:66::1"]
GATEWAY = ["10.66.0.2", "fd00:66::2"]
INTERNET = ["198.51.100.10", "2001:db8:1::10"]
FAMILIES = pytest.mark.parametrize("family", [0, 1], ids=["ipv4", "ipv6"])


def reaches(lab, node, ip, port, wait_s=3):
    done = lab("exec", node, "/usr/bin/python3", "-c", CONNECT, ip, str(port),
               str(wait_s), check=False)
    return done.returncode == 0


def silent(lab, node, ip, port):
    """The packets are dropped: no answer, not even a refusal."""
    began = time.monotonic()
    return not reaches(lab, node, ip, port, 0.6) and \
        time.monotonic() - began >= 0.6


def test_the_gateway_dialled(lab):
    out = lab("exec", "dmz", "ss", "-Htn", "state", "established").stdout
    rows = [line.split() for line in out.splitlines()
            if re.search(r"10\.66\.0\.[12]:|fd00:66::[12]\]:", line)]
    assert rows, out
    for row in rows:
        local, peer = row[-2], row[-1]
        assert local == "10.66.0.1:23456", row
        assert peer.startswith("10.66.0.2:"), row


@FAMILIES
def test_internet_reaches_s2s_only(lab, family):
    assert reaches(lab, "inet", EDGE_OUTER[family], 5269)
    assert silent(lab, "inet", EDGE_OUTER[family], 23456)
    assert silent(lab, "inet", EDGE_OUTER[family], 22)


@FAMILIES
def test_inside_reaches_the_channel_only(lab, family):
    assert reaches(lab, "inside", EDGE_INNER[family], 23456)
    assert silent(lab, "inside", EDGE_INNER[family], 5269)


@pytest.fixture
def server(lab, family):
    """Somebody who listens inside, at the gateway's address."""
    with lab.popen("exec", "inside", "/usr/bin/python3", "-c", PORT_OPEN,
                   GATEWAY[family], "7000") as process:
        assert process.stdout.readline() == "up\n"
        assert reaches(lab, "inside", GATEWAY[family], 7000)
        yield GATEWAY[family], 7000
        process.stdin.close()


@FAMILIES
def test_dmz_opens_nothing_inward(lab, server):
    assert silent(lab, "dmz", *server)
    assert silent(lab, "dmz", "10.66.0.3", 5060)
    assert silent(lab, "dmz", "10.66.0.2", 5070)


@FAMILIES
def test_internet_has_no_way_inside(lab, server, family):
    """Not even for one that sends its packets to the DMZ host on purpose."""
    lab("exec", "inet", "ip", "route", "add", server[0], "via",
        EDGE_OUTER[family])
    try:
        assert silent(lab, "inet", *server)
    finally:
        lab("exec", "inet", "ip", "route", "del", server[0])


def dropped(lab, counter):
    return int(re.search(rf"{counter} +(\d+)", lab("firewall").stdout)[1])


@FAMILIES
def test_dmz_reaches_servers_of_the_internet(lab, family):
    assert reaches(lab, "dmz", INTERNET[family], 5269)
    before = dropped(lab, "dmz +to_internet_dropped")
    assert silent(lab, "dmz", INTERNET[family], 443)
    assert dropped(lab, "dmz +to_internet_dropped") > before
