"""Messages as two people send them: one under way at a time, through Prosody
and Kamailio.  Latency is from the sender's call to the receiver's callback, so
it holds those and Python too."""

import statistics
import time

from procs import cpu_ns, daemon_pids
from scale import PEOPLE_MESSAGES as COUNT, PEOPLE_RATE as RATE


def measure_one(pids, send, take):
    """One direction: COUNT messages, each with the time it was sent."""
    for _ in range(20):        # streams up, caches warm
        send(repr(time.monotonic()))
        take()
    before = {name: cpu_ns(pid) for name, pid in pids.items()}
    latency = []
    began = time.monotonic()
    for number in range(COUNT):
        ahead = began + number / RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        send(repr(time.monotonic()))
        sent = float(take())
        latency.append((time.monotonic() - sent) * 1000)
    used = {name: (cpu_ns(pid) - before[name]) / COUNT / 1000
            for name, pid in pids.items()}
    latency.sort()
    return {
        "edge_cpu_us": round(used["edge"], 1),
        "gateway_cpu_us": round(used["gateway"], 1),
        f"p50_ms_{RATE}": round(statistics.median(latency), 3),
        f"p99_ms_{RATE}": round(latency[len(latency) * 99 // 100], 3),
    }


def measure(lab):
    pids = daemon_pids(lab)
    juliet = lab.juliet()
    romeo = lab.sip_user("romeo", 12)
    try:
        return {
            "xmpp_to_sip": measure_one(
                pids, lambda t: juliet.send("romeo@sip.example", t),
                lambda: romeo.next_message().body),
            "sip_to_xmpp": measure_one(
                pids, lambda t: romeo.message("sip:juliet@xmpp.example", t),
                lambda: juliet.next_message()["body"]),
        }
    finally:
        juliet.close()
        romeo.close()
