"""baresip, a SIP client with presence of its own, and XMPP users of Prosody
and ejabberd: both directions."""

import itertools
import time

import pytest

from baresip import Baresip

_numbers = itertools.count(1)


@pytest.fixture
def phone(lab, xmpp_person):
    """Watches the XMPP user; says neither that it is there nor that not."""
    client = Baresip(lab, f"tybalt{next(_numbers)}", 21, [xmpp_person.jid])
    yield client
    client.close()


def resource(view):
    """The one resource in a view, without its contact."""
    (full, said), = view.items()
    return full.partition("/")[2], said


def test_it_is_watched(phone, xmpp_person):
    """It answers SUBSCRIBE itself: neither open nor closed, until it is told;
    then on, off, on, and gone when it quits."""
    juliet = xmpp_person
    juliet.subscribe(phone.jid)
    juliet.wait_type(phone.jid, "subscribed")
    juliet.wait(lambda: phone.jid in juliet.roster() and
                juliet.roster()[phone.jid] == ("to", ""), "the roster right")
    assert juliet.view(phone.jid) == {}
    phone.online()
    juliet.wait(lambda: juliet.view(phone.jid), "it online")
    name, said = resource(juliet.view(phone.jid))
    assert said == ("", "")
    phone.offline()
    juliet.wait_view(phone.jid, {})
    phone.online()
    juliet.wait_view(phone.jid, {f"{phone.jid}/{name}": ("", "")})
    assert juliet.repeats(phone.jid) == []
    juliet.remove(phone.jid)
    juliet.wait_view(phone.jid, {})


def test_it_watches(phone, xmpp_person):
    """Its contact list shows the XMPP user: unknown, then as she is; who is
    away is offline for it."""
    juliet = xmpp_person
    juliet.wait_type(phone.jid, "subscribe")
    assert phone.contacts()[juliet.jid] == "Unknown"
    juliet.approve(phone.jid)
    phone.wait_contact(juliet.jid, "Online")
    juliet.available("away")
    phone.wait_contact(juliet.jid, "Offline")
    juliet.available("dnd")
    phone.wait_contact(juliet.jid, "Busy")
    juliet.unavailable()
    phone.wait_contact(juliet.jid, "Offline")
    juliet.available()
    phone.wait_contact(juliet.jid, "Online")
    assert juliet.roster()[phone.jid][0] == "from"


def test_it_is_denied(phone, xmpp_person):
    juliet = xmpp_person
    juliet.wait_type(phone.jid, "subscribe")
    juliet.deny(phone.jid)
    juliet.available("dnd")
    time.sleep(2)
    assert phone.contacts()[juliet.jid] == "Unknown"


def test_it_ends_in_order_and_comes_back(phone, xmpp_person):
    """She is not asked again: what she allowed is remembered."""
    juliet = xmpp_person
    juliet.wait_type(phone.jid, "subscribe")
    juliet.approve(phone.jid)
    phone.wait_contact(juliet.jid, "Online")
    mark = juliet.mark()
    phone.quit()
    juliet.available("dnd")
    phone.start()
    phone.wait_contact(juliet.jid, "Busy")
    assert "subscribe" not in juliet.types(phone.jid, mark)


def test_it_dies_and_comes_back(phone, xmpp_person):
    """A new dialog beside the dead one."""
    juliet = xmpp_person
    juliet.wait_type(phone.jid, "subscribe")
    juliet.approve(phone.jid)
    phone.wait_contact(juliet.jid, "Online")
    mark = juliet.mark()
    phone.kill()
    juliet.available("dnd")
    phone.start()
    phone.wait_contact(juliet.jid, "Busy")
    assert "subscribe" not in juliet.types(phone.jid, mark)
