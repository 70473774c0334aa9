"""What an operator types: --check, --version, mistakes in the host file."""

import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
DAEMONS = {"edge-proxy": "LAB_EDGE_CONFIG", "fe-gateway": "LAB_GATEWAY_CONFIG"}


def run(daemon, *words):
    return subprocess.run([str(TOP / "build/release" / daemon), *words],
                          capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_version_and_help(daemon):
    assert re.match(daemon + r" \d+\.\d+\.\d+", run(daemon, "--version").stdout)
    assert "--config" in run(daemon, "--help").stdout
    assert run(daemon, "--nonsense").returncode == 2


@pytest.mark.parametrize("daemon,variable", DAEMONS.items())
def test_check_accepts_the_labs_file(lab, daemon, variable):
    done = run(daemon, "--check", lab.env[variable])
    assert done.returncode == 0, done.stderr


PATHS = re.compile(r"\b(trust|certificate|key): ([^\s,}]+)")


def dumps_to_itself(daemon, file):
    first = run(daemon, "--dump", str(file))
    assert first.returncode == 0, first.stderr
    file.with_suffix(".dump").write_text(first.stdout)
    second = run(daemon, "--dump", str(file.with_suffix(".dump")))
    assert second.stdout == first.stdout != ""
    return first.stdout


@pytest.mark.parametrize("daemon,variable", DAEMONS.items())
def test_the_labs_file_dumps_to_itself(lab, tmp_path, daemon, variable):
    file = tmp_path / "lab.conf"
    file.write_text(pathlib.Path(lab.env[variable]).read_text())
    dumps_to_itself(daemon, file)


@pytest.mark.parametrize("daemon,variable", DAEMONS.items())
def test_the_example_file_is_right(lab, tmp_path, daemon, variable):
    """Only its certificates are not there: the lab's take their place."""
    example = (TOP / f"deploy/examples/{daemon}.conf").read_text()
    ours = [m[1] for m in PATHS.findall(
        pathlib.Path(lab.env[variable]).read_text())]
    assert len(PATHS.findall(example)) == len(ours)
    file = tmp_path / "example.conf"
    file.write_text(PATHS.sub(lambda m: f"{m[1]}: {ours.pop(0)}", example))
    done = run(daemon, "--check", str(file))
    assert done.returncode == 0, done.stderr
    dumps_to_itself(daemon, file)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_man_page_shows_the_example(daemon):
    example = (TOP / f"deploy/examples/{daemon}.conf").read_text()
    page = (TOP / f"deploy/man/{daemon}.conf.5").read_text()
    body = re.sub(r"^ *#.*\n", "", example, flags=re.M)
    assert body in page


BROKEN = [
    ("edge-proxy", r"instance:.*", "", "instance"),
    ("edge-proxy", r"5269", "99999", "listen"),
    ("edge-proxy", r"(listen_direct_tls: ).*", r"\1[nonsense]",
     "listen_direct_tls"),
    ("edge-proxy", r"(  servers: .*)", r"\1\n  trust_anchor_file: /etc/group",
     "dns.trust_anchor_file"),
    ("edge-proxy", r"s2s:\n", "s2s:\n  streams_max: 3\n", "streams_max"),
    ("edge-proxy", r"s2s:\n", "s2s:\n  streams_max: 15001\n", "streams_max"),
    ("edge-proxy", r"tls: required", "tls: perhaps", "tls"),
    ("edge-proxy", r"partners:", "parners:", "parners"),
    ("edge-proxy", r"(certificate: )[^\s,}]+", r"\1/nowhere.pem", "/nowhere.pem"),
    ("edge-proxy", r"level: \w+", "level: chatty", "level"),
    ("edge-proxy", r"\n  trust:", "\n  bidi: maybe\n  trust:", "bidi"),
    ("edge-proxy", r"\n  trust:", "\n  crl: /etc/group\n  trust:", "s2s.crl"),
    ("edge-proxy", r"(?s)(channel:\n.*?)\n  trust:",
     r"\1\n  crl: /etc/group\n  trust:", "channel.crl"),
    ("fe-gateway", r"(channel:\n)", r"\1  crl: /nowhere.crl\n",
     "channel.crl"),
    ("fe-gateway", r"instance:.*", "", "instance"),
    ("fe-gateway", r"udp:", "sctp:", "listen"),
    ("fe-gateway", r"next_hop:.*", "next_hop: nonsense", "next_hop"),
    ("fe-gateway", r"next_hop:.*", "next_hop: 'sip:a;transport=ws'", "next_hop"),
    ("fe-gateway", r'"udp:[^"]*", ("tcp.*\n  next_hop:).*',
     r"\1 'sip:192.0.2.1'", "next_hop"),
    ("fe-gateway", r"sip:\n", "sip:\n  options_interval: 3601\n",
     "options_interval"),
    ("fe-gateway", r"sip:\n", "dns: {servers: [x]}\nsip:\n", "dns.servers"),
    ("fe-gateway", r"  tls:\n(    .*\n)+", "", "sip.tls"),
    ("fe-gateway", r"(  tls:\n    certificate: ).*", r"\1/nowhere.pem",
     "sip.tls.certificate"),
    ("fe-gateway", r"(  tls:\n(    .*\n)*    trust: ).*", r"\1/etc/group",
     "sip.tls.trust"),
    ("fe-gateway", r"  tls:\n", "  tls:\n    peers: ['*.example']\n",
     "sip.tls.peers"),
    ("fe-gateway", r"trusted:.*", "trusted: [not-an-address]", "trusted"),
    ("fe-gateway", r"sip:\n", "sips:\n", "sips"),
    ("fe-gateway", r"address: \S+", 'address: "x"}', "address"),
    *((daemon, r"admin: .*", f"admin: {{{wrong}}}", key)
      for daemon in DAEMONS for wrong, key in (
          ("socket: admin.sock", "admin.socket"),
          ("socket: ''", "admin.socket"),
          (f"socket: /{'a' * 107}", "admin.socket"),
          ("sockets: /run/a", "did you mean \"socket\"?"))),
]


@pytest.mark.parametrize("daemon,variable", DAEMONS.items())
def test_the_admin_socket_has_a_place(lab, tmp_path, daemon, variable):
    text = pathlib.Path(lab.env[variable]).read_text()
    file = tmp_path / "without.conf"
    file.write_text(re.sub(r"admin: .*", "", text))
    assert f"socket: /run/{daemon}/admin.sock\n" in \
        dumps_to_itself(daemon, file)
    file.write_text(re.sub(r"admin: .*",
                           f"admin: {{socket: /{'a' * 106}}}", text))
    assert run(daemon, "--check", str(file)).returncode == 0


@pytest.mark.parametrize("daemon,pattern,replacement,key", BROKEN)
def test_mistakes_are_named(lab, tmp_path, daemon, pattern, replacement, key):
    good = pathlib.Path(lab.env[DAEMONS[daemon]]).read_text()
    bad, count = re.subn(pattern, replacement, good, count=1)
    assert count == 1, "the lab's file changed: mend this test"
    file = tmp_path / "broken.conf"
    file.write_text(bad)
    done = run(daemon, "--check", str(file))
    assert done.returncode == 2
    assert re.search(re.escape(str(file)) + r":\d+:", done.stderr), done.stderr
    assert key in done.stderr
