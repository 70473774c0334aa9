"""Three SIP users and three XMPP users do things by chance, while the gateway
is killed and streams end: in the end everybody sees what is true, and nobody
has a subscription too many.  The seed is said; SEED=n repeats a run."""

import contextlib
import functools
import os
import random
import re
import threading
import time

import pytest

import pidf
from presence_crowd import SipCrowd
from presence_sip import Watch
from presence_story import Story, short
from sip_user import Sip

SHOWS = ["", "away", "dnd", "xa", "chat"]
STEPS = 60
TRUE_S = 40
# A SUBSCRIBE arrives so long before what loses its answer, or so long after.
UNDER_WAY_S, ARRIVES_S = 5, 0.5


def told_at_once(deed):
    """Nobody else tells anything between what becomes true and its telling."""
    @functools.wraps(deed)
    def locked(world):
        with world.sip.telling:
            deed(world)
    return locked


class WrittenCrowd(SipCrowd):
    """Its messages, but repetitions of its own, go into the story."""

    def __init__(self, story, *args):
        self.story = story
        super().__init__(*args)

    def _put(self, branch, data):
        self.story.add_sip("SIP ->", Sip(data))
        super()._put(branch, data)

    def _respond(self, *args, **more):
        data = super()._respond(*args, **more)
        self.story.add_sip("SIP ->", Sip(data))
        return data

    def _on_response(self, message):
        self.story.add_sip("SIP <-", message)
        super()._on_response(message)

    def _on_request(self, message, source):
        self.story.add_sip("SIP <-", message)
        super()._on_request(message, source)


class World:
    """What is true, and who has been told what."""

    def __init__(self, lab, tower, chance):
        self.lab, self.tower, self.chance = lab, tower, chance
        self.story = Story()
        number = chance.randrange(10 ** 6)
        self.his = {f"r{n}x{number}": {} for n in range(3)}  # name: resources
        self.sip = WrittenCrowd(self.story, lab, list(self.his), [], 27)
        self.hers = {f"j{n}x{number}": {} for n in range(3)}
        self.allowed = set()            # (his, hers): he may see her
        self.lets_in = set()            # … and will, when he asks
        self.wants = set()              # (his, hers): she watches him
        self.watches = {}               # (his, hers): his Watch
        self.left = {}                  # (his, hers): when she left, each time
        self.breaks = []                # (from, until) when answers were lost
        self.did = []
        self.sip.policy.body = lambda watched: self.document(
            watched.dialog.local.partition(":")[2].partition("@")[0])
        self.sip.register_all()
        tower.on_presence = self.on_presence

    def close(self):
        self.tower.on_presence = None
        self.sip.close()

    def pairs(self):
        return [(a, b) for a in self.his for b in self.hers]

    def document(self, name):
        tuples = [pidf.one(f"ID-{r}", show=show, note=note) for
                  r, (show, note) in self.his.get(name, {}).items()]
        return pidf.document(f"sip:{name}@sip.example",
                             *(tuples or [pidf.one("ID-a", "closed")]))

    # ---- the XMPP server's own part ------------------------------------------

    def say(self, who, to, kind="", show="", status="", stanza_id=""):
        self.story.add_stanza("XMPP ->", f"{who.partition('/')[0]}@"
                              f"tower.example/{who.partition('/')[2]}", to,
                              kind, show, status)
        self.tower.say(who, to, kind, show, status, stanza_id=stanza_id)

    def show_her(self, hers, jid):
        for resource, (show, note) in self.hers[hers].items():
            self.say(f"{hers}/{resource}", jid, "", show, note)

    def on_presence(self, stanza):
        """In the thread that reads: not while she moves or decides."""
        with self.sip.telling:
            self.answer(stanza)

    def answer(self, stanza):
        hers, his = stanza.to.partition("@")[0], stanza.bare.partition("@")[0]
        if hers not in self.hers or his not in self.his:
            return
        if stanza.type == "subscribe" and (his, hers) in self.lets_in:
            self.let_in(his, hers)
        elif stanza.type == "probe" and (his, hers) in self.allowed:
            self.show_her(hers, stanza.bare)
            if not self.hers[hers]:
                self.say(hers, stanza.bare, "unavailable",
                               stanza_id=stanza.id)
        elif stanza.type == "probe":
            self.say(hers, stanza.bare, "unsubscribed",
                           stanza_id=stanza.id)

    def let_in(self, his, hers):
        self.allowed.add((his, hers))
        jid = f"{his}@sip.example"
        self.say(hers, jid, "subscribed")
        self.show_her(hers, jid)

    # ---- what they do ---------------------------------------------------------

    def someone_moves(self, of):
        """One of his or her resources comes, goes or changes."""
        name = self.chance.choice(list(of))
        resource = self.chance.choice("ab")
        if resource in of[name] and self.chance.random() < 0.4:
            del of[name][resource]
        else:
            of[name][resource] = (self.chance.choice(SHOWS),
                                  f"note {self.chance.randrange(100)}")
        return name, resource

    @told_at_once
    def he_moves(self):
        name, _ = self.someone_moves(self.his)
        for watched in list(self.sip.watched.values()):
            if watched.dialog.local == f"sip:{name}@sip.example" and \
                    not watched.has_ended:
                watched.notify("active", self.document(name), wait_s=None)

    @told_at_once
    def she_moves(self):
        name, resource = self.someone_moves(self.hers)
        for his, hers in list(self.allowed):
            if hers != name:
                continue
            if resource in self.hers[name]:
                show, note = self.hers[name][resource]
                self.say(f"{name}/{resource}", f"{his}@sip.example", "",
                               show, note)
            else:
                self.say(f"{name}/{resource}", f"{his}@sip.example",
                               "unavailable")

    def she_subscribes(self):
        his, hers = self.chance.choice(self.pairs())
        self.wants.add((his, hers))
        self.say(hers, f"{his}@sip.example", "subscribe")

    def she_unsubscribes(self):
        his, hers = self.chance.choice(self.pairs())
        self.wants.discard((his, hers))
        self.left.setdefault((his, hers), []).append(time.monotonic())
        self.say(hers, f"{his}@sip.example", "unsubscribe")

    def he_watches(self):
        his, hers = self.chance.choice(self.pairs())
        if (his, hers) in self.watches:
            return
        watch = Watch(self.sip, f"sip:{hers}@tower.example",
                      f"sip:{his}@sip.example")
        if self.answered(watch, 3600):
            self.watches[his, hers] = watch
        else:
            watch.answer = 481

    @staticmethod
    def answered(watch, expires):
        """By a 200; the gateway may be dead."""
        try:
            return watch.subscribe(expires).status == 200
        except AssertionError:
            return False

    def he_stops(self):
        if not self.watches:
            return
        pair = self.chance.choice(list(self.watches))
        watch = self.watches.pop(pair)
        self.answered(watch, 0)
        watch.answer = 481

    @told_at_once
    def she_decides(self):
        his, hers = self.chance.choice(self.pairs())
        jid = f"{his}@sip.example"
        if (his, hers) in self.lets_in:
            self.lets_in.discard((his, hers))
            self.allowed.discard((his, hers))
            self.say(hers, jid, "unsubscribed")
            return
        self.lets_in.add((his, hers))
        asked = any(s.type == "subscribe" and s.bare == jid and
                    s.to == f"{hers}@tower.example"
                    for s in self.tower.since())
        if asked:
            self.let_in(his, hers)

    def step(self, all_deeds=True):
        deeds = [self.he_moves, self.he_moves, self.she_moves, self.she_moves,
                 self.he_watches, self.he_watches, self.he_stops]
        if all_deeds:
            # what is said once, and is lost when nobody hears it
            deeds += [self.she_subscribes, self.she_unsubscribes,
                      self.she_decides]
        deed = self.chance.choice(deeds)
        self.did.append(deed.__name__)
        deed()

    # ---- what is seen -----------------------------------------------------------

    def she_sees(self, his, hers):
        there = {}
        for s in self.tower.since(0, f"{his}@sip.example"):
            if s.to.partition("@")[0] != hers:
                continue
            resource = s.sender.partition("/")[2]
            if s.type == "":
                there[resource] = (s.show, s.status)
            elif s.type == "unavailable":
                there.pop(resource, None)
        return there

    def subscriptions(self):
        """{(his URI, her URI): those that are alive}: neither ended nor
        unknown to the gateway, which ends them too (RFC 6665 4.2.2)."""
        live = {}
        for watched in list(self.sip.watched.values()):
            if not watched.has_ended and not watched.is_unknown:
                key = (watched.dialog.local, watched.watcher)
                live.setdefault(key, []).append(watched)
        return live

    def look_for_dead_ones(self):
        """A gateway that was killed between a SUBSCRIBE of its own and the
        answer knows nothing of the dialog: the next NOTIFY finds that out.
        Not that of the newest that is wanted, which it knows, and without a
        document: what somebody sees is not mended by it."""
        live = self.subscriptions()
        for his, hers in self.pairs():
            several = live.get((f"sip:{his}@sip.example",
                                f"sip:{hers}@tower.example"), [])
            if (his, hers) in self.wants:
                several = several[:-1]
            for watched in several:
                watched.notify("active", wait_s=None)

    @contextlib.contextmanager
    def breaking(self):
        """Answers to SUBSCRIBEs may be lost meanwhile."""
        began = time.monotonic()
        yield
        self.breaks.append((began - UNDER_WAY_S,
                            time.monotonic() + ARRIVES_S))

    def lost(self):
        """{(his URI, her URI, break): [Watched]}: dialogs that the gateway
        does not know although it has not ended them; break None: without a
        SUBSCRIBE, first or last, that can have been under way."""
        lost = {}
        for watched in list(self.sip.watched.values()):
            if not watched.is_unknown:
                continue
            his, hers = watched.dialog.local, watched.watcher
            pair = tuple(uri.partition(":")[2].partition("@")[0]
                         for uri in (his, hers))
            began = watched.began_at
            moments = [began, *[at for at in self.left.get(pair, ())
                                if at >= began][:1]]
            broke = next((n for n, (first, last) in enumerate(self.breaks)
                          if any(first <= at <= last for at in moments)), None)
            lost.setdefault((his, hers, broke), []).append(watched)
        return lost

    def wrong_subscriptions(self):
        found = [(hers, "has lost", len(those), "subscriptions to", his,
                  "break", broke)
                 for (his, hers, broke), those in self.lost().items()
                 if broke is None or len(those) > 1]
        live = self.subscriptions()
        for his, hers in self.pairs():
            count = len(live.get((f"sip:{his}@sip.example",
                                  f"sip:{hers}@tower.example"), ()))
            if count != ((his, hers) in self.wants):
                found.append((hers, "has", count, "subscriptions to", his))
        return found

    def wrong_views(self):
        found = []
        for his, hers in self.pairs():
            true = self.his[his] if (his, hers) in self.wants else {}
            seen = self.she_sees(his, hers)
            if seen != true:
                found.append((hers, "sees", his, seen, true))
            watch = self.watches.get((his, hers))
            if watch is None or watch.states[-1:] == [] or \
                    watch.states[-1].state == "terminated":
                continue
            true = {f"ID-{r}": ("open", *said)
                    for r, said in self.hers[hers].items()} \
                if (his, hers) in self.allowed else {}
            if watch.is_there() != true:
                found.append((his, "sees", hers, watch.history()[-3:], true))
        return found

    def forget_ended(self):
        """Who was told that it is over asks anew some time."""
        for pair, watch in list(self.watches.items()):
            if watch.states and watch.states[-1].state == "terminated":
                del self.watches[pair]

    def tell(self, found):
        """What is wrong, and all that led to the first of it."""
        names = set(re.findall(r"[rj]\dx\d+", " ".join(map(str, found[0]))))
        log = [line for line in self.lab.log("gateway").splitlines()
               if all(name in line for name in names)]
        more = [(s.at, None, f"XMPP <- {s.sender} to {s.to}: "
                 f"{s.type or 'available'} {s.show} {s.status}".rstrip())
                for s in self.tower.since()
                if all(name in s.sender + s.to for name in names)]
        return "\n".join([*(short(str(f)) for f in found[:6]),
                          *self.story.of(names, 36, more),
                          *(short(line) for line in log[-12:]),
                          short(" ".join(self.did[:-20:-1]))])

    def wait_true(self):
        until = time.monotonic() + TRUE_S
        while True:
            views = self.wrong_views()
            found = views + self.wrong_subscriptions()
            if not found:
                return
            assert time.monotonic() < until, self.tell(found)
            if not views and time.monotonic() > until - TRUE_S / 2:
                self.look_for_dead_ones()
                time.sleep(1)
            time.sleep(0.2)


def kill_gateway(lab, world):
    # what the dead one has sent may be read late by those who are busy
    with world.breaking():
        lab("fault", "kill", "gateway")
        world.story.add(None, "gateway killed")
        lab("start", "gateway")
        lab("wait-channel")


def stop_gateway(lab, _world):
    """In order: no answer is lost."""
    lab("restart", "gateway")
    lab("wait-channel")


def end_streams(_lab, world):
    world.tower.hang_up()


def restart_edge(lab, _world):
    lab("restart", "edge")
    lab("wait-channel")


def cut_channel(lab, _world):
    lab("fault", "cut", "edge", "gateway")
    time.sleep(4)
    lab("fault", "heal")
    lab("wait-channel")


def restart_kamailio(lab, world):
    with world.breaking():
        lab("restart", "kamailio")
    world.sip.register_all()


TROUBLES = [None, kill_gateway, end_streams, cut_channel, restart_edge,
            restart_kamailio, kill_gateway, stop_gateway]


def seed_of(run, record_property):
    seed = int(os.environ.get("SEED", time.time_ns() % 10 ** 9 + run))
    record_property("seed", seed)
    print("seed", seed)
    return seed


@pytest.mark.parametrize("run", range(2))
def test_chance(lab, tower, record_property, run):
    seed = seed_of(run, record_property)
    world = World(lab, tower, random.Random(seed))
    try:
        for trouble in TROUBLES:
            for _ in range(STEPS):
                world.step()
                if world.chance.random() < 0.2:
                    time.sleep(world.chance.random() * 0.3)
            if trouble:
                world.did.append(trouble.__name__)
                world.story.add(None, trouble.__name__)
                trouble(lab, world)
                world.story.add(None, f"{trouble.__name__} was done")
            world.wait_true()
            world.forget_ended()
        complaints = [c for w in world.sip.watches.values()
                      for c in w.complaints]
        assert complaints == []
    finally:
        world.close()
        record_property("dialogs of lost answers", len(world.lost()))


@pytest.mark.parametrize("run", range(2))
def test_killed_in_the_middle(lab, tower, record_property, run):
    """While they move, watch and stop."""
    world = World(lab, tower, random.Random(seed_of(run, record_property)))
    try:
        for _ in range(STEPS):
            world.step()
        for _ in range(3):
            killer = threading.Timer(world.chance.random() * 3, kill_gateway,
                                     (lab, world))
            killer.start()
            while killer.is_alive():
                world.step(all_deeds=False)
                time.sleep(world.chance.random() * 0.1)
            world.wait_true()
            world.forget_ended()
    finally:
        world.close()
        record_property("dialogs of lost answers", len(world.lost()))
