"""What /proc says of a process and of the machine."""

import os
import pathlib
import time

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def cpu_ns(pid):
    """CPU time of all threads, to the nanosecond (a tick is 10 ms)."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


def rss_bytes(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def machine_busy_ns():
    """CPU time of everything on this machine."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = \
        [int(x) for x in fields[:8]]
    return (user + nice + system + irq + softirq + steal) * TICK_NS


class Meter:
    """CPU time of processes and of all others from here to read()."""

    def __init__(self, pids):
        self.pids = pids        # name: [pid]
        self.began_ns = time.monotonic_ns()
        self.busy = machine_busy_ns()
        self.before = self.now()

    def now(self):
        return {name: sum(cpu_ns(pid) for pid in group)
                for name, group in self.pids.items()}

    def read(self):
        after = self.now()
        busy = machine_busy_ns() - self.busy
        took = time.monotonic_ns() - self.began_ns
        used = {name: after[name] - self.before[name] for name in after}
        foreign = max(0, busy - sum(used.values())) / took
        return {"cpu_ns": used, "foreign_cores": round(foreign, 2)}


def daemon_pids(lab):
    """Our two daemons by the configuration file they were started with."""
    found = {}
    for name, variable in (("edge", "LAB_EDGE_CONFIG"),
                           ("gateway", "LAB_GATEWAY_CONFIG")):
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().split(b"\0")
            except OSError:
                continue        # it ended meanwhile
            if lab.env[variable].encode() in words and \
                    words[0].endswith((b"edge-proxy", b"fe-gateway")):
                found[name] = int(entry.parent.name)
    return found
