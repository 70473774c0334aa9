"""A gateway without SIP, for tests of the edge alone."""

import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
FAKE = "build/release/integration/fake_gateway"


def build(goal=FAKE):
    """One at a time: labs run side by side."""
    (TOP / "build").mkdir(exist_ok=True)
    subprocess.run(["flock", "build/.tests", "make", goal], cwd=TOP,
                   check=True, capture_output=True)


def _text(value, indent=""):
    """protobuf's text format of a dictionary: lists repeat a field, bytes and
    text are quoted, what is all capitals is an enum's value."""
    lines = []
    for name, entry in value.items():
        for item in entry if isinstance(entry, list) else [entry]:
            if isinstance(item, dict):
                lines += [f"{indent}{name} {{", _text(item, indent + " "),
                          f"{indent}}}"]
            elif isinstance(item, bool):
                lines.append(f"{indent}{name}: {str(item).lower()}")
            elif isinstance(item, bytes):
                escaped = "".join(f"\\x{byte:02x}" for byte in item)
                lines.append(f'{indent}{name}: "{escaped}"')
            elif isinstance(item, str) and not item.isupper():
                lines.append(f'{indent}{name}: "{item}"')
            else:
                lines.append(f"{indent}{name}: {item}")
    return "\n".join(lines)


def config_bytes(config):
    """A fed.Config: {"revision": 1, "partner": [{"domain": ...}], ...}"""
    return subprocess.run(
        ["protoc-c", "--encode=fed.Config", f"-I{TOP}/proto",
         f"{TOP}/proto/channel.proto"], input=_text(config).encode(),
        capture_output=True, check=True).stdout


class FakeGateway:
    """tests/integration/fake_gateway.c on the inside."""

    def __init__(self, lab):
        pki = f"{lab.env['LAB_STATE']}/pki/channel/gateway"
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", lab.namespace("inside"), str(TOP / FAKE),
             lab.env["LAB_GATEWAY_NAME"], lab.env["LAB_EDGE_NAME"],
             lab.env["LAB_CHANNEL"], lab.env["LAB_CHANNEL_CA"],
             f"{pki}/chain.pem", f"{pki}/key.pem"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.lines = queue.Queue()
        self.sent = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.expect("^up$")

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def expect(self, pattern, wait_s=15):
        """Next line that matches."""
        until = time.monotonic() + wait_s
        try:
            while True:
                line = self.lines.get(timeout=until - time.monotonic())
                match = re.search(pattern, line)
                if match:
                    return match
        except (queue.Empty, ValueError):
            raise AssertionError(f"no line {pattern}") from None

    def send(self, sender, to, text):
        self.sent += 1
        self.process.stdin.write(f"{sender} {to} {text}\n")
        self.process.stdin.flush()

    def presence(self, kind, sender, to, status=""):
        self.sent += 1
        self.process.stdin.write(f"presence {kind} {sender} {to} {status}"
                                 .rstrip() + "\n")
        self.process.stdin.flush()

    def burst(self, count, per_second, sender, to):
        """Presences whose statuses are numbers."""
        self.sent += count
        self.process.stdin.write(f"burst {count} {per_second} {sender} {to}\n")
        self.process.stdin.flush()

    def send_config(self, config):
        self.process.stdin.write(f"config {config_bytes(config).hex()}\n")
        self.process.stdin.flush()

    def config(self, config):
        """What the edge says to a Config; a dictionary as config_bytes()
        takes it."""
        self.send_config(config)
        line = self.expect(r"^config (\d+) check=(\d) in_force=(\d+) "
                           r"refused=(.*)$")
        return {"revision": int(line[1]), "check": line[2] == "1",
                "in_force": int(line[3]), "refused": line[4]}

    def outcome(self, wait_s=15):
        """Of the stanza sent last."""
        return self.expect(rf"^outcome {self.sent} (\S+)", wait_s)[1]

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(10)


def lines_of(gateway, seconds):
    """All that it says in so long."""
    until = time.monotonic() + seconds
    lines = []
    while True:
        try:
            lines.append(gateway.lines.get(
                timeout=max(0, until - time.monotonic())))
        except queue.Empty:
            return lines


def none_of(gateway, pattern, seconds):
    """It says nothing of that kind in so long."""
    lines = [line for line in lines_of(gateway, seconds)
             if re.search(pattern, line)]
    assert lines == []


def wait_until(is_so, wait_s=10):
    until = time.monotonic() + wait_s
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
