"""The lint itself: it must fail on what it forbids and pass what it allows."""

import pathlib
import subprocess
import sys

import pytest

LINT = pathlib.Path(__file__).with_name("lint.py")


def run(root, check, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    done = subprocess.run([sys.executable, str(LINT), "--root", str(root),
                           check], capture_output=True, text=True)
    return done.returncode, done.stdout


FORBIDDEN = [
    ("edge-proxy/core/s2s_in.c", "#include <uv.h>\n"),
    ("edge-proxy/core/s2s_in.c", '#include "io/conn.h"\n'),
    ("edge-proxy/core/s2s_in.c", "#include <mbedtls/ssl.h>\n"),
    ("edge-proxy/core/s2s_in.c", "#include <sys/socket.h>\n"),
    ("edge-proxy/core/s2s_in.c", "#include <libxml/parser.h>\n"),
    ("common/xmpp/jid.c", '#include "chan/chan_core.h"\n'),
    ("edge-proxy/edge_session.c", '#include "fe-gateway/sip_adapter.h"\n'),
    ("edge-proxy/edge_session.c", "#include <sofia-sip/nta.h>\n"),
    ("edge-proxy/edge_dns.c", "#include <unbound.h>\n"),
    ("fe-gateway/core/router.c", "#include <sofia-sip/sip.h>\n"),
    ("fe-gateway/gateway_session.c", '#include "edge-proxy/edge_dns.h"\n'),
    ("common/base/buf.c", '#include "xmpp/jid.h"\n'),
    ("common/base/buf.c", "#include <time.h>\n"),
    ("common/chan/chan_core.c", '#include "io/loop.h"\n'),
    ("common/io/conn.c", '#include "edge-proxy/core/s2s.h"\n'),
    ("common/io/conn.c", "#include <mbedtls/ssl.h>\n"),
]


@pytest.mark.parametrize("path,text", FORBIDDEN)
def test_forbidden_include_fails(tmp_path, path, text):
    code, out = run(tmp_path, "includes", path, text)
    assert code == 1
    assert f"{path}:1:" in out


ALLOWED = [
    ("edge-proxy/core/xml_reader.c", "#include <libxml/parser.h>\n"),
    ("edge-proxy/core/s2s_in.c", '#include "xmpp/jid.h"\n#include <string.h>\n'),
    ("edge-proxy/edge_dns.c", "#include <uv.h>\n"),
    ("common/io/dns_resolver.c", "#include <unbound.h>\n"),
    ("fe-gateway/sip_adapter.c", "#include <sofia-sip/nta.h>\n"),
    ("common/io/tls_engine.c", "#include <mbedtls/ssl.h>\n"),
]


@pytest.mark.parametrize("path,text", ALLOWED)
def test_allowed_include_passes(tmp_path, path, text):
    assert run(tmp_path, "includes", path, text) == (0, "")


@pytest.mark.parametrize("line", [
    "strcpy(a, b);", "sprintf(a, b);", "assert(x);", "x = atoi(s);",
    "int x; // why", "/* TODO later */",
])
def test_banned_fails(tmp_path, line):
    code, out = run(tmp_path, "banned", "common/base/a.c", line + "\n")
    assert code == 1 and "common/base/a.c:1:" in out


def test_banned_passes_look_alikes(tmp_path):
    text = 'x_assert(y); p = "strcpy(a)"; /* gets(it) */ s->system(1);\n'
    assert run(tmp_path, "banned", "common/base/a.c", text) == (0, "")


def test_long_function_fails(tmp_path):
    body = "\tx();\n" * 71
    code, out = run(tmp_path, "sizes", "common/base/a.c",
                    "int long_one(void)\n{\n" + body + "}\n")
    assert code == 1 and "long_one() has 71 lines" in out


def test_long_file_fails(tmp_path):
    code, out = run(tmp_path, "sizes", "common/base/a.c", "\n" * 601)
    assert code == 1 and "601 lines" in out


def test_long_test_fails(tmp_path):
    code, out = run(tmp_path, "sizes", "tests/unit/test_a.c", "\n" * 601)
    assert code == 1 and "601 lines" in out


def test_purity_sees_clock_and_globals(tmp_path):
    source = tmp_path / "a.c"
    source.write_text("#include <time.h>\nint hits;\n"
                      "long f(void) { return (long)time(0) + hits; }\n")
    build = tmp_path / "build"
    build.mkdir()
    subprocess.run(["gcc", "-c", str(source), "-o", str(build / "a.o")],
                   check=True)
    for name in ("common_base", "common_xmpp", "common_chan",
                 "edge-proxy_core", "fe-gateway_core"):
        subprocess.run(["ar", "rcs", str(build / f"lib_{name}.a"),
                        str(build / "a.o")], check=True)
    done = subprocess.run([sys.executable, str(LINT), "--build", str(build),
                           "purity"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "lib_common_base.a: uses time" in done.stdout
    assert "hits is mutable data" in done.stdout


def test_links_sees_an_io_library(tmp_path):
    (tmp_path / "unit").mkdir()
    source = tmp_path / "a.c"
    source.write_text("#include <uv.h>\nint main(void)\n"
                      "{ return (int)uv_version(); }\n")
    subprocess.run(["gcc", str(source), "-luv", "-o",
                    str(tmp_path / "unit/test_a")], check=True)
    done = subprocess.run([sys.executable, str(LINT), "--build",
                           str(tmp_path), "links"],
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert "unit/test_a: needs libuv" in done.stdout
