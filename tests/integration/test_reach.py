"""How the edge finds a domain and how it is found: SRV of both services, dead
targets, IPv6, direct TLS (XEP-0368), a certificate for each served domain."""

import os
import pathlib
import re
import subprocess
import time

import pytest

import edge_alone
from conftest import Lab
from edge_alone import FakeGateway
from xmpp_user import XmppUser

# name as users write it, name in DNS and in its certificate
SERVED = [("sip.example", "sip.example"),
          ("second.example", "second.example"),
          ("bücher.example", "xn--bcher-kva.example")]


def serve_more_domains(lab):
    """The lab's edge serves one domain: add the others, and their DNS."""
    config = pathlib.Path(lab.env["LAB_EDGE_CONFIG"])
    lines = []
    for name, ascii_name in SERVED[1:]:
        files = dict(re.findall(r"^(\w+)=(.*)$",
                                lab("cert", ascii_name).stdout, re.M))
        lines.append(f"    - {{name: {name}, certificate: {files['cert']}, "
                     f"key: {files['key']}}}\n")
        lab("dns", "add", f"_xmpp-server._tcp.{ascii_name}. 60 IN SRV 0 0 "
            "5269 edge1.sip.example.")
    text = config.read_text()
    # what stands behind s2s.domains
    assert text.count("\nfederation:") == 1
    config.write_text(text.replace("\nfederation:", "\n" + "".join(lines) +
                                   "federation:"))
    lab("restart", "edge")


@pytest.fixture(scope="module")
def reach():
    edge_alone.build()
    lab = Lab(f"reach{os.getpid()}", LAB_PARTS="dns edge")
    try:
        lab.up()
        serve_more_domains(lab)
        yield lab
        lab("stop", "edge")
        assert not re.search("Sanitizer|runtime error:|event=broken_invariant",
                             lab.log("edge"))
    finally:
        lab("down")


@pytest.fixture(scope="module")
def gateway(reach):
    fake = FakeGateway(reach)
    yield fake
    fake.end()


@pytest.fixture
def nurse_of(reach):
    """Brings up a Prosody and logs in there."""
    users = []

    def make(domain, *ips_and_options):
        reach("prosody", domain, *ips_and_options)
        users.append(XmppUser(reach.namespace("inet"), f"nurse@{domain}",
                              reach.env["LAB_NURSE_PASSWORD"],
                              ips_and_options[0]))
        return users[-1]

    yield make
    for user in users:
        user.close()
        reach("stop", "prosody-" + user.jid.partition("@")[2])


def exchange(gateway, nurse, local="romeo@sip.example"):
    """One message each way; how long the first took."""
    began = time.monotonic()
    gateway.send(local, nurse.jid, "out")
    assert nurse.next_message()["body"] == "out"
    took = time.monotonic() - began
    assert gateway.outcome() == "delivered"
    nurse.send(local, "in")
    gateway.expect("body=in$")
    return took


def logged(name):
    """A pattern: the log has ASCII only."""
    return re.escape(name).replace("ü", r"\S+")


def stream_open(lab, direction, peer):
    return lab.wait_log("edge", r"event=stream_open \S+ dir=%s .*peer=%s .*"
                        % (direction, re.escape(peer))).group(0)


def test_direct_tls_both_ways(reach, gateway, nurse_of):
    nurse = nurse_of("direct.example", "198.51.100.20", "--direct-tls")
    exchange(gateway, nurse)
    for direction in ("out", "in"):
        line = stream_open(reach, direction, "direct.example")
        assert "mechanism=external tls=TLSv1." in line
        assert " direct=1 " in line
    assert ":5270 " in stream_open(reach, "out", "direct.example")
    # as the other side saw it: TLS before any stream, and no STARTTLS at all
    log = pathlib.Path(reach.env["LAB_STATE"],
                       "prosody-direct.example/log").read_text()
    assert "urn:ietf:params:xml:ns:xmpp-tls" not in log
    assert re.search(r"Incoming s2s connection sip\.example->direct\.example "
                     "complete", log)
    assert re.search(r"Outgoing s2s connection direct\.example->sip\.example "
                     "complete", log)


def test_first_target_refuses(reach, gateway, nurse_of):
    nurse = nurse_of("refused.example", "198.51.100.21")
    reach("dns", "add",
          "_xmpp-server._tcp.refused.example. 60 IN SRV 0 0 5269 h.refused.example.",
          "h.refused.example. 60 IN A 198.51.100.59")
    assert exchange(gateway, nurse) < 5
    assert "address=198.51.100.21:5269" in stream_open(reach, "out",
                                                       "refused.example")
    reach.wait_log("edge", r"event=connect_failed .*address=198\.51\.100\.59:"
                   '5269 error="connection refused"')


def test_first_target_drops_packets(reach, gateway, nurse_of):
    nurse = nurse_of("dropped.example", "198.51.100.22")
    reach("dns", "add",
          "_xmpp-server._tcp.dropped.example. 60 IN SRV 0 0 5269 h.dropped.example.",
          "h.dropped.example. 60 IN A 198.51.100.58")
    reach("fault", "cut", "edge", "198.51.100.58")
    try:
        # a TCP timeout is 10 s
        assert exchange(gateway, nurse) < 5
        assert re.search(r"cut edge 198\.51\.100\.58: [1-9]",
                         reach("fault", "list").stdout)
    finally:
        reach("fault", "heal")
    assert "address=198.51.100.22:5269" in stream_open(reach, "out",
                                                       "dropped.example")


def test_ipv6_is_preferred(reach, gateway, nurse_of):
    nurse = nurse_of("both.example", "198.51.100.23", "2001:db8:1::23")
    exchange(gateway, nurse)
    assert "address=[2001:db8:1::23]:5269" in stream_open(reach, "out",
                                                          "both.example")


def test_ipv6_is_broken(reach, gateway, nurse_of):
    nurse = nurse_of("broken6.example", "198.51.100.24", "2001:db8:1::24")
    reach("fault", "cut", "edge", "2001:db8:1::24")
    try:
        assert exchange(gateway, nurse) < 5
    finally:
        reach("fault", "heal")
    assert "address=198.51.100.24:5269" in stream_open(reach, "out",
                                                       "broken6.example")


def test_direct_tls_is_broken(reach, gateway, nurse_of):
    """Its SRV record names a port that does not speak TLS."""
    nurse = nurse_of("clear.example", "198.51.100.25")
    reach("dns", "add", "_xmpps-server._tcp.clear.example. 60 IN SRV 0 0 5269 "
          "xmpp.clear.example.")
    exchange(gateway, nurse)
    line = stream_open(reach, "out", "clear.example")
    assert "tls=TLSv1." in line and " direct=0 " in line
    reach.wait_log("edge", "event=connect_failed .*peer=clear.example ")


def test_no_service(reach, gateway):
    """SRV "." is an answer: the domain's own address is not tried."""
    reach("dns", "add", "_xmpp-server._tcp.none.example. 60 IN SRV 0 0 0 .",
          "none.example. 60 IN A 198.51.100.20")
    gateway.send("romeo@sip.example", "nurse@none.example", "?")
    assert gateway.outcome() == "remote-server-not-found"


def s_client(lab, *options):
    done = subprocess.run(["ip", "netns", "exec", lab.namespace("inet"),
                           "openssl", "s_client", *options], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=20)
    return done.stdout + done.stderr


def shown(output):
    match = re.search(r"subject=CN ?= ?(\S+)", output)
    assert match, output
    return match[1]


@pytest.mark.parametrize("name,ascii_name", SERVED)
@pytest.mark.parametrize("ip", ["198.51.100.1", "[2001:db8:1::1]"])
def test_certificate_by_to(reach, name, ascii_name, ip):
    out = s_client(reach, "-connect", ip + ":5269", "-starttls", "xmpp-server",
                   "-xmpphost", name)
    assert shown(out) == ascii_name


@pytest.mark.parametrize("name,ascii_name", SERVED)
@pytest.mark.parametrize("ip", ["198.51.100.1", "[2001:db8:1::1]"])
def test_certificate_by_sni(reach, name, ascii_name, ip):
    out = s_client(reach, "-connect", ip + ":5270", "-servername", ascii_name,
                   "-alpn", "xmpp-server")
    assert shown(out) == ascii_name
    assert "ALPN protocol: xmpp-server" in out


def test_sni_of_nobody_gets_the_first_one(reach):
    out = s_client(reach, "-connect", "198.51.100.1:5270", "-servername",
                   "elsewhere.example", "-alpn", "xmpp-server")
    assert shown(out) == SERVED[0][1]


def test_other_alpn_is_refused(reach):
    out = s_client(reach, "-connect", "198.51.100.1:5270", "-servername",
                   "sip.example", "-alpn", "h2")
    assert "no peer certificate available" in out
    assert "alert no application protocol" in out


@pytest.mark.parametrize("options", [[], ["--direct-tls"]])
def test_each_served_domain(reach, gateway, nurse_of, options):
    peer = "direct-served.example" if options else "served.example"
    nurse = nurse_of(peer, "198.51.100.27" if options else "198.51.100.26",
                     *options)
    for name, _ in SERVED:
        exchange(gateway, nurse, f"romeo@{name}")
        for direction in ("in", "out"):
            reach.wait_log("edge", r"event=stream_open \S+ dir=%s local=%s "
                           r"peer=%s .*mechanism=external" %
                           (direction, logged(name), re.escape(peer)))
