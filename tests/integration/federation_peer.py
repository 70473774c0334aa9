"""A partner that speaks what it is told and no more: TLS or none, a good
certificate or one of its own making, EXTERNAL or dialback; both roles."""

import queue
import re
import subprocess

from rogue import SASL, TLS, Identity, Rogue, header

DIALBACK = "<dialback xmlns='urn:xmpp:features:dialback'/>"
STARTTLS = f"<starttls xmlns='{TLS}'/>"
EXTERNAL = (f"<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism>"
            "</mechanisms>")
UNSUPPORTED = ("<unsupported-stanza-type "
               "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>")
LOCAL = "sip.example"


class SelfSigned(Identity):
    """A certificate that nobody vouches for."""

    def __init__(self, folder, domain):
        # pylint: disable=super-init-not-called
        self.domain = domain
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "2", "-keyout", self.key, "-out", self.cert, "-subj",
             f"/CN={domain}", "-addext", f"subjectAltName=DNS:{domain}"],
            check=True, capture_output=True)


class FederationPeer(Rogue):
    """The server of a domain.  What it was sent is in got: (body, "tls" or
    "clear", "external" or "dialback")."""

    def __init__(self, lab, domain, ip, has_tls=True, has_external=True,
                 self_signed_in=None, is_in_dns=True):
        # pylint: disable=too-many-arguments
        super().__init__(lab, domain, ip)
        self.has_tls, self.has_external = has_tls, has_external
        if self_signed_in is not None:
            self.identity = SelfSigned(self_signed_in, domain)
        self.got = queue.Queue()
        self.verifies = 0
        self.lingers = False
        self.key = None
        if is_in_dns:
            self.serve(self.script)

    # ---- receiving entity, authoritative server ------------------------------

    def features(self, secure):
        if not secure:
            return DIALBACK + (STARTTLS if self.has_tls else "")
        return DIALBACK + (EXTERNAL if self.has_external else "")

    def takes_dialback(self, _way):
        return True

    def script(self, stream):
        way, mechanism = "clear", None
        stream.answer_header(self.features(False))
        while True:
            word = stream.expect(
                r"<(starttls|auth|db:result|db:verify|message)\b[^>]*>"
                r"|</stream:stream>")
            element = word[0]
            if word[1] == "starttls":
                if not self.has_tls:
                    stream.send(f"<failure xmlns='{TLS}'/></stream:stream>")
                    return
                stream.send(f"<proceed xmlns='{TLS}'/>").take_tls()
                stream.answer_header(self.features(True))
                way = "tls"
            elif word[1] == "auth":
                stream.expect("</auth>")
                stream.send(f"<success xmlns='{SASL}'/>").answer_header()
                mechanism = "external"
            elif word[1] == "db:result":
                self.key = stream.expect("([^<]*)</db:result>")[1]
                if not self.takes_dialback(way):
                    stream.send(f"<stream:error>{UNSUPPORTED}</stream:error>"
                                "</stream:stream>").end()
                    return
                stream.send(f"<db:result from='{self.domain}' to='{LOCAL}' "
                            "type='valid'/>")
                mechanism = "dialback"
            elif word[1] == "db:verify":
                number = re.search("id='([^']*)'", element)[1]
                self.verifies += 1
                stream.send(f"<db:verify from='{self.domain}' to='{LOCAL}' "
                            f"id='{number}' type='valid'/>")
            elif word[1] == "message":
                body = stream.expect("<body[^>]*>([^<]*)</body>")[1]
                self.got.put((body, way, mechanism))
                if not self.lingers:
                    stream.send("</stream:stream>").end()
                    return
            else:
                stream.send("</stream:stream>").close()
                return

    # ---- initiating entity ---------------------------------------------------

    def open(self):
        """A stream to the edge and its features, which may be its end."""
        stream = self.connect()
        stream.send(header(self.domain, LOCAL))
        stream.features = stream.expect(
            r"<stream:features/>|<stream:features>.*?</stream:features>|"
            r"<stream:error>.*?</stream:error>")[0]
        return stream

    def open_secure(self, stream):
        """Behind TLS."""
        stream.start_tls().send(header(self.domain, LOCAL))
        stream.features = stream.expect(
            r"<stream:features/>|<stream:features>.*?</stream:features>|"
            r"<stream:error>.*?</stream:error>")[0]
        return stream

    def request(self):
        return (f"<db:result from='{self.domain}' to='{LOCAL}'>0123456789"
                "</db:result>")

    def message(self, body):
        return (f"<message from='x@{self.domain}' to='romeo@{LOCAL}' "
                f"type='chat' id='m'><body>{body}</body></message>")
