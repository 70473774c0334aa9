"""Presence by the hundred thousand: load/watch is the edge and the SIP side of
one gateway, which is fresh and has an empty store."""

import os
import pathlib
import signal
import subprocess
import time

from procs import Meter, daemon_pids, rss_bytes
from scale import WATCHES
from side import Side

ADDRESS = "10.66.0.21"
CHANNEL, SIP = f"{ADDRESS}:23456", f"{ADDRESS}:5060"
REPAIR_RATE = 10_000


def configure(lab):
    path = pathlib.Path(lab.env["LAB_GATEWAY_CONFIG"])
    text = path.read_text()
    path.write_text(for_load(text, lab.env["LAB_EDGE_NAME"]))
    for old in pathlib.Path(path).parent.glob("store.db*"):
        old.unlink()


def for_load(text, name):
    """The edge, the next hop and who may send are load/watch."""
    lines = []
    for line in text.splitlines():
        if f"name: {name}" in line:
            line = f'    - {{name: {name}, address: "{CHANNEL}"}}'
        if line.startswith("presence:"):
            line = (f"presence: {{notify_interval: 0, "
                    f"repair_rate: {REPAIR_RATE}}}")
        if line.startswith("  next_hop:"):
            line = f'  next_hop: "sip:{SIP};transport=tcp"'
        if line.startswith("  trusted:"):
            line = f'  trusted: ["{ADDRESS}", "10.66.0.2"]'
        lines.append(line)
    return "\n".join(lines) + "\n"


def start(lab, programs):
    pki = lab.env["LAB_STATE"] + "/pki/channel/edge/"
    return Side(lab, "inside", programs / "watch", CHANNEL,
                lab.env["LAB_EDGE_NAME"], lab.env["LAB_GATEWAY_NAME"],
                lab.env["LAB_CHANNEL_CA"], pki + "chain.pem", pki + "key.pem",
                SIP, lab.env["LAB_GATEWAY_SIP"])


def per_s(answer):
    return round(answer["count"] * 1e9 / answer["ns"])


class Gateway:
    def __init__(self, lab):
        self.lab = lab
        lab("restart", "gateway")

    @property
    def pid(self):
        return daemon_pids(self.lab)["gateway"]

    def rss(self):
        time.sleep(1)
        return rss_bytes(self.pid)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.lab("start", "gateway")


def fan_out(watch, gateway, task):
    """One change each of all that are watched."""
    meter = Meter({"gateway": [gateway.pid]})
    answer = watch(f"{task} {WATCHES}")
    cpu_ns = meter.read()["cpu_ns"]["gateway"]
    return {f"{task}_per_s": per_s(answer),
            f"{task}_gateway_cpu_us": round(cpu_ns / 1000 / WATCHES, 1)}


def measure(lab, programs):
    configure(lab)
    watch = start(lab, programs)
    try:
        return {"watches": watch_figures(watch, Gateway(lab))}
    finally:
        watch.end()


def watch_figures(watch, gateway):
    before = gateway.rss()
    made_out = watch(f"out {WATCHES}")
    between = gateway.rss()
    made_in = watch(f"in {WATCHES}")
    after = gateway.rss()
    result = {
        "count": WATCHES,
        "out_per_s": per_s(made_out), "in_per_s": per_s(made_in),
        "out_bytes": round((between - before) / WATCHES),
        "in_bytes": round((after - between) / WATCHES),
        **fan_out(watch, gateway, "change"),
        **fan_out(watch, gateway, "notify"),
    }
    gateway.kill()
    restart = watch(f"restart {WATCHES}")
    result["reconciled_s"] = round(restart["ns"] / 1e9, 1)
    result["reconciled_rate"] = REPAIR_RATE
    result["rss_mb"] = round(gateway.rss() / 1e6, 1)
    return result
