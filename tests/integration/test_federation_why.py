"""Why there is no stream with a domain: fedctl says it in words, for each way
in which a peer can be broken; and what the checks find out before that."""

import datetime
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

import edge_alone
from conftest import Lab
from fedctl import Fedctl
from rogue import SASL, Identity, Rogue, header
from xmpp_user import XmppUser

NOWHERE = "198.51.100.59"
STRICT = "tls: required, sasl: required, dialback: off"
STRICT_DOMAINS = ["expired.example", "selfsigned.example", "misnamed.example",
                  "refuses.example"]
SERVED = ["sip.example", "second.test", "third.test"]


@pytest.fixture(scope="module")
def why_lab():
    """An edge with a gateway that has no SIP: no rule comes through the
    channel."""
    edge_alone.build()
    lab = Lab(f"why{os.getpid()}", LAB_PARTS="dns prosody edge")
    try:
        lab.up()
        path = pathlib.Path(lab.env["LAB_EDGE_CONFIG"])
        rules = "".join(f"  - {{domain: {name}, {STRICT}}}\n"
                        for name in STRICT_DOMAINS)
        text = path.read_text()
        assert text.count("partners:\n") == 1
        assert text.count('"*"') == 1
        own = ""
        for name in SERVED[1:]:
            identity = Identity(lab, name)
            own += (f"    - {{name: {name}, certificate: {identity.cert}, "
                    f"key: {identity.key}}}\n")
        assert text.count("federation: {") == 1
        path.write_text(text.replace("partners:\n", "partners:\n" + rules)
                        .replace('"*"', '"*.example"')
                        .replace("federation: {", own + "federation: {"))
        lab("restart", "edge")
        yield lab
        lab("stop", "edge")
        assert not re.search("Sanitizer|runtime error:|event=broken_invariant",
                             lab.log("edge"))
    finally:
        lab("down")


@pytest.fixture(scope="module")
def gateway(why_lab):
    fake = edge_alone.FakeGateway(why_lab)
    yield fake
    fake.end()


@pytest.fixture
def edge(why_lab):
    """fedctl on the edge's host: words -> report."""
    ctl = Fedctl(why_lab)

    def ask(*words, status=0, for_people=True):
        report = ctl("edge", "--json", *words, status=status).stdout
        if not for_people:
            return json.loads(report)["report"]
        text = ctl("edge", *words, status=status).stdout
        document = json.loads(report)["report"]
        # the same words, broken into lines
        assert " ".join(document["verdict"].split()) in " ".join(text.split())
        return document
    return ask


@pytest.fixture
def why(why_lab):
    return lambda domain: Fedctl(why_lab).json("edge", "why", domain)


@pytest.fixture
def rogue(why_lab):
    """Makes domains that do what a script says."""
    made = []

    def make(domain, script=None, ip="198.51.100.46"):
        peer = Rogue(why_lab, domain, ip)
        made.append(peer)
        if script is not None:
            peer.serve(script)
        return peer
    yield make
    for peer in made:
        peer.close()


def steps(report, attempt=1):
    """What and text of the steps of an attempt."""
    return [(f["what"], f["text"]) for f in report["findings"]
            if f["group"].startswith(f"attempt {attempt}, ")]


def texts(report, what):
    return [f["text"] for f in report["findings"] if f["what"] == what]


def starttls(stream):
    """A receiving entity as far as TLS."""
    stream.answer_header("<starttls xmlns='urn:ietf:params:xml:ns:"
                         "xmpp-tls'><required/></starttls>")
    stream.expect("<starttls [^>]*/>")
    stream.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    return stream.take_tls()


# ---- what breaks before a stream -------------------------------------------

def test_nothing_yet(why):
    report = why("unheard.example")
    assert report["findings"] == []
    assert re.fullmatch(r"no attempt since the start at \d{4}-\d\d-\d\d "
                        r"\d\d:\d\d:\d\d UTC", report["verdict"])


def test_no_such_domain(gateway, why):
    gateway.send("romeo@sip.example", "x@nowhere.example", "?")
    assert gateway.outcome() == "remote-server-not-found"
    report = why("nowhere.example")
    assert re.fullmatch(r"to it: failed at .*: nowhere\.example: neither SRV "
                        "records nor an address", report["verdict"])
    assert ("dns", "_xmpp-server: none; _xmpps-server: none") in steps(report)
    assert ("dns", "nowhere.example: no such name") in steps(report)


def test_srv_says_no(why_lab, gateway, why):
    why_lab("dns", "add", "_xmpp-server._tcp.dot.example. 60 IN SRV 0 0 0 .")
    gateway.send("romeo@sip.example", "x@dot.example", "?")
    assert gateway.outcome() == "remote-server-not-found"
    assert "DNS says that there is no XMPP service" in why(
        "dot.example")["verdict"]


def test_refused_port(why_lab, gateway, why):
    why_lab("dns", "add",
            "_xmpp-server._tcp.closed.example. 60 IN SRV 10 5 5269 "
            "h.closed.example.", f"h.closed.example. 60 IN A {NOWHERE}")
    # nobody has that address: it must be somebody who refuses
    why_lab("exec", "inet", "ip", "addr", "add", f"{NOWHERE}/32", "dev", "lo",
            check=False)
    try:
        gateway.send("romeo@sip.example", "x@closed.example", "?")
        assert gateway.outcome() == "remote-server-timeout"
    finally:
        why_lab("exec", "inet", "ip", "addr", "del", f"{NOWHERE}/32", "dev",
                "lo", check=False)
    report = why("closed.example")
    assert report["verdict"].endswith(
        "SRV points to a host that refuses port 5269")
    assert ("dns", "_xmpp-server: 10 5 5269 h.closed.example.; "
            "_xmpps-server: none") in steps(report)
    assert ("dns", f"h.closed.example: {NOWHERE}") in steps(report)
    assert ("tcp", f"{NOWHERE}:5269 (h.closed.example): connection refused"
            ) in steps(report)


def test_silent_host(why_lab, edge, why):
    why_lab("dns", "add",
            "_xmpp-server._tcp.silent.example. 60 IN SRV 0 0 5269 "
            "h.silent.example.", "h.silent.example. 60 IN A 198.51.100.58")
    why_lab("fault", "cut", "edge", "198.51.100.58")
    began = time.monotonic()
    try:
        report = edge("check", "partner", "silent.example", status=1)
    finally:
        why_lab("fault", "heal")
    # twice, for people and for programs
    assert 18 < time.monotonic() - began < 30
    assert report["verdict"] == ("no stream to it: SRV points to a host that "
                                 "does not answer on port 5269")
    took, = [f["took_ms"] for f in report["findings"] if f["what"] == "tcp" and
             "198.51.100.58" in f["text"]]
    assert 9500 < took < 12000
    assert "does not answer on port 5269" in why("silent.example")["verdict"]


def test_dead_dns(why_lab, edge):
    """No server answers for the zone."""
    why_lab("fault", "freeze", "dns")
    try:
        report = edge("check", "partner", "frozen.example", status=1,
                      for_people=False)
        assert re.fullmatch("no stream to it: .*frozen.example: "
                            "(no answer from DNS in time|the DNS server could "
                            "not answer)", report["verdict"])
        report = edge("check", "dns", "frozen.example", status=1,
                      for_people=False)
        assert re.match("_xmpp-server cannot be looked up: "
                        "(no answer in time|the DNS server could not answer)",
                        report["verdict"])
    finally:
        why_lab("fault", "thaw", "dns")


# ---- certificates ----------------------------------------------------------

def days_ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) -
            datetime.timedelta(days=days)).strftime("%Y-%m-%d")


def test_expired(why_lab, rogue, edge, why, tmp_path):
    peer = rogue("expired.example", starttls)
    peer.identity.expire_in(tmp_path, -3 * 86400)
    report = edge("check", "partner", "expired.example", status=1)
    words = f"its certificate expired on {days_ago(3)}"
    assert report["verdict"] == "no stream to it: " + words
    report = why("expired.example")
    assert re.fullmatch("to it: failed at .*: " + words, report["verdict"])
    bad, = [f for f in report["findings"] if f["text"] == words and
            f["group"].startswith("attempt 1,")]
    assert bad["level"] == "bad" and bad["what"] == "certificate"
    report = edge("check", "cert", "expired.example", status=1)
    assert report["verdict"].startswith(f"it expired on {days_ago(3)}")


def test_self_signed(why_lab, rogue, edge):
    words = dict(re.findall(r"^(\w+)=(.*)$", why_lab(
        "cert", "--self-signed", "selfsigned.example").stdout, re.M))
    peer = rogue("selfsigned.example", starttls)
    peer.identity.cert, peer.identity.key = words["cert"], words["key"]
    report = edge("check", "partner", "selfsigned.example", status=1)
    assert report["verdict"] == (
        "no stream to it: its certificate is self-signed "
        '(by "selfsigned.example")')


def test_another_name(why_lab, rogue, edge):
    peer = rogue("misnamed.example", starttls)
    other = Identity(why_lab, "another.example")
    peer.identity.cert, peer.identity.key = other.cert, other.key
    report = edge("check", "partner", "misnamed.example", status=1)
    assert report["verdict"] == (
        "no stream to it: its certificate is not for misnamed.example but "
        "for dns:another.example")
    report = edge("check", "cert", "misnamed.example", status=1)
    assert report["verdict"].startswith(
        "it is not for misnamed.example but for dns:another.example")
    assert any("DNS:misnamed.example" in (f["advice"] or "")
               for f in report["findings"])


# ---- authentication --------------------------------------------------------

def refuse_external(stream):
    starttls(stream).answer_header(
        f"<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism>"
        "</mechanisms>")
    stream.expect("<auth [^>]*>[^<]*</auth>")
    stream.send(f"<failure xmlns='{SASL}'><not-authorized/>"
                "<text>who \x7f are you?</text></failure>")
    stream.end()


def test_external_refused(why_lab, rogue, edge, why):
    rogue("refuses.example", refuse_external)
    report = edge("check", "partner", "refuses.example", status=1)
    assert report["verdict"] == (
        "no stream to it: it refused our certificate with not-authorized "
        r'("who \x7f are you?")')
    assert texts(report, "features")[-1] == "it offers EXTERNAL"


def invalid_dialback(stream):
    starttls(stream).answer_header(
        "<dialback xmlns='urn:xmpp:features:dialback'/>")
    sent = stream.expect("<db:result [^>]*>[^<]*</db:result>").group(0)
    sender, to = re.search("from='([^']*)'", sent), re.search("to='([^']*)'",
                                                               sent)
    stream.send(f"<db:result from='{to[1]}' to='{sender[1]}' "
                "type='invalid'/></stream:stream>")
    stream.end()


def test_wrong_dialback_out(rogue, edge):
    rogue("doubts.example", invalid_dialback)
    report = edge("check", "partner", "doubts.example", status=1)
    assert "it says that our dialback key is invalid" in report["verdict"]


def test_wrong_dialback_in(why_lab, rogue, why):
    """A stranger who claims a domain: its server knows nothing of his key."""
    def verify(stream):
        starttls(stream).answer_header(
            "<dialback xmlns='urn:xmpp:features:dialback'/>")
        sent = stream.expect("<db:verify [^>]*>[^<]*</db:verify>").group(0)
        number = re.search(" id='([^']*)'", sent)[1]
        stream.send("<db:verify from='claimed.example' to='sip.example' "
                    f"id='{number}' type='invalid'/>")
        stream.end()

    rogue("claimed.example", verify)
    words = dict(re.findall(r"^(\w+)=(.*)$", why_lab(
        "cert", "--self-signed", "claimed.example").stdout, re.M))
    liar = rogue("claimed.example", ip="198.51.100.47")
    liar.identity.cert, liar.identity.key = words["cert"], words["key"]
    stream = liar.connect().open().start_tls().open()
    stream.send("<db:result from='claimed.example' to='sip.example'>"
                "0123456789abcdef</db:result>")
    stream.expect("type='invalid'")
    stream.end()
    report = why("claimed.example")
    assert report["verdict"].startswith("from it: failed at ")
    assert "we answered claimed.example: invalid" in report["verdict"]
    found = steps(report)
    assert ("tcp", ) == tuple(found[0][:1])
    assert re.match(r"connection from 198\.51\.100\.47:\d+$", found[0][1])
    assert ("header", "says it is claimed.example and wants sip.example"
            ) in found
    verified, = [text for what, text in found if what == "verify"]
    assert re.fullmatch(r"asked claimed\.example at 198\.51\.100\.46:5269 "
                        "whether the key is its: invalid", verified)


def test_stream_error_in_its_words(rogue, edge):
    def script(stream):
        stream.expect(r"<stream:stream [^>]*>")
        stream.send(header("gone.example", "sip.example", id="1") +
                    "<stream:error><host-unknown xmlns='urn:ietf:params:xml:"
                    "ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:"
                    "xmpp-streams'>not served \x85 any more</text>"
                    "</stream:error></stream:stream>")
        stream.end()

    rogue("gone.example", script)
    report = edge("check", "partner", "gone.example", status=1)
    assert report["verdict"].startswith(
        "no stream to it: it ended the stream with host-unknown (not served ")
    assert "\x85" not in report["verdict"]


def test_refused_by_rule(why_lab, rogue, why):
    """An inbound stream that the rule leaves no way: no dialback, and its
    certificate is no good."""
    words = dict(re.findall(r"^(\w+)=(.*)$", why_lab(
        "cert", "--self-signed", "refuses.example").stdout, re.M))
    peer = rogue("refuses.example")
    peer.identity.cert, peer.identity.key = words["cert"], words["key"]
    stream = peer.connect().open().start_tls()
    stream.send("<stream:stream xmlns='jabber:server' xmlns:stream='http://"
                "etherx.jabber.org/streams' from='refuses.example' "
                "to='sip.example' version='1.0'>")
    assert stream.end() == "policy-violation"
    report = why("refuses.example")
    assert "from it: failed at " in report["verdict"]
    assert ("our rules refuse it with policy-violation (no valid certificate "
            "for the domain in from)") in report["verdict"]
    assert any("self-signed" in text for text in texts(report, "certificate"))


def test_no_partner(why_lab, rogue, edge, why):
    """Nothing is negotiated with a domain that no rule names; what it does is
    remembered all the same."""
    report = edge("check", "partner", "stranger.test", status=1)
    assert report["verdict"].startswith("it is no partner: nothing is "
                                        "negotiated with it")
    assert [f["what"] for f in report["findings"]] == ["policy"]
    assert why("stranger.test") == {
        "findings": [],
        "verdict": "this edge has no rule that makes it a partner"}
    peer = rogue("another.example")
    stream = peer.connect()
    stream.send(header("stranger.test", "sip.example"))
    assert stream.end() == "policy-violation"
    report = why("stranger.test")
    assert re.fullmatch(
        "this edge has no rule that makes it a partner; from it: failed at .*:"
        r" our rules refuse it with policy-violation \(no federation with that "
        r"domain\)", report["verdict"])
    report = edge("check", "cert", "stranger.test", status=1)
    assert report["verdict"].startswith("it is no partner")


def test_claimed(rogue, edge):
    """The certificate of somebody who only says that he is a partner is not
    shown as the partner's."""
    peer = rogue("impostor.example")
    stream = peer.connect().open(sender="claimed.example").start_tls()
    stream.open(sender="claimed.example")
    report = edge("check", "cert", "claimed.example", status=1)
    stream.close()
    assert report["verdict"].startswith("no stream to it: ")
    assert "shown on the stream" not in json.dumps(report)
    # who asks by the exit status must not take it for a good one
    assert [text.split(":")[0] for text in texts(report, "certificate")] == [
        "it could not be seen"]


# ---- what works ------------------------------------------------------------

def test_prosody(why_lab, gateway, edge, why):
    report = edge("check", "partner", "xmpp.example")
    assert report["verdict"] == "a stream to it can be had, with nothing amiss"
    found = dict(steps_of_check(report))
    for what in ("policy", "dns", "tcp", "tls", "certificate", "features",
                 "external", "ready", "end", "partner"):
        assert what in found, what
    assert found["ready"] == "authenticated by EXTERNAL"
    assert "closed (idle" in found["end"]
    user = XmppUser(why_lab.namespace("inet"), "juliet@xmpp.example",
                    why_lab.env["LAB_JULIET_PASSWORD"],
                    why_lab.env["LAB_PROSODY_IP"])
    try:
        gateway.send("romeo@sip.example", "juliet@xmpp.example", "out")
        assert user.next_message()["body"] == "out"
        assert gateway.outcome() == "delivered"
        user.send("romeo@sip.example", "in")
        gateway.expect("body=in$")
    finally:
        user.close()
    report = why("xmpp.example")
    assert re.fullmatch(
        r"to it: connected by EXTERNAL since .* UTC; from it: connected by "
        r"EXTERNAL since .* UTC", report["verdict"])
    # what it shows on the stream that is there: no other one is made
    attempts = {f["group"] for f in report["findings"]}
    report = edge("check", "cert", "xmpp.example")
    assert all("shown on the stream with" in f["group"]
               for f in report["findings"])
    assert {f["group"] for f in why("xmpp.example")["findings"]} == attempts


def steps_of_check(report):
    return [(f["what"], f["text"]) for f in report["findings"]]


def test_ejabberd(why_lab, edge):
    why_lab("start", "ejabberd")
    report = edge("check", "partner", "chat.example")
    found = dict(steps_of_check(report))
    assert found["ready"] == "authenticated by EXTERNAL"
    assert report["verdict"] == "a stream to it can be had, with nothing amiss"
    assert [f for f in report["findings"] if f["level"] == "bad"] == []


def test_dialback_partner(why_lab, edge):
    """A Prosody with a certificate of its own: dialback has to do."""
    why_lab("prosody", "clinic.example", "198.51.100.20", "--self-signed")
    try:
        report = edge("check", "partner", "clinic.example")
    finally:
        why_lab("stop", "prosody-clinic.example")
    found = dict(steps_of_check(report))
    assert found["ready"] == "authenticated by dialback"
    assert "self-signed" in report["verdict"]


def test_at_most_four(why_lab, rogue):
    """A fifth check is refused, and says so."""
    silent = []
    rogue("slow.example", silent.append)
    ctl = Fedctl(why_lab)
    words = [f"{why_lab.env['LAB_BIN']}/fedctl", "--socket",
             why_lab.env["LAB_EDGE_ADMIN"], "check"]
    running = [subprocess.Popen([*words, "partner", "slow.example"],
                                stdout=subprocess.PIPE, text=True)
               for _ in range(4)]
    try:
        edge_alone.wait_until(lambda: len(silent) == 4)
        done = ctl("edge", "check", "partner", "slow.example", status=1)
        assert "too many checks at once" in done.stderr
    finally:
        for process in running:
            process.terminate()
            process.communicate(timeout=10)
    # who went away makes room
    edge_alone.wait_until(lambda: "too many" not in subprocess.run(
        [*words, "dns", "slow.example"], capture_output=True, text=True,
        check=False).stderr)


# ---- our own ---------------------------------------------------------------

@pytest.fixture
def own_zone(why_lab):
    """Other SRV records of sip.example for a while."""
    name = "_xmpp-server._tcp.sip.example."
    right = f"{name} 60 IN SRV 0 0 5269 edge1.sip.example."

    def publish(*records):
        why_lab("dns", "remove", name)
        if records:
            why_lab("dns", "add", *records)
        why_lab("restart", "edge")     # and forgets what it has asked
    yield publish
    publish(right)


def test_own_dns(why_lab, edge):
    report = edge("check", "dns", "sip.example")
    good, = [f for f in report["findings"] if f["level"] == "good"]
    assert re.fullmatch(r"priority 0, weight 0: edge1\.sip\.example port 5269 "
                        r"\(198\.51\.100\.1, 2001:db8:1::1\): this edge",
                        good["text"])
    # the lab publishes no record for direct TLS, which listens
    warned, = [f for f in report["findings"] if f["level"] == "warn"]
    assert "_xmpps-server._tcp.sip.example" in warned["text"]
    assert ("_xmpps-server._tcp.sip.example. 3600 IN SRV 10 0 5270 "
            "edge1.sip.example.") in warned["advice"]


@pytest.mark.parametrize("records,verdict", [
    ((), "there is no _xmpp-server._tcp.sip.example record"),
    (("_xmpp-server._tcp.sip.example. 1 IN SRV 0 0 5222 edge1.sip.example.",),
     "nothing listens there"),
    (("_xmpp-server._tcp.sip.example. 1 IN SRV 0 0 5269 prosody.xmpp.example.",
      ), "no record leads to this edge"),
    (("_xmpp-server._tcp.sip.example. 1 IN SRV 0 0 5269 no.sip.example.",),
     "has no address"),
    (("_xmpp-server._tcp.sip.example. 1 IN SRV 0 0 0 .",),
     "that service is not offered"),
], ids=["none", "port", "elsewhere", "no-address", "dot"])
def test_own_dns_is_wrong(own_zone, edge, records, verdict):
    own_zone(*records)
    report = edge("check", "dns", "sip.example", status=1)
    assert any(verdict in f["text"] and f["level"] == "bad"
               for f in report["findings"]), report
    if not records:
        advice = next(f["advice"] for f in report["findings"] if f["advice"])
        assert ("\n_xmpp-server._tcp.sip.example. 3600 IN SRV 10 0 5269 "
                "xmpp.sip.example.\n") in advice
        assert "\nxmpp.sip.example. 3600 IN A 198.51.100.1\n" in advice


def test_two_edges(own_zone, edge):
    own_zone("_xmpp-server._tcp.sip.example. 1 IN SRV 10 0 5269 "
             "edge1.sip.example.",
             "_xmpp-server._tcp.sip.example. 1 IN SRV 10 5 5269 "
             "prosody.xmpp.example.")
    report = edge("check", "dns", "sip.example")
    assert any("weight 0 beside others of priority 10" in text
               for text in texts(report, "srv"))
    assert any(text.endswith(": this edge") for text in texts(report, "srv"))
    assert any(text.endswith(": another host") for text in
               texts(report, "srv"))


def test_partner_dns(why_lab, edge):
    why_lab("dns", "add",
            "_xmpp-server._tcp.many.example. 60 IN SRV 20 0 5269 "
            "b.many.example.",
            "_xmpp-server._tcp.many.example. 60 IN SRV 10 0 5299 "
            "a.many.example.",
            "_xmpps-server._tcp.many.example. 60 IN SRV 30 0 5270 "
            "no.many.example.",
            "a.many.example. 60 IN A 198.51.100.21",
            "b.many.example. 60 IN A 198.51.100.22")
    report = edge("check", "dns", "many.example", status=1)
    assert texts(report, "srv") == [
        "1. priority 10, weight 0: a.many.example port 5299 (198.51.100.21)",
        "2. priority 20, weight 0: b.many.example port 5269 (198.51.100.22)",
        "3. priority 30, weight 0: no.many.example port 5270, direct TLS: "
        "there is no such name"]


def test_own_certificates(why_lab, edge):
    report = edge("check", "cert")
    groups = list(dict.fromkeys(f["group"] for f in report["findings"]))
    assert [group.split(" (")[0] for group in groups[:3]] == SERVED
    assert len(groups) == 4 and groups[3].startswith("channel, ")
    for group in groups[:3]:
        assert {f["what"] for f in report["findings"]
                if f["group"] == group} == {"names", "dates", "chain", "usage",
                                            "key"}
    assert [f for f in report["findings"] if f["level"] == "bad"] == []
    report = edge("check", "cert", "sip.example")
    assert {f["what"] for f in report["findings"]} == {
        "names", "dates", "chain", "usage", "key"}


def test_own_certificate_is_replaced(why_lab, edge, tmp_path):
    """By one that has expired: the file is looked at, not what is shown."""
    identity = Identity(why_lab, "sip.example")
    kept = pathlib.Path(identity.cert).read_bytes()
    identity.expire_in(tmp_path, -86400 * 2)
    path = pathlib.Path(why_lab.env["LAB_STATE"],
                        "pki/domains/sip.example/chain.pem")
    time.sleep(2)
    path.write_bytes(pathlib.Path(identity.cert).read_bytes())
    try:
        report = edge("check", "cert", "sip.example", status=1)
    finally:
        path.write_bytes(kept)
    assert report["verdict"].startswith(f"it expired on {days_ago(2)}")
    assert "still shows the old one" in texts(report, "file")[0]


# ---- the command line ------------------------------------------------------

@pytest.mark.parametrize("words,says", [
    (["why"], "DOMAIN is missing"),
    (["why", "juliet@xmpp.example"],
     '"juliet@xmpp.example" is an address; its domain is "xmpp.example"'),
    (["why", "not a domain"], "is no domain, such as fabrikam.example"),
    (["check", "dnss", "x.example"], 'did you mean "check dns DOMAIN"?'),
    (["check", "partner"], "DOMAIN is missing"),
    (["check", "cert", "a.example", "b.example"], "one word too many"),
])
def test_wrong_lines(why_lab, words, says):
    done = Fedctl(why_lab)("edge", *words, status=2)
    assert says in done.stderr and done.stdout == ""


def test_own_domain_is_no_partner(why_lab):
    done = Fedctl(why_lab)("edge", "check", "partner", "sip.example", status=1)
    assert "served here" in done.stderr


def test_edge_is_away(why_lab, tmp_path):
    done = Fedctl(why_lab)("edge", "--socket", str(tmp_path / "none"), "why",
                           "x.example", status=3)
    assert str(tmp_path / "none") in done.stderr


# ---- through a gateway -----------------------------------------------------

def test_through_the_gateway(lab, fedctl):
    name = lab.env["LAB_EDGE_NAME"]
    report = fedctl.json("gateway", "check", "partner", "xmpp.example")
    assert report["verdict"] == "a stream to it can be had, with nothing amiss"
    for words in (["why", "xmpp.example"],
                  ["--edge", name, "why", "xmpp.example"]):
        report = fedctl.json("gateway", *words)
        assert ("ready", "authenticated by EXTERNAL") in steps(report)
    assert "is none of channel.edges" in fedctl(
        "gateway", "--edge", "nobody", "why", "x.example", status=1).stderr


def test_a_long_check_through_the_gateway(lab, fedctl):
    """Longer than anybody on the way has patience for silence."""
    lab("dns", "add", "_xmpp-server._tcp.unheard.example. 60 IN SRV 0 0 5269 "
        "h.unheard.example.", "h.unheard.example. 60 IN A 198.51.100.57")
    lab("fault", "cut", "edge", "198.51.100.57")
    began = time.monotonic()
    try:
        done = fedctl("gateway", "check", "partner", "unheard.example", status=1)
    finally:
        lab("fault", "heal")
        lab("dns", "remove", "_xmpp-server._tcp.unheard.example.",
            "h.unheard.example.")
    assert 9 < time.monotonic() - began < 15
    assert "does not answer on port 5269" in done.stdout
