"""An XMPP server that does what it is told, right or wrong: a scripted peer
for s2s streams, in both roles.  Bytes go out as they are; what comes back is
text that can be searched."""

import contextlib
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

import netns

TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
ERROR = re.compile(r"<stream:error><([a-z-]+) ")


def header(sender, to, **more):
    extra = "".join(f" {name}='{value}'" for name, value in more.items())
    return ("<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
            "xmlns:stream='http://etherx.jabber.org/streams' "
            "xmlns:db='jabber:server:dialback' "
            f"from='{sender}' to='{to}' version='1.0'{extra}>")


class Identity:
    """Certificate of a domain in the lab, as the lab's CA made it."""

    def __init__(self, lab, domain):
        words = dict(re.findall(r"^(\w+)=(.*)$", lab("cert", domain).stdout,
                                re.M))
        self.domain = domain
        self.cert, self.key, self.ca = (words[w] for w in
                                        ("cert", "key", "ca"))

    def expire_in(self, folder, seconds):
        """Another certificate of the same key, which ends so soon."""
        ca_key = pathlib.Path(self.ca).resolve().with_suffix(".key")
        (folder / "index").touch()
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\n"
            f"new_certs_dir={folder}\ndefault_md=sha256\npolicy=p\n"
            "rand_serial=yes\nx509_extensions=x\n[p]\ncommonName=optional\n"
            f"[x]\nsubjectAltName=DNS:{self.domain}\n")
        end = time.gmtime(time.time() + seconds)
        csr, cert = folder / "csr.pem", folder / "chain.pem"
        for words in (
                ["req", "-new", "-key", self.key, "-out", csr, "-subj",
                 f"/CN={self.domain}"],
                ["ca", "-batch", "-notext", "-config", folder / "ca.cnf",
                 "-cert", self.ca, "-keyfile", ca_key, "-in", csr, "-out",
                 cert, "-startdate", "20200101000000Z", "-enddate",
                 time.strftime("%Y%m%d%H%M%SZ", end)]):
            subprocess.run(["openssl", *map(str, words)], check=True,
                           capture_output=True)
        self.cert = cert

    def context(self, purpose):
        context = ssl.SSLContext(purpose)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(self.cert, self.key)
        return context


class Stream:
    """One connection; everything received since the last look is in seen."""

    def __init__(self, connection, identity):
        self.connection = connection
        self.identity = identity
        self.seen = ""
        self.is_over = False
        self.connection.settimeout(10)

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError,
                                 ssl.SSLError):
            self.connection.sendall(data)
        return self

    def read(self):
        try:
            data = self.connection.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        self.is_over = not data
        self.seen += data.decode("utf-8", "replace")
        return not self.is_over

    def expect(self, pattern):
        """Read until it is seen; what follows stays in seen."""
        while True:
            match = re.search(pattern, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match
            if not self.read():
                raise AssertionError(f"closed before {pattern}: {self.seen}")

    def end(self):
        """Read to the end; the stream error's condition or None."""
        while self.read():
            pass
        self.connection.close()
        match = ERROR.search(self.seen)
        return match.group(1) if match else None

    def close(self):
        self.connection.close()

    def drop(self):
        """The connection is lost, while another thread may read it."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    # ---- initiating entity --------------------------------------------------

    def open(self, to="sip.example", sender=None, **more):
        self.send(header(sender or self.identity.domain, to, **more))
        self.expect(r"</stream:features>|<stream:features/>")
        return self

    def start_tls(self):
        self.send(f"<starttls xmlns='{TLS}'/>").expect("<proceed [^>]*/>")
        assert self.seen == "", self.seen
        return self.wrap()

    def wrap(self):
        context = self.identity.context(ssl.PROTOCOL_TLS_CLIENT)
        self.connection = context.wrap_socket(
            self.connection, server_hostname="sip.example")
        self.seen = ""
        return self

    def authenticate(self):
        self.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
        self.expect("<success [^>]*/>")
        return self.open()

    # ---- receiving entity ---------------------------------------------------

    def answer_header(self, features=""):
        self.expect(r"<stream:stream [^>]*>")
        self.send(header(self.identity.domain, "sip.example", id="rogue1") +
                  f"<stream:features>{features}</stream:features>")
        return self

    def take_tls(self):
        context = self.identity.context(ssl.PROTOCOL_TLS_SERVER)
        self.connection = context.wrap_socket(self.connection,
                                              server_side=True)
        self.seen = ""
        return self


def take_stream(stream, features=""):
    """The receiving entity's part, up to what it says when authenticated."""
    stream.answer_header("<starttls xmlns='urn:ietf:params:xml:ns:"
                         "xmpp-tls'><required/></starttls>")
    stream.expect("<starttls [^>]*/>")
    stream.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    stream.take_tls().answer_header(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
        "<mechanism>EXTERNAL</mechanism></mechanisms>")
    stream.expect("<auth [^>]*>[^<]*</auth>")
    stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    stream.answer_header(features)


class Rogue:
    """A domain on the lab's Internet that this process is the server of."""

    def __init__(self, lab, domain, ip):
        self.lab, self.domain, self.ip = lab, domain, ip
        self.identity = Identity(lab, domain)
        self.listener = None

    def connect(self, port=5269, source=None):
        """A connection to the edge; to be opened with Stream.open()."""
        with netns.inside(self.lab.namespace("inet")):
            connection = socket.create_connection(
                (self.lab.env["LAB_EDGE_OUTER_IP"], port), 10,
                (source or self.ip, 0))
        return Stream(connection, self.identity)

    def authenticated(self):
        return self.connect().open().start_tls().open().authenticate()

    def serve(self, script):
        """Listen where DNS says and give each connection to the script."""
        self.listen(script)
        self.lab("dns", "add",
                 f"_xmpp-server._tcp.{self.domain}. 1 IN SRV 0 0 5269 "
                 f"h.{self.domain}.", f"h.{self.domain}. 1 IN A {self.ip}")

    def listen(self, script, port=5269):
        """Give each connection to the port to the script."""
        with netns.inside(self.lab.namespace("inet")):
            self.listener = socket.create_server((self.ip, port))

        def run():
            while True:
                try:
                    connection, _ = self.listener.accept()
                except OSError:
                    return
                with contextlib.suppress(AssertionError, OSError):
                    script(Stream(connection, self.identity))
        threading.Thread(target=run, daemon=True).start()

    def close(self):
        if self.listener is not None:
            # accept() in the other thread does not notice a close
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.lab("dns", "remove", f"_xmpp-server._tcp.{self.domain}.",
                     f"h.{self.domain}.", check=False)


def resident_kib(pid):
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], text=True,
                          capture_output=True, check=True)
    return int(done.stdout)
