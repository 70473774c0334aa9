"""The load generator in the lab: both its sides, and what is measured.

load/xmpp plays the XMPP server of load.example, load/sip the SIP proxy behind
the gateway.  They speak to the daemons directly, so what is measured is the
pair alone.  See load/flow.h and load/crowd.h for the commands.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import time

from conftest import LAB
from procs import cpu_ns, daemon_pids, machine_busy_ns, rss_bytes

XMPP_ADDRESS = "198.51.100.30:5269"
SIP_ADDRESS = "10.66.0.20:5060"
DOMAIN = "load.example"

# Messages under way in all; enough to saturate both daemons on two cores.
WINDOW = int(os.environ.get("BENCH_WINDOW", "64"))
RATES = (100, 1000)
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
WARM_SECONDS = 1.5
DRAIN_SECONDS = 10
IDLE_STREAMS = 200
HANDSHAKES_AT_ONCE = 4
HANDSHAKES_SECONDS = 5


class Side:
    """One process of the load generator."""

    def __init__(self, lab, node, program, *args, pass_fds=()):
        argv = [str(LAB), "exec", node, str(program), *args]
        self.process = subprocess.Popen(
            argv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=lab.environ, pass_fds=pass_fds)
        self.pid = self.process.pid    # every step from lab to it is an exec
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[3]} ended")
        return json.loads(line)

    def __call__(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass                # answer() says that it ended
        return self.answer()

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def certificate(lab, name):
    """[CA, chain, key] of a domain."""
    found = dict(line.split("=", 1)
                 for line in lab("cert", name).stdout.splitlines())
    return [found["ca"], found["cert"], found["key"]]


def point_gateway_at_us(lab):
    """The generator is the gateway's next hop, and it may send.  Its own
    connection has the gateway's address: both live in one namespace."""
    path = pathlib.Path(lab.env["LAB_GATEWAY_CONFIG"])
    text = path.read_text()
    text, hops = re.subn(r'next_hop: .*',
                         f'next_hop: "sip:{SIP_ADDRESS};transport=tcp"', text)
    text, lists = re.subn(r'trusted: \[',
                          f'trusted: ["{lab.env["LAB_GATEWAY_IP"]}", ', text)
    if (hops, lists) != (1, 1):
        raise RuntimeError(f"{path} does not look as expected")
    path.write_text(text)


class Load:
    """Fresh daemons, the two sides, and the domain in DNS."""

    def __init__(self, lab, programs):
        point_gateway_at_us(lab)
        for service in ("edge", "gateway"):
            lab("restart", service)
        lab("wait-channel")
        lab("dns", "add",
            f"_xmpp-server._tcp.{DOMAIN}. 60 IN SRV 0 0 5269 x.{DOMAIN}.",
            f"x.{DOMAIN}. 60 IN A {XMPP_ADDRESS.split(':')[0]}")
        self.pids = daemon_pids(lab)
        self.rss_before = {name: rss_bytes(pid)
                           for name, pid in self.pids.items()}
        read_end, write_end = os.pipe()
        edge = f"{lab.env['LAB_EDGE_OUTER_IP']}:{lab.env['LAB_S2S_PORT']}"
        self.sip = Side(lab, "inside", programs / "sip", SIP_ADDRESS,
                        lab.env["LAB_GATEWAY_SIP"], str(write_end),
                        pass_fds=[write_end])
        self.xmpp = Side(lab, "inet", programs / "xmpp", XMPP_ADDRESS, edge,
                         *certificate(lab, DOMAIN),
                         *certificate(lab, f"*.{DOMAIN}")[1:],
                         str(read_end), pass_fds=[read_end])
        os.close(read_end)
        os.close(write_end)

    def end(self):
        self.xmpp.end()
        self.sip.end()


def drain(sender, receiver, before):
    """Nothing under way any more; raise when something was lost."""
    until = time.monotonic() + DRAIN_SECONDS
    while True:
        sent = sender("report")["sent_in_all"] - before[0]
        received = receiver("report")["received_in_all"] - before[1]
        if sent == received and sender("report")["under_way"] == 0:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"{sent} messages sent, {received} arrived")
        time.sleep(0.05)


def measure_one(load, sender, receiver, command):
    """One stretch of SECONDS under `command`."""
    totals = (sender("report")["sent_in_all"],
              receiver("report")["received_in_all"])
    pids = {name: [pid] for name, pid in load.pids.items()}
    pids["load"] = [load.xmpp.pid, load.sip.pid]

    def cpu():
        return {name: sum(cpu_ns(pid) for pid in group)
                for name, group in pids.items()}

    sender(command)
    time.sleep(WARM_SECONDS)
    sender("reset")
    receiver("reset")
    busy, before = machine_busy_ns(), cpu()
    time.sleep(SECONDS)
    after, busy = cpu(), machine_busy_ns() - busy
    here, there = receiver("report"), sender("report")
    sender("stop")
    drain(sender, receiver, totals)
    failed = sender("report")["failed"] + receiver("report")["failed"]
    if failed:
        raise RuntimeError(f"{failed} messages failed under '{command}'")
    used = {name: after[name] - before[name] for name in after}
    count = max(here["received"], 1)
    return {
        "msgs_per_s": round(here["received"] * 1e9 / here["ns"]),
        "p50_ms": here["p50_us"] / 1000,
        "p99_ms": here["p99_us"] / 1000,
        "answer_p50_ms": there["answer_p50_us"] / 1000,
        "answer_p99_ms": there["answer_p99_us"] / 1000,
        "cpu_us": {name: round(ns / count / 1000, 1)
                   for name, ns in used.items()},
        "foreign_cores": round(max(0, busy - sum(used.values())) / here["ns"],
                               2),
    }


def measure_direction(load, sender, receiver):
    """The load of the table: two fixed rates, then as much as goes."""
    result = {}
    for rate in RATES:
        one = measure_one(load, sender, receiver, f"rate {rate}")
        for key in ("p50_ms", "p99_ms", "answer_p50_ms", "answer_p99_ms"):
            if one[key] or not key.startswith("answer"):
                result[f"{key}_{rate}"] = one[key]
        result[f"edge_cpu_us_{rate}"] = one["cpu_us"]["edge"]
        result[f"gateway_cpu_us_{rate}"] = one["cpu_us"]["gateway"]
    full = measure_one(load, sender, receiver, f"closed {WINDOW}")
    return {
        "msgs_per_s": full["msgs_per_s"],
        "edge_cpu_us": full["cpu_us"]["edge"],
        "gateway_cpu_us": full["cpu_us"]["gateway"],
        "load_cpu_us": full["cpu_us"]["load"],
        "foreign_cores": full["foreign_cores"],
        "p50_ms_full": full["p50_ms"],
        "p99_ms_full": full["p99_ms"],
        **result,
    }


def measure_streams(load):
    """Memory of idle inbound streams, then handshakes."""
    edge = load.pids["edge"]
    # what the first streams allocate once for all
    load.xmpp("idle 8")
    load.xmpp("idle 0")
    time.sleep(0.5)
    before = rss_bytes(edge)
    load.xmpp(f"idle {IDLE_STREAMS}")
    time.sleep(0.5)
    memory = rss_bytes(edge) - before
    load.xmpp("idle 0")
    time.sleep(0.5)
    before = cpu_ns(edge)
    made = load.xmpp(f"handshakes {HANDSHAKES_AT_ONCE} "
                     f"{int(HANDSHAKES_SECONDS * 1000)}")
    used = cpu_ns(edge) - before
    return {
        "idle_stream_bytes": round(memory / IDLE_STREAMS),
        # of one core of the edge: this peer, which is no faster, waits for
        # the edge and the edge for it
        "handshakes_per_s": round(made["made"] * 1e9 / used),
        "handshakes_per_s_seen": round(made["made"] * 1e9 / made["ns"]),
    }


def measure(lab, programs):
    """Everything; `programs` is where the two sides were built."""
    load = Load(lab, programs)
    try:
        streams = measure_streams(load)
        to_sip = measure_direction(load, load.xmpp, load.sip)
        load.sip("connect")
        to_xmpp = measure_direction(load, load.sip, load.xmpp)
        result = {"xmpp_to_sip": to_sip, "sip_to_xmpp": to_xmpp, **streams}
        for name, pid in load.pids.items():
            result[f"{name}_rss_mb"] = round(rss_bytes(pid) / 1e6, 1)
            result[f"{name}_rss_mb_before"] = \
                round(load.rss_before[name] / 1e6, 1)
        return result
    finally:
        load.end()
