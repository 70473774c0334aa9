"""--check: each mistake in a host file is answered with file, line, key and
what was expected, and exit code 2.  No lab: the example files, with
certificates made here, broken one by one."""

import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LAB_BIN", TOP / "build/release"))

OPENSSL = """[req]
distinguished_name = subject
prompt = no
[subject]
CN = unset
[ca]
basicConstraints = critical, CA:TRUE
[leaf]
basicConstraints = critical, CA:FALSE
subjectAltName = ${ENV::SAN}
[old]
database = index.txt
new_certs_dir = .
serial = serial.txt
default_md = sha256
policy = any
[any]
commonName = optional
"""


class Pki:
    """A CA and what it signs."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "openssl.cnf").write_text(OPENSSL)
        self("ca", "ca", "DNS:unused", subject="/CN=CA")
        self.leaf("edge", "DNS:edge1.dmz.example")
        self.leaf("gateway", "DNS:gw1.inside.example")
        self.leaf("sip", "DNS:sip.example")
        self.leaf("other", "DNS:other.example")
        self.leaf("common-name", "email:a@sip.example", "/CN=sip.example")
        self.leaf("wild", "DNS:*.example")
        self.old("old", "DNS:sip.example,DNS:gw1.inside.example,"
                 "DNS:edge1.dmz.example")
        (folder / "not-pem.pem").write_text("words\n")
        (folder / "empty.pem").write_text("")
        (folder / "short.secret").write_text("short\n")
        both = (folder / "ca.pem").read_text() + \
            (folder / "sip.pem").read_text()
        (folder / "upside-down.pem").write_text(both)
        subprocess.run(["openssl", "ec", "-in", folder / "sip.key", "-aes128",
                        "-passout", "pass:x", "-out", folder / "locked.key"],
                       check=True, capture_output=True)

    def __call__(self, name, section, san, *words, subject="/CN=test"):
        subprocess.run(
            ["openssl", "req", "-x509", "-config", self.folder / "openssl.cnf",
             "-extensions", section, "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             subject, "-keyout", self.folder / f"{name}.key", "-out",
             self.folder / f"{name}.pem", *words], check=True,
            capture_output=True, env={**os.environ, "SAN": san})

    def leaf(self, name, san, subject="/CN=test"):
        self(name, "leaf", san, "-CA", self.folder / "ca.pem", "-CAkey",
             self.folder / "ca.key", subject=subject)

    def old(self, name, san):
        """Expired yesterday; signs itself."""
        self(name, "leaf", san)
        folder = self.folder
        subprocess.run(
            ["openssl", "x509", "-x509toreq", "-in", folder / f"{name}.pem",
             "-signkey", folder / f"{name}.key", "-out", folder / "csr"],
            check=True, capture_output=True)
        # "openssl x509" of OpenSSL 3.5 ends no certificate before it begins
        (folder / "index.txt").write_text("")
        (folder / "serial.txt").write_text("01\n")
        subprocess.run(
            ["openssl", "ca", "-batch", "-notext", "-config",
             folder / "openssl.cnf", "-name", "old", "-selfsign",
             "-keyfile", folder / f"{name}.key", "-in", folder / "csr", "-startdate",
             "20200101000000Z", "-enddate", "20200102000000Z", "-extensions",
             "leaf", "-out", folder / f"{name}.pem"], check=True,
            capture_output=True, env={**os.environ, "SAN": san}, cwd=folder)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


PATHS = {
    "/etc/ssl/certs/ca-certificates.crt": "ca.pem",
    "/etc/edge-proxy/sip.example.pem": "sip.pem",
    "/etc/edge-proxy/sip.example.key": "sip.key",
    "/etc/edge-proxy/channel-ca.pem": "ca.pem",
    "/etc/edge-proxy/channel.pem": "edge.pem",
    "/etc/edge-proxy/channel.key": "edge.key",
    "/etc/fe-gateway/channel-ca.pem": "ca.pem",
    "/etc/fe-gateway/channel.pem": "gateway.pem",
    "/etc/fe-gateway/channel.key": "gateway.key",
    "/etc/fe-gateway/sip.pem": "sip.pem",
    "/etc/fe-gateway/sip.key": "sip.key",
    "/etc/fe-gateway/sip-ca.pem": "ca.pem",
}


def good(daemon, pki):
    text = (TOP / f"deploy/examples/{daemon}.conf").read_text()
    for path, ours in PATHS.items():
        text = text.replace(path, str(pki.folder / ours))
    return text.replace("\n# Check", "\n# check")


def check(daemon, text, tmp_path):
    file = tmp_path / f"{daemon}.conf"
    file.write_text(text)
    return file, subprocess.run([str(BIN / daemon), "--check", str(file)],
                                capture_output=True, text=True, timeout=20)


def test_nobody_is_trusted_but_by_certificate(pki, tmp_path):
    text = re.sub(
        r"trusted: .*", "trusted: []\n  tls: {certificate: sip.pem, "
        "key: sip.key, trust: ca.pem, peers: [sip.example]}",
        good("fe-gateway", pki)).replace("tcp:", "tls:", 1)
    for name in ("sip.pem", "sip.key", "ca.pem"):
        text = text.replace(f": {name},", f": {pki.folder / name},")
    text = text.replace("transport=tcp", "transport=udp")
    _, done = check("fe-gateway", text, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_examples_tls_without_its_comment_signs(pki, tmp_path):
    """As an operator turns it on: "# " goes, and what the comment says."""
    text = good("fe-gateway", pki).replace(
        '"tcp:10.66.0.2:5070"]', '"tls:10.66.0.2:5061"]')
    text = re.sub(r"(?m)^ *next_hop:.*\n", "", text)
    text, count = re.subn(
        r"(?m)^( *)# ((next_hop|tls|  certificate|  key|  trust):)", r"\1\2",
        text)
    assert count == 5
    _, done = check("fe-gateway", text, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("daemon", ["edge-proxy", "fe-gateway"])
def test_the_file_to_break_is_right(daemon, pki, tmp_path):
    file, done = check(daemon, good(daemon, pki), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{file}: ok\n"


# what is written (a pattern) / what stands there instead / the line that is
# named holds that / the key / words that must be there
BOTH = [
    (r"instance: .*", "", "sip|s2s", "", ["\"instance\" is missing"]),
    (r"(instance): .*", r"\1:", "instance", "instance", ["value is expected"]),
    (r"instance: .*", "instance: two words", "two words", "instance",
     ["not a domain name", "expected"]),
    (r"instance: .*", "instance: another.example", "certificate:",
     "channel.certificate", ["another.example", "subjectAltName"]),
    (r"channel:", "chanmel:", "chanmel:", "",
     ["unknown key \"chanmel\"", "did you mean \"channel\"?"]),
    (r"channel:", "channel:\n  colour: red", "colour", "channel",
     ["unknown key \"colour\"", "known here: ", "certificate"]),
    (r"(channel:\n  )trust: .*\n  ", r"\1", "listen|certificate", "channel",
     ["\"trust\" is missing"]),
    (r"(channel:\n  trust:) .*", r"\1 /nowhere/ca.pem", "/nowhere/ca.pem",
     "channel.trust", ["No such file", "expected a readable file"]),
    (r"(channel:\n(  listen.*\n)?  trust:) .*", r"\1 PKI/not-pem.pem",
     "not-pem", "channel.trust", ["no certificate in it"]),
    (r"(channel:\n(  listen.*\n)?  trust:) .*", r"\1 PKI/other.pem",
     "other.pem", "channel.trust", ["has no CA in it"]),
    (r"(channel:\n(  .*\n)+?  certificate:) .*", r"\1 PKI/empty.pem",
     "empty.pem", "channel.certificate", ["no certificate in it"]),
    (r"(channel:\n(  .*\n)+?  key:) .*", r"\1 PKI/sip.key", "sip.key",
     "channel.key", ["does not fit the certificate"]),
    (r"(channel:\n(  .*\n)+?  key:) .*", r"\1 PKI/locked.key", "locked.key",
     "channel.key", ["encrypted", "without password"]),
    (r"(channel:\n(  .*\n)+?  certificate:) .*\n.*",
     r"\1 PKI/old.pem\n  key: PKI/old.key", "old.pem", "channel.certificate",
     ["expired on 20", "valid today"]),
    (r"\Z", "log: {level: chatty}\n", "chatty", "log.level",
     ["\"chatty\"", "error, warn, info, debug"]),
    (r"channel:", "instance: twice.example\nchannel:", "twice.example",
     "instance", ["given twice, first on line 3"]),
    (r"(?m)^  trust:", "\ttrust:", "trust:", "", ["tab"]),
    (r"channel:\n(  .*\n)+", "channel: nothing\n", "channel: nothing",
     "channel", ["a group of keys is expected"]),
]

EDGE = [
    (r"5269\"", "99999\"", "99999", "s2s.listen[0]",
     ["not an address", "address:port"]),
    (r"(s2s:\n  listen:) .*", r"\1 []", "[]", "s2s.listen",
     ["is empty", "expected"]),
    (r"(s2s:\n  listen:) .*", r"\1 198.51.100.1:5269", "198.51.100.1:5269",
     "s2s.listen", ["a list is expected"]),
    (r"198.51.100.1:5270", "198.51.100.1:5269", "5269",
     "s2s.listen_direct_tls[0]", ["overlaps s2s.listen[0]", "port"]),
    (r"(channel:\n  listen:) .*", r'\1 ["0.0.0.0:5270"]', "0.0.0.0:5270",
     "channel.listen[0]", ["overlaps s2s.listen_direct_tls[0]"]),
    (r"(name:) sip.example", r"\1 -bad-.example", "-bad-", "s2s.domains[0].name",
     ["not a domain name"]),
    (r"(name: )sip.example", r"\1chat.example", "certificate:",
     "s2s.domains[0].certificate",
     ["[dns:sip.example]", "\"chat.example\" among them"]),
    (r"sip\.pem", "common-name.pem", "sip.key",
     "s2s.domains[0].key", ["does not fit"]),
    (r"sip\.pem\n(.*)sip\.key", r"common-name.pem\n\1common-name.key",
     "common-name.pem", "s2s.domains[0].certificate", ["subjectAltName"]),
    (r"sip\.pem\n(.*)sip\.key", r"old.pem\n\1old.key", "old.pem",
     "s2s.domains[0].certificate", ["expired on"]),
    (r"sip\.pem", "upside-down.pem", "upside", "s2s.domains[0].certificate",
     ["the end certificate must come first"]),
    (r"(sip\.key)", r"\1\n    - {name: SIP.example, certificate: PKI/sip.pem, "
     r"key: PKI/sip.key}", "SIP.example", "s2s.domains[1].name",
     ["there twice", "once"]),
    (r"path: .*\}", "path: federation.pb}", "federation.pb",
     "federation.path", ["not an absolute path"]),
    (r"\{domain: \"\*\"\}", "{domain: \"*.a b\"}", "a b",
     "partners[1].domain", ["not a domain name"]),
    (r"  - \{domain: \"\*\"\}", "  - {domain: Bank.example}", "Bank.example",
     "partners[1].domain", ["there twice", "first is on line"]),
    (r"sasl: required", "sasl: perhaps", "perhaps", "partners[0].sasl",
     ["perhaps", "optional"]),
    (r"sasl: required", "sasl: off", "dialback: off", "partners[0].dialback",
     ["no way to authenticate"]),
    (r"sasl: required", "tls: off, sasl: required", "tls: off",
     "partners[0].tls", ["can never authenticate", "tls: required"]),
    (r"\{domain: \"\*\"\}", "{domayn: \"*\"}", "domayn", "partners[1]",
     ["did you mean \"domain\"?"]),
    (r"gateways: .*", "gateways: []", "gateways: []", "channel.gateways",
     ["is empty"]),
    (r"gateways: .*", "gateways: [gw1.inside.example, GW1.inside.example]",
     "GW1", "channel.gateways[1]", ["there twice"]),
    (r"partners:", "  stanza_max: 9999\npartners:", "9999", "s2s.stanza_max",
     ["out of range", "10000 to 262144"]),
    (r"partners:", "  stanza_max: many\npartners:", "many", "s2s.stanza_max",
     ["a whole number"]),
    (r"partners:", "  dialback_secret_file: PKI/short.secret\npartners:",
     "short.secret", "s2s.dialback_secret_file", ["16 to"]),
    (r"\Z", "dns:\n  servers: [ns.example]\n", "ns.example", "dns.servers[0]",
     ["not an address"]),
]

GATEWAY = [
    (r"domains: .*", "domains: []", "domains: []", "sip.domains",
     ["is empty"]),
    (r"domains: .*", "domains: [sip.example, SIP.Example]", "SIP.Example",
     "sip.domains[1]", ["there twice"]),
    (r"domains: .*", "domains: [\"a b\"]", "a b", "sip.domains[0]",
     ["not a domain name"]),
    (r"udp:10", "sctp:10", "sctp:10", "sip.listen[0]",
     ["no known transport", "udp:address:port"]),
    (r"udp:10.66.0.2:5070", "udp:10.66.0.2", "udp:10.66.0.2", "sip.listen[0]",
     ["not an address"]),
    (r"udp:10.66.0.2:5070", "tcp:0.0.0.0:5070", "0.0.0.0", "sip.listen[1]",
     ["overlaps"]),
    (r"listen: .*", "listen: []", "listen: []", "sip.listen", ["is empty"]),
    (r"next_hop: .*", "next_hop: nonsense", "nonsense", "sip.next_hop",
     ["SIP URI", "sip:"]),
    (r"next_hop: .*", "next_hop: \"sips:10.66.0.3\"", "sips:",
     "sip.next_hop", ["expected"]),
    (r"transport=tcp", "transport=sctp", "sctp", "sip.next_hop",
     ["transport udp, tcp or tls"]),
    (r"tcp:10.66.0.2:5070\"", r'tcp:10.66.0.2:5070", "tls:10.66.0.2:5070"',
     "tls:10", "sip.listen[2]", ["overlaps \"tcp:10.66.0.2:5070\""]),
    (r"tcp:10.66.0.2:5070\"", r'tcp:10.66.0.2:5070", "tls:10.66.0.2:5061"',
     "domains:", "sip.tls", ["is missing", "tls:"]),
    (r"channel:", "  tls: {certificate: PKI/old.pem, key: PKI/old.key, "
     "trust: PKI/ca.pem}\nchannel:", "old.pem", "sip.tls.certificate",
     ["expired"]),
    (r"channel:", "  tls: {certificate: PKI/other.pem, key: PKI/other.key, "
     "trust: PKI/other.pem}\nchannel:", "trust", "sip.tls.trust",
     ["no CA in it"]),
    (r"channel:", "  tls: {certificate: PKI/other.pem, trust: PKI/ca.pem}\n"
     "channel:", "tls:", "sip.tls", ["the key \"key\" is missing"]),
    (r"channel:", "  tls: {peers: [sip.example]}\nchannel:", "tls:", "sip.tls",
     ["the key \"certificate\" is missing"]),
    (r", \"tcp:10.66.0.2:5070\"", "", "next_hop", "sip.next_hop",
     ["needs tcp", "sip.listen"]),
    (r"trusted: .*", "trusted: [proxy.example]", "proxy.example",
     "sip.trusted[0]", ["not an IP address"]),
    (r"trusted: .*", "trusted: []", "trusted", "sip.trusted", ["is empty"]),
    (r"trusted: .*", "trusted: [\"10.66.0.3\"]\n  page_max: 100",
     "page_max: 100", "sip.page_max", ["out of range", "600 to 65536"]),
    (r"channel:", "presence: {expires: 10}\nchannel:",
     "expires: 10", "presence.expires", ["out of range", "60 to 86400"]),
    (r"channel:", "presence: {expires_max: 30}\nchannel:",
     "expires_max: 30", "presence.expires_max",
     ["out of range", "60 to 86400", "not below presence.expires_min"]),
    (r"channel:", "presence: {expires_min: 0}\nchannel:",
     "expires_min: 0", "presence.expires_min", ["1 to 86400"]),
    (r"channel:", "presence: {notify_interval: 4000}\nchannel:",
     "notify_interval: 4000", "presence.notify_interval", ["0 to 3600"]),
    (r"channel:", "presence: {hold_off: 4000}\nchannel:",
     "hold_off: 4000", "presence.hold_off", ["0 to 3600"]),
    (r"channel:", "presence: {repair_rate: 0}\nchannel:",
     "repair_rate: 0", "presence.repair_rate", ["1 to 10000"]),
    (r"channel:", "presence: {profile: skype}\nchannel:",
     "profile: skype", "presence.profile", []),
    (r"store: .*", "store: {path: store.db}", "store.db", "store.path",
     ["not the path of a file", "/var/lib/fe-gateway/fe-gateway.db"]),
    (r"store: .*", "store: {path: /tmp/}", "/tmp/", "store.path",
     ["not the path of a file"]),
    (r"store: .*", "store: {path: /nowhere/store.db}", "/nowhere/store.db",
     "store.path", ["No such file or directory", "folder that is there"]),
    (r"store: .*", "store: {path: /etc/passwd/store.db}", "/etc/passwd/",
     "store.path", ["Not a directory"]),
    (r"store: .*", "store: {file: /tmp/store.db}", "file:", "store",
     ["known here: path"]),
    (r"store: .*", "federation: {bootstrap: open.yaml}", "open.yaml",
     "federation.bootstrap", ["not an absolute path"]),
    (r"store: .*", "federation: {bootstrap: /nowhere/open.yaml}", "/nowhere/",
     "federation.bootstrap", ["No such file or directory"]),
    (r"trusted: .*", "trusted: [\"10.66.0.3\"]\n  page_max: -1",
     "page_max: -1", "sip.page_max", ["whole number"]),
    (r"  trusted: .*\n", "", "domains:", "sip", ["\"trusted\" is missing"]),
    (r"edges:\n.*", "edges: []", "edges: []", "channel.edges",
     ["1 to 64 edges"]),
    (r"(address: )\"10.66.0.1:23456\"", r'\1"edge1"', "edge1",
     "channel.edges[0].address", ["not an address"]),
    (r"(    - .*edge1.*)", r"\1\n\1", "edge1", "channel.edges[1].name",
     ["there twice"]),
    (r"(    - \{)name", r"\1namex", "namex:", "channel.edges[0]",
     ["did you mean \"name\"?"]),
]

ROWS = ([("edge-proxy", *row) for row in BOTH + EDGE] +
        [("fe-gateway", *row) for row in BOTH + GATEWAY])


@pytest.mark.parametrize("daemon,pattern,instead,there,key,words", ROWS)
def test_a_mistake_is_named(daemon, pattern, instead, there, key, words, pki,
                            tmp_path):
    text = good(daemon, pki)
    if daemon == "edge-proxy":
        pattern = pattern.replace("channel:\\n  trust",
                                  "channel:\\n  listen.*\\n  trust")
        pattern = pattern.replace("(channel:\\n  )trust: .*\\n  ",
                                  "(channel:\\n  listen.*\\n  )trust: .*\\n  ")
    text = re.sub(r"log: .*\n", "", text)
    broken, count = re.subn(pattern, instead, text, count=1)
    assert count == 1, "the example changed: mend this row"
    broken = broken.replace("PKI", str(pki.folder))
    file, done = check(daemon, broken, tmp_path)
    assert done.returncode == 2, done.stderr
    said = re.match(re.escape(str(file)) + r":(\d+): (.*)\n$", done.stderr)
    assert said, done.stderr
    print(done.stderr)
    line = broken.split("\n")[int(said[1]) - 1]
    assert re.search(there.replace("[", r"\[").replace("]", r"\]"), line), \
        (line, done.stderr)
    if key:
        assert said[2].startswith(key + ": "), done.stderr
    for word in words:
        assert word in said[2], done.stderr


@pytest.mark.parametrize("daemon,rows", [("edge-proxy", BOTH + EDGE),
                                         ("fe-gateway", BOTH + GATEWAY)])
def test_there_are_enough(daemon, rows):
    assert len(rows) >= 20


@pytest.mark.parametrize("daemon", ["edge-proxy", "fe-gateway"])
def test_no_file(daemon, tmp_path):
    done = subprocess.run([str(BIN / daemon), "--check",
                           str(tmp_path / "none.conf")], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 2
    assert "none.conf: cannot open: No such file" in done.stderr


FIRST = [
    ("settings: {federation: on}\n", None),
    ("", ":1: "),
    ("settings: {federation: on}\npartners:\n"
     "  - {domain: a.example, tls: sometimes}\n", ":3: partners[0].tls: "),
    ("partner: []\n", "did you mean \"partners\"?"),
    ("grants: [{user: alice@sip.example, policy: sales}]\n",
     ": grant alice@sip.example: policy: there is no policy \"sales\""),
    ("partners: [{domain: SIP.example}]\n",
     ": partner sip.example: sip.example is a SIP domain of ours "
     "(sip.domains)"),
]


@pytest.mark.parametrize("content,said", FIRST)
def test_the_first_configuration(content, said, pki, tmp_path):
    """federation.bootstrap is read by --check, with its own lines."""
    first = tmp_path / "federation.conf"
    first.write_text(content)
    text = good("fe-gateway", pki) + f"federation: {{bootstrap: {first}}}\n"
    _, done = check("fe-gateway", text, tmp_path)
    if said is None:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 2
        assert done.stderr.startswith(str(first))
        assert said in done.stderr, done.stderr


def test_the_first_configuration_is_too_much(pki, tmp_path):
    """What an edge could not be told is refused before the start is."""
    rest = "x" * 60 + ".example"
    content = "settings: {federation: on}\npartners:\n"
    for i in range(400):
        names = ", ".join(f"a{k}.p{i}.{rest}" for k in range(64))
        content += f"  - {{domain: p{i}.{rest}, additional: [{names}]}}\n"
    test_the_first_configuration(
        content, "are more than an edge can be told at once: ", pki, tmp_path)
