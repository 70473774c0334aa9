"""Many SIP users and some XMPP users who all watch each other.  What
everybody should see is known, so that all of it can be compared."""

import collections
import concurrent.futures
import contextlib
import re
import subprocess
import threading
import time
import typing

import pidf
from presence_sip import PresenceUser, Policy, Watch
from presence_xmpp import RosterUser

DOMAIN = "sip.example"
PASSWORD = "crowd"
# RFC 3261 17.1.2: how often a request is sent again, and until when.
T1_S, T2_S, GIVE_UP_S = 0.5, 4, 32
# RFC 5057 5.1: what ends a subscription when it answers a NOTIFY.
ENDS = {404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604}
AT_ONCE = 16


def at_once(function, things):
    """Of each thing, some at a time; the results in order."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(function, things))


class Said(typing.NamedTuple):
    """What somebody's client says there."""
    show: str = ""
    note: str = ""


# ---- the SIP side -----------------------------------------------------------

class SipCrowd(PresenceUser):
    """SIP users behind one socket, each its own notifier; `published` are
    those whose presence is at the presence server.  UDP loses packets when a
    crowd talks, so what is not answered is sent again."""

    def __init__(self, lab, names, published, last_octet=24):
        self._pending = {}              # branch: [data, next, pause, until]
        self.truth = {name: {"phone": Said()} for name in names}
        self.published = dict.fromkeys(published)       # name: its ETag
        self.watching = {}              # (name, target): Watch, the newest
        super().__init__(lab.namespace("inside"), "crowd",
                         f"10.66.0.{last_octet}", 5062,
                         (lab.env["LAB_KAMAILIO_IP"], 5060))
        self.policy = Policy(body=lambda watched:
                             self._document(self._name(watched)))
        threading.Thread(target=self._send_again, daemon=True).start()

    def _put(self, branch, data):
        now = time.monotonic()
        self._pending[branch] = [data, now + T1_S, T1_S, now + GIVE_UP_S]
        super()._put(branch, data)

    def _send_again(self):
        while not self._is_closing:
            time.sleep(0.1)
            now = time.monotonic()
            for branch, entry in list(self._pending.items()):
                data, due, pause, until = entry
                if now > until:
                    self._pending.pop(branch, None)
                elif now > due:
                    entry[2] = min(2 * pause, T2_S)
                    entry[1] = now + entry[2]
                    with contextlib.suppress(OSError):
                        super()._put(branch, data)

    def _on_response(self, message):
        super()._on_response(message)
        if message.status >= 200:
            branch = re.search(r"branch=([^;\s,]+)", message["Via"]).group(1)
            self._pending.pop(branch, None)
            known = self.watched.get(message["Call-ID"])
            if known and message["CSeq"].endswith("NOTIFY") and \
                    message.status in ENDS:
                known.has_ended = True

    # ---- who they are -------------------------------------------------------

    @staticmethod
    def _name(watched):
        return watched.dialog.local.partition(":")[2].partition("@")[0]

    def _document(self, name):
        there = self.truth[name]
        tuples = [pidf.one(tuple_id, show=s.show, note=s.note)
                  for tuple_id, s in there.items()] or \
            [pidf.one("phone", basic="closed")]
        return pidf.document(f"sip:{name}@{DOMAIN}", *tuples)

    def register_all(self):
        """Anew: a registrar that forgot them knows them again."""
        for name in self.truth:
            self.register(name, [] if name in self.published
                          else ["Allow-Events: presence"])

    def publish_all(self):
        """As after the presence server forgot."""
        for name in self.published:
            self.published[name] = None
            self.say(name)

    def say(self, name):
        """Tell what is true of that one."""
        if name in self.published:
            self.published[name], answer = self.publish(
                self._document(name), self.published[name], user=name)
            assert answer.status == 200, answer.start
            return
        for watched in list(self.watched.values()):
            if self._name(watched) == name and not watched.has_ended:
                with self.telling:
                    watched.notify("active", self._document(name), wait_s=None)

    def watchers(self):
        """How many subscriptions each pair has here that have not ended."""
        count = {}
        for watched in list(self.watched.values()):
            if not watched.has_ended:
                pair = self._name(watched), watched.watcher
                count[pair] = count.get(pair, 0) + 1
        return count

    # ---- whom they watch ----------------------------------------------------

    def watch_one(self, pair):
        name, target = pair
        watch = Watch(self, f"sip:{target}", f"sip:{name}@{DOMAIN}")
        answer = watch.subscribe()
        assert answer.status == 200, (pair, answer.start)
        self.watching[pair] = watch

    def watch_again(self):
        """Those whose subscription was ended for a while come back when they
        were told to (RFC 6665 4.1.3)."""
        due = []
        for pair, watch in self.watching.items():
            last = watch.states[-1]
            if last.text == "terminated;probation":
                due.append((last.at + int(last.params["retry-after"]), pair))

        def again(entry):
            at, pair = entry
            time.sleep(max(at - time.monotonic(), 0))
            self.watch_one(pair)
        at_once(again, sorted(due))

    def going_on(self):
        """Subscriptions that were not ended for a while."""
        return [(pair, watch.states[-1].text)
                for pair, watch in self.watching.items()
                if watch.states[-1].text != "terminated;probation"]

    def refresh_all(self):
        """Each refreshes its subscription; those that could not."""
        def refresh(pair):
            answer = self.watching[pair].subscribe()
            return None if answer.status == 200 else (pair, answer.start)
        return [r for r in at_once(refresh, list(self.watching)) if r]

    def view(self, name, target):
        """What that watcher's client shows."""
        watch = self.watching[name, target]
        if not watch.states or watch.states[-1].state == "terminated":
            return {}
        return {tuple_id.removeprefix("ID-"): Said(*said[1:])
                for tuple_id, said in watch.is_there().items()}


# ---- the XMPP side ----------------------------------------------------------

class Client(RosterUser):
    """One resource; lets everybody watch its user while `approves`."""

    approves = False

    def note(self, xml):
        super().note(xml)
        if self.approves and self.stanzas[-1].type == "subscribe":
            self._client.send_raw("<presence type='subscribed' "
                                  f"to='{self.stanzas[-1].sender}'/>")

    def views(self):
        """{contact: {resource: Said}}, of all in one go."""
        seen = {}
        for s in list(self.stanzas):
            resource = s.sender.partition("/")[2]
            if s.type == "":
                seen.setdefault(s.bare, {})[resource] = Said(s.show, s.status)
            elif s.type == "unavailable":
                seen.get(s.bare, {}).pop(resource, None)
        return seen

    def says_again(self, mark):
        """{sender: when and to whom} of what was said since then and is what
        the same sender had said last."""
        last, again = {}, {}
        for at, s in enumerate(list(self.stanzas)):
            if s.type not in ("", "unavailable"):
                continue
            if at >= mark and last.get(s.sender) == s.says:
                again.setdefault(s.sender, []).append((round(s.at, 1), s.to))
            last[s.sender] = s.says
        return again


class XmppCrowd:
    """Users of the lab's Prosody, each with a client for each resource that
    is there: who goes away logs out."""

    def __init__(self, lab, names):
        self.lab = lab
        self.truth = {f"{n}@xmpp.example": {"desk": Said()} for n in names}
        self.clients = {}               # (jid, resource): Client
        config = f"{lab.env['LAB_STATE']}/prosody/prosody.cfg.lua"
        at_once(lambda name: subprocess.run(
            ["prosodyctl", "--config", config, "register", name,
             "xmpp.example", PASSWORD], check=True, capture_output=True),
                names)

    def log_in(self, key):
        jid, resource = key
        client = self.clients[key] = Client(
            self.lab.namespace("inet"), jid, PASSWORD,
            self.lab.env["LAB_PROSODY_IP"], resource=resource, online=False)
        client.available(*self.truth[jid][resource])

    def log_out(self, key):
        self.clients.pop(key).close()

    def say(self, jid):
        """Tell what is true of that one."""
        there = self.truth[jid]
        for key in [k for k in self.clients if k[0] == jid]:
            if key[1] not in there:
                self.log_out(key)
        for resource, said in there.items():
            if (jid, resource) in self.clients:
                self.clients[jid, resource].available(*said)
            else:
                self.log_in((jid, resource))

    def come(self):
        """All that should be there log in, when they are not."""
        at_once(self.log_in, [(jid, r) for jid, there in self.truth.items()
                              for r in there if (jid, r) not in self.clients])

    def leave(self):
        """Their connections are gone."""
        at_once(self.log_out, list(self.clients))

    def close(self):
        self.leave()


# ---- both -------------------------------------------------------------------

class Mark(typing.NamedTuple):
    """A place in everybody's history."""
    clients: dict               # Client: number of stanzas
    watches: dict               # Watch: number of states
    log: int                    # bytes of Prosody's log


class Crowd:
    """`xmpp_count` x `sip_count` pairs, each both ways."""

    def __init__(self, lab, xmpp_count, sip_count, published=4):
        self.lab = lab
        self.turn = 0
        names = [f"montague{n}" for n in range(sip_count)]
        self.sip = SipCrowd(lab, names, names[-published:])
        self.xmpp = XmppCrowd(lab, [f"capulet{n}" for n in range(xmpp_count)])
        self.pairs = [(name, jid) for name in names for jid in self.xmpp.truth]

    def close(self):
        self.xmpp.close()
        self.sip.close()

    # ---- the beginning ------------------------------------------------------

    def befriend(self):
        """Everybody watches everybody; returns when all see all."""
        self.sip.register_all()
        for name in self.sip.published:
            for jid in self.xmpp.truth:
                self.lab("watcher", name, jid, "allow")
        self.sip.publish_all()
        self.xmpp.come()
        clients = list(self.xmpp.clients.values())
        # Prosody lets stanzas that come while its new stream is completed
        # overtake those that waited for it
        first = f"{next(iter(self.sip.truth))}@{DOMAIN}"
        clients[0].subscribe(first)
        clients[0].wait_type(first, "subscribed")
        for client in clients:
            client.approves = True
            for name in self.sip.truth:
                client.subscribe(f"{name}@{DOMAIN}")
        at_once(self.sip.watch_one, self.pairs)
        took = self.wait_true()
        for client in clients:
            client.approves = False
        return took

    # ---- what changes -------------------------------------------------------

    def _drift(self, there, first, second, kind):
        """Another state of somebody: a second resource comes or goes, all
        go or one comes, show and note, a note."""
        note = f"turn {self.turn}"
        if kind == 0:
            return {first: Said()} if second in there else \
                {first: Said("away", note), second: Said("dnd", note)}
        if kind == 1:
            return {} if there else {first: Said("", note)}
        show = ("away", "dnd", "xa", "chat")[self.turn % 4] if kind == 2 \
            else ""
        return {resource: Said(show, f"{note} {resource}")
                for resource in there}

    def _change(self, truth, first, second):
        """A third of them; their names."""
        changed = list(truth)[self.turn % 3::3]
        for n, name in enumerate(changed):
            truth[name] = self._drift(truth[name], first, second, n % 4)
        return changed

    def change(self, kamailio=True, prosody=True):
        """A third of both sides, and they tell it to those servers that are
        there."""
        self.turn += 1
        sip = self._change(self.sip.truth, "phone", "tablet")
        xmpp = self._change(self.xmpp.truth, "desk", "train")
        for name in sip:
            if kamailio or name not in self.sip.published:
                self.sip.say(name)
        if prosody:
            at_once(self.xmpp.say, xmpp)

    # ---- what everybody sees ------------------------------------------------

    def wrong(self):
        """[(who, about whom, what he sees, what is true)], both ways."""
        found = []
        for (jid, resource), client in list(self.xmpp.clients.items()):
            views = client.views()
            for name, true in self.sip.truth.items():
                view = views.get(f"{name}@{DOMAIN}", {})
                if view != true:
                    found.append((f"{jid}/{resource}", name, view, true))
        for name, jid in self.pairs:
            if (name, jid) not in self.sip.watching:
                found.append((name, jid, None, None))
                continue
            view = self.sip.view(name, jid)
            if view != self.xmpp.truth[jid]:
                found.append((name, jid, view, self.xmpp.truth[jid]))
        return found

    def wait(self, wrong, what, wait_s=60):
        """Until nothing is found any more; seconds that it took."""
        began = time.monotonic()
        while True:
            found = wrong()
            took = time.monotonic() - began
            if not found:
                return took
            assert took < wait_s, f"{what} after {wait_s} s: " + \
                "\n".join([f"{len(found)} wrong", *map(str, found[:12])])
            time.sleep(0.2)

    def wait_true(self, wait_s=60):
        return self.wait(self.wrong, "not what is true", wait_s)

    def wait_nobody(self, wait_s):
        """Nobody is believed to be there, and all subscriptions of SIP users
        were ended for a while."""
        return self.wait(lambda: self.seen_there() or self.sip.going_on(),
                         "ghosts", wait_s)

    def wait_no_contacts(self, wait_s):
        """No SIP user believes an XMPP user to be there."""
        return self.wait(self.contacts_there, "ghosts", wait_s)

    def seen_there(self):
        """Whoever somebody believes to be there."""
        xmpp = [(key, contact, view)
                for key, client in self.xmpp.clients.items()
                for contact, view in client.views().items()
                if view and contact.endswith(f"@{DOMAIN}")]
        return xmpp + self.contacts_there()

    def contacts_there(self):
        """XMPP users that a SIP user believes to be there."""
        return [(name, jid, view) for name, jid in self.pairs
                if (view := self.sip.view(name, jid))]

    # ---- what should not happen ---------------------------------------------

    def _log(self):
        return self.lab.log("prosody")

    def mark(self):
        return Mark({c: c.mark() for c in self.xmpp.clients.values()},
                    {w: len(w.states) for w in self.sip.watching.values()},
                    len(self._log()))

    def asked(self, mark):
        """Words about approvals that Prosody got of the SIP side: clients do
        not see all of them."""
        return re.findall(r"Received\[s2s[^\]]*\]: (<presence[^>]* type="
                          r"'(?:un)?subscribed?'[^>]*>)",
                          self._log()[mark.log:])

    def _probes(self, mark):
        """How often Prosody has asked since then, by device and contact."""
        sent = re.findall(r"Sending\[s2s[^\]]*\]: (<presence[^>]* type='probe'"
                          r"[^>]*>)", self._log()[mark.log:])
        return collections.Counter(
            tuple(re.search(rf" {name}='([^']*)'", text).group(1)
                  for name in ("from", "to")) for text in sent)

    @staticmethod
    def _told_too_often(again, probes, told):
        """[(who, to whom, probes, when)].  What goes to one device alone
        answers a probe of its server: once each, and what is told anyway."""
        found = []
        for who, when in again.items():
            for to, count in collections.Counter(to for _, to in when).items():
                asked = probes[to, who.partition("/")[0]] if "/" in to else 0
                if count > told + asked:
                    found.append((who, to, asked, when))
        return found

    def offences(self, mark, told=1, notified=1):
        """What was asked, ended or said again since then; how often XMPP
        users may be told, and SIP users be notified of, what they know.  A
        restart does it once, and a NOTIFY whose answer was lost is
        repeated."""
        found = [("asked again", text) for text in self.asked(mark)]
        probes = self._probes(mark)
        for key, client in self.xmpp.clients.items():
            since = mark.clients.get(client, 0)
            found += [(key, "got", s.says) for s in client.since(since)
                      if s.type.startswith(("subscr", "unsub"))]
            found += [(key, "told again", *what) for what in
                      self._told_too_often(client.says_again(since), probes,
                                           told)]
        for pair, watch in self.sip.watching.items():
            since = mark.watches.get(watch, 0)
            if "pending" in [s.state for s in watch.states[since:]]:
                found.append((pair, "pending", watch.history()[since:]))
            if watch.repeats(max(since - 1, 0))[notified:]:
                found.append((pair, "notified again", watch.history()[since:]))
            found += [(pair, c) for c in watch.complaints]
        return found

    def unpaired(self):
        """Pairs that have not just one subscription at the SIP user; those
        at the presence server are not seen from here."""
        have = self.sip.watchers()
        return [(name, jid, have.get((name, f"sip:{jid}"), 0))
                for name, jid in self.pairs if name not in self.sip.published
                and have.get((name, f"sip:{jid}"), 0) != 1]
