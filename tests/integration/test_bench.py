"""make bench runs, loses nothing and says what it promises to say.

A short run: its figures are not looked at.
"""

import json
import os
import subprocess

import pytest

from conftest import TOP

DIRECTION = {"msgs_per_s", "edge_cpu_us", "gateway_cpu_us", "p50_ms_100",
             "p99_ms_100", "p50_ms_1000", "p99_ms_1000"}
SINGLE = {"idle_stream_bytes", "handshakes_per_s", "resumptions_per_s",
          "edge_rss_mb", "gateway_rss_mb"}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    done = subprocess.run(
        ["tests/bench/run", str(path)], cwd=TOP, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "BENCH_SECONDS": "0.4"})
    assert done.returncode == 0, done.stdout[-4000:]
    assert "what we build for" in done.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("way", ["xmpp_to_sip", "sip_to_xmpp"])
def test_directions(result, way):
    assert DIRECTION <= result[way].keys()
    for key in DIRECTION:
        assert result[way][key] > 0, key
    # in milliseconds, and in order
    assert result[way]["p50_ms_100"] <= result[way]["p99_ms_100"] < 10_000


def test_figures_of_both(result):
    assert SINGLE <= result.keys()
    for key in SINGLE - {"resumptions_per_s"}:
        assert result[key] > 0, key
    assert result["messages"] >= 40_000


def test_prosody_beside_them(result):
    row = result["prosody"]
    for key in ("msgs_per_s", "sending_cpu_us", "receiving_cpu_us",
                "p50_ms_100", "p99_ms_1000"):
        assert row[key] > 0, key


def test_storm(result):
    storm = result["storm"]
    assert storm["handshakes"] >= storm["peers"] > 0
    assert storm["handshakes_failed"] == 0
    assert storm["p50_ms"] <= storm["p99_ms"]


def test_watches(result):
    row = result["watches"]
    assert row["count"] == 4000
    for key in ("out_per_s", "in_per_s", "change_per_s", "notify_per_s",
                "reconciled_s", "rss_mb"):
        assert row[key] > 0, key
