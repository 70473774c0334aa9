"""Messages from a sender to a receiver under a rate or a window."""

import time

from procs import Meter
from scale import (DRAIN_SECONDS, RATES, SECONDS, WARM_SECONDS, WINDOW)


class Flow:
    """One direction: two sides and the processes between them."""

    def __init__(self, sender, receiver, pids):
        self.sender = sender
        self.receiver = receiver
        self.pids = {name: [pid] for name, pid in pids.items()}
        self.load = list({sender.pid, receiver.pid})
        self.before = (0, 0)

    def begin(self, command):
        self.before = (self.sender("report")["sent_in_all"],
                       self.receiver("report")["received_in_all"])
        self.sender(command)
        time.sleep(WARM_SECONDS)
        self.sender("reset")
        self.receiver("reset")

    def sent(self):
        return self.sender("report")["sent_in_all"] - self.before[0]

    def end(self, what):
        """Nothing under way any more; raise when something was lost."""
        self.sender("stop")
        until = time.monotonic() + DRAIN_SECONDS
        while True:
            sent = self.sent()
            received = \
                self.receiver("report")["received_in_all"] - self.before[1]
            if sent == received and self.sender("report")["under_way"] == 0:
                break
            if time.monotonic() > until:
                raise RuntimeError(f"{sent} messages sent, {received} arrived")
            time.sleep(0.05)
        failed = self.sender("report")["failed"] + \
            self.receiver("report")["failed"]
        if failed:
            raise RuntimeError(f"{failed} messages failed under '{what}'")


def latency(flow):
    """What was seen since begin(); answers only where the sender gets one."""
    here, there = flow.receiver("report"), flow.sender("report")
    found = {"p50_ms": here["p50_us"] / 1000, "p99_ms": here["p99_us"] / 1000}
    if there["answer_p50_us"]:
        found["answer_p50_ms"] = there["answer_p50_us"] / 1000
        found["answer_p99_ms"] = there["answer_p99_us"] / 1000
    return here["received"], here["ns"], found


def measure_one(flow, command):
    """One stretch of SECONDS under `command`."""
    flow.begin(command)
    meter = Meter({**flow.pids, "load": flow.load})
    time.sleep(SECONDS)
    used = meter.read()
    count, ns, found = latency(flow)
    flow.end(command)
    cpu_us = {name: round(value / max(count, 1) / 1000, 1)
              for name, value in used["cpu_ns"].items()}
    return {"msgs_per_s": round(count * 1e9 / ns), "cpu_us": cpu_us,
            "foreign_cores": used["foreign_cores"], **found}


def measure(flow):
    """The load of the table: two fixed rates, then as much as goes."""
    result = {}
    foreign = []
    for rate in RATES:
        one = measure_one(flow, f"rate {rate}")
        foreign.append(one["foreign_cores"])
        for key in one:
            if key.endswith("_ms"):
                result[f"{key}_{rate}"] = one[key]
        for name in flow.pids:
            result[f"{name}_cpu_us_{rate}"] = one["cpu_us"][name]
    full = measure_one(flow, f"closed {WINDOW}")
    return {
        "msgs_per_s": full["msgs_per_s"],
        **{f"{name}_cpu_us": us for name, us in full["cpu_us"].items()},
        "p50_ms_full": full["p50_ms"],
        "p99_ms_full": full["p99_ms"],
        "foreign_cores": full["foreign_cores"],
        "foreign_cores_at_rates": max(foreign),
        **result,
    }


def run_until(flows, total):
    """Every flow at half the window, until so many messages went through."""
    for flow in flows:
        flow.begin(f"closed {max(1, WINDOW // len(flows))}")
    while sum(flow.sender("report")["sent_in_all"] for flow in flows) < total:
        time.sleep(0.2)
    for flow in flows:
        flow.end("the rest")
