"""The inside dials out; nothing else crosses the DMZ."""

import re

CONNECT = ("import socket,sys; s=socket.socket(); s.settimeout(1.5); "
           "s.connect((sys.argv[1], int(sys.argv[2])))")


def reaches(lab, node, ip, port):
    done = lab("exec", node, "/usr/bin/python3", "-c", CONNECT, ip, str(port),
               check=False)
    return done.returncode == 0


def test_the_gateway_dialled(lab):
    out = lab("exec", "dmz", "ss", "-Htn", "state", "established").stdout
    rows = [line.split() for line in out.splitlines()
            if re.search(r"10\.66\.0\.[12]:", line)]
    assert rows, out
    for row in rows:
        local, peer = row[-2], row[-1]
        assert local == "10.66.0.1:23456", row
        assert peer.startswith("10.66.0.2:"), row


def test_internet_reaches_s2s_only(lab):
    assert reaches(lab, "inet", "198.51.100.1", 5269)
    assert not reaches(lab, "inet", "198.51.100.1", 23456)
    assert not reaches(lab, "inet", "198.51.100.1", 22)


def test_inside_reaches_the_channel_only(lab):
    assert reaches(lab, "inside", "10.66.0.1", 23456)
    assert not reaches(lab, "inside", "10.66.0.1", 5269)


def test_dmz_opens_nothing_inward(lab):
    assert reaches(lab, "inside", "10.66.0.3", 5060)
    assert not reaches(lab, "dmz", "10.66.0.3", 5060)
    assert not reaches(lab, "dmz", "10.66.0.2", 5070)


def test_internet_has_no_way_inside(lab):
    assert not reaches(lab, "inet", "10.66.0.2", 5070)
