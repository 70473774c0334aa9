"""Streams by the hundred: handshakes, memory, and messages meanwhile."""

import time

from flow import latency
from procs import Meter, rss_bytes
from scale import (HANDSHAKES_AT_ONCE, IDLE_IN, IDLE_OUT, IDLE_OUT_AT_ONCE,
                   SECONDS, STORM_PEERS, STORM_RATE)

SETTLE_SECONDS = 0.5
OPEN_SECONDS = 60
WARM_STREAMS = 8
# addresses of the lab's Internet that nobody else has
STORM_ADDRESSES = [f"198.51.100.{n}" for n in range(31, 51)]


def made_per_s(load, task):
    """Of one core of the edge: this peer, which is no faster, waits for the
    edge and the edge for it."""
    meter = Meter({"edge": [load.pids["edge"]], "crowd": [load.crowd.pid]})
    made = load.crowd(f"{task} {HANDSHAKES_AT_ONCE} {int(SECONDS * 500)}")
    used = meter.read()
    if made["made"] == 0 or made["made"] != made["begun"]:
        raise RuntimeError(f"{task}: {made}")
    return made, {
        f"{task}_per_s": round(made["made"] * 1e9 / used["cpu_ns"]["edge"]),
        f"{task}_per_s_seen": round(made["made"] * 1e9 / made["ns"]),
        f"{task}_foreign_cores": used["foreign_cores"],
    }


def measure_handshakes(load):
    """Streams by SASL EXTERNAL that end as soon as they are open."""
    _, full = made_per_s(load, "handshakes")
    made, resumed = made_per_s(load, "resumptions")
    if made["resumed"] < made["made"] // 2:
        # nothing was resumed: no figure is better than that of full ones
        resumed["resumptions_per_s"] = 0
    return {**full, **resumed}


def wait_for_streams(load, count):
    until = time.monotonic() + OPEN_SECONDS
    while load.xmpp("streams")["open"] < count or \
            load.sip("opened")["opened"] < count:
        if time.monotonic() > until:
            raise RuntimeError(f"the edge did not open {count} streams")
        time.sleep(0.02)


def open_outbound(load, first, end):
    """Streams of the edge to as many domains."""
    for number in range(first, end, IDLE_OUT_AT_ONCE):
        count = min(IDLE_OUT_AT_ONCE, end - number)
        load.sip(f"open {number} {count}")
        wait_for_streams(load, number + count)


def measure_idle(load):
    """Memory of the edge for each stream that is open and says nothing."""
    edge = load.pids["edge"]
    # what the first streams allocate once for all
    load.crowd(f"idle {WARM_STREAMS}")
    load.crowd("idle 0")
    open_outbound(load, 0, WARM_STREAMS)
    time.sleep(SETTLE_SECONDS)
    before = rss_bytes(edge)
    load.crowd(f"idle {IDLE_IN}")
    time.sleep(SETTLE_SECONDS)
    inbound = rss_bytes(edge) - before
    open_outbound(load, WARM_STREAMS, WARM_STREAMS + IDLE_OUT)
    time.sleep(SETTLE_SECONDS)
    both = rss_bytes(edge) - before
    meter = Meter({"edge": [edge]})
    time.sleep(SECONDS / 5)
    cores = meter.read()["cpu_ns"]["edge"] / (SECONDS / 5) / 1e9
    load.crowd("idle 0")
    load.xmpp("leave")
    return {
        "idle_streams": IDLE_IN + IDLE_OUT,
        "idle_stream_bytes": round(both / (IDLE_IN + IDLE_OUT)),
        "idle_stream_bytes_in": round(inbound / IDLE_IN),
        "idle_stream_bytes_out": round((both - inbound) / IDLE_OUT),
        "idle_streams_cores": round(cores, 4),
    }


class ManyAddresses:
    """New connections from the Internet to 5269 come from many addresses, as
    those of many peers do: the edge limits strangers by address."""

    def __init__(self, lab):
        self.lab = lab

    def nft(self, *words):
        self.lab("exec", "inet", "nft", *words)

    def __enter__(self):
        addresses = ", ".join(f"{i} : {a}"
                              for i, a in enumerate(STORM_ADDRESSES))
        self.nft("add table ip bench")
        self.nft("add chain ip bench out "
                 "{ type nat hook postrouting priority srcnat ; }")
        # connections that are there already must keep their address
        self.nft("add rule ip bench out tcp dport 5269 "
                 "tcp flags & (syn | ack) == syn snat to numgen inc "
                 f"mod {len(STORM_ADDRESSES)} map {{ {addresses} }}")

    def __exit__(self, *_):
        self.nft("delete table ip bench")


def measure_storm(load, flows):
    """Latency of a few messages both ways while a crowd shakes hands."""
    with ManyAddresses(load.lab):
        for flow in flows:
            flow.begin(f"rate {STORM_RATE}")
        meter = Meter({"edge": [load.pids["edge"]],
                       "gateway": [load.pids["gateway"]],
                       "load": [load.xmpp.pid, load.sip.pid, load.crowd.pid]})
        made = load.crowd(f"handshakes {STORM_PEERS} {int(SECONDS * 1000)}")
        used = meter.read()
        found = [latency(flow)[2] for flow in flows]
    for flow in flows:
        flow.end("storm")
    to_sip, to_xmpp = found
    return {
        "peers": STORM_PEERS,
        "handshakes": made["made"],
        "handshakes_failed": made["begun"] - made["made"],
        "seconds": round(made["ns"] / 1e9, 1),
        "p50_ms": max(one["p50_ms"] for one in found),
        "p99_ms": max(one["p99_ms"] for one in found),
        "xmpp_to_sip": to_sip,
        "sip_to_xmpp": to_xmpp,
        "foreign_cores": used["foreign_cores"],
    }
