"""The admin socket by hand: requests and responses of proto/admin.proto as
lists of (field number, value), without a library of Protocol Buffers."""

import itertools
import socket

GET, APPLY, HISTORY, STATUS = 8, 9, 10, 11      # AdminRequest
PARTNER, DENIED, POLICY, SITE, MEMBER, GRANT, MOVER, SETTINGS = range(1, 9)


def varint(n):
    out = b""
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def message(*fields):
    """Of (number, int or str or bytes), in that order."""
    out = b""
    for number, value in fields:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        else:
            out += varint(number << 3) + varint(value)
    return out


def take_varint(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        at += 1
        n |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return n, at


def fields(data):
    """{number: [values]}: ints, or bytes that may be a text or a message."""
    out, at = {}, 0
    while at < len(data):
        key, at = take_varint(data, at)
        value, at = take_varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        else:
            assert key & 7 == 0, key
        out.setdefault(key >> 3, []).append(value)
    return out


def one(found, number, default=0):
    return found.get(number, [default])[0]


def text(found, number):
    return one(found, number, b"").decode()


class AdminError(Exception):
    """What the daemon refused, in its words."""


class Admin:
    """One connection."""

    ids = itertools.count(1)

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, request):
        self.id = next(self.ids)
        body = message((1, self.id), (kind, request))
        self.socket.sendall(len(body).to_bytes(4, "big") + body)

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise ConnectionError("the daemon has gone")
            data += more
        return data

    def responses(self):
        while True:
            found = fields(self.read(int.from_bytes(self.read(4), "big")))
            assert one(found, 1) == self.id
            if text(found, 2):
                raise AdminError(text(found, 2))
            yield found
            if one(found, 3):
                return

    def ask(self, kind, request=b""):
        self.send(kind, request)
        return list(self.responses())


# --- the federation configuration -------------------------------------------

KEYS = {PARTNER: (1,), DENIED: (1,), POLICY: (1, 2), SITE: (1,), MEMBER: (1,),
        GRANT: (1,), MOVER: (1,), SETTINGS: ()}


def record(kind, *its):
    """As the daemon packs it: in order, and what is zero is left out."""
    its = [i for i in its if i[1] not in (0, "", b"")]
    return message((kind, message(*sorted(its, key=lambda i: i[0]))))


OPTIONAL, REQUIRED, OFF = range(3)
PUBLIC_UNVERIFIED, PUBLIC_VERIFIED, FEDERATED = range(3)


def partner(domain, *more, type_=FEDERATED, tls=REQUIRED, sasl=REQUIRED,
            dialback=True):
    return record(PARTNER, (1, domain), (4, type_), (6, tls), (7, sasl),
                  (8, int(dialback)), (9, 1), *more)


def grant(user, policy):
    return record(GRANT, (1, user), (2, policy))


def name_of(packed):
    """A record's kind and the texts of its key: (1, "fabrikam.example")."""
    ((kind, (inside,)),) = fields(packed).items()
    found = fields(inside)
    key = [text(found, n) if isinstance(one(found, n, b""), bytes)
           else one(found, n) for n in KEYS[kind]]
    return (kind, *key)


def apply(path, put=(), remove=(), base=0, dry_run=False, what="test",
          name="tester", replaces_all=False, rollback_to=0):
    """(revision, changes as (before, after), warnings)"""
    request = message(
        (1, base), *((2, r) for r in put), *((3, r) for r in remove),
        (4, int(replaces_all)), (5, int(dry_run)), (6, what), (7, name),
        (8, rollback_to))
    revision, changes, warnings = 0, [], []
    with Admin(path) as admin:
        for found in admin.ask(APPLY, request):
            changed = fields(one(found, 13, b""))
            revision = one(changed, 1)
            warnings += [w.decode() for w in changed.get(4, [])]
            for change in map(fields, changed.get(3, [])):
                changes.append((one(change, 1, b""), one(change, 2, b"")))
    return revision, changes, warnings


def get(path, kind=0, pattern="", secrets=False):
    """(revision, records)"""
    with Admin(path) as admin:
        answers = admin.ask(GET, message((1, kind), (2, pattern),
                                         (3, int(secrets))))
    records = [r for a in answers for r in a.get(11, [])]
    return one(answers[-1], 12), records


def settings(path, **changes):
    """The settings with other values, to be put; names as in the YAML."""
    names = ["federation", "open", "connection_limit",
             "partner_connection_limit", "keep_alive_interval",
             "stream_establishment_timeout", "stream_inactivity_timeout",
             "subscription_refresh_interval", "dialback_secret", "log_bodies",
             "legacy_next_hop"]
    (packed,) = get(path, SETTINGS)[1]
    its = {n: v[0] for n, v in fields(fields(packed)[SETTINGS][0]).items()}
    its.update({names.index(name) + 1: value
                for name, value in changes.items()})
    return record(SETTINGS, *its.items())


def history(path, before=0, count=0):
    """[(number, author, what, [(before, after)])], newest first"""
    out = []
    with Admin(path) as admin:
        answers = admin.ask(HISTORY, message((1, before), (2, count)))
    for revision in (fields(r) for a in answers for r in a.get(14, [])):
        changes = [(one(c, 1, b""), one(c, 2, b""))
                   for c in map(fields, revision.get(5, []))]
        if out and out[-1][0] == one(revision, 1):
            out[-1][3].extend(changes)  # it goes on
        else:
            out.append((one(revision, 1), text(revision, 3),
                        text(revision, 4), changes))
    return out


def status(path):
    """(revision, author, what, {edge: (is_connected, revision, refused)})"""
    with Admin(path) as admin:
        (answer,) = admin.ask(STATUS)
    found = fields(one(answer, 15, b""))
    edges = {text(e, 1): (bool(one(e, 2)), one(e, 3), text(e, 4))
             for e in map(fields, found.get(5, []))}
    return one(found, 1), text(found, 3), text(found, 4), edges
