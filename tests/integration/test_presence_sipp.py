"""SIPp as a crowd of watchers and as a crowd that is watched; the XMPP server
is scripted.  Nobody is told too little, and nobody anything twice."""

import collections
import time

from presence_sip import PresenceUser

COUNT = 100


def sipp(lab, scenario, last_octet, tmp_path, *more):
    """The command and its arguments."""
    folder = lab.env["LAB_TOP"] + "/tests/integration/sipp"
    return ["exec", "inside", "sipp", "10.66.0.3:5060", "-sf",
            f"{folder}/{scenario}.xml", "-i", f"10.66.0.{last_octet}", "-p",
            "5080", "-nostdin", "-m", str(COUNT), "-l", str(COUNT),
            # a NOTIFY may overtake the 200 in the proxy: it comes again
            "-default_behaviors", "-abortunexp", "-timeout", "60", "-timeout_error", "-trace_err", "-error_file",
            str(tmp_path / "errors"), *more]


def errors(tmp_path):
    file = tmp_path / "errors"
    return file.read_text()[-2000:] if file.exists() else ""


def counted(tower, sender):
    return collections.Counter((s.type, s.sender, s.to) for s in
                               tower.stanzas if s.sender.startswith(sender))


def test_watchers(lab, tower, tmp_path):
    """Each is asked about, let in, told, and ends it."""
    def let_in(stanza):
        if stanza.type == "subscribe":
            tower.say("juliet", stanza.bare, "subscribed")
    tower.on_presence = let_in
    done = lab(*sipp(lab, "presence_watcher", 22, tmp_path, "-r", "50", "-key",
                     "to", "juliet@tower.example"), check=False)
    tower.on_presence = None
    assert done.returncode == 0, done.stdout[-1500:] + errors(tmp_path)
    time.sleep(1)
    got = counted(tower, "watcher")
    assert set(got.values()) == {1}
    assert collections.Counter(kind for kind, _, _ in got) == {
        "subscribe": COUNT, "unavailable": COUNT}


def test_watched(lab, tower, tmp_path):
    """Each of a hundred watches him, and stops."""
    target = PresenceUser(lab.namespace("inside"), "target", "10.66.0.23",
                          5080, (lab.env["LAB_KAMAILIO_IP"], 5060))
    target.register()
    target.close(leaves=False)      # SIPp takes its place
    names = [f"fan{n}" for n in range(COUNT)]
    phone = lab.popen(*sipp(lab, "presence_watched", 23, tmp_path))
    try:
        for name in names:
            tower.say(name, target.jid, "subscribe")
        tower.wait(lambda: sum(s.type == "" for s in
                               tower.since(0, target.jid)) == COUNT,
                   "all of them", 40)
        for name in names:
            tower.say(name, target.jid, "unsubscribe")
        assert phone.wait(40) == 0, errors(tmp_path)
        tower.wait(lambda: sum(s.type == "unsubscribed" for s in
                               tower.since(0, target.jid)) >= COUNT,
                   "the last words to all of them", 20)
        time.sleep(1)
        got = counted(tower, target.jid)
        assert set(got.values()) == {1}
        assert collections.Counter(
            (kind, sender.partition("/")[2]) for kind, sender, _ in got) == {
                ("subscribed", ""): COUNT, ("", "sipp"): COUNT,
                ("unavailable", "sipp"): COUNT, ("unsubscribed", ""): COUNT}
    finally:
        if phone.poll() is None:
            phone.terminate()
            phone.wait(5)
