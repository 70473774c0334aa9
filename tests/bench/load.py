"""The load generator in the lab: fresh daemons and its programs around them.

load/xmpp plays the XMPP server of load.example, load/sip the SIP proxy behind
the gateway, load/crowd many XMPP servers more.  They speak to the daemons
directly, so what is measured is the pair alone.  Each program says in its
source which commands it takes.
"""

import os
import pathlib
import re
import subprocess

import admin_wire
import flow
import streams
from procs import daemon_pids, rss_bytes
from scale import IDLE_OUT, MESSAGES, STREAMS_MAX
from side import Side

XMPP_IP = "198.51.100.30"
SIP_ADDRESS = "10.66.0.20:5060"
DOMAIN = "load.example"


def certificate(lab, name):
    """[CA, chain, key] of a domain."""
    found = dict(line.split("=", 1)
                 for line in lab("cert", name).stdout.splitlines())
    return [found["ca"], found["cert"], found["key"]]


def edit(path, *changes):
    """Replace each (pattern, text), which must be there once."""
    path = pathlib.Path(path)
    text = path.read_text()
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text)
        if count != 1:
            raise RuntimeError(f"{path} does not look as expected")
    path.write_text(text)


def configure(lab):
    """The generator is the gateway's next hop, and it may send.  Its own
    connection has the gateway's address: both live in one namespace."""
    edit(lab.env["LAB_GATEWAY_CONFIG"],
         (r"next_hop: .*", f'next_hop: "sip:{SIP_ADDRESS};transport=tcp"\n'
          "  options_interval: 0"),
         (r"trusted: \[", f'trusted: ["{lab.env["LAB_GATEWAY_IP"]}", '))
    edit(lab.env["LAB_EDGE_CONFIG"],
         (r"\ns2s:\n", f"\ns2s:\n  streams_max: {STREAMS_MAX}\n"))


def add_records(lab):
    """load.example and the domains below it; too many for "lab dns add"."""
    domains = [DOMAIN] + [f"s{n}.{DOMAIN}" for n in
                          range(IDLE_OUT + streams.WARM_STREAMS)]
    records = [f"x.{DOMAIN}. 60 IN A {XMPP_IP}"]
    records += [f"_xmpp-server._tcp.{domain}. 60 IN SRV 0 0 5269 x.{DOMAIN}."
                for domain in domains]
    subprocess.run(
        ["unbound-control", "-q", "-c",
         lab.env["LAB_STATE"] + "/dns/unbound.conf", "local_datas"],
        input="\n".join(records) + "\n", text=True, check=True,
        stdout=subprocess.DEVNULL)


class Load:
    """Fresh daemons and the programs."""

    def __init__(self, lab, programs):
        for service in ("edge", "gateway"):
            lab("restart", service)
        lab("wait-channel")
        admin = lab.env["LAB_GATEWAY_ADMIN"]
        admin_wire.apply(admin, [admin_wire.settings(
            admin, connection_limit=STREAMS_MAX)])
        self.lab = lab
        self.pids = daemon_pids(lab)
        self.rss = {name: {"before": rss_bytes(pid)}
                    for name, pid in self.pids.items()}
        read_end, write_end = os.pipe()
        edge = f"{lab.env['LAB_EDGE_OUTER_IP']}:{lab.env['LAB_S2S_PORT']}"
        files = [*certificate(lab, DOMAIN), *certificate(lab, f"*.{DOMAIN}")[1:]]
        self.sides = []
        self.sip = self.add("inside", programs / "sip", SIP_ADDRESS,
                            lab.env["LAB_GATEWAY_SIP"], str(write_end),
                            pass_fds=[write_end])
        self.xmpp = self.add("inet", programs / "xmpp", XMPP_IP + ":5269",
                             edge, *files, str(read_end), pass_fds=[read_end])
        os.close(read_end)
        os.close(write_end)
        # its handshakes cost as much as the edge's, and its peers would not
        # be on this machine
        self.crowd = self.add("inet", programs / "crowd", edge, *files,
                              prefix=["nice", "-n", "10"])

    def add(self, *args, **more):
        side = Side(self.lab, *args, **more)
        self.sides.append(side)
        return side

    def note_rss(self, when):
        for name, pid in self.pids.items():
            self.rss[name][when] = rss_bytes(pid)

    def end(self):
        for side in reversed(self.sides):
            side.end()


def rss_keys(load):
    """{edge,gateway}_rss_mb and the moments before it."""
    result = {}
    for name, moments in load.rss.items():
        for when, value in moments.items():
            suffix = "" if when == "end" else "_" + when
            result[f"{name}_rss_mb{suffix}"] = round(value / 1e6, 1)
    return result


def measure_streams(load):
    result = streams.measure_handshakes(load)
    load.sip("connect")
    return {**result, **streams.measure_idle(load)}


def measure_messages(load):
    to_sip = flow.Flow(load.xmpp, load.sip, load.pids)
    to_xmpp = flow.Flow(load.sip, load.xmpp, load.pids)
    both = [to_sip, to_xmpp]
    result = {"xmpp_to_sip": flow.measure(to_sip)}
    load.sip("connect")
    result["sip_to_xmpp"] = flow.measure(to_xmpp)
    flow.run_until(both, MESSAGES // 2)
    load.note_rss("half")
    flow.run_until(both, MESSAGES)
    load.note_rss("end")
    result["messages"] = sum(one.sender("report")["sent_in_all"]
                             for one in both)
    result["storm"] = streams.measure_storm(load, both)
    return {**result, **rss_keys(load)}


def measure(lab, programs):
    """Everything; `programs` is where the generator was built."""
    configure(lab)
    add_records(lab)
    result = {}
    # memory of streams is measured where nothing was freed before
    for part in (measure_streams, measure_messages):
        load = Load(lab, programs)
        try:
            result.update(part(load))
        finally:
            load.end()
    return result
