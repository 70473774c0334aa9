"""The federation configuration as an operator handles it, with fedctl."""

import json
import pathlib
import re
import socket
import subprocess
import threading

import pytest

import admin_wire

USERS = 10000


@pytest.fixture(scope="module", autouse=True)
def as_it_was(lab):
    """Other tests of the lab find the configuration that they expect."""
    path = lab.env["LAB_GATEWAY_ADMIN"]
    program = pathlib.Path(lab.env["LAB_BIN"]) / "fedctl"

    def run(*words, **more):
        return subprocess.run([str(program), *words], text=True, check=True,
                              capture_output=True, timeout=60,
                              env={"FEDCTL_SOCKET": path}, **more).stdout

    before = run("export")
    yield
    run("apply", "-f", "-", input=before)


@pytest.fixture
def ctl(fedctl):
    """fedctl at the gateway."""
    def run(*words, **more):
        return fedctl("gateway", *words, **more)

    run.json = lambda *words: fedctl.json("gateway", *words)
    return run


@pytest.fixture
def partner(ctl):
    """A partner that is gone afterwards."""
    ctl("partner", "add", "fabrikam.example", "--type", "federated",
        "--additional", "im.fabrikam.example", "--description", "a factory")
    yield "fabrikam.example"
    names = [p["domain"] for p in ctl.json("partner", "list")]
    if "fabrikam.example" in names:
        ctl("partner", "remove", "fabrikam.example")


def in_force(text):
    return int(re.search(r"revision (\d+) is in force\n$", text).group(1))


# ---- partners --------------------------------------------------------------

def test_partner(ctl, partner):
    shown = ctl.json("partner", "show", partner)
    assert shown == {
        "domain": partner, "additional": ["im.fabrikam.example"],
        "description": "a factory", "type": "federated", "state": "enabled",
        "tls": "required", "sasl": "required", "dialback": True,
        "keep_alive": True, "connection_limit": 0, "proxy_host": None,
        "stanzas_per_second": 0, "bytes_per_second": 0}
    text = ctl("partner", "show", partner).stdout
    assert "type                federated\n" in text
    assert "proxy_host          - (the domain's SRV records)\n" in text
    before = ctl.json("status")["revision"]
    done = ctl("partner", "set", partner, "--tls", "optional", "--sasl",
               "optional", "--additional", "-IM.fabrikam.example",
               "--additional", "+*.fabrikam.example", "--stanzas-per-second",
               "50", "--proxy-host", "xmpp.fabrikam.example:5270")
    assert "    tls                 required -> optional\n" in done.stdout
    assert "    additional          -im.fabrikam.example, " \
        "+*.fabrikam.example\n" in done.stdout
    assert in_force(done.stdout) == before + 1
    shown = ctl.json("partner", "show", partner)
    assert shown["additional"] == ["*.fabrikam.example"]
    assert shown["proxy_host"] == "xmpp.fabrikam.example:5270"
    assert shown["type"] == "federated" and shown["stanzas_per_second"] == 50
    row, = [line for line in ctl("partner", "list", "fab*").stdout.splitlines()
            if line.startswith("fabrikam.example +1 ")]
    assert row.split() == ["fabrikam.example", "+1", "federated", "enabled",
                           "optional", "optional", "on"]


def test_partner_state(ctl, partner):
    ctl("partner", "disable", partner)
    assert [p["domain"] for p in ctl.json("partner", "list", "--state",
                                          "disabled")] == [partner]
    again = ctl.json("partner", "disable", partner)
    assert again["changes"] == [] and again["dry_run"] is False
    assert ctl("partner", "enable", partner).stdout.startswith(
        "~ partner fabrikam.example\n    state  disabled -> enabled\n")
    gone = ctl.json("partner", "remove", partner)
    change, = gone["changes"]
    assert change["record"] == "partner fabrikam.example"
    assert change["after"] is None and change["before"]["domain"] == partner
    assert ctl("partner", "list", "fabrikam*").stdout == "no partner\n"


def test_what_cannot_work_is_refused(ctl, partner):
    """One of the five of the eighteen rows, from the gateway."""
    done = ctl("partner", "set", partner, "--tls", "not-supported",
               "--dialback", "off", status=1)
    assert "partner fabrikam.example" in done.stderr and done.stdout == ""
    assert ctl.json("partner", "show", partner)["tls"] == "required"
    done = ctl("partner", "set", partner, "--sasl", "optional", "--tls",
               "optional")
    assert "\nwarning: partner fabrikam.example: tls optional" in done.stdout


def test_many_doubts_are_told(ctl):
    """More than one response takes."""
    label = ".".join(["abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop"] * 3)
    many = "".join(
        f"  - {{domain: {label}.p{i}.example, state: disabled}}\n"
        for i in range(1900))
    done = ctl("apply", "-f", "-", "--dry-run", "--json",
               input="settings: {federation: on}\npartners:\n" + many)
    warnings = json.loads(done.stdout)["changed"]["warnings"]
    assert len([w for w in warnings if ": tls " in w]) == 1900


def test_wishes_in_one_turn(lab, ctl):
    """Each is answered for itself, in the order in which they came."""
    def wish(number, *its):
        body = admin_wire.message((1, number), (admin_wire.APPLY,
                                                admin_wire.message(*its)))
        return len(body).to_bytes(4, "big") + body

    odd = (2, admin_wire.grant("romeo@sip.example", "nobody"))
    new = (2, admin_wire.partner("turn.example"))
    revision = ctl.json("status")["revision"]
    with admin_wire.Admin(lab.env["LAB_GATEWAY_ADMIN"]) as admin:
        admin.socket.sendall(wish(1) + wish(2, odd) + wish(3) +
                             wish(4, new, (5, 1)))
        answers = {}
        for _ in range(4):
            size = int.from_bytes(admin.read(4), "big")
            found = admin_wire.fields(admin.read(size))
            answers[admin_wire.one(found, 1)] = found
    for number in (1, 3):
        changed = admin_wire.fields(admin_wire.one(answers[number], 13))
        assert changed == {1: [revision]}
    assert "there is no policy" in admin_wire.text(answers[2], 2)
    changed = admin_wire.fields(admin_wire.one(answers[4], 13))
    assert b"turn.example" in admin_wire.one(changed, 3)


def test_deny(ctl):
    assert ctl("deny", "list").stdout == "no domain is denied\n"
    ctl("deny", "add", "*.Spam.example", "--description", "junk")
    assert ctl.json("deny", "list") == [
        {"domain": "*.spam.example", "description": "junk"}]
    assert re.search(r"^\*\.spam\.example  junk$", ctl("deny", "list").stdout,
                     re.M)
    ctl("deny", "remove", "*.spam.example")
    assert ctl.json("deny", "list") == []


# ---- policies, grants, sites -----------------------------------------------

@pytest.fixture
def sales(ctl):
    ctl("policy", "set", "user", "sales", "--federation", "on", "--xmpp", "on")
    yield "sales"
    users = [g["user"] for g in ctl.json("grant", "list", "--policy", "sales")]
    for at in range(0, min(len(users), 20), 20):
        ctl("revoke", *users[at:at + 20])
    ctl("policy", "remove", "user", "sales")


def test_policy(ctl, sales):
    assert ctl.json("policy", "show", "user", sales) == {
        "scope": "user", "name": "sales", "federation": True, "xmpp": True,
        "description": None}
    ctl("policy", "set", "user", sales, "--description", "who sells")
    assert ctl("policy", "show", "user", sales).stdout == \
        "federation   on\nxmpp         on\ndescription  who sells\n"
    rows = ctl("policy", "list").stdout.splitlines()
    assert rows[0].split() == ["SCOPE", "NAME", "FEDERATION", "XMPP",
                               "DESCRIPTION"]
    assert ["user", "sales", "on", "on", "who", "sells"] in [
        row.split() for row in rows]
    assert {p["scope"] for p in ctl.json("policy", "list")} == {"global",
                                                                "user"}
    done = ctl("policy", "set", "user", sales, "--federation", "off",
               status=1)
    assert "policy user sales: xmpp" in done.stderr


def test_grant(ctl, sales):
    done = ctl("grant", "sip:Romeo@SIP.example", sales)
    assert done.stdout.startswith("+ grant romeo@sip.example: sales\n")
    assert ctl.json("grant", "list") == [
        {"user": "romeo@sip.example", "policy": "sales"}]
    assert ctl("grant", "list", "t*").stdout == "no grant\n"
    # what is still held is not taken away
    done = ctl("policy", "remove", "user", sales, status=1)
    assert "romeo@sip.example" in done.stderr
    done = ctl("revoke", "romeo@sip.example")
    assert done.stdout.startswith("- grant romeo@sip.example: sales\n")


def parts_of_nothing(lab, kind):
    """In how many parts the gateway looks for what it does not have."""
    with admin_wire.Admin(lab.env["LAB_GATEWAY_ADMIN"]) as admin:
        parts = admin.ask(admin_wire.GET, admin_wire.message(
            (1, kind), (2, "no such name*")))
    assert all(11 not in part for part in parts)
    return len(parts)


def test_grants_of_a_file(lab, ctl, sales, tmp_path):
    """All in one change, or nothing."""
    path = tmp_path / "sales.csv"
    lines = ["user,policy"] + [f"user{n:05}@sip.example,sales"
                               for n in range(USERS)]
    path.write_text("\n".join(lines) + "\n")
    revision = ctl.json("status")["revision"]
    done = ctl("grant", "--csv", str(path))
    assert f"{USERS} new: revision {revision + 1} is in force\n" in done.stdout
    assert f"  and {USERS - 20} more users; --full shows them\n" in done.stdout
    assert len(ctl.json("grant", "list")) == USERS
    # others have their turn between; records of other kinds are not looked at
    assert parts_of_nothing(lab, admin_wire.GRANT) > 4
    assert parts_of_nothing(lab, admin_wire.POLICY) == 1
    assert ctl.json("status")["revision"] == revision + 1
    one, = ctl.json("history", str(revision + 1))
    assert len(one["changes"]) == USERS
    full = ctl("history", str(revision + 1), "--full").stdout
    assert full.count("\n+ grant user") == USERS
    wrong = lines[:]
    wrong[7] = "user6@sip.example"
    wrong[70] = "nobody,sales"
    wrong[700] = "user7@sip.example,slaes"
    wrong[7000] = lines[6999]
    path.write_text("\n".join(wrong) + "\n")
    done = ctl("grant", "--csv", str(path), status=2)
    for said in (f"{path}:8: user,policy is expected",
                 f'{path}:71: "nobody" is no user',
                 f'{path}:701: there is no policy user "slaes"; did you mean '
                 '"sales"?',
                 f"{path}:7001: user06998@sip.example is in line 7000",
                 f"{path}: 4 wrong lines; nothing was changed"):
        assert said in done.stderr, said
    assert ctl.json("status")["revision"] == revision + 1
    ctl("rollback", str(revision))
    assert ctl.json("grant", "list") == []
    with open("/dev/null", encoding="utf-8") as nothing:
        done = ctl("grant", "--csv", "-", status=2, stdin=nothing)
    assert "stdin: no user in it" in done.stderr


def test_site(ctl, tmp_path):
    users = tmp_path / "users.csv"
    users.write_text("tybalt@sip.example\nparis@sip.example\n")
    done = ctl("site", "add", "verona", "--domain", "verona.sip.example",
               "--user", "romeo@sip.example", "--csv", str(users))
    assert "+ member tybalt@sip.example: verona\n" in done.stdout
    assert ctl.json("site", "show", "verona") == {
        "name": "verona", "domains": ["verona.sip.example"],
        "description": None,
        "users": ["paris@sip.example", "romeo@sip.example",
                  "tybalt@sip.example"]}
    ctl("site", "set", "verona", "--user", "-paris@sip.example", "--domain",
        "+mantua.sip.example")
    assert ctl("site", "show", "verona").stdout == (
        "domains      verona.sip.example, mantua.sip.example\n"
        "description  -\n"
        "users        romeo@sip.example\n"
        "             tybalt@sip.example\n")
    row = ctl("site", "list").stdout.splitlines()[1]
    assert row.split() == ["verona", "verona.sip.example", "+1", "-"]
    assert [s["name"] for s in ctl.json("site", "list")] == ["verona"]
    ctl("policy", "set", "site", "verona", "--federation", "on")
    done = ctl("site", "remove", "verona", status=1)
    assert "policy" in done.stderr
    ctl("policy", "remove", "site", "verona")
    done = ctl("site", "remove", "verona")
    assert done.stdout.endswith("\n- site verona\n" + done.stdout.splitlines()[
        -1] + "\n")
    assert ctl("site", "list").stdout == "no site\n"


# ---- settings --------------------------------------------------------------

def test_settings(ctl):
    shown = ctl.json("settings", "show")
    assert shown["federation"] is True and shown["connection_limit"] == 1000
    text = ctl("settings", "show").stdout
    assert set(shown) == {line.split()[0] for line in text.splitlines()}
    secret = "a secret of the lab's test"
    done = ctl("settings", "set", "keep_alive_interval", "120", "log-bodies",
               "on", "dialback_secret", "-", input=secret + "\n")
    assert "    keep_alive_interval  300 -> 120\n" in done.stdout
    now = ctl.json("settings", "show")
    assert now["keep_alive_interval"] == 120 and now["log_bodies"] is True
    assert now["dialback_secret"] == "***"
    revision = in_force(done.stdout)
    # no output but that of export --secrets has it
    for words in (["history", str(revision)], ["--json", "history"],
                  ["settings", "show"], ["export"], ["--json", "settings",
                                                     "show"]):
        assert secret not in ctl(*words).stdout
    assert secret in ctl("export", "--secrets").stdout
    # one that is not named is kept
    ctl("settings", "set", "log_bodies", "off")
    assert secret in ctl("export", "--secrets").stdout
    ctl("rollback", str(revision - 1))
    assert ctl.json("settings", "show") == shown


def test_secrets_stay_out_of_the_logs(lab, ctl):
    secret = "never to be read by anybody"
    revision = ctl.json("status")["revision"]
    ctl("settings", "set", "dialback_secret", secret)
    what = ctl.json("history")[0]["what"]
    assert what == "settings set dialback_secret ***"
    ctl("rollback", str(revision))
    for service in ("gateway", "edge"):
        assert secret not in lab.log(service)


# ---- the whole -------------------------------------------------------------

def test_export_and_apply(ctl, partner, tmp_path):
    path = tmp_path / "federation.yaml"
    text = ctl("export").stdout
    path.write_text(text)
    status = ctl.json("status")
    done = ctl("apply", "-f", str(path))
    assert done.stdout.endswith("nothing changed: revision "
                                f"{status['revision']} says the same\n")
    assert ctl.json("status") == status
    assert ctl("export").stdout == text
    path.write_text(text.replace("a factory", "another factory").replace(
        "denied: []", "denied: [{domain: spam.example}]"))
    done = ctl("apply", "-f", str(path), "--dry-run")
    assert "+ denied spam.example\n" in done.stdout
    assert "    description  a factory -> another factory\n" in done.stdout
    assert "; a dry run: nothing was put in force\n" in done.stdout
    assert ctl.json("status") == status and ctl("export").stdout == text
    dry = ctl.json("apply", "--file", str(path), "--dry-run")
    assert dry["dry_run"] is True and len(dry["changes"]) == 2
    done = ctl("apply", "-f", "-", input=path.read_text())
    assert in_force(done.stdout) == status["revision"] + 1
    assert ctl.json("partner", "show", partner)["description"] == \
        "another factory"
    ctl("rollback", str(status["revision"]))
    assert ctl("export").stdout.splitlines()[1:] == text.splitlines()[1:]


def test_apply_of_a_wrong_file(ctl, tmp_path):
    path = tmp_path / "federation.yaml"
    text = ctl("export").stdout
    path.write_text(text.replace("  mode: ", "  mood: "))
    done = ctl("apply", "-f", str(path), status=2)
    assert f"{path}:" in done.stderr and "mood" in done.stderr
    assert done.stdout == ""
    # what is right by itself and wrong as a whole
    path.write_text(text.replace("grants: []", "grants: [{user: "
                                 "romeo@sip.example, policy: nobodys}]"))
    done = ctl("apply", "-f", str(path), status=1)
    assert "nobodys" in done.stderr
    assert ctl("export").stdout == text
    done = ctl("apply", "-f", str(tmp_path / "none.yaml"), status=1)
    assert "No such file or directory" in done.stderr


def test_history_and_rollback(ctl, partner):
    added = ctl.json("status")
    done = ctl("partner", "set", partner, "--type", "public-verified")
    revision = in_force(done.stdout)
    rows = ctl("history", "--count", "2").stdout.splitlines()
    assert rows[0].split() == ["REV", "WHEN", "WHO", "WHAT"]
    assert rows[1].split()[0] == str(revision) and len(rows) == 3
    assert "  partner set fabrikam.example -" in rows[1]
    assert all(len(row) <= 80 for row in rows)
    assert ctl.json("history")[0]["what"] == \
        "partner set fabrikam.example --type public-verified"
    text = ctl("history", str(revision)).stdout
    assert text.startswith(f"revision  {revision}\nwhen      20")
    assert text.endswith("\n~ partner fabrikam.example\n"
                         "    type  federated -> public-verified\n")
    one, = ctl.json("history", str(revision))
    change, = one["changes"]
    assert change["before"]["type"] == "federated"
    assert change["after"]["type"] == "public-verified"
    assert "(uid 0)" in one["author"]
    dry = ctl("rollback", str(added["revision"]), "--dry-run").stdout
    assert "    type  public-verified -> federated\n" in dry
    assert ctl.json("status")["revision"] == revision
    back = ctl("rollback", str(added["revision"]))
    assert in_force(back.stdout) == revision + 1
    assert ctl.json("partner", "show", partner)["type"] == "federated"
    assert ctl.json("history")[0]["what"] == f"rollback {added['revision']}"
    assert str(revision + 1) in ctl("rollback", str(revision + 50),
                                    status=1).stderr


def test_who_it_was(lab, ctl, partner):
    path = lab.env["LAB_GATEWAY_ADMIN"]
    program = pathlib.Path(lab.env["LAB_BIN"]) / "fedctl"
    subprocess.run([str(program), "partner", "disable", partner], check=True,
                   capture_output=True, timeout=60,
                   env={"FEDCTL_SOCKET": path, "SUDO_USER": "alice"})
    newest = ctl.json("history")[0]
    assert newest["author"].startswith("alice (uid 0")
    assert newest["what"] == "partner disable fabrikam.example"


def test_status(ctl):
    status = ctl.json("status")
    edge, = status["edges"]
    assert edge == {"name": "edge1.dmz.example", "connected": True,
                    "revision": status["revision"], "refused": None}
    text = ctl("status").stdout
    assert text.startswith(f"revision  {status['revision']}\nwhen      20")
    assert "\nedges     edge1.dmz.example  revision " in text


def test_an_edge_that_is_away_is_named(lab, ctl, partner):
    lab("stop", "edge")
    try:
        done = ctl("partner", "disable", partner)
        assert re.search(r"^warning: .*edge1\.dmz\.example", done.stdout, re.M)
        assert "not connected" in ctl("status").stdout
        assert ctl.json("status")["edges"][0]["connected"] is False
    finally:
        lab("start", "edge")
        lab("wait-channel")


# ---- two at once -----------------------------------------------------------

class Between(threading.Thread):
    """Stands before a daemon, and lets something happen before the second
    request of its client goes on."""

    def __init__(self, path, daemon, happens):
        super().__init__(daemon=True)
        self.daemon_path, self.happens = daemon, happens
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.start()

    @staticmethod
    def message(source):
        head = source.recv(4, socket.MSG_WAITALL)
        return head and head + source.recv(int.from_bytes(head, "big"),
                                           socket.MSG_WAITALL)

    def run(self):
        client, _ = self.listener.accept()
        with client, self.listener, \
                socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(self.daemon_path)
            for number in range(2):
                request = self.message(client)
                if number == 1:
                    self.happens()
                daemon.sendall(request)
                client.sendall(self.message(daemon))


def test_a_change_in_between_is_not_undone(lab, ctl, partner, tmp_path):
    Between(tmp_path / "s", lab.env["LAB_GATEWAY_ADMIN"],
            lambda: ctl("partner", "set", partner, "--type",
                        "public-verified"))
    done = ctl("--socket", str(tmp_path / "s"), "partner", "set", partner,
               "--description", "mine", status=1)
    assert re.search(r"revision \d+", done.stderr), done.stderr
    now = ctl.json("partner", "show", partner)
    assert now["type"] == "public-verified"
    assert now["description"] == "a factory"


# ---- wrong lines -----------------------------------------------------------

WRONG = [
    (["partner", "lisst"], '"partner lisst" is no command; did you mean '
     '"partner list [PATTERN] [OPTION...]"?'),
    (["partner"], '"partner" is no command; "partner" goes on with list, show'),
    (["partnr", "frobnicate"], '"partner" goes on with list, show, add'),
    (["partner", "add"], "DOMAIN is missing, as in: fedctl partner add"),
    (["partner", "add", "x.example", "--tipe", "federated"],
     "partner add: --tipe is no option; did you mean --type?"),
    (["partner", "add", "x.example", "--type", "federatd"],
     'did you mean "federated"?'),
    (["partner", "add", "x.example", "--connection-limit", "many"],
     '--connection-limit "many": a number is expected'),
    (["partner", "set", "fabrikan.example", "--tls", "optional"],
     'there is no partner "fabrikan.example"; did you mean '
     '"fabrikam.example"?'),
    (["partner", "add", "fabrikam.example"], "fabrikam.example is there"),
    (["deny", "remove", "x.example"], 'there is no denied domain "x.example"'),
    (["policy", "set", "globl"], 'did you mean "global"?'),
    (["policy", "show", "user", "nobodys"], "there is no policy user nobodys"),
    (["grant", "romeo@sip.example", "nobodys"], 'no policy user "nobodys"'),
    (["grant", "lst"], 'did you mean "grant list"?'),
    (["revoke", "romeo@sip.example"], "has no policy of his own"),
    (["site", "show", "nowhere"], 'there is no site "nowhere"'),
    (["settings", "set", "keep_alive_intervall", "1"],
     'did you mean "keep_alive_interval"?'),
    (["apply"], "--file is missing, as in: fedctl apply -f"),
    (["history", "100000"], "there is no revision 100000"),
    (["rollback", "yesterday"], "a number is expected"),
    (["rollback"], "REV is missing"),
]


@pytest.mark.parametrize("words,said", WRONG,
                         ids=["-".join(w[0]) for w in WRONG])
def test_usage(ctl, partner, words, said):
    done = ctl(*words, status=2)
    assert said in done.stderr
    assert done.stdout == ""


def test_refused_by_the_daemon(ctl, partner):
    """The right words, and something that cannot be."""
    for words, said in (
            (["partner", "add", "no domain"], "no domain"),
            (["partner", "add", "x.example", "--additional",
              "fabrikam.example"], "fabrikam.example"),
            (["settings", "set", "keep_alive_interval", "1"],
             "keep_alive_interval"),
            (["settings", "set", "dialback_secret", "short"],
             "dialback_secret")):
        done = ctl(*words, status=1)
        assert said in done.stderr and done.stdout == "", words
