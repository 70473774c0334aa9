"""Two Prosodys beside the edge: client, server, s2s stream, server, client.

Each server's CPU per message is that of one hop of s2s and one of c2s; c2s is
in clear, s2s by TLS and SASL EXTERNAL.  Nagle's algorithm is off in the lab's
configuration, the log is as quiet as that of our daemons.
"""

import pathlib
import re

import flow
from side import Side

DOMAIN = "clinic.example"
IP = "198.51.100.20"
PORT = "5222"


def quiet(lab, service):
    """Its log at the level that our daemons have."""
    path = pathlib.Path(lab.env["LAB_STATE"]) / service / "prosody.cfg.lua"
    text, count = re.subn(r'min = "debug"', 'min = "warn"', path.read_text())
    if count != 1:
        raise RuntimeError(f"{path} does not look as expected")
    path.write_text(text)
    lab("restart", service)


def service_pid(lab, service):
    """The Prosody itself: what "lab" started becomes it."""
    return int((pathlib.Path(lab.env["LAB_STATE"]) / service / "pid")
               .read_text())


def measure(lab, programs):
    lab("prosody", DOMAIN, IP)
    services = {"sending": "prosody", "receiving": f"prosody-{DOMAIN}"}
    for service in services.values():
        quiet(lab, service)
    chat = Side(lab, "inet", programs / "chat",
                f"{lab.env['LAB_PROSODY_IP']}:{PORT}", "juliet",
                lab.env["LAB_XMPP_DOMAIN"], lab.env["LAB_JULIET_PASSWORD"],
                f"{IP}:{PORT}", "nurse", DOMAIN,
                lab.env["LAB_NURSE_PASSWORD"])
    try:
        pids = {name: service_pid(lab, service)
                for name, service in services.items()}
        return flow.measure(flow.Flow(chat, chat, pids))
    finally:
        chat.end()
